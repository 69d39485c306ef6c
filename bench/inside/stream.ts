/**
 * Sessions that stream: what the gateway's loop feels of it, and what is written.
 * The same gateway with nothing to do and the same agents read raw are its baselines.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { kill } from "../../src/operations/kill.ts";
import { type LoopDelay, loopDelay } from "./loop-delay.ts";
import { RawAgent } from "./raw-agent.ts";
import { begun, CALLER, type HostSide, type Place, SETTLE_MS, sum, until } from "./world.ts";

export interface StreamCost {
  readonly idle: LoopDelay;
  readonly raw: LoopDelay;
  readonly ours: LoopDelay;
  readonly chunksPerSecond: number;
  /** For each session. */
  readonly commitsPerSecond: number;
  readonly journalBytesPerByte: number;
  readonly stateBytesPerByte: number;
}

interface Load {
  readonly sessions: number;
  readonly perSecond: number;
  readonly seconds: number;
}

export async function stream(host: HostSide, place: Place, load: Load): Promise<StreamCost> {
  const measuredMs = load.seconds * 1_000;
  const script = `pace ${load.perSecond * (load.seconds + 30)} ${load.perSecond}`;
  await using world = await begun(host, place);
  const idle = await loopDelay(measuredMs);
  const raw = await rawStream(place, load.sessions, script, measuredMs);
  const launched = await Promise.all(Array.from({ length: load.sessions }, () => world.launch(script)));
  for (const { id } of launched) await world.until(id, (session) => session.output.end > 0);
  await sleep(SETTLE_MS);
  const look = async () => {
    const sessions = launched.map(({ id }) => world.session(id));
    const journals = await Promise.all(launched.map(({ id }) => world.journalBytes(id)));
    return {
      output: sum(sessions.map((session) => session.output.end)),
      chunks: sum(sessions.map((session) => session.counters.chunks)),
      journal: sum(journals),
      commits: world.flows.commits,
      state: world.flows.stateBytes,
      at: performance.now(),
    };
  };
  const before = await look();
  const ours = await loopDelay(measuredMs);
  const after = await look();
  await Promise.all(launched.map(({ id }) => kill(() => world.context).invoke(CALLER, { session: id })));
  for (const { id } of launched) await world.until(id, (session) => session.agent === undefined);
  const seconds = (after.at - before.at) / 1_000;
  const bytes = after.output - before.output;
  return {
    idle,
    raw,
    ours,
    chunksPerSecond: (after.chunks - before.chunks) / seconds,
    commitsPerSecond: (after.commits - before.commits) / seconds / load.sessions,
    journalBytesPerByte: (after.journal - before.journal) / bytes,
    stateBytesPerByte: (after.state - before.state) / bytes,
  };
}

async function rawStream(place: Place, agents: number, script: string, measuredMs: number): Promise<LoopDelay> {
  const raws = await Promise.all(Array.from({ length: agents }, () => RawAgent.start(place)));
  for (const raw of raws) void raw.prompt(script);
  for (const raw of raws)
    await until(
      () => raw.chunks,
      (chunks) => chunks > 0,
      String,
    );
  await sleep(SETTLE_MS);
  const delay = await loopDelay(measuredMs);
  await Promise.all(raws.map((raw) => raw.end("SIGKILL")));
  return delay;
}
