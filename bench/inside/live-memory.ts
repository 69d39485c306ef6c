/** Memory of live sessions, in the gateway and in their agents. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { kill } from "../../src/operations/kill.ts";
import { RawAgent } from "./raw-agent.ts";
import { usedBytes } from "./used-bytes.ts";
import { begun, CALLER, FULL_BUFFER, type HostSide, type Place, SETTLE_MS, sum, until } from "./world.ts";

function residentBytes(pid: number): number {
  const [, pages = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return Number(pages) * 4_096;
}

export interface LiveMemory {
  readonly sessionBytes: number;
  readonly agentBytes: number;
  /** The same agent, started by nobody but the system. */
  readonly rawAgentBytes: number;
}

export async function liveMemory(host: HostSide, place: Place, sessions: number): Promise<LiveMemory> {
  await using world = await begun(host, place);
  // What is loaded once and for all is not a session's.
  const first = await world.launch(FULL_BUFFER, true);
  await world.until(first.id, (session) => session.phase.kind === "ended" && session.agent === undefined);
  const before = await usedBytes();
  const launched = await Promise.all(Array.from({ length: sessions }, () => world.launch(`${FULL_BUFFER}\nhang`)));
  for (const { id } of launched) await world.until(id, (session) => session.output.end > 40_000);
  await sleep(SETTLE_MS);
  const sessionBytes = ((await usedBytes()) - before) / sessions;
  const pids = launched.flatMap(({ id }) => world.session(id).agent?.identity?.pid ?? []);
  const agentBytes = sum(pids.map(residentBytes)) / pids.length;
  const raw = await RawAgent.start(place);
  void raw.prompt(`${FULL_BUFFER}\nhang`);
  await until(
    () => raw.chunks,
    (chunks) => chunks >= 500,
    String,
  );
  const rawAgentBytes = residentBytes(raw.pid);
  await raw.end("SIGKILL");
  await Promise.all(launched.map(({ id }) => kill(() => world.context).invoke(CALLER, { session: id })));
  return { sessionBytes, agentBytes, rawAgentBytes };
}
