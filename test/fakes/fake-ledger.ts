/**
 * The host's task and flow ledger in memory: what survives when a gateway dies.
 * Owns: flows, child tasks, and the host's own rules between them. Does not own: the ports (fake-flow-store, fake-child-tasks).
 * Rules, as measured on the host:
 * 1. Every mutation checks the revision and raises it by one. Nothing is sticky: resume and finish apply after a cancel request and after an end.
 * 2. A flow whose cancel was requested becomes `cancelled` when its last active child ends, whatever that child's outcome is.
 * 3. A child's first end stays. Its end never changes the flow's status by itself (2 excepted).
 * 4. An active child without a sign of life for five minutes becomes `lost` at the next sweep.
 * 5. The sweep also ends, as `cancelled`, every flow whose cancel was requested and that has no active child.
 */
import { randomUUID } from "node:crypto";
import type { ChildOutcome, ChildSummary, FlowRecord, FlowStatus } from "../../src/ports.ts";
import type { Route } from "../../src/core/session.ts";

export const LOST_AFTER_MS = 5 * 60_000;

export interface LedgerFlow extends Omit<FlowRecord, "version"> {
  readonly ownerKey: string;
  readonly route: Route | undefined;
  readonly blockedSummary: string | undefined;
  readonly updatedAt: number;
  readonly endedAt: number | undefined;
}

export interface LedgerChild extends ChildSummary {
  readonly flowId: string;
  readonly ownerKey: string;
  readonly label: string;
  readonly error: string | undefined;
  readonly toolCalls: number;
  readonly lastTool: string | undefined;
  readonly activity: string | undefined;
  readonly lastEventAt: number;
  readonly endedAt: number | undefined;
}

export interface FlowPatch {
  readonly status?: FlowStatus;
  readonly currentStep?: string;
  readonly stateJson?: unknown;
  readonly waitJson?: unknown;
  readonly blockedSummary?: string | undefined;
  readonly cancelRequestedAt?: number;
  readonly ended?: boolean;
}

export type Applied =
  | { readonly kind: "applied"; readonly flow: LedgerFlow }
  | { readonly kind: "conflict"; readonly flow: LedgerFlow }
  | { readonly kind: "missing" };

const TERMINAL: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled", "lost", "timed_out"]);

export function isTerminal(status: string): boolean {
  return TERMINAL.has(status);
}

/** As SQLite keeps it: what is not JSON doesn't come back. */
function asJson(value: unknown): unknown {
  return value === undefined || value === null ? undefined : JSON.parse(JSON.stringify(value));
}

/** A reader may do with it what they like: what is stored stays as it is. */
export function copied(flow: LedgerFlow): LedgerFlow {
  return JSON.parse(JSON.stringify(flow)) as LedgerFlow;
}

export class FakeLedger {
  readonly flows = new Map<string, LedgerFlow>();
  readonly children = new Map<string, LedgerChild>();
  /** Set it to let the host drain: ends and beats of children are dropped, no new child is taken. */
  draining = false;
  largestStateBytes = 0;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  createFlow(
    ownerKey: string,
    controllerId: string,
    fields: FlowPatch & { goal: string; route: Route | undefined },
  ): LedgerFlow {
    const now = this.#now();
    const flow: LedgerFlow = {
      flowId: randomUUID(),
      ownerKey,
      controllerId,
      goal: fields.goal,
      route: fields.route,
      revision: 0,
      status: fields.status ?? "queued",
      currentStep: fields.currentStep,
      stateJson: this.#stored(fields.stateJson),
      waitJson: asJson(fields.waitJson),
      blockedSummary: undefined,
      cancelRequestedAt: undefined,
      updatedAt: now,
      endedAt: undefined,
    };
    this.flows.set(flow.flowId, flow);
    return copied(flow);
  }

