/**
 * What stands around a session, small enough to be obviously right: the line for slots, the agent's process with its
 * open requests, the flow's children, and where every message is. Each step is checked against it.
 */
import type { RequestId } from "../../src/core/agent-event.ts";
import type { Effect, SessionEvent, Step } from "../../src/core/event.ts";
import type { Message, Session } from "../../src/core/session.ts";

class Broken extends Error {}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Broken(what);
}

type Slot = "none" | "waiting" | "held";

export class SessionWorld {
  #slot: Slot = "none";
  #admitted = false;
  /** Open requests of the process that lives; undefined: none lives. */
  #process: { readonly open: Set<RequestId> } | undefined;
  /** Requests of a process that ends, or of none: each is refused once. */
  readonly #ghosts: RequestId[] = [];
  readonly #children = new Map<string, "queued" | "running">();
  readonly #usedRunIds = new Set<string>();
  /** By message id: in which order it was taken. */
  readonly #taken = new Map<string, number>();
  readonly #sent = new Set<string>();
  readonly #left = new Set<string>();
  readonly #answered = new Set<string>();

  constructor(first: Session) {
    for (const { id } of first.inbox) this.#taken.set(id, 0);
  }

  /** Whether the prompt of the running turn may have reached the agent. */
  static promptLeft({ phase }: Session): boolean {
    return phase.kind === "working" && phase.prompt === "left";
  }

  /** Whether it waits in line for a slot, so that one can be granted. */
  get inLine(): boolean {
    return this.#slot === "waiting";
  }

  /** What the event itself does to the world, before the session hears of it. */
  happen(before: Session, event: SessionEvent): void {
    if (event.type === "admitted") this.#admitted = true;
    if (event.type === "slot-granted" && this.inLine) this.#slot = "held";
    if (event.type === "start-failed") this.#die();
    if (event.type === "child-lost") this.#children.delete(event.runId);
    if (event.type === "recovered") {
      // A new life of the gateway: nobody is in line, no process of before lives.
      this.#slot = "none";
      this.#die();
      this.#admitted = true;
    }
    if (event.type !== "said") return;
    if (event.event.kind === "exited") this.#die();
    if (event.event.kind === "asked") this.#ask(event.event.request.requestId, before);
  }

