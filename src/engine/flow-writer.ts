/**
 * The one hand that writes a session's flow.
 * Owns: the expected revision, the verb for each phase, what an outcome means, and what of the record is ours.
 * Invariants: every mutation is revision-checked; I7: a conflict or an unknown outcome is reread and told as a value,
 * never retried blindly, never dropped. Called by the session's actor only, one call at a time.
 */
import { currentStep, flowGoal, flowVerb, waitJson, type FlowVerb } from "../core/flow-command.ts";
import type { Session } from "../core/session.ts";
import { encodeSession } from "../core/state-json.ts";
import type { FlowChange, FlowCommit, FlowRecord, FlowStatus, FlowStore, Log } from "../ports.ts";

export type Stored =
  /** `overtaken`: it was written, and somebody else wrote on top of it; what stands now, and is the expected revision. */
  | { readonly kind: "stored"; readonly overtaken?: FlowRecord }
  /** Somebody else wrote; `record` is what stands now, and is from now on the expected revision. */
  | { readonly kind: "foreign"; readonly record: FlowRecord }
  | { readonly kind: "gone"; readonly reason: string }
  /** Nothing was written: memory and journal are ahead of the flow until a later call succeeds. */
  | { readonly kind: "not-stored"; readonly reason: string };

/**
 * What may stand in the record by our own hand, so that another writer's words can be told from ours: of the last
 * acknowledged write, and of the last attempted one.
 */
export interface OwnWrite {
  readonly seqs: readonly (number | undefined)[];
  readonly steps: readonly (string | undefined)[];
  /** A foreign record that was heard, and stands in the flow until a write of ours is acknowledged: it is not heard again. */
  readonly heard?: FlowRecord;
}

const TERMINAL: ReadonlySet<FlowStatus> = new Set(["succeeded", "failed", "cancelled", "lost"]);
const CANCEL_ATTEMPTS = 4;

export function isTerminal(status: FlowStatus): boolean {
  return TERMINAL.has(status);
}

export class FlowWriter {
  readonly #flows: FlowStore;
  /** Without its state, which the session says already: it would be held in memory twice. */
  #record: FlowRecord;
  #own: OwnWrite;

  /** `session` as the record has it, at the creation of the flow or after a restart. */
  constructor(flows: FlowStore, record: FlowRecord, session: Session) {
    this.#flows = flows;
    this.#record = withoutState(record);
    // An end keeps the step of the work before it; a restart knows only what the record says.
    const keepsStep = isTerminal(record.status) || session.phase.kind === "ended";
    const step = keepsStep ? record.currentStep : currentStep(session);
    this.#own = { seqs: [seqOf(record.stateJson), session.seq], steps: [step] };
  }

  /** Makes the flow of a new session. */
  static create(flows: FlowStore, session: Session): Promise<FlowCommit> {
    return flows.create(session.owner, {
      goal: flowGoal(session),
      status: "queued",
      currentStep: currentStep(session),
      stateJson: encodeSession(session),
      route: session.route,
    });
  }

  get record(): FlowRecord {
    return this.#record;
  }

  get own(): OwnWrite {
    return this.#own;
  }

  noteHeard(record: FlowRecord): void {
    this.#own = { ...this.#own, heard: record };
  }

