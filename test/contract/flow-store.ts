/**
 * What every FlowStore must do: one suite for the fake and for the adapter in a real gateway.
 * Owns: the promises of the port. The world (which store, who else writes) is handed in.
 */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Owner } from "../../src/core/session.ts";
import type { ChildTasks, FlowCommit, FlowRecord, FlowStore, NewFlow } from "../../src/ports.ts";

/** Somebody who is not us: the Webhooks plugin, the TaskFlow CLI, the Control UI. Each resolves when its write is through. */
export interface ForeignHand {
  resume(flowId: string, currentStep: string): Promise<void>;
  finish(flowId: string): Promise<void>;
  requestCancel(flowId: string): Promise<void>;
  cancelFlow(flowId: string): Promise<void>;
  cancelChild(runId: string): Promise<void>;
}

export interface TaskFlowWorld {
  readonly store: FlowStore;
  readonly children: ChildTasks;
  readonly foreign: ForeignHand;
  owner(): Owner;
}

export const newFlow: NewFlow = {
  goal: "iFlow: fix the login tests",
  status: "queued",
  currentStep: "Waiting for a slot",
  stateJson: { schema: "iflow.session.v1", seq: 0 },
  route: { channel: "telegram", to: "telegram:42", accountId: "default", threadId: 7 },
};

export function freshOwner(): Owner {
  return { sessionKey: `agent:main:contract-${randomUUID().slice(0, 8)}`, agentId: "main" };
}

export function applied(commit: FlowCommit): FlowRecord {
  if (commit.kind !== "applied") throw new Error(`expected an applied commit, got ${JSON.stringify(commit)}`);
  return commit.record;
}