  /** Without `expectedRevision` it applies to whatever is there (the host's own hand). */
  patch(flowId: string, ownerKey: string | undefined, expectedRevision: number | undefined, patch: FlowPatch): Applied {
    const flow = this.flows.get(flowId);
    if (flow === undefined || (ownerKey !== undefined && flow.ownerKey !== ownerKey)) return { kind: "missing" };
    if (expectedRevision !== undefined && flow.revision !== expectedRevision) {
      return { kind: "conflict", flow: copied(flow) };
    }
    const next: LedgerFlow = {
      ...flow,
      revision: flow.revision + 1,
      status: patch.status ?? flow.status,
      currentStep: patch.currentStep ?? flow.currentStep,
      stateJson: patch.stateJson === undefined ? flow.stateJson : this.#stored(patch.stateJson),
      waitJson: "waitJson" in patch ? asJson(patch.waitJson) : flow.waitJson,
      blockedSummary: "blockedSummary" in patch ? patch.blockedSummary : flow.blockedSummary,
      cancelRequestedAt: patch.cancelRequestedAt ?? flow.cancelRequestedAt,
      updatedAt: this.#now(),
      endedAt: patch.ended === undefined ? flow.endedAt : patch.ended ? this.#now() : undefined,
    };
    this.flows.set(flowId, next);
    return { kind: "applied", flow: copied(next) };
  }

  /** A reason why the flow takes no child, or undefined when the child is there now. */
  startChild(
    ownerKey: string,
    child: { flowId: string; runId: string; label: string; as: "running" | "queued" },
  ): string | undefined {
    const flow = this.flows.get(child.flowId);
    if (flow === undefined || flow.ownerKey !== ownerKey) return "Flow not found.";
    if (flow.cancelRequestedAt !== undefined) return "Flow cancellation has already been requested.";
    if (isTerminal(flow.status)) return `Flow is already ${flow.status}.`;
    const known = this.children.get(child.runId);
    if (known !== undefined)
      return isTerminal(known.status) ? `Run ${child.runId} has ended already (${known.status}).` : undefined;
    this.children.set(child.runId, {
      runId: child.runId,
      flowId: child.flowId,
      ownerKey,
      label: child.label,
      status: child.as,
      error: undefined,
      toolCalls: 0,
      lastTool: undefined,
      activity: undefined,
      lastEventAt: this.#now(),
      endedAt: undefined,
    });
    return undefined;
  }

  activateChild(runId: string): void {
    this.#touchChild(runId, (child) => (child.status === "queued" ? { ...child, status: "running" } : child));
  }

  toolOfChild(runId: string, name: string): void {
    this.#touchChild(runId, (child) => ({ ...child, toolCalls: child.toolCalls + 1, lastTool: name }));
  }

  progressOfChild(runId: string, line: string): void {
    this.#touchChild(runId, (child) => ({ ...child, activity: line }));
  }

  beat(runId: string): void {
    this.#touchChild(runId, (child) => child);
  }

  endChild(runId: string, outcome: ChildOutcome | "lost", error: string | undefined): void {
    const child = this.children.get(runId);
    if (child === undefined || isTerminal(child.status) || this.draining) return;
    this.children.set(runId, { ...child, status: outcome, error, endedAt: this.#now(), lastEventAt: this.#now() });
    const flow = this.flows.get(child.flowId);
    if (flow !== undefined) this.#endCancelled(flow);
  }

  activeChildren(flowId: string): readonly LedgerChild[] {
    return [...this.children.values()].filter((child) => child.flowId === flowId && !isTerminal(child.status));
  }

  /** The host's housekeeping. */
  sweep(): void {
    for (const child of this.children.values()) {
      if (isTerminal(child.status) || this.#now() - child.lastEventAt < LOST_AFTER_MS) continue;
      this.endChild(child.runId, "lost", "backing session missing");
    }
    for (const flow of this.flows.values()) this.#endCancelled(flow);
  }

  #touchChild(runId: string, change: (child: LedgerChild) => LedgerChild): void {
    const child = this.children.get(runId);
    if (child === undefined || isTerminal(child.status) || this.draining) return;
    this.children.set(runId, { ...change(child), lastEventAt: this.#now() });
  }

  #endCancelled(flow: LedgerFlow): void {
    if (flow.cancelRequestedAt === undefined || isTerminal(flow.status) || this.activeChildren(flow.flowId).length > 0)
      return;
    this.patch(flow.flowId, undefined, undefined, {
      status: "cancelled",
      waitJson: null,
      blockedSummary: undefined,
      ended: true,
    });
  }

  #stored(stateJson: unknown): unknown {
    if (stateJson === undefined || stateJson === null) return undefined;
    const text = JSON.stringify(stateJson);
    this.largestStateBytes = Math.max(this.largestStateBytes, Buffer.byteLength(text));
    return JSON.parse(text);
  }
}
