/**
 * FlowStore in memory, on a ledger that outlives a simulated restart: give the same store to the next engine, or,
 * when the old engine may still be writing (kill -9), `die()` and make a new store on the same ledger.
 * Owns: the port and its faults. Does not own: the rules between flows and children (fake-ledger), other writers (other-writer).
 * Deterministic: every call settles within microtasks unless it is held.
 */
import { CONTROLLER_ID, type Owner } from "../../src/core/session.ts";
import type { FlowChange, FlowCommit, FlowRead, FlowRecord, FlowStore, FlowSummary, NewFlow } from "../../src/ports.ts";
import { copied, FakeLedger, isTerminal, type Applied, type FlowPatch, type LedgerFlow } from "./fake-ledger.ts";
import { OtherWriter } from "./other-writer.ts";

export type StoreCall = "create" | "get" | "list" | "change" | "cancel";

export interface CallMatch {
  readonly on: StoreCall;
  readonly verb?: FlowChange["verb"];
  readonly flowId?: string;
}

export type StoreFault =
  | { readonly kind: "not-stored" }
  /** The answer is lost; `written` says what really happened. Reads answer `unknown` or undefined. */
  | { readonly kind: "unknown"; readonly written: boolean }
  | { readonly kind: "gone" };

export interface Hold {
  /** Resolves when a matching call has arrived and stands still. */
  readonly reached: Promise<void>;
  release(): void;
}

type Plan = CallMatch & ({ times: number } & ({ fault: StoreFault } | { before: () => void }));

export class FakeFlowStore implements FlowStore {
  readonly ledger: FakeLedger;
  readonly otherWriter: OtherWriter;
  /** Every change that was asked for, in order, whatever became of it. */
  readonly changes: { readonly flowId: string; readonly change: FlowChange; readonly outcome: FlowCommit["kind"] }[] =
    [];
  readonly #now: () => number;
  readonly #plans: Plan[] = [];
  readonly #holds: { match: CallMatch; arrive: () => void; until: Promise<void> }[] = [];

  #dead = false;

  constructor(now: () => number = Date.now, ledger: FakeLedger = new FakeLedger(now)) {
    this.#now = now;
    this.ledger = ledger;
    this.otherWriter = new OtherWriter(ledger);
  }

  /** From now on no call of this store settles or writes: its gateway was killed. */
  die(): void {
    this.#dead = true;
  }

  /** The next `times` matching calls fail in this way. */
  fail(match: CallMatch, fault: StoreFault, times = 1): void {
    this.#plans.push({ ...match, fault, times });
  }

  /** No planned fault is left. */
  heal(): void {
    this.#plans.length = 0;
  }

  /** Runs once, between the caller's decision and its write: where another writer slips in. */
  before(match: CallMatch, run: () => void): void {
    this.#plans.push({ ...match, before: run, times: 1 });
  }

  /** The next matching call waits. */
  hold(match: CallMatch): Hold {
    const until = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    this.#holds.push({ match, arrive: arrived.resolve, until: until.promise });
    return { reached: arrived.promise, release: until.resolve };
  }

  async create(owner: Owner, flow: NewFlow): Promise<FlowCommit> {
    const fault = await this.#enter({ on: "create" });
    if (fault !== undefined && !(fault.kind === "unknown" && fault.written)) return failed(fault);
    const made = this.ledger.createFlow(owner.sessionKey, CONTROLLER_ID, flow);
    return fault === undefined ? { kind: "applied", record: recordOf(made) } : failed(fault);
  }

  async get(owner: Owner, flowId: string): Promise<FlowRead> {
    const fault = await this.#enter({ on: "get", flowId });
    if (fault !== undefined)
      return fault.kind === "gone" ? { kind: "missing" } : { kind: "unknown", reason: "the ledger does not answer" };
    const flow = this.ledger.flows.get(flowId);
    return flow === undefined || flow.ownerKey !== owner.sessionKey
      ? { kind: "missing" }
      : { kind: "found", record: recordOf(copied(flow)) };
  }

  async list(owner: Owner): Promise<readonly FlowSummary[] | undefined> {
    const fault = await this.#enter({ on: "list" });
    if (fault !== undefined) return undefined;
    return [...this.ledger.flows.values()].filter((flow) => flow.ownerKey === owner.sessionKey).map(summaryOf);
  }

  async owners(): Promise<readonly Owner[]> {
    const fault = await this.#enter({ on: "list" });
    if (fault !== undefined) return [];
    const ours = [...this.ledger.flows.values()].filter(
      (flow) => flow.controllerId === CONTROLLER_ID && !isTerminal(flow.status),
    );
    return [...new Set(ours.map((flow) => flow.ownerKey))].map((sessionKey) => ({ sessionKey, agentId: "main" }));
  }

