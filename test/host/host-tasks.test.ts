/** Where each host version keeps its flows and tasks, and the flow store on a host that fails. */
import { describe, expect, test } from "vitest";
import { createFlowStore } from "../../src/host/flow-store.ts";
import { hostTasks, type HostTasks } from "../../src/host/host-tasks.ts";
import type { HostRuntime } from "../../src/host/sdk.ts";

const owner = { sessionKey: "agent:main:main", agentId: "main" };

interface Bound {
  readonly from: string;
  readonly params: unknown;
}

function factory(from: string): { bindSession: (params: unknown) => Bound } {
  return { bindSession: (params) => ({ from, params }) };
}

/** Hidden from enumeration, as on some hosts. */
function runtime(shape: Record<string, unknown>): HostRuntime {
  const made = { config: { current: () => ({}) } };
  for (const [key, value] of Object.entries(shape)) Object.defineProperty(made, key, { value, enumerable: false });
  return made as unknown as HostRuntime;
}

function tasksOf(shape: Record<string, unknown>): HostTasks {
  const found = hostTasks(runtime(shape));
  if (!found.ok) throw new Error(found.reason);
  return found.tasks;
}

describe("host versions", () => {
  const views = { flows: factory("views"), runs: factory("runs") };

  test("the asynchronous API is preferred", () => {
    const tasks = tasksOf({
      tasks: {
        ...views,
        managedFlows: factory("sync"),
        async: { managedFlows: factory("async"), flows: factory("async-views"), runs: factory("async-runs") },
      },
    });
    expect(tasks.kind).toBe("async");
    expect(tasks.flows(owner)).toEqual({ from: "async", params: { sessionKey: owner.sessionKey } });
    expect(tasks.views(owner)).toMatchObject({ from: "async-views" });
    expect(tasks.runs(owner)).toEqual({ from: "async-runs", params: owner });
  });

  test.each([
    ["tasks.managedFlows", { tasks: { ...views, managedFlows: factory("old") } }],
    ["tasks.flow", { tasks: { ...views, flow: factory("old") } }],
    ["taskFlow", { tasks: views, taskFlow: factory("old") }],
  ])("else %s", (_name, shape) => {
    const tasks = tasksOf(shape);
    expect(tasks.kind).toBe("sync");
    const route = { channel: "telegram", to: "telegram:42" };
    expect(tasks.flows(owner, route)).toEqual({
      from: "old",
      params: { sessionKey: owner.sessionKey, requesterOrigin: route },
    });
  });

  test("a host without managed flows is refused by name", () => {
    expect(hostTasks(runtime({ tasks: views }))).toMatchObject({
      ok: false,
      reason: expect.stringContaining("managedFlows") as string,
    });
    expect(hostTasks(runtime({}))).toMatchObject({ ok: false });
  });
});

describe("a host that fails", () => {
  const record = {
    flowId: "f1",
    revision: 3,
    status: "running",
    controllerId: "openclaw-iflow-plugin/session",
    goal: "g",
    updatedAt: 5,
  };

  function store(flows: Record<string, unknown>, more: Partial<Record<keyof HostTasks, unknown>> = {}) {
    const tasks = { kind: "async", flows: () => flows, views: () => flows, runs: () => flows, ...more };
    return createFlowStore(tasks as unknown as HostTasks);
  }

  const throws = (error: Error) => async (): Promise<never> => {
    throw error;
  };
  const newFlow = { goal: "g", status: "queued", currentStep: "s", stateJson: {}, route: undefined } as const;
  const run = { verb: "run", currentStep: "s", stateJson: {} } as const;

  test("a creation whose answer was lost is unknown, any other failure left nothing behind", async () => {
    const lost = new Error("worker gone", { cause: Object.assign(new Error("x"), { code: "outcome-unknown" }) });
    expect(await store({ createManaged: throws(lost) }).create(owner, newFlow)).toEqual({
      kind: "unknown",
      reason: "worker gone (x)",
    });
    const full = new Error("TaskFlow persistence failed.", { cause: new Error("database or disk is full") });
    expect(await store({ createManaged: throws(full) }).create(owner, newFlow)).toEqual({
      kind: "not-stored",
      reason: "TaskFlow persistence failed. (database or disk is full)",
    });
  });

  test("a change that throws is unknown; an older host may throw at once", async () => {
    expect(await store({ resume: throws(new Error("draining")) }).change(owner, "f1", 3, run)).toEqual({
      kind: "unknown",
      reason: "draining",
    });
    const sync = {
      resume: () => {
        throw new Error("at once");
      },
    };
    expect(await store(sync).change(owner, "f1", 3, run)).toEqual({ kind: "unknown", reason: "at once" });
  });

  test.each([
    [{ applied: false, code: "persist_failed" }, "not-stored"],
    [{ applied: false, code: "not_found" }, "gone"],
    [{ applied: false, code: "not_managed", current: record }, "gone"],
    [{ applied: false, code: "revision_conflict", current: record }, "conflict"],
    [{ applied: false, code: "revision_conflict" }, "unknown"],
    [{ applied: true, flow: record }, "applied"],
  ])("%j is %s", async (result, kind) => {
    expect((await store({ resume: async () => result }).change(owner, "f1", 3, run)).kind).toBe(kind);
  });

  test("reads that fail are not missing flows", async () => {
    expect(await store({ get: throws(new Error("busy")) }).get(owner, "f1")).toEqual({
      kind: "unknown",
      reason: "busy",
    });
    expect(await store({ list: throws(new Error("busy")) }).list(owner)).toBeUndefined();
    expect(await store({ get: async () => undefined }).get(owner, "f1")).toEqual({ kind: "missing" });
  });

  test("cancel tries again on stale memory, and gives up as unknown", async () => {
    let tries = 0;
    let status = "running";
    const changed = async () => {
      tries += 1;
      if (tries === 2) status = "cancelled";
      return {
        found: true,
        cancelled: status === "cancelled",
        reason: "Flow changed while cancellation was in progress.",
      };
    };
    const get = async () => ({ ...record, status });
    expect(await store({ get }, { cancelFlow: changed }).cancel(owner, "f1")).toMatchObject({
      kind: "applied",
      record: { status: "cancelled" },
    });
    expect(tries).toBe(2);
    const never = { get: async () => record };
    const refused = async () => ({ found: true, cancelled: false, reason: "still active" });
    expect(await store(never, { cancelFlow: refused }).cancel(owner, "f1")).toEqual({
      kind: "unknown",
      reason: "still active",
    });
    expect(await store(never, { cancelFlow: throws(new Error("boom")) }).cancel(owner, "f1")).toEqual({
      kind: "unknown",
      reason: "boom",
    });
  });
});
