/**
 * Hears other writers of our flows and children: the host tells nobody, so each owner is polled.
 * Owns: the poll (one list of flows and one of tasks an owner) and what in it is worth a closer look.
 * What it sees becomes a `look` or an event of the session within about a second.
 */
import type { Owner } from "../core/session.ts";
import type { ChildSummary, FlowSummary } from "../ports.ts";
import type { Engine } from "./context.ts";
import { isTerminal } from "./flow-writer.ts";
import type { SessionActor } from "./session-actor.ts";

const POLL_MS = 700;

export class Watch {
  readonly #engine: Engine;
  readonly #actors: () => Iterable<SessionActor>;
  readonly #eachRound: () => void;
  /** Flows of the last poll. */
  #seen: ReadonlySet<string> = new Set();
  #cancel: (() => void) | undefined;
  #polling: Promise<void> = Promise.resolve();
  #stopped = false;
  /** The host is about to drain: children end, and none may be started in their place. */
  childrenAreSettled = false;

  constructor(engine: Engine, actors: () => Iterable<SessionActor>, eachRound: () => void) {
    this.#engine = engine;
    this.#actors = actors;
    this.#eachRound = eachRound;
  }

  start(): void {
    if (this.#stopped) return;
    this.#cancel = this.#engine.clock.after(POLL_MS, () => {
      this.#polling = this.poll()
        .catch((error: unknown) => this.#engine.log.warn(`iFlow: the poll of TaskFlow failed: ${String(error)}`))
        .then(() => this.start());
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#polling;
  }

  /** One round over every owner of a session in memory. */
  async poll(): Promise<void> {
    this.#eachRound();
    const byOwner = new Map<string, SessionActor[]>();
    for (const actor of this.#actors()) {
      const { sessionKey } = actor.session.owner;
      const known = byOwner.get(sessionKey);
      if (known === undefined) byOwner.set(sessionKey, [actor]);
      else known.push(actor);
    }
    const seen = new Set<string>();
    for (const actors of byOwner.values()) {
      const owner = actors[0]?.session.owner;
      if (owner !== undefined && !this.#stopped) await this.#pollOwner(owner, actors, seen);
    }
    this.#seen = seen;
  }

  async #pollOwner(owner: Owner, actors: readonly SessionActor[], seen: Set<string>): Promise<void> {
    const anyLive = actors.some((actor) => actor.session.phase.kind !== "ended");
    const [flows, children] = await Promise.all([
      this.#engine.flows.list(owner),
      anyLive ? this.#engine.children.list(owner) : undefined,
    ]);
    const byFlow = new Map(flows?.map((flow) => [flow.flowId, flow]));
    const byRun = new Map(children?.map((child) => [child.runId, child]));
    for (const actor of actors) {
      const flow = byFlow.get(actor.flowId);
      if (flow !== undefined) seen.add(flow.flowId);
      const vanished = flow === undefined && flows !== undefined && this.#seen.has(actor.flowId);
      if (vanished || (flow !== undefined && this.#worthALook(actor, flow))) await actor.look();
      else if (actor.session.phase.kind !== "ended") await this.#lookAtChild(actor, byRun);
    }
  }

  #worthALook(actor: SessionActor, flow: FlowSummary): boolean {
    const { record, session } = actor;
    // Of an ended session only this matters: a flow that lives, because somebody reopened it or its end was not stored.
    if (session.phase.kind === "ended") return !isTerminal(flow.status);
    return (
      flow.version > record.version ||
      flow.cancelRequestedAt !== record.cancelRequestedAt ||
      flow.status !== record.status
    );
  }

  /** `openclaw tasks cancel` and the Control UI's button cancel the child alone: an order for the whole session. */
  async #lookAtChild(actor: SessionActor, byRun: ReadonlyMap<string, ChildSummary>): Promise<void> {
    const { child } = actor.session;
    if (child === undefined) return;
    const status = byRun.get(child.runId.replace("<flow>", actor.flowId))?.status;
    if (status === "cancelled")
      await actor.post({ type: "foreign", change: { kind: "cancelled" }, message: undefined });
    // Lost to a sleep of the machine, or settled before a stop of the gateway that did not come.
    else if (isOver(status) && !this.childrenAreSettled) await actor.post({ type: "child-lost", runId: child.runId });
  }
}

function isOver(status: ChildSummary["status"] | undefined): boolean {
  return status === "lost" || status === "failed" || status === "succeeded" || status === "timed_out";
}
