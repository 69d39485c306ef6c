/** Cancels that stand in the host's database alone: heard before each call, repeated in the gateway, never erased. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import type { HostTasks } from "../../src/host/host-tasks.ts";
import { hearingCancels, storedCancels } from "../../src/host/outside-cancels.ts";
import { keptLog } from "./api-double.ts";

const owner = { sessionKey: "agent:main:main" };
const at = { flowId: "f1", expectedRevision: 3 };

interface MemoryFlow {
  flowId: string;
  id: string;
  status: string;
  revision: number;
  cancelRequestedAt?: number;
}

/** A gateway with one flow and one run in its memory, and the tables of the host's database as far as they are read. */
function oldGateway() {
  const folder = mkdtempSync(join(tmpdir(), "outside-cancels-"));
  const file = join(folder, "openclaw.sqlite");
  const db = new DatabaseSync(file);
  db.exec(`pragma journal_mode = wal;
    create table flow_runs (flow_id text primary key, status text not null, cancel_requested_at integer);
    create table task_runs (task_id text primary key, run_id text, status text not null);
    insert into flow_runs values ('f1', 'running', null);
    insert into task_runs values ('1', 'iflow:f1:t1', 'running');`);
  const flow: MemoryFlow = { flowId: "f1", id: "f1", status: "running", revision: 3 };
  const run = { runId: "iflow:f1:t1", status: "running" };
  const calls: string[] = [];
  const mutate = (name: string) => async () => {
    calls.push(name);
    return { applied: true, flow };
  };
  const names = ["runTask", "resume", "setWaiting", "finish", "fail", "requestCancel"] as const;
  const tasks = {
    kind: "sync",
    flows: () => ({ get: async () => ({ ...flow }), ...Object.fromEntries(names.map((name) => [name, mutate(name)])) }),
    views: () => ({ list: async () => [{ ...flow }] }),
    runs: () => ({ list: async () => [{ ...run }] }),
    cancelFlow: async () => {
      calls.push("cancelFlow");
      Object.assign(flow, { status: "cancelled", cancelRequestedAt: 9, revision: flow.revision + 2 });
      run.status = "cancelled";
      return { found: true, cancelled: true };
    },
  } as unknown as HostTasks;
  const log = keptLog();
  const stored = storedCancels(file, log);
  const heard = hearingCancels(tasks, stored, (runId) => {
    calls.push(`cancelRun ${runId}`);
    run.status = "cancelled";
  });
  onTestFinished(() => {
    stored.close();
    db.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { db, flow, run, calls, heard, stored, log };
}

const REQUESTED = "update flow_runs set cancel_requested_at = 5";
const CANCELLED = "update flow_runs set cancel_requested_at = 5, status = 'cancelled'";

describe("a flow that was cancelled outside", () => {
  test.each([REQUESTED, CANCELLED])("is cancelled in the gateway before any change of ours: %s", async (outside) => {
    for (const name of ["runTask", "resume", "setWaiting", "finish", "fail", "requestCancel"] as const) {
      const { db, heard, calls } = oldGateway();
      db.exec(outside);
      const change = heard.flows(owner)[name] as (params: unknown) => Promise<unknown>;
      await change(at);
      await change(at);
      expect(calls).toEqual(["cancelFlow", name, name]);
    }
  });

  test("is seen by a read and by the list, and repeated once", async () => {
    const { db, heard, calls } = oldGateway();
    expect(await heard.flows(owner).get("f1")).toMatchObject({ status: "running" });
    db.exec(CANCELLED);
    expect(await heard.views(owner).list()).toMatchObject([{ status: "cancelled" }]);
    expect(await heard.flows(owner).get("f1")).toMatchObject({ status: "cancelled", revision: 5 });
    expect(calls).toEqual(["cancelFlow"]);
  });

  test("is left alone when the gateway knows it, or has it as ended", async () => {
    for (const known of [{ cancelRequestedAt: 5 }, { status: "succeeded" }]) {
      const { db, flow, heard, calls } = oldGateway();
      db.exec(CANCELLED);
      Object.assign(flow, known);
      await heard.flows(owner).resume(at);
      await heard.views(owner).list();
      expect(calls).toEqual(["resume"]);
    }
  });
});

test("a run that was cancelled outside ends in the gateway at the next list", async () => {
  const { db, heard, calls } = oldGateway();
  expect(await heard.runs(owner).list()).toMatchObject([{ status: "running" }]);
  db.exec("update task_runs set status = 'cancelled'");
  expect(await heard.runs(owner).list()).toMatchObject([{ status: "cancelled" }]);
  await heard.runs(owner).list();
  expect(calls).toEqual(["cancelRun iflow:f1:t1"]);
});

test("a database that can't be read stops nothing, and is said once", async () => {
  const { db, heard, calls, log, stored } = oldGateway();
  db.exec("drop table flow_runs; drop table task_runs");
  await heard.flows(owner).resume(at);
  await heard.runs(owner).list();
  expect(calls).toEqual(["resume"]);
  expect(log.lines).toEqual([expect.stringContaining("may not be heard") as string]);
  stored.close();
  expect(stored.flow("f1")).toBe(false);
});
