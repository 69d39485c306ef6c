/**
 * What the host's own views and its audit say of our sessions: while they work, wait and rest, over a long time, and when a
 * gateway starts on hundreds of them.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { copyParked, openLedger } from "./harness/parked-copies.ts";
import { type LaunchedJob, PluginWorld } from "./harness/plugin-world.ts";

const MINUTE_MS = 60_000;
/** No flow of a live session is older than this (the engine's own promise, see the watchdog's tests). */
const OLDEST_FLOW_MS = 20 * MINUTE_MS;
const PARKED = 500;

const undo = new AsyncDisposableStack();
const took: string[] = [];
let world: PluginWorld;

beforeAll(async () => {
  world = await PluginWorld.start({ config: { maxSessions: 3, keepAliveSeconds: 20 } });
  undo.defer(async () => world.dispose());
});

afterAll(async () => {
  await undo.disposeAsync();
  process.stdout.write(`${took.join("\n")}\n`);
});

interface HostTask {
  readonly flowId?: string;
  readonly status: string;
  readonly title?: string;
}

async function taskOf(flowId: string): Promise<string> {
  const rpc = await world.gateway.rpc();
  const { tasks } = await rpc.call<{ tasks: HostTask[] }>("tasks.list");
  return JSON.stringify(tasks.filter((task) => task.flowId === flowId));
}

/** Makes the records as old as they would be so much later. */
function age(jobs: readonly LaunchedJob[], flowMs: number, childMs: number): void {
  using ledger = openLedger(world.gateway.stateDir);
  for (const { flowId } of jobs) {
    ledger
      .prepare("update flow_runs set created_at = created_at - ?, updated_at = updated_at - ? where flow_id = ?")
      .run(flowMs, flowMs, flowId);
    ledger
      .prepare("update task_runs set last_event_at = last_event_at - ? where parent_flow_id = ? and ended_at is null")
      .run(childMs, flowId);
  }
}

interface Finding {
  readonly code: string;
  readonly text: string;
}

async function findingsOn(jobs: readonly LaunchedJob[]): Promise<readonly Finding[]> {
  const { stdout } = await world.gateway.cli(["tasks", "audit", "--json"]);
  const { findings } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as { findings: { code: string }[] };
  const all = findings.map((finding) => ({ code: finding.code, text: JSON.stringify(finding) }));
  return all.filter(({ text }) => jobs.some(({ flowId }) => text.includes(flowId)));
}

afterEach(async () => world.killAll());

test("[S2] [S8] a long turn, a long wait and a rest: shown live, found in order by the host's audit, and the rest costs no process", async () => {
  const idle = await world.launch("say: All is done.", { name: "at-rest" });
  await world.until(idle.id, "idle");
  const asking = await world.launch("ask: Really? | Yes | No", { name: "waits" });
  await world.until(asking.id, "asking");
  const working = await world.launch(["say: I begin.", "run: sleep 300"], { name: "works" });
  await expect.poll(() => taskOf(working.flowId)).toMatch(/Turn 1 .*1 tool call.*sleep 300/);
  const { stdout: flows } = await world.gateway.cli(["tasks", "flow", "list"]);
  for (const { flowId } of [idle, asking, working]) expect(flows).toContain(flowId.slice(0, 8));

  const jobs = [idle, asking, working];
  age(jobs, OLDEST_FLOW_MS, MINUTE_MS);
  expect(await findingsOn(jobs)).toEqual([]);
  // Twice as old would be too old: the audit does look at them. What is written meanwhile is young again.
  await expect
    .poll(
      async () => {
        age(jobs, 2 * OLDEST_FLOW_MS, 0);
        return (await findingsOn(jobs)).map(({ code }) => code).toSorted();
      },
      { interval: 500 },
    )
    .toEqual(["stale_running", "stale_waiting", "stale_waiting"]);

  await world.untilNoProcess(idle.id);
  expect(await world.row(idle.id)).toMatchObject({ status: "idle" });
  expect(await world.respond(idle.id, "say: Once more.")).toMatchObject({ delivered: "resumed", flowId: idle.flowId });
  await expect.poll(() => world.row(idle.id)).toMatchObject({ status: "idle", turnCount: 2 });
});

test(`[S5] [S8] a start on ${PARKED} parked sessions: all are found, the gateway answers meanwhile, the audit is content`, async () => {
  const one = await world.launch(["long 200", "say: Parked."], { name: "one-of-many" });
  await world.until(one.id, "idle");
  await world.gateway.stop();
  const copies = copyParked(world.gateway.stateDir, one, PARKED - 1);
  const answers = answersOf(world.gateway.port);
  await world.gateway.start();
  const { slowestMs, count } = await answers.stop();
  const [, sessions = "0", ms = "0"] = /(\d+) sessions carry on, (\d+) ms after/.exec(lastStart()) ?? [];
  took.push(
    `recovery of ${sessions} sessions: ${ms} ms; ${count} answers meanwhile, the slowest after ${slowestMs.toFixed(0)} ms`,
  );
  expect(Number(sessions)).toBeGreaterThanOrEqual(PARKED);
  expect(Number(ms)).toBeLessThan(60_000);
  expect(count).toBeGreaterThan(0);
  const rows = await world.rows("idle");
  expect(rows.length).toBeGreaterThanOrEqual(PARKED);
  const last = copies.at(-1);
  if (last === undefined) throw new Error("nothing was copied");
  expect(await world.respond(last.id, "say: One of many goes on.")).toMatchObject({ delivered: "resumed" });
  await expect.poll(() => world.row(last.id)).toMatchObject({ status: "idle", turnCount: 2 });
  world.note(last.id);
  expect(await findingsOn([one])).toEqual([]);
});

function lastStart(): string {
  const log = world.gateway.log();
  return log.slice(log.lastIndexOf("starting channels"));
}

/** Asks the gateway's health again and again from the moment at which it listens. */
function answersOf(port: number): { stop(): Promise<{ slowestMs: number; count: number }> } {
  let over = false;
  let slowestMs = 0;
  let count = 0;
  const asking = (async () => {
    while (!over) {
      const sinceMs = performance.now();
      const answered = await fetch(`http://127.0.0.1:${port}/healthz`).then(
        async (response) => (await response.arrayBuffer()).byteLength > 0,
        () => false,
      );
      if (answered) {
        count += 1;
        slowestMs = Math.max(slowestMs, performance.now() - sinceMs);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    stop: async () => {
      over = true;
      await asking;
      return { slowestMs, count };
    },
  };
}