export function flowStoreContract(name: string, world: () => TaskFlowWorld): void {
  describe(`flow store contract: ${name}`, () => {
    test("a new flow is queued at revision 0 and reads back whole", async () => {
      const { store, owner } = world();
      const me = owner();
      const made = applied(await store.create(me, newFlow));
      expect(made).toMatchObject({
        revision: 0,
        status: "queued",
        goal: newFlow.goal,
        currentStep: newFlow.currentStep,
        stateJson: newFlow.stateJson,
      });
      expect(made.controllerId).toBe("openclaw-iflow-plugin/session");
      expect(await store.get(me, made.flowId)).toEqual({ kind: "found", record: made });
    });

    test("a flow of another owner, or none, is missing", async () => {
      const { store, owner } = world();
      const made = applied(await store.create(owner(), newFlow));
      expect(await store.get(owner(), made.flowId)).toEqual({ kind: "missing" });
      expect(await store.get(owner(), randomUUID())).toEqual({ kind: "missing" });
      expect((await store.change(owner(), made.flowId, 0, { verb: "request-cancel" })).kind).toBe("gone");
    });

    test("each change raises the revision by one and keeps what it does not name", async () => {
      const { store, owner } = world();
      const me = owner();
      const { flowId } = applied(await store.create(me, newFlow));
      const ran = applied(
        await store.change(me, flowId, 0, { verb: "run", currentStep: "Turn 1", stateJson: { seq: 1 } }),
      );
      expect(ran).toMatchObject({ revision: 1, status: "running", currentStep: "Turn 1", stateJson: { seq: 1 } });
      const waits = applied(
        await store.change(me, flowId, 1, {
          verb: "wait",
          currentStep: "Which branch?",
          stateJson: { seq: 2 },
          waitJson: { question: "Which branch?" },
        }),
      );
      expect(waits).toMatchObject({ revision: 2, status: "waiting", waitJson: { question: "Which branch?" } });
      const asked = applied(await store.change(me, flowId, 2, { verb: "request-cancel" }));
      expect(asked).toMatchObject({
        revision: 3,
        status: "waiting",
        currentStep: "Which branch?",
        stateJson: { seq: 2 },
      });
      expect(asked.cancelRequestedAt).toBeTypeOf("number");
    });

    test("a record and its summary have the same version; somebody else's write raises it", async () => {
      const { store, owner, foreign } = world();
      const me = owner();
      const { flowId } = applied(await store.create(me, newFlow));
      const ours = applied(await store.change(me, flowId, 0, { verb: "run", currentStep: "Turn 1", stateJson: {} }));
      const version = async (): Promise<number | undefined> =>
        (await store.list(me))?.find((flow) => flow.flowId === flowId)?.version;
      expect(await version()).toBe(ours.version);
      await new Promise((resolve) => setTimeout(resolve, 5));
      await foreign.resume(flowId, "Turn 1");
      expect(await version()).toBeGreaterThan(ours.version);
      expect(await store.get(me, flowId)).toMatchObject({ record: { version: await version() } });
    });

    test("resume clears the wait; queue puts it back in line", async () => {
      const { store, owner } = world();
      const me = owner();
      const { flowId } = applied(await store.create(me, newFlow));
      applied(
        await store.change(me, flowId, 0, {
          verb: "wait",
          currentStep: "?",
          stateJson: { seq: 1 },
          waitJson: { q: 1 },
        }),
      );
      const queued = applied(
        await store.change(me, flowId, 1, { verb: "queue", currentStep: "Second in line", stateJson: { seq: 2 } }),
      );
      expect(queued.status).toBe("queued");
      expect(queued.waitJson ?? undefined).toBeUndefined();
    });

    test("a stale revision changes nothing and brings the present record", async () => {
      const { store, owner, foreign } = world();
      const me = owner();
      const { flowId } = applied(await store.create(me, newFlow));
      applied(
        await store.change(me, flowId, 0, {
          verb: "wait",
          currentStep: "Which db?",
          stateJson: { seq: 1 },
          waitJson: { q: 1 },
        }),
      );
      await foreign.resume(flowId, "Postgres please");
      const conflict = await store.change(me, flowId, 1, { verb: "run", currentStep: "Turn 2", stateJson: { seq: 2 } });
      expect(conflict).toMatchObject({
        kind: "conflict",
        current: { revision: 2, currentStep: "Postgres please", stateJson: { seq: 1 } },
      });
    });

    test("twenty writers at once: one wins each revision, nothing is lost", async () => {
      const { store, owner } = world();
      const me = owner();
      const { flowId } = applied(await store.create(me, newFlow));
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          store.change(me, flowId, 0, { verb: "run", currentStep: `writer ${at}`, stateJson: { at } }),
        ),
      );
      expect(outcomes.filter((outcome) => outcome.kind === "applied")).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome.kind === "conflict")).toHaveLength(19);
    });

    test("ends are finish and fail, and nothing is sticky: the caller guards", async () => {
      const { store, owner } = world();
      const me = owner();
      const { flowId } = applied(await store.create(me, newFlow));
      const failed = applied(
        await store.change(me, flowId, 0, { verb: "fail", summary: "exit code 137", stateJson: { seq: 1 } }),
      );
      expect(failed.status).toBe("failed");
      const finished = applied(await store.change(me, flowId, 1, { verb: "finish", stateJson: { seq: 2 } }));
      expect(finished).toMatchObject({ status: "succeeded", stateJson: { seq: 2 } });
      expect(
        applied(await store.change(me, flowId, 2, { verb: "run", currentStep: "again", stateJson: { seq: 3 } })).status,
      ).toBe("running");
    });

    test("cancel of a flow without children ends it, twice alike; an end of another kind is a conflict", async () => {
      const { store, owner } = world();
      const me = owner();
      const one = applied(await store.create(me, newFlow));
      expect(applied(await store.cancel(me, one.flowId)).status).toBe("cancelled");
      expect(applied(await store.cancel(me, one.flowId)).status).toBe("cancelled");
      const two = applied(await store.create(me, newFlow));
      applied(await store.change(me, two.flowId, 0, { verb: "finish", stateJson: {} }));
      expect(await store.cancel(me, two.flowId)).toMatchObject({ kind: "conflict", current: { status: "succeeded" } });
      expect((await store.cancel(me, randomUUID())).kind).toBe("gone");
    });

    test("cancel sees what another writer did in the meantime", async () => {
      const { store, owner, foreign } = world();
      const me = owner();
      const { flowId } = applied(await store.create(me, newFlow));
      applied(
        await store.change(me, flowId, 0, {
          verb: "wait",
          currentStep: "?",
          stateJson: { seq: 1 },
          waitJson: { q: 1 },
        }),
      );
      await foreign.resume(flowId, "go on");
      expect(applied(await store.cancel(me, flowId)).status).toBe("cancelled");
    });

    test("the list shows every change of anybody by a growing version", async () => {
      const { store, owner, foreign } = world();
      const me = owner();
      expect(await store.list(me)).toEqual([]);
      const { flowId } = applied(await store.create(me, newFlow));
      const before = (await store.list(me))?.find((flow) => flow.flowId === flowId);
      expect(before).toMatchObject({ status: "queued", currentStep: newFlow.currentStep });
      await foreign.requestCancel(flowId);
      const after = (await store.list(me))?.find((flow) => flow.flowId === flowId);
      expect(after?.cancelRequestedAt).toBeTypeOf("number");
      expect(after?.version).toBeGreaterThan(before?.version ?? Infinity);
      const second = applied(await store.create(me, newFlow));
      await foreign.cancelFlow(second.flowId);
      expect((await store.list(me))?.find((flow) => flow.flowId === second.flowId)?.status).toBe("cancelled");
    });

    test("a state of 64 KiB, in Chinese and emoji, comes back as it was", async () => {
      const { store, owner } = world();
      const me = owner();
      const stateJson = { text: "修复登录🔔".repeat(2_800), nested: { list: [1, null, "x"] } };
      const made = applied(await store.create(me, { ...newFlow, stateJson }));
      const read = await store.get(me, made.flowId);
      expect(read.kind === "found" ? read.record.stateJson : undefined).toEqual(stateJson);
    });
  });
}
