/** The heartbeat, the settlement, and a host that refuses: what the contract can't see from outside. */
import { describe, expect, test } from "vitest";
import { createChildTasks } from "../../src/host/child-task.ts";
import type { HostTasks } from "../../src/host/host-tasks.ts";
import type { EmitAgentEvent } from "../../src/host/sdk.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { keptLog } from "./api-double.ts";

const owner = { sessionKey: "agent:main:main" };

interface Run {
  readonly runId: string;
  status: string;
}

function world(
  options: {
    readonly emit?: EmitAgentEvent | null;
    readonly deaf?: boolean;
    readonly runTask?: () => Promise<unknown>;
  } = {},
) {
  const clock = new FakeClock();
  const log = keptLog();
  const runs: Run[] = [];
  const events: { runId: string; data: Record<string, unknown> }[] = [];
  const beats: string[] = [];
  const asked: Record<string, unknown>[] = [];
  const list = async (): Promise<Run[]> => runs;
  const runTask = async (params: { runId: string; status: string }): Promise<unknown> => {
    asked.push(params);
    if (options.runTask !== undefined) return options.runTask();
    runs.push({ runId: params.runId, status: params.status });
    return { created: true, task: { status: params.status } };
  };
  const tasks = { kind: "async", flows: () => ({ runTask }), runs: () => ({ list }) } as unknown as HostTasks;
  const emit: EmitAgentEvent = ({ runId, data }) => {
    events.push({ runId, data });
    const run = runs.find((one) => one.runId === runId);
    if (run !== undefined && options.deaf !== true && data["phase"] !== "start") run.status = "ended";
  };
  const children = createChildTasks({
    tasks,
    emit: options.emit === null ? undefined : (options.emit ?? emit),
    heartbeat: (runId) => void beats.push(runId),
    clock,
    log,
  });
  const start = async (turn: string) =>
    children.start(owner, {
      flowId: "f1",
      runId: `iflow:f1:${turn}`,
      label: `turn ${turn}`,
      as: "running",
      atMs: clock.now(),
    });
  return { children, clock, log, runs, events, beats, asked, start };
}

describe("the heartbeat", () => {
  test("one a minute for each active child, none when there is none", async () => {
    const { start, children, clock, beats } = world();
    await start("t1");
    await clock.advance(30_000);
    await start("t2");
    await clock.advance(30_000);
    expect(beats).toEqual(["iflow:f1:t1", "iflow:f1:t2"]);
    const end = children.end(owner, "iflow:f1:t1", "succeeded", clock.now());
    await clock.advance(60_000);
    await end;
    expect(beats.slice(2)).toEqual(["iflow:f1:t2"]);
    children.settleAll("failed", clock.now(), "stop");
    await clock.advance(10 * 60_000);
    expect(beats).toHaveLength(3);
  });

  test("a child of an earlier life is adopted by a start, with no second record", async () => {
    const { start, runs, asked, clock, beats } = world();
    runs.push({ runId: "iflow:f1:t1", status: "queued" });
    expect(await start("t1")).toEqual({ ok: true });
    expect(asked).toEqual([]);
    await clock.advance(60_000);
    expect(beats).toEqual(["iflow:f1:t1"]);
  });

  test("a heartbeat that the host refuses ends nothing", async () => {
    const clock = new FakeClock();
    const log = keptLog();
    const tasks = {
      flows: () => ({ runTask: async () => ({ created: true, task: { status: "queued" } }) }),
      runs: () => ({ list: async () => [] }),
    };
    const children = createChildTasks({
      tasks: tasks as unknown as HostTasks,
      emit: () => undefined,
      heartbeat: () => {
        throw new Error("stream is reserved");
      },
      clock,
      log,
    });
    await children.start(owner, { flowId: "f1", runId: "iflow:f1:t1", label: "x", as: "queued", atMs: 0 });
    await clock.advance(120_000);
    expect(log.lines).toEqual(
      Array.from({ length: 2 }, () => "warn: the host refused the heartbeat of iflow:f1:t1: stream is reserved"),
    );
  });
});

describe("the end", () => {
  test("settleAll emits for every active child before it returns", async () => {
    const { start, children, events } = world();
    await start("t1");
    await start("t2");
    children.settleAll("failed", 77, "The gateway stops.");
    expect(events).toEqual(
      ["t1", "t2"].map((turn) => ({
        runId: `iflow:f1:${turn}`,
        data: { phase: "error", error: "The gateway stops.", endedAt: 77 },
      })),
    );
  });

  test("gives up after two seconds when the host never says so, and tells the log", async () => {
    const { start, children, clock, log } = world({ deaf: true });
    await start("t1");
    const end = children.end(owner, "iflow:f1:t1", "cancelled", clock.now(), "stopped");
    await clock.advance(2_500);
    await end;
    expect(log.lines).toEqual(["warn: child task iflow:f1:t1 is not reported as ended by the host after 2000 ms"]);
  });

  test.each([
    ["succeeded", { phase: "end", endedAt: 9 }],
    ["failed", { phase: "error", error: "why", endedAt: 9 }],
    ["timed_out", { phase: "error", stopReason: "timeout", timeoutPhase: "post_turn", error: "why", endedAt: 9 }],
    ["cancelled", { phase: "end", aborted: true, stopReason: "stop", error: "why", endedAt: 9 }],
  ] as const)("%s is told in the form that every host version takes", async (outcome, data) => {
    const { start, children, clock, events } = world();
    await start("t1");
    const end = children.end(owner, "iflow:f1:t1", outcome, 9, outcome === "succeeded" ? undefined : "why");
    await clock.advance(100);
    await end;
    expect(events.at(-1)).toEqual({ runId: "iflow:f1:t1", data });
  });
});

describe("a host that refuses", () => {
  test("no emitter: no child, for good", async () => {
    const { start, children, clock } = world({ emit: null });
    expect(await start("t1")).toMatchObject({ ok: false, refusedBy: "host" });
    await children.end(owner, "iflow:f1:t1", "succeeded", clock.now());
  });

  test.each([
    [{ created: false, found: false, reason: "Flow not found." }, "flow"],
    [{ created: false, found: true, reason: "…", flow: { status: "running", cancelRequestedAt: 5 } }, "flow"],
    [{ created: false, found: true, reason: "…", flow: { status: "succeeded" } }, "flow"],
    [{ created: false, found: true, reason: "Task persistence failed.", flow: { status: "running" } }, "now"],
  ])("%j is refused by %s", async (answer, refusedBy) => {
    const { start } = world({ runTask: async () => answer });
    expect(await start("t1")).toMatchObject({ ok: false, refusedBy });
  });

  test("a throw is a refusal for now", async () => {
    const { start, clock, beats } = world({
      runTask: async () => {
        throw new Error("gateway is draining");
      },
    });
    expect(await start("t1")).toEqual({ ok: false, refusedBy: "now", reason: "gateway is draining" });
    await clock.advance(120_000);
    expect(beats).toEqual([]);
  });
});