  async change(owner: Owner, flowId: string, expectedRevision: number, change: FlowChange): Promise<FlowCommit> {
    const fault = await this.#enter({ on: "change", verb: change.verb, flowId });
    const outcome = this.#change(owner, flowId, expectedRevision, change, fault);
    this.changes.push({ flowId, change, outcome: outcome.kind });
    return outcome;
  }

  async cancel(owner: Owner, flowId: string): Promise<FlowCommit> {
    const fault = await this.#enter({ on: "cancel", flowId });
    const flow = this.ledger.flows.get(flowId);
    if (flow === undefined || flow.ownerKey !== owner.sessionKey) return { kind: "gone", reason: "Flow not found." };
    if (fault !== undefined && !(fault.kind === "unknown" && fault.written)) return failed(fault);
    if (isTerminal(flow.status) && flow.status !== "cancelled")
      return { kind: "conflict", current: recordOf(copied(flow)) };
    this.otherWriter.cancelFlow(flowId, this.#now());
    const after = this.ledger.flows.get(flowId) ?? flow;
    return fault === undefined ? { kind: "applied", record: recordOf(copied(after)) } : failed(fault);
  }

  #change(
    owner: Owner,
    flowId: string,
    revision: number,
    change: FlowChange,
    fault: StoreFault | undefined,
  ): FlowCommit {
    if (fault !== undefined && !(fault.kind === "unknown" && fault.written)) return failed(fault);
    const applied = this.ledger.patch(flowId, owner.sessionKey, revision, patchOf(change, this.#now()));
    return fault === undefined ? commitOf(applied) : failed(fault);
  }

  async #enter(call: CallMatch): Promise<StoreFault | undefined> {
    await Promise.resolve();
    if (this.#dead) await new Promise<never>(() => undefined);
    const held = this.#holds.findIndex((hold) => fits(hold.match, call));
    if (held >= 0) {
      const [hold] = this.#holds.splice(held, 1);
      hold?.arrive();
      await hold?.until;
      if (this.#dead) await new Promise<never>(() => undefined);
    }
    let fault: StoreFault | undefined;
    for (const plan of this.#plans.filter((candidate) => fits(candidate, call))) {
      if ("fault" in plan && fault !== undefined) continue;
      plan.times -= 1;
      if (plan.times === 0) this.#plans.splice(this.#plans.indexOf(plan), 1);
      if ("before" in plan) plan.before();
      else fault = plan.fault;
    }
    return fault;
  }
}

function fits(match: CallMatch, call: CallMatch): boolean {
  return (
    match.on === call.on &&
    (match.verb === undefined || match.verb === call.verb) &&
    (match.flowId === undefined || match.flowId === call.flowId)
  );
}

function patchOf(change: FlowChange, nowMs: number): FlowPatch {
  switch (change.verb) {
    case "run":
      return {
        status: "running",
        currentStep: change.currentStep,
        stateJson: change.stateJson,
        waitJson: null,
        blockedSummary: undefined,
        ended: false,
      };
    case "queue":
      return {
        status: "queued",
        currentStep: change.currentStep,
        stateJson: change.stateJson,
        waitJson: null,
        blockedSummary: undefined,
        ended: false,
      };
    case "wait":
      return {
        status: "waiting",
        currentStep: change.currentStep,
        stateJson: change.stateJson,
        waitJson: change.waitJson,
        ended: false,
      };
    case "finish":
      return {
        status: "succeeded",
        stateJson: change.stateJson,
        waitJson: null,
        blockedSummary: undefined,
        ended: true,
      };
    case "fail":
      return {
        status: "failed",
        stateJson: change.stateJson,
        waitJson: null,
        blockedSummary: change.summary,
        ended: true,
      };
    case "request-cancel":
      return { cancelRequestedAt: nowMs };
  }
}

function commitOf(applied: Applied): FlowCommit {
  switch (applied.kind) {
    case "applied":
      return { kind: "applied", record: recordOf(applied.flow) };
    case "conflict":
      return { kind: "conflict", current: recordOf(applied.flow) };
    case "missing":
      return { kind: "gone", reason: "Flow not found." };
  }
}

function failed(fault: StoreFault): FlowCommit {
  switch (fault.kind) {
    case "not-stored":
      return { kind: "not-stored", reason: "the disk is full (injected)" };
    case "unknown":
      return { kind: "unknown", reason: "the ledger's answer was lost (injected)" };
    case "gone":
      return { kind: "gone", reason: "Flow not found. (injected)" };
  }
}

function recordOf(flow: LedgerFlow): FlowRecord {
  const { flowId, revision, status, controllerId, goal } = flow;
  const { currentStep, stateJson, waitJson, cancelRequestedAt } = flow;
  const version = revision;
  return { flowId, revision, status, controllerId, goal, currentStep, stateJson, waitJson, cancelRequestedAt, version };
}

function summaryOf(flow: LedgerFlow): FlowSummary {
  const { flowId, status, currentStep, cancelRequestedAt, revision } = flow;
  return { flowId, status, currentStep, cancelRequestedAt, version: revision };
}
