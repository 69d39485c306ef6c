/**
 * What every ChildTasks must do, with the flows beside it: one suite for the fake and for the adapter in a real gateway.
 */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Owner } from "../../src/core/session.ts";
import type { ChildOutcome, ChildSummary, FlowRecord, NewChild } from "../../src/ports.ts";
import { applied, newFlow, type TaskFlowWorld } from "./flow-store.ts";

function child(flowId: string, turn: string, as: "running" | "queued"): NewChild {
  return { flowId, runId: `iflow:${flowId}:${turn}`, label: `iFlow fix-login · ${turn}`, as, atMs: Date.now() };
}

async function running(world: TaskFlowWorld): Promise<{ me: Owner; flow: FlowRecord; runId: string }> {
  const me = world.owner();
  const made = applied(await world.store.create(me, { ...newFlow, status: "running" }));
  const turn = child(made.flowId, "t1", "running");
  expect(await world.children.start(me, turn)).toEqual({ ok: true });
  const read = await world.store.get(me, made.flowId);
  if (read.kind !== "found") throw new Error("the flow is gone");
  return { me, flow: read.record, runId: turn.runId };
}

/** The host takes an event in its own time: wait until the child says so. */
async function until(
  world: TaskFlowWorld,
  me: Owner,
  runId: string,
  status: ChildSummary["status"],
): Promise<ChildSummary> {
  const deadlineAt = Date.now() + 60_000;
  for (;;) {
    const seen = (await world.children.list(me))?.find((one) => one.runId === runId);
    if (seen?.status === status) return seen;
    if (Date.now() > deadlineAt) throw new Error(`child ${runId} is ${seen?.status ?? "absent"}, not ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function childTaskContract(name: string, makeWorld: () => TaskFlowWorld): void {
  describe(`child task contract: ${name}`, () => {
    test.each<ChildOutcome>(["succeeded", "failed", "timed_out", "cancelled"])(
      "a running child ends %s, and the flow stays",
      async (outcome) => {
        const world = makeWorld();
        const { me, flow, runId } = await running(world);
        expect(await world.children.list(me)).toEqual([{ runId, flowId: flow.flowId, status: "running" }]);
        await world.children.end(me, runId, outcome, Date.now(), outcome === "succeeded" ? undefined : "the cause");
        expect(await world.children.list(me)).toEqual([{ runId, flowId: flow.flowId, status: outcome }]);
        const after = await world.store.get(me, flow.flowId);
        expect(after).toMatchObject({ kind: "found", record: { status: "running", revision: flow.revision } });
      },
    );

    test("the first outcome stays", async () => {
      const world = makeWorld();
      const { me, runId } = await running(world);
      await world.children.end(me, runId, "succeeded", Date.now());
      await world.children.end(me, runId, "failed", Date.now(), "too late");
      expect((await until(world, me, runId, "succeeded")).status).toBe("succeeded");
    });

    test("a queued child is activated, and ends", async () => {
      const world = makeWorld();
      const me = world.owner();
      const { flowId } = applied(await world.store.create(me, newFlow));
      const standIn = child(flowId, "t1.1", "queued");
      expect(await world.children.start(me, standIn)).toEqual({ ok: true });
      expect((await world.children.list(me))?.[0]?.status).toBe("queued");
      world.children.activate(standIn.runId, Date.now());
      await until(world, me, standIn.runId, "running");
      await world.children.end(me, standIn.runId, "cancelled", Date.now(), "no longer needed");
      await until(world, me, standIn.runId, "cancelled");
    });

    test("starting an active run id again adopts it; an ended one is used up", async () => {
      const world = makeWorld();
      const { me, flow, runId } = await running(world);
      expect(await world.children.start(me, child(flow.flowId, "t1", "running"))).toEqual({ ok: true });
      expect(await world.children.list(me)).toHaveLength(1);
      await world.children.end(me, runId, "succeeded", Date.now());
      expect(await world.children.start(me, child(flow.flowId, "t1", "running"))).toMatchObject({
        ok: false,
        refusedBy: "flow",
      });
    });

    test("a flow that is unknown, ended, or being cancelled takes no child", async () => {
      const world = makeWorld();
      const me = world.owner();
      expect(await world.children.start(me, child(randomUUID(), "t1", "running"))).toMatchObject({
        ok: false,
        refusedBy: "flow",
      });
      const ended = applied(await world.store.create(me, newFlow));
      applied(await world.store.change(me, ended.flowId, 0, { verb: "finish", stateJson: {} }));
      expect(await world.children.start(me, child(ended.flowId, "t1", "running"))).toMatchObject({
        ok: false,
        refusedBy: "flow",
      });
      const asked = applied(await world.store.create(me, newFlow));
      applied(await world.store.change(me, asked.flowId, 0, { verb: "request-cancel" }));
      expect(await world.children.start(me, child(asked.flowId, "t1", "running"))).toMatchObject({
        ok: false,
        refusedBy: "flow",
      });
    });

    test("a cancel request with a running child ends the flow when the child ends", async () => {
      const world = makeWorld();
      const { me, flow, runId } = await running(world);
      const asked = applied(await world.store.change(me, flow.flowId, flow.revision, { verb: "request-cancel" }));
      await world.children.end(me, runId, "cancelled", Date.now(), "stopped by a person");
      await expect
        .poll(async () => {
          const read = await world.store.get(me, flow.flowId);
          return read.kind === "found" ? [read.record.status, read.record.revision] : read.kind;
        })
        .toEqual(["cancelled", asked.revision + 1]);
    });

    test("the view's cancel of a child leaves the flow as it is", async () => {
      const world = makeWorld();
      const { me, flow, runId } = await running(world);
      await world.foreign.cancelChild(runId);
      await until(world, me, runId, "cancelled");
      expect(await world.store.get(me, flow.flowId)).toMatchObject({ kind: "found", record: { status: "running" } });
    });

    test("the view's cancel of the flow cancels the child with it", async () => {
      const world = makeWorld();
      const { me, flow, runId } = await running(world);
      await world.foreign.cancelFlow(flow.flowId);
      await until(world, me, runId, "cancelled");
      expect(await world.store.get(me, flow.flowId)).toMatchObject({ kind: "found", record: { status: "cancelled" } });
    });

    test("settleAll ends every active child of this life, and no other", async () => {
      const world = makeWorld();
      const a = await running(world);
      const b = await running(world);
      await world.children.end(a.me, a.runId, "succeeded", Date.now());
      world.children.settleAll("failed", Date.now(), "the gateway stops");
      await until(world, b.me, b.runId, "failed");
      expect((await until(world, a.me, a.runId, "succeeded")).status).toBe("succeeded");
    });

    test("tool steps and progress don't end or move anything", async () => {
      const world = makeWorld();
      const { me, runId } = await running(world);
      for (const tool of ["read_file", "run_shell_command", "write_file"]) world.children.tool(runId, tool);
      world.children.progress(runId, "Turn 1 · 3 tool calls · running npm test");
      expect((await until(world, me, runId, "running")).status).toBe("running");
    });
  });
}
