/** Which parts stand together on which host, and what is said of a host that lacks one. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import type { EmitAgentEvent, HostApi } from "../../src/host/sdk.ts";
import { openTaskFlow } from "../../src/host/task-flow.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { keptLog } from "./api-double.ts";

const owner = { sessionKey: "agent:main:main" };
const child = { flowId: "f1", runId: "iflow:f1:t1", label: "turn 1", as: "running", atMs: 1 } as const;

/** An older host: one synchronous API, and a database in its state directory. */
function olderHost(emit: "has emit" | "has none") {
  const stateDir = mkdtempSync(join(tmpdir(), "task-flow-"));
  mkdirSync(join(stateDir, "state"));
  const db = new DatabaseSync(join(stateDir, "state", "openclaw.sqlite"));
  db.exec(`create table flow_runs (flow_id text primary key, status text, cancel_requested_at integer);
    create table task_runs (task_id text primary key, run_id text, status text);
    insert into task_runs values ('1', '${child.runId}', 'running');`);
  const events: string[] = [];
  const runs: { runId: string; status: string }[] = [];
  const bound = {
    runTask: (run: { runId: string; status: string }) => {
      runs.push(run);
      return { created: true, task: run };
    },
    list: () => runs,
  };
  const factory = { bindSession: () => bound };
  const api = {
    id: "p",
    runtime: { config: { current: () => ({}) }, tasks: { managedFlows: factory, flows: factory, runs: factory } },
    agent: { events: { emitAgentEvent: ({ stream }: { stream: string }) => events.push(stream) } },
  } as unknown as HostApi;
  const emitted: EmitAgentEvent = ({ stream, data }) => void events.push(`${stream} ${JSON.stringify(data)}`);
  const clock = new FakeClock();
  const log = keptLog();
  const found = openTaskFlow({ api, emit: emit === "has emit" ? emitted : undefined, stateDir, clock, log });
  if (!found.ok) throw new Error(found.reason);
  const { taskFlow } = found;
  onTestFinished(() => {
    taskFlow.close();
    db.close();
    rmSync(stateDir, { recursive: true, force: true });
  });
  return { ...taskFlow, db, events, clock, log };
}

test("older host: no sign of life and no event overwrites what was cancelled outside", async () => {
  const { children, db, events, clock } = olderHost("has emit");
  expect(await children.start(owner, child)).toEqual({ ok: true });
  await clock.advance(60_000);
  children.tool(child.runId, "read_file");
  expect(events.map((event) => event.split(" ")[0])).toEqual(["p.heartbeat", "tool"]);
  db.exec("update task_runs set status = 'cancelled'");
  events.length = 0;
  await clock.advance(60_000);
  children.tool(child.runId, "read_file");
  const cancelled = expect.stringMatching(/^lifecycle .*"aborted":true/) as string;
  expect(events).toEqual([cancelled, "p.heartbeat", cancelled, expect.stringMatching(/^tool/) as string]);
});

test("a host that lets no plugin end a child: said once, and no child is begun", async () => {
  const { children, log } = olderHost("has none");
  for (const turn of ["t1", "t2"])
    expect(await children.start(owner, { ...child, runId: `iflow:f1:${turn}` })).toMatchObject({
      ok: false,
      refusedBy: "host",
    });
  expect(log.lines).toEqual([expect.stringContaining("lets no plugin end a child task") as string]);
  expect(await children.list(owner)).toEqual([]);
});

test("a host without TaskFlow is refused in words", () => {
  const api = { id: "p", runtime: { tasks: {} } } as unknown as HostApi;
  const parts = { api, emit: undefined, stateDir: "/", clock: new FakeClock(), log: keptLog() };
  expect(openTaskFlow(parts)).toEqual({
    ok: false,
    reason: expect.stringContaining("2026.7.35 or newer is needed") as string,
  });
});
