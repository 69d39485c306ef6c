/**
 * Hears other writers of our flows and children: the host tells nobody, so each owner is polled.
 * Owns: the poll (one list of flows and one of tasks an owner) and what in it is worth a closer look.
 * What it sees becomes a `look` or an event of the session within about a second.
 */
import { currentStep } from "../core/flow-command.ts";
import type { Owner, Session } from "../core/session.ts";
import type { ChildSummary, FlowRecord, FlowSummary } from "../ports.ts";
import type { Engine } from "./context.ts";
import type { SessionActor } from "./session-actor.ts";

const POLL_MS = 700;

export class Watch {
  readonly #engine: Engine;
  readonly #actors: () => Iterable<SessionActor>;
  readonly #seen = new Map<string, number>();
  #cancel: (() => void) | undefined;
  #polling: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(engine: Engine, actors: () => Iterable<SessionActor>) {
    this.#engine = engine;
    this.#actors = actors;
  }

  start(): void {
    this.#cancel = this.#engine.clock.after(POLL_MS, () => {
      this.#polling = this.poll()
        .catch((error: unknown) => this.#engine.log.warn(`iFlow: the poll of TaskFlow failed: ${String(error)}`))
        .then(() => {
          if (!this.#stopped) this.start();
        });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#polling;
  }

  /** One round over every owner of a live session. */
  async poll(): Promise<void> {
    const byOwner = new Map<string, SessionActor[]>();
    for (const actor of this.#actors()) {
      if (actor.session.phase.kind === "ended") continue;
      const { sessionKey } = actor.session.owner;
      byOwner.set(sessionKey, [...(byOwner.get(sessionKey) ?? []), actor]);
    }
    for (const actors of byOwner.values()) {
      const owner = actors[0]?.session.owner;
      if (owner !== undefined) await this.#pollOwner(owner, actors);
    }
  }

  async #pollOwner(owner: Owner, actors: readonly SessionActor[]): Promise<void> {
    const [flows, children] = await Promise.all([this.#engine.flows.list(owner), this.#engine.children.list(owner)]);
    const byFlow = new Map(flows?.map((flow) => [flow.flowId, flow]));
    const byRun = new Map(children?.map((child) => [child.runId, child]));
    for (const actor of actors) {
      const flow = byFlow.get(actor.flowId);
      if (flow !== undefined && this.#worthALook(actor, flow)) await actor.look();
      else if (this.#childCancelled(actor, byRun)) await actor.post({ type: "foreign", change: { kind: "cancelled" }, message: undefined });
    }
  }

  #worthALook(actor: SessionActor, flow: FlowSummary): boolean {
    const last = this.#seen.get(flow.flowId);
    this.#seen.set(flow.flowId, flow.version);
    const { record, session } = actor;
    if (flow.cancelRequestedAt !== record.cancelRequestedAt || flow.status !== record.status) return true;
    return last !== flow.version && isWaiting(session) && differs(flow, record, session);
  }

  /** `openclaw tasks cancel` and the Control UI's button cancel the child alone: an order for the whole session. */
  #childCancelled(actor: SessionActor, byRun: ReadonlyMap<string, ChildSummary>): boolean {
    const { child } = actor.session;
    if (child === undefined) return false;
    return byRun.get(child.runId.replace("<flow>", actor.flowId))?.status === "cancelled";
  }
}

function isWaiting(session: Session): boolean {
  const { kind } = session.phase;
  return kind === "asking" || kind === "idle" || kind === "interrupted";
}

function differs(flow: FlowSummary, record: FlowRecord, session: Session): boolean {
  return flow.currentStep !== record.currentStep || flow.currentStep !== currentStep(session);
}
