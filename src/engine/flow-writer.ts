/**
 * The one hand that writes a session's flow.
 * Owns: the expected revision, the verb for each phase, and what an outcome means.
 * Invariants: every mutation is revision-checked; I7: a conflict or an unknown outcome is reread and told as a value,
 * never retried blindly, never dropped. Called by the session's actor only, one call at a time.
 */
import { currentStep, flowGoal, flowVerb, waitJson, type FlowVerb } from "../core/flow-command.ts";
import type { Session } from "../core/session.ts";
import { encodeSession } from "../core/state-json.ts";
import type { FlowChange, FlowCommit, FlowRecord, FlowStatus, FlowStore } from "../ports.ts";

export type Stored =
  | { readonly kind: "stored" }
  /** Somebody else wrote; `record` is what stands now, and is from now on the expected revision. */
  | { readonly kind: "foreign"; readonly record: FlowRecord }
  | { readonly kind: "gone"; readonly reason: string }
  /** Nothing was written: memory and journal are ahead of the flow until a later call succeeds. */
  | { readonly kind: "not-stored"; readonly reason: string };

const TERMINAL: ReadonlySet<FlowStatus> = new Set(["succeeded", "failed", "cancelled", "lost"]);

export function isTerminal(status: FlowStatus): boolean {
  return TERMINAL.has(status);
}

export class FlowWriter {
  readonly #flows: FlowStore;
  #record: FlowRecord;

  constructor(flows: FlowStore, record: FlowRecord) {
    this.#flows = flows;
    this.#record = record;
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

  /** Stores the session with the verb of its phase. A terminal flow is never written again: it would be reopened. */
  async store(session: Session): Promise<Stored> {
    if (isTerminal(this.#record.status)) return { kind: "stored" };
    const verb = flowVerb(session);
    const stored = await this.#change(session, changeFor(verb, session));
    if (stored.kind !== "stored" || verb !== "cancel" || this.#record.cancelRequestedAt !== undefined) return stored;
    return this.#change(session, { verb: "request-cancel" });
  }

  /** The flow itself ends `cancelled`, children with it. */
  async endCancelled(session: Session): Promise<Stored> {
    return this.#settle(session, await this.#flows.cancel(session.owner, this.#record.flowId), undefined);
  }

  /** Rereads; tells whether somebody else wrote since our last write. */
  async look(session: Session): Promise<Stored> {
    const read = await this.#flows.get(session.owner, this.#record.flowId);
    if (read.kind === "unknown") return { kind: "not-stored", reason: read.reason };
    if (read.kind === "missing") return { kind: "gone", reason: "the host no longer has this flow" };
    if (read.record.revision === this.#record.revision && read.record.status === this.#record.status) return { kind: "stored" };
    this.#record = read.record;
    return { kind: "foreign", record: read.record };
  }

  async #change(session: Session, change: FlowChange): Promise<Stored> {
    const commit = await this.#flows.change(session.owner, this.#record.flowId, this.#record.revision, change);
    return this.#settle(session, commit, change);
  }

  async #settle(session: Session, commit: FlowCommit, change: FlowChange | undefined): Promise<Stored> {
    switch (commit.kind) {
      case "applied":
        this.#record = commit.record;
        return { kind: "stored" };
      case "conflict":
        this.#record = commit.current;
        return { kind: "foreign", record: commit.current };
      case "gone":
        return { kind: "gone", reason: commit.reason };
      case "not-stored":
        return { kind: "not-stored", reason: commit.reason };
      case "unknown":
        return this.#reread(session, change, commit.reason);
    }
  }

  /** An unknown outcome: one read tells whether our write is there, not there, or overtaken by somebody else's. */
  async #reread(session: Session, change: FlowChange | undefined, reason: string): Promise<Stored> {
    const before = this.#record.revision;
    const read = await this.#flows.get(session.owner, this.#record.flowId);
    if (read.kind === "unknown") return { kind: "not-stored", reason: `${reason}; and it could not be reread: ${read.reason}` };
    if (read.kind === "missing") return { kind: "gone", reason: "the host no longer has this flow" };
    const { record } = read;
    if (record.revision === before) return { kind: "not-stored", reason };
    this.#record = record;
    return record.revision === before + 1 && isOurs(record, session, change) ? { kind: "stored" } : { kind: "foreign", record };
  }
}

function isOurs(record: FlowRecord, session: Session, change: FlowChange | undefined): boolean {
  if (change === undefined) return record.status === "cancelled";
  if (change.verb === "request-cancel") return record.cancelRequestedAt !== undefined;
  return seqOf(record.stateJson) === session.seq;
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