  /** With the process, its connection and everything that was open on it is gone. */
  #die(): void {
    this.#process = undefined;
    this.#ghosts.length = 0;
  }

  #ask(requestId: RequestId, before: Session): void {
    if (this.#process === undefined || before.agent?.kind === "stopping") this.#ghosts.push(requestId);
    else this.#process.open.add(requestId);
  }

  /** What followed. */
  follow(before: Session, event: SessionEvent, step: Step): void {
    for (const effect of step.effects) this.#carryOut(effect, step.session);
    this.#take(before, event, step);
    this.#check(before, event, step.session);
  }

  #carryOut(effect: Effect, after: Session): void {
    switch (effect.do) {
      case "request-slot":
        check(this.#slot !== "held", "a slot is asked for while one is held");
        this.#slot = "waiting";
        return;
      case "release-slot":
        check(this.#slot !== "none", "a slot is released that nobody has");
        check(this.#process === undefined, "a slot is released while its process lives");
        this.#slot = "none";
        return;
      case "start-agent":
        check(
          this.#slot === "held" && this.#process === undefined,
          "an agent is started without a slot or beside another",
        );
        this.#process = { open: new Set() };
        return;
      case "send-prompt":
        check(this.#process !== undefined && after.agent?.kind === "ready", "a prompt is sent to nobody");
        check(!this.#left.has(effect.message.id), `message ${effect.message.id} is sent twice`);
        this.#sent.add(effect.message.id);
        return;
      case "reply":
        this.#reply(effect.requestId);
        return;
      case "cancel-turn":
      case "stop-agent":
        check(this.#process !== undefined, `${effect.do} without a process`);
        this.#process?.open.clear();
        return;
      case "look-behind":
        check(this.#process !== undefined, "it is looked behind nobody");
        return;
      case "start-child":
        check(this.#children.size === 0, "a child is started beside another");
        check(!this.#usedRunIds.has(effect.child.runId), `run id ${effect.child.runId} is used twice`);
        this.#usedRunIds.add(effect.child.runId);
        this.#children.set(effect.child.runId, effect.child.as);
        return;
      case "activate-child":
        check(this.#children.get(effect.runId) === "queued", "a child is activated that does not wait");
        this.#children.set(effect.runId, "running");
        return;
      case "end-child":
        check(this.#children.delete(effect.runId), "a child is ended that does not live");
        return;
      case "tool-progress":
        check(this.#children.get(effect.runId) === "running", "progress of a child that does not run");
        return;
      case "end-flow-cancelled":
        check(
          after.phase.kind === "ended" && after.phase.outcome === "killed",
          "the flow of a live session is cancelled",
        );
        return;
      case "record-question":
      case "record-answer":
      case "audit":
        return;
    }
  }

  #reply(requestId: RequestId): void {
    if (this.#process?.open.delete(requestId) === true) return;
    const ghost = this.#ghosts.indexOf(requestId);
    check(ghost !== -1, `request ${String(requestId).slice(0, 20)} is answered twice, or was never asked`);
    this.#ghosts.splice(ghost, 1);
  }

  #take(before: Session, event: SessionEvent, { session, reply }: Step): void {
    if (event.type === "message" && reply?.ok === true) this.#taken.set(event.message.id, this.#taken.size);
    if (event.type === "answered" && reply?.ok === true) {
      check(before.phase.kind === "asking", "an answer is taken although nothing was asked");
      check(!this.#answered.has(event.questionId), `question ${event.questionId} is answered twice`);
      this.#answered.add(event.questionId);
    }
    for (const { id } of session.inbox) if (!this.#taken.has(id)) this.#taken.set(id, this.#taken.size);
    const { phase } = session;
    if (phase.kind === "working" && !this.#taken.has(phase.message.id))
      this.#taken.set(phase.message.id, this.#taken.size);
  }

  #check(before: Session, event: SessionEvent, after: Session): void {
    const { phase, agent } = after;
    check((agent !== undefined) === (this.#slot === "held"), `agent ${agent?.kind}, slot ${this.#slot}`);
    check(
      (agent !== undefined) === (this.#process !== undefined),
      `agent ${agent?.kind}, process ${this.#process === undefined ? "gone" : "alive"}`,
    );
    const inLine = phase.kind === "queued" && agent === undefined && this.#admitted;
    if (inLine) check(this.#slot === "waiting", "a queued session stands in no line");
    if (phase.kind !== "queued" && agent === undefined)
      check(this.#slot === "none", `a session that is ${phase.kind} stands in line`);
    this.#checkRequests(after);
    this.#checkChildren(after);
    this.#checkMessages(before, event, after);
  }

  #checkRequests({ phase, agent }: Session): void {
    if (agent?.kind !== "ready") return;
    const waiting =
      phase.kind === "asking" ? phase.asks.flatMap((ask) => (ask.requestId === undefined ? [] : [ask.requestId])) : [];
    const open = [...(this.#process?.open ?? [])];
    check(
      open.length === waiting.length && waiting.every((id) => open.includes(id)),
      `open ${JSON.stringify(open)}, asked ${JSON.stringify(waiting)}`.slice(0, 300),
    );
  }

  #checkChildren({ phase, child }: Session): void {
    const active = [...this.#children].map(([runId, as]) => `${as} ${runId}`);
    check(
      active.join() === (child === undefined ? "" : `${child.as} ${child.runId}`),
      `children ${active.join()}, session ${JSON.stringify(child)}`.slice(0, 300),
    );
    if (phase.kind === "working") check(child?.as === "running", "a turn works without a running child");
    if (phase.kind === "ended") check(child === undefined, "an ended session has a child");
  }

  /** Each message is in the inbox, or in the turn that carries it out, or was sent; never in two places, never in none. */
  #checkMessages(before: Session, _event: SessionEvent, { phase, inbox }: Session): void {
    const ids = inbox.map((message: Message) => message.id);
    check(new Set(ids).size === ids.length, "a message waits twice");
    const current = phase.kind === "working" ? phase.message.id : undefined;
    if (current !== undefined) check(!ids.includes(current), "a message waits that is being carried out");
    for (const id of this.#sent) {
      const pending = phase.kind === "working" && phase.prompt === "pending" && phase.message.id === id;
      if (!pending && !ids.includes(id)) this.#left.add(id);
    }
    if (phase.kind === "ended" || before.phase.kind === "ended") return;
    for (const id of this.#taken.keys())
      check(ids.includes(id) || id === current || this.#left.has(id), `message ${id} is lost`);
    for (const id of ids) check(!this.#left.has(id), `message ${id} waits although it was sent`);
  }
}
