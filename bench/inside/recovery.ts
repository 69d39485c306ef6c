/** The start of a gateway that finds parked sessions, and what they cost it from then on. */
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { currentStep, waitJson } from "../../src/core/flow-command.ts";
import type { Session } from "../../src/core/session.ts";
import { encodeSession } from "../../src/core/state-json.ts";
import { createJournals } from "../../src/journal/journals.ts";
import { kill } from "../../src/operations/kill.ts";
import { type LoopDelay, loopDelay } from "./loop-delay.ts";
import { usedBytes } from "./used-bytes.ts";
import { begun, CALLER, FULL_BUFFER, type HostSide, OWNER, type Place, World } from "./world.ts";

export interface RecoveryCost {
  readonly ms: number;
  /** Each journal's beginning and each flow, read and no more. */
  readonly readMs: number;
  /** Every session of it is found again, parked. */
  readonly found: number;
  readonly parkedBytes: number;
  /** Of the gateway's loop, with all of them parked. */
  readonly parked: LoopDelay;
  readonly before: LoopDelay;
}

/** Parked sessions as a gateway leaves them behind: journal, flow, the record of an idle one with a full buffer. */
async function leaveBehind(host: HostSide, place: Place, sessions: number, latin: boolean): Promise<void> {
  const idle = await idleSession(host, place);
  // The engine keeps a text in one byte a character as long as all of it is Latin, else in two.
  const words = latin ? idle.output.text.replaceAll(/[^\0-\x7f]/g, "?") : idle.output.text;
  const template = { ...idle, lastWords: latin ? "" : idle.lastWords, output: { ...idle.output, text: words } };
  const journals = createJournals(join(place.folder, "state", "iflow-plugin", "sessions"));
  const at = Date.now();
  for (let n = 0; n < sessions; n += 1) {
    const id = `bench${n}`;
    const session: Session = { ...template, id, name: id, createdAt: at + n };
    const { text } = session.output;
    const journal = await journals.create({ t: "header", at, v: 1, sessionId: id, owner: OWNER, name: id });
    const made = await host.flows.create(OWNER, {
      goal: id,
      status: "queued",
      currentStep: "bench",
      stateJson: encodeSession(session),
      route: undefined,
    });
    if (made.kind !== "applied") throw new Error(`a flow could not be made: ${made.kind}`);
    const { flowId, revision } = made.record;
    const waiting = {
      verb: "wait",
      currentStep: currentStep(session),
      stateJson: encodeSession(session),
      waitJson: waitJson(session),
    } as const;
    const waited = await host.flows.change(OWNER, flowId, revision, waiting);
    if (waited.kind !== "applied") throw new Error(`a flow could not be parked: ${waited.kind}`);
    const { end } = session.output;
    await journal.append([
      { t: "flow", at, flowId },
      { t: "out", at, o: end - text.length, text },
      {
        t: "commit",
        at,
        seq: session.seq,
        revision: waited.record.revision,
        session: { ...session, output: { text: "", start: end, end } },
      },
    ]);
    await journal.close();
  }
}

/** The first part of a parked session's life is a real one. */
async function idleSession(host: HostSide, place: Place): Promise<Session> {
  const other = { ...place, folder: join(place.folder, "template") };
  await mkdir(join(other.folder, "work"), { recursive: true });
  await using world = await begun(host, other);
  const { id } = await world.launch(FULL_BUFFER);
  const session = await world.until(id, ({ phase, owed }) => phase.kind === "idle" && owed.length === 0);
  const { agent: _, child: __, ...parked } = session;
  await kill(() => world.context).invoke(CALLER, { session: id });
  return { ...parked, viewers: [] };
}

/** `latin`: their words are plain ASCII; else a few Chinese ones are among them. */
export async function recovery(host: HostSide, place: Place, sessions: number, latin: boolean): Promise<RecoveryCost> {
  await leaveBehind(host, place, sessions, latin);
  const folder = join(place.folder, "state", "iflow-plugin", "sessions");
  await cp(folder, join(place.folder, "copy"), { recursive: true });
  const readAt = performance.now();
  const { headers } = await createJournals(join(place.folder, "copy")).headers();
  for (const { flowId } of headers) if (flowId !== undefined) await host.flows.get(OWNER, flowId);
  const readMs = performance.now() - readAt;
  const before = await loopDelay(2_000);
  const usedBefore = await usedBytes();
  const world = new World(host, place);
  const startedAt = performance.now();
  await world.sessions.roster.start();
  const ms = performance.now() - startedAt;
  const found = [...world.sessions.roster.actors()].filter(({ session }) => session.phase.kind === "idle").length;
  // Files of journals close after five seconds.
  await sleep(8_000);
  const parked = await loopDelay(2_000);
  const parkedBytes = ((await usedBytes()) - usedBefore) / sessions;
  for (const actor of world.sessions.roster.actors()) await host.flows.cancel(OWNER, actor.flowId);
  await world[Symbol.asyncDispose]();
  return { ms, readMs, found, parkedBytes, parked, before };
}