  /** Stores the session with the verb of its phase. A terminal flow is never written again: it would be reopened. */
  async store(session: Session): Promise<Stored> {
    if (isTerminal(this.#record.status)) return { kind: "stored" };
    const verb = flowVerb(session);
    if (verb === "finish" || verb === "fail") {
      const cleared = await this.#clearStep(session);
      if (cleared.kind !== "stored" || cleared.overtaken !== undefined) return cleared;
    }
    const stored = await this.#change(session, changeFor(verb, session));
    if (stored.kind !== "stored" || verb !== "cancel") return stored;
    // Whatever somebody wrote on top, its end is requested.
    return this.#requestCancel(session);
  }

  /** An end keeps the step that stands there: words of another writer would be heard again when the flow is reopened once more. */
  async #clearStep(session: Session): Promise<Stored> {
    if (this.#own.steps.includes(this.#record.currentStep)) return { kind: "stored" };
    return this.#change(session, changeFor("run", session));
  }

  /** The flow itself ends `cancelled`, children with it. Where somebody ended it otherwise, that stays. */
  async endCancelled(session: Session): Promise<Stored> {
    const commit = await this.#flows.cancel(session.owner, this.#record.flowId);
    const settled = this.#settle(commit);
    if (settled !== undefined) return settled;
    const read = await this.#flows.get(session.owner, this.#record.flowId);
    if (read.kind === "missing") return { kind: "gone", reason: reasonOf(commit) };
    if (read.kind === "found") this.#record = read.record;
    return isTerminal(this.#record.status) ? { kind: "stored" } : { kind: "not-stored", reason: reasonOf(commit) };
  }

  /** Rereads; tells whether somebody else wrote since our last write. */
  async look(session: Session): Promise<Stored> {
    const read = await this.#flows.get(session.owner, this.#record.flowId);
    if (read.kind === "unknown") return { kind: "not-stored", reason: read.reason };
    if (read.kind === "missing") return { kind: "gone", reason: "the host no longer has this flow" };
    const { revision, status } = this.#record;
    const same = read.record.revision === revision && read.record.status === status;
    this.#record = same ? withoutState(read.record) : read.record;
    return same ? { kind: "stored" } : { kind: "foreign", record: read.record };
  }

  async #change(session: Session, change: FlowChange): Promise<Stored> {
    const { seqs, steps } = this.#own;
    const attempted = "currentStep" in change ? change.currentStep : steps[0];
    this.#own = { ...this.#own, seqs: [seqs[0], session.seq], steps: [steps[0], attempted] };
    const commit = await this.#flows.change(session.owner, this.#record.flowId, this.#record.revision, change);
    const stored = this.#settle(commit) ?? (await this.#reread(session, reasonOf(commit)));
    if (stored.kind === "stored") this.#own = { seqs: [session.seq], steps: [attempted] };
    return stored;
  }

  /** Undefined: only a reread tells, also whether a flow that the host does not find is really gone. */
  #settle(commit: FlowCommit): Stored | undefined {
    switch (commit.kind) {
      case "applied":
        this.#record = withoutState(commit.record);
        return { kind: "stored" };
      case "conflict":
        this.#record = commit.current;
        return { kind: "foreign", record: commit.current };
      case "not-stored":
        return { kind: commit.kind, reason: commit.reason };
      case "gone":
      case "unknown":
        return undefined;
    }
  }

  /** An unknown outcome: one read tells whether our write is there, not there, or overtaken by somebody else's. */
  async #reread(session: Session, reason: string): Promise<Stored> {
    const before = this.#record.revision;
    const read = await this.#flows.get(session.owner, this.#record.flowId);
    if (read.kind === "unknown")
      return { kind: "not-stored", reason: `${reason}; and it could not be reread: ${read.reason}` };
    if (read.kind === "missing") return { kind: "gone", reason: "the host no longer has this flow" };
    const { record } = read;
    if (record.revision === before) return { kind: "not-stored", reason };
    this.#record = record;
    if (seqOf(record.stateJson) !== session.seq) return { kind: "foreign", record };
    return record.revision === before + 1 ? { kind: "stored" } : { kind: "stored", overtaken: record };
  }

  /**
   * A request for the end says nothing about the state, so it holds on whatever somebody else wrote in between: after a
   * conflict or an unknown outcome it is made again on the record that was read.
   */
  async #requestCancel(session: Session): Promise<Stored> {
    for (let attempt = 1; ; attempt += 1) {
      const { flowId, revision, status, cancelRequestedAt } = this.#record;
      if (cancelRequestedAt !== undefined || isTerminal(status)) return { kind: "stored" };
      const commit = await this.#flows.change(session.owner, flowId, revision, { verb: "request-cancel" });
      const settled = this.#settle(commit);
      if (settled !== undefined && settled.kind !== "foreign") return settled;
      if (settled === undefined) {
        const read = await this.#flows.get(session.owner, flowId);
        if (read.kind === "found") this.#record = read.record;
      }
      if (attempt >= CANCEL_ATTEMPTS) return { kind: "not-stored", reason: "its cancellation could not be requested" };
    }
  }
}

/** Whether the host has said that it is over. */
export async function isEndedAsCancelled(writer: FlowWriter, session: Session, log: Log): Promise<boolean> {
  const stored = await writer.endCancelled(session);
  if (stored.kind !== "not-stored") return true;
  log.warn(`iFlow session ${session.name}: its flow could not be cancelled yet: ${stored.reason}`);
  return false;
}

function withoutState(record: FlowRecord): FlowRecord {
  return { ...record, stateJson: undefined, waitJson: undefined };
}

function reasonOf(commit: FlowCommit): string {
  return "reason" in commit ? commit.reason : commit.kind;
}

export function seqOf(stateJson: unknown): number | undefined {
  if (typeof stateJson !== "object" || stateJson === null || !("seq" in stateJson)) return undefined;
  return typeof stateJson.seq === "number" ? stateJson.seq : undefined;
}

function changeFor(verb: FlowVerb, session: Session): FlowChange {
  const stateJson = encodeSession(session);
  const step = currentStep(session);
  switch (verb) {
    case "queue":
      return { verb: "queue", currentStep: step, stateJson };
    case "run":
    case "cancel":
      return { verb: "run", currentStep: step, stateJson };
    case "wait":
      return { verb: "wait", currentStep: step, stateJson, waitJson: waitJson(session) };
    case "finish":
      return { verb: "finish", stateJson };
    case "fail":
      return { verb: "fail", summary: step, stateJson };
  }
}
