/**
 * FlowStore on the host's managed TaskFlow.
 * Owns: our verbs as the host's mutations, and the host's outcomes in our words. Does not own: when to change what.
 * 1. No method throws. Whatever the host throws is `unknown` (a change) or "can't say" (a read), unless it is sure that nothing was written.
 * 2. Nothing is retried here, but for `cancel`, whose host call first refreshes a stale memory.
 */
import { messageOf } from "../core/errors.ts";
import { CONTROLLER_ID, type Owner } from "../core/session.ts";
import type { FlowChange, FlowCommit, FlowRead, FlowRecord, FlowStore, FlowSummary, NewFlow } from "../ports.ts";
import type { BoundFlows, BoundViews, HostTasks } from "./host-tasks.ts";

type HostRecord = NonNullable<Awaited<ReturnType<BoundFlows["get"]>>>;
type HostMutation = Awaited<ReturnType<BoundFlows["resume"]>>;
type HostJson = Parameters<BoundFlows["createManaged"]>[0]["stateJson"];
type HostView = Awaited<ReturnType<BoundViews["list"]>>[number];

const CANCEL_TRIES = 3;

/** `owners`: whose flows the host has, where somebody can tell. */
export function createFlowStore(tasks: HostTasks, owners: () => readonly Owner[] = () => []): FlowStore {
  async function get(owner: Owner, flowId: string): Promise<FlowRead> {
    try {
      const flow = await tasks.flows(owner).get(flowId);
      return flow === undefined ? { kind: "missing" } : { kind: "found", record: recordOf(flow) };
    } catch (error) {
      return { kind: "unknown", reason: messageOf(error) };
    }
  }

  return {
    get,

    async create(owner: Owner, flow: NewFlow): Promise<FlowCommit> {
      try {
        const made = await tasks.flows(owner, flow.route).createManaged({
          controllerId: CONTROLLER_ID,
          goal: flow.goal,
          status: flow.status,
          currentStep: flow.currentStep,
          stateJson: asHostJson(flow.stateJson),
          notifyPolicy: "silent",
        });
        return { kind: "applied", record: recordOf(made) };
      } catch (error) {
        // The host keeps the code for a lost answer; every other failure of a creation leaves no record (host fact).
        const kind = hasCode(error, "outcome-unknown") ? "unknown" : "not-stored";
        return { kind, reason: withCause(error) };
      }
    },

    async list(owner: Owner): Promise<readonly FlowSummary[] | undefined> {
      try {
        return (await tasks.views(owner).list()).map(summaryOf);
      } catch {
        // The poller asks again within a second; "can't say" is its answer.
        return undefined;
      }
    },

    owners: async () => owners(),

    async change(owner: Owner, flowId: string, expectedRevision: number, change: FlowChange): Promise<FlowCommit> {
      try {
        return commitOf(await mutate(tasks.flows(owner), { flowId, expectedRevision }, change));
      } catch (error) {
        return { kind: "unknown", reason: withCause(error) };
      }
    },

    async cancel(owner: Owner, flowId: string): Promise<FlowCommit> {
      let reason = "";
      for (let tries = 0; tries < CANCEL_TRIES; tries += 1) {
        try {
          const answer = await tasks.cancelFlow(owner, flowId);
          reason = answer.reason ?? reason;
        } catch (error) {
          reason = withCause(error);
        }
        const read = await get(owner, flowId);
        if (read.kind === "missing") return { kind: "gone", reason: `flow ${flowId} does not exist` };
        if (read.kind === "unknown") return read;
        if (read.record.status === "cancelled") return { kind: "applied", record: read.record };
        if (isTerminal(read.record.status)) return { kind: "conflict", current: read.record };
      }
      return { kind: "unknown", reason };
    },
  };
}

async function mutate(
  flows: BoundFlows,
  at: { flowId: string; expectedRevision: number },
  change: FlowChange,
): Promise<HostMutation> {
  switch (change.verb) {
    case "run":
      return flows.resume({
        ...at,
        status: "running",
        currentStep: change.currentStep,
        stateJson: asHostJson(change.stateJson),
      });
    case "queue":
      return flows.resume({
        ...at,
        status: "queued",
        currentStep: change.currentStep,
        stateJson: asHostJson(change.stateJson),
      });
    case "wait":
      return flows.setWaiting({
        ...at,
        currentStep: change.currentStep,
        stateJson: asHostJson(change.stateJson),
        waitJson: asHostJson(change.waitJson),
      });
    case "finish":
      return flows.finish({ ...at, stateJson: asHostJson(change.stateJson) });
    case "fail":
      return flows.fail({ ...at, stateJson: asHostJson(change.stateJson), blockedSummary: change.summary });
    case "request-cancel":
      return flows.requestCancel(at);
  }
}

function commitOf(result: HostMutation): FlowCommit {
  if (result.applied) return { kind: "applied", record: recordOf(result.flow) };
  switch (result.code) {
    case "revision_conflict":
      return result.current === undefined
        ? { kind: "unknown", reason: "the host reports a revision conflict without the present record" }
        : { kind: "conflict", current: recordOf(result.current) };
    case "not_found":
    case "not_managed":
      return { kind: "gone", reason: `the host answers ${result.code}` };
    case "persist_failed":
      return { kind: "not-stored", reason: "the host could not store the flow (persist_failed)" };
  }
}

function recordOf(flow: HostRecord): FlowRecord {
  return {
    flowId: flow.flowId,
    revision: flow.revision,
    status: flow.status,
    controllerId: flow.controllerId,
    goal: flow.goal,
    currentStep: flow.currentStep,
    stateJson: flow.stateJson ?? undefined,
    waitJson: flow.waitJson ?? undefined,
    cancelRequestedAt: flow.cancelRequestedAt,
    version: flow.updatedAt,
  };
}

/** The view has no revision; the host's time of the last mutation grows in its place. */
function summaryOf(view: HostView): FlowSummary {
  return {
    flowId: view.id,
    status: view.status,
    currentStep: view.currentStep,
    cancelRequestedAt: view.cancelRequestedAt,
    version: view.updatedAt,
  };
}

function isTerminal(status: FlowRecord["status"]): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled" || status === "lost";
}

/** Our state is JSON by invariant I3; the host's type can't be derived from `unknown`. */
function asHostJson(value: unknown): Exclude<HostJson, undefined> {
  return (value ?? null) as Exclude<HostJson, undefined>;
}

function hasCode(error: unknown, code: string): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if ("code" in at && at.code === code) return true;
    if (at instanceof AggregateError && at.errors.some((inner) => hasCode(inner, code))) return true;
  }
  return false;
}

function withCause(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)} (${messageOf(cause)})`;
}
