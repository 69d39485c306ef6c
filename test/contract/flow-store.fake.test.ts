import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { FakeChildTasks } from "../fakes/fake-child-tasks.ts";
import { FakeFlowStore } from "../fakes/fake-flow-store.ts";
import { LOST_AFTER_MS } from "../fakes/fake-ledger.ts";
import { childTaskContract } from "./child-task.ts";
import { applied, flowStoreContract, freshOwner, newFlow, type TaskFlowWorld } from "./flow-store.ts";

function fakeWorld(): TaskFlowWorld {
  let nowMs = 1_000;
  const store = new FakeFlowStore(() => (nowMs += 1));
  const { otherWriter } = store;
  return {
    store,
    children: new FakeChildTasks(store.ledger),
    owner: freshOwner,
    foreign: {
      resume: async (flowId, currentStep) => otherWriter.resume(flowId, { currentStep, status: "running" }),
      finish: async (flowId) => otherWriter.finish(flowId),
      requestCancel: async (flowId) => otherWriter.requestCancel(flowId, nowMs),
      cancelFlow: async (flowId) => otherWriter.cancelFlow(flowId, nowMs),
      cancelChild: async (runId) => otherWriter.cancelChild(runId),
    },
  };
}

flowStoreContract("fake", fakeWorld);
childTaskContract("fake", fakeWorld);

describe("faults of the fake", () => {
  const owner = freshOwner();
  const run = { verb: "run", currentStep: "Turn 1", stateJson: { seq: 1 } } as const;

  test("an unknown outcome is written or not, as told", async () => {
    const store = new FakeFlowStore(() => 1);
    const { flowId } = applied(await store.create(owner, newFlow));
    store.fail({ on: "change", verb: "run" }, { kind: "unknown", written: true });
    expect((await store.change(owner, flowId, 0, run)).kind).toBe("unknown");
    expect(store.ledger.flows.get(flowId)?.revision).toBe(1);
    store.fail({ on: "change" }, { kind: "unknown", written: false });
    expect((await store.change(owner, flowId, 1, run)).kind).toBe("unknown");
    expect(store.ledger.flows.get(flowId)?.revision).toBe(1);
    store.fail({ on: "change" }, { kind: "not-stored" }, 2);
    expect((await store.change(owner, flowId, 1, run)).kind).toBe("not-stored");
    expect((await store.change(owner, flowId, 1, run)).kind).toBe("not-stored");
    expect((await store.change(owner, flowId, 1, run)).kind).toBe("applied");
    expect(store.changes.map((change) => change.outcome)).toEqual([
      "unknown",
      "unknown",
      "not-stored",
      "not-stored",
      "applied",
    ]);
  });

  test("a create whose answer is lost leaves its flow behind, to be found by the list", async () => {
    const store = new FakeFlowStore(() => 1);
    store.fail({ on: "create" }, { kind: "unknown", written: true });
    expect((await store.create(owner, newFlow)).kind).toBe("unknown");
    expect(await store.list(owner)).toHaveLength(1);
  });

  test("another writer slips in between decision and write", async () => {
    const store = new FakeFlowStore(() => 1);
    const { flowId } = applied(await store.create(owner, newFlow));
    store.before({ on: "change", verb: "run" }, () => store.otherWriter.resume(flowId, { currentStep: "mine" }));
    expect(await store.change(owner, flowId, 0, run)).toMatchObject({
      kind: "conflict",
      current: { currentStep: "mine", revision: 1 },
    });
  });

  test("a held call stands still until released; a dead store never settles", async () => {
    const store = new FakeFlowStore(() => 1);
    const { flowId } = applied(await store.create(owner, newFlow));
    const hold = store.hold({ on: "change" });
    const change = store.change(owner, flowId, 0, run);
    await hold.reached;
    expect(store.ledger.flows.get(flowId)?.revision).toBe(0);
    store.die();
    hold.release();
    expect(await Promise.race([change, new Promise((resolve) => setTimeout(() => resolve("silence"), 20))])).toBe(
      "silence",
    );
    expect(store.ledger.flows.get(flowId)?.revision).toBe(0);
    const next = new FakeFlowStore(() => 2, store.ledger);
    expect((await next.get(owner, flowId)).kind).toBe("found");
  });

  test("reads that can't say are told from missing flows", async () => {
    const store = new FakeFlowStore(() => 1);
    const { flowId } = applied(await store.create(owner, newFlow));
    store.fail({ on: "get" }, { kind: "unknown", written: false });
    store.fail({ on: "list" }, { kind: "unknown", written: false });
    expect((await store.get(owner, flowId)).kind).toBe("unknown");
    expect(await store.list(owner)).toBeUndefined();
    store.otherWriter.remove(flowId);
    expect((await store.get(owner, flowId)).kind).toBe("missing");
  });

  test("a quiet child is lost at the sweep; one that beats is not; the next life adopts by start", async () => {
    let nowMs = 0;
    const store = new FakeFlowStore(() => nowMs);
    const { flowId } = applied(await store.create(owner, newFlow));
    const first = new FakeChildTasks(store.ledger);
    const child = { flowId, runId: `iflow:${randomUUID()}:t1`, label: "x", as: "queued", atMs: 0 } as const;
    await first.start(owner, child);
    nowMs += LOST_AFTER_MS - 1;
    first.beat();
    nowMs += 1;
    store.ledger.sweep();
    expect((await first.list(owner))?.[0]?.status).toBe("queued");
    first.die();
    const second = new FakeChildTasks(store.ledger);
    expect(await second.start(owner, child)).toEqual({ ok: true });
    nowMs += LOST_AFTER_MS;
    store.ledger.sweep();
    expect((await second.list(owner))?.[0]?.status).toBe("lost");
  });
});
