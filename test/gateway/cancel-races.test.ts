/**
 * Cancels from a second process while the plugin writes the same flows: checkpoints and commits in between.
 * A cancel that was written is heard, whatever was written around it; one that the host refused to write changed nothing.
 * CANCEL_RACES: how many (8).
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { CancelProcesses } from "./harness/cancel-process.ts";
import { type LaunchedJob, MAIN, PluginWorld } from "./harness/plugin-world.ts";

const RACES = Number(process.env["CANCEL_RACES"] ?? 8);
const CHAT = "telegram|default|telegram:77";

const undo = new AsyncDisposableStack();
const took: number[] = [];
const answers = new Map<string, number>();
let world: PluginWorld;
let others: CancelProcesses;

beforeAll(async () => {
  world = await PluginWorld.start({ config: { maxSessions: 3 } });
  undo.defer(async () => world.dispose());
  others = undo.use(new CancelProcesses(world.gateway.env));
});

afterAll(async () => {
  await undo.disposeAsync();
  const times = took.toSorted((a, b) => a - b).map((ms) => ms.toFixed(0));
  process.stdout.write(`cancels heard after ms: ${times.join(" ")}\n${JSON.stringify([...answers])}\n`);
});

interface Race {
  readonly phase: "idle" | "asking" | "working";
  readonly script: string | readonly string[];
}

const RACE_KINDS: readonly Race[] = [
  { phase: "idle", script: "say: All is done." },
  { phase: "asking", script: "ask: Really? | Yes | No" },
  { phase: "working", script: ["say: I begin.", "run: sleep 300 & sleep 300"] },
  { phase: "idle", script: "end-question: And what now?" },
  { phase: "working", script: ["burst 200", "sleep 200", "burst 200", "sleep 200", "burst 200", "hang"] },
];

/** Until it is told to stop, a chat begins and ends to follow: each of it is a checkpoint within half a second. */
async function keepWriting(job: LaunchedJob, signal: AbortSignal, everyMs: number): Promise<void> {
  const rpc = await world.gateway.rpc();
  for (let on = true; !signal.aborted; on = !on) {
    await rpc.call(on ? "iflow.fg" : "iflow.bg", { session: job.id, route: CHAT }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** As somebody at a terminal: again when the host says that the flow changed meanwhile. True: the host has written it. */
async function cancelled(flowId: string): Promise<boolean> {
  for (let tries = 0; tries < 5; tries += 1) {
    const answer = await others.cancelFlow(MAIN.sessionKey, flowId);
    const words = answer.cancelled ? "cancelled" : (answer.reason ?? "no reason");
    answers.set(words, (answers.get(words) ?? 0) + 1);
    if (answer.cancelled) return true;
    const { cancelRequestedAt, status } = await world.flow(flowId);
    if (cancelRequestedAt !== undefined || status === "cancelled") return true;
  }
  return false;
}

test(`[S6] ${RACES} cancels of a second process between our own writes: each one is heard`, async () => {
  for (let n = 0; n < RACES; n += 1) {
    const { phase, script } = RACE_KINDS[n % RACE_KINDS.length] ?? RACE_KINDS[0]!;
    const job = await world.launch(script, { name: `race-${n}` });
    await world.until(job.id, phase);
    const enough = new AbortController();
    const writing = keepWriting(job, enough.signal, 20 + ((n * 37) % 130));
    await new Promise((resolve) => setTimeout(resolve, 300 + ((n * 173) % 700)));
    const done = await cancelled(job.flowId);
    const sinceMs = performance.now();
    expect(done, `race ${n} (${phase}): ${JSON.stringify(await world.flow(job.flowId))}`).toBe(true);
    await expect.poll(() => world.row(job.id), { interval: 20 }).toMatchObject({ status: "killed" });
    await expect.poll(() => world.flow(job.flowId), { interval: 20 }).toMatchObject({ status: "cancelled" });
    took.push(performance.now() - sinceMs);
    enough.abort();
    await writing;
    await world.untilNoProcess(job.id);
  }
});
