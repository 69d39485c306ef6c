/**
 * One session's mailbox: the only hand that changes it.
 * Owns: one event at a time (I1), stored before its effects leave (I2), words journalled before they are shown,
 * conflicts turned into events (I7), coalesced checkpoints, the session's one timer.
 */
import type { AgentEvent } from "../core/agent-event.ts";
import { nextDeadline } from "../core/deadline.ts";
import type { Result } from "../core/errors.ts";
import type { SessionEvent, Step, Taken } from "../core/event.ts";
import { mergeTexts } from "../core/output.ts";
import { PREVIEW_LENGTH } from "../core/question.ts";
import { outputPiece } from "../core/said.ts";
import type { Message, NoticePart, Session } from "../core/session.ts";
import { transition } from "../core/transition.ts";
import type { FlowRecord, JournalLine, SessionJournal } from "../ports.ts";
import type { Admission } from "./admission.ts";
import { foreignChange, needsCommit, stateReplaced } from "./commit-rule.ts";
import type { Engine } from "./context.ts";
import { Effects } from "./effects.ts";
import { FlowWriter, isTerminal } from "./flow-writer.ts";
import { JournalKeeper } from "./journal-keeper.ts";

const CHECKPOINT_MS = 500;
/** The host's audit calls a flow stale after 30 minutes without a mutation. */
const TOUCH_MS = 15 * 60_000;
const STORE_RETRY_MS = 5_000;
const MAX_CONFLICTS = 8;

/** An event without its time: the mailbox stamps it when its turn comes. */
export type Untimed<E = SessionEvent> = E extends SessionEvent ? Omit<E, "at"> : never;

interface Item {
  readonly run: () => Promise<void>;
}

export interface ActorListener {
  /** After each stored change and each batch of words. */
  changed(before: Session, after: Session): void;
}

export class SessionActor {
  readonly #engine: Engine;
  readonly #writer: FlowWriter;
  readonly #keeper: JournalKeeper;
  readonly #effects: Effects;
  readonly #listener: ActorListener;
  readonly #mailbox: Item[] = [];
  #session: Session;
  #draining: Promise<void> | undefined;
  #dirty = false;
  #cancelFlush: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerAt: number | undefined;
  #cancelTouch: (() => void) | undefined;
  #closed = false;

  constructor(engine: Engine, admission: Admission, session: Session, record: FlowRecord, journal: SessionJournal, listener: ActorListener) {
    this.#engine = engine;
    this.#session = session;
    this.#listener = listener;
    this.#writer = new FlowWriter(engine.flows, record);
    this.#keeper = new JournalKeeper(journal, (reason) => void this.post({ type: "warn", text: reason }));
    this.#effects = new Effects(engine, admission, this.#keeper, record.flowId, this);
    this.#arm();
    this.#touchLater();
  }

  get session(): Session {
    return this.#session;
  }

  get flowId(): string {
    return this.#writer.record.flowId;
  }

  get record(): FlowRecord {
    return this.#writer.record;
  }

  get journal(): SessionJournal {
    return this.#keeper.reader;
  }

  /** Resolves when the event was handled, stored, and its effects were begun; with the answer for the caller, if it has one. */
  post(event: Untimed): Promise<Result<Taken> | undefined> {
    return new Promise((resolve) => {
      if (this.#closed) resolve(undefined);
      this.#put(async () => {
        // The union is distributed by Untimed; stamping it gives the event back.
        const timed = { ...event, at: this.#engine.clock.now() } as SessionEvent;
        resolve(await this.#handle(timed));
      });
    });
  }

  /** What the agent said, a batch at a time. */
  hear(batch: readonly AgentEvent[]): void {
    this.#put(() => this.#handleSaid(batch));
  }

  /** Rereads the flow, because a poll saw that somebody else wrote. */
  look(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) resolve();
      this.#put(async () => {
        const stored = await this.#writer.look(this.#session);
        if (stored.kind === "foreign") await this.#hearWriter(stored.record);
        if (stored.kind === "gone") await this.#handle({ type: "foreign", at: this.#engine.clock.now(), change: { kind: "cancelled" }, message: undefined });
        resolve();
      });
    });
  }

  /** A part of an owed notice was handed over: marked in the journal first, so that a restart knows it. */
  async told(noticeId: string, part: NoticePart): Promise<void> {
    await this.#keeper.append([{ t: "told", at: this.#engine.clock.now(), noticeId, part }]);
    await this.post({ type: "told", noticeId, part });
  }

  /** Stores a long text in the journal and gives back what the session keeps of it. */
  async keepText(text: string): Promise<Message["text"]> {
    if (text.length <= PREVIEW_LENGTH) return { text, length: text.length };
    const key = `x${this.#engine.newId()}`;
    await this.#keeper.append([{ t: "text", at: this.#engine.clock.now(), key, text }], true);
    return { text: text.slice(0, PREVIEW_LENGTH), length: text.length, key };
  }

  /** Everything in the mailbox is handled and every effect begun so far has ended. */
  async settled(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
    await this.#effects.settled();
    if (this.#draining !== undefined) await this.settled();
  }

  /** Last checkpoint, then nothing of this actor runs any more. */
  async close(): Promise<void> {
    await this.settled();
    if (this.#dirty) await this.#flush();
    this.#closed = true;
    this.#cancelFlush?.();
    this.#cancelTimer?.();
    this.#cancelTouch?.();
    await this.#keeper.close();
  }

  #put(run: () => Promise<void>): void {
    if (this.#closed) return;
    this.#mailbox.push({ run });
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // Begins in the next microtask, so that `#draining` is set while it runs.
    await Promise.resolve();
    for (let item = this.#mailbox.shift(); item !== undefined; item = this.#mailbox.shift()) {
      try {
        await item.run();
      } catch (error) {
        this.#engine.log.error(`iFlow session ${this.#session.name}: an event could not be handled: ${String(error)}`);
      }
    }
    this.#draining = undefined;
  }

  async #handle(event: SessionEvent): Promise<Result<Taken> | undefined> {
    const before = this.#session;
    const step = await this.#apply(event);
    this.#after(before);
    return step.reply;
  }

  async #handleSaid(batch: readonly AgentEvent[]): Promise<void> {
    const started = this.#session;
    const lines: JournalLine[] = [];
    const at = this.#engine.clock.now();
    for (const { event, chunks } of mergeTexts(batch)) {
      const said: SessionEvent = { type: "said", at, event, chunks, ...(await this.#keepRequest(event, lines)) };
      const before = this.#session;
      const piece = outputPiece(before, event, this.#engine.rules);
      if (piece !== "") lines.push({ t: "out", at, o: before.output.end, text: piece });
      if (event.kind !== "text") lines.push({ t: "event", at, event });
      const step = transition(before, said, this.#engine.rules);
      if (!needsCommit(before, step.session) && step.effects.length === 0) {
        this.#session = step.session;
        this.#dirty = true;
        continue;
      }
      await this.#keeper.append(lines.splice(0));
      await this.#apply(said, step);
    }
    await this.#keeper.append(lines);
    this.#after(started);
  }

  /** Digest of what a permission is for, and the whole of a long request in the journal. */
  async #keepRequest(event: AgentEvent, lines: JournalLine[]): Promise<{ digest?: string; textKey?: string }> {
    if (event.kind !== "asked" || event.request.kind === "questions") return {};
    const text = event.request.kind === "plan" ? event.request.plan : event.request.content;
    const digest = await sha256(text);
    if (text.length <= PREVIEW_LENGTH) return { digest };
    const textKey = `x${this.#engine.newId()}`;
    lines.push({ t: "text", at: this.#engine.clock.now(), key: textKey, text });
    return { digest, textKey };
  }

  /** Decides, stores, and only then lets the effects leave. A conflict is heard first, then the event is decided anew. */
  async #apply(event: SessionEvent, decided?: Step): Promise<Step> {
    let step = decided ?? transition(this.#session, event, this.#engine.rules);
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
      const outcome = await this.#commit(step);
      if (outcome === undefined) return step;
      await this.#hearWriter(outcome);
      step = transition(this.#session, event, this.#engine.rules);
    }
    this.#engine.log.error(`iFlow session ${this.#session.name}: its flow was changed by somebody else ${MAX_CONFLICTS} times in a row; going on from memory`);
    this.#adopt(step.session);
    this.#effects.carryOut(step.effects, this.#session);
    return step;
  }

  /** Stores a step and carries it out; gives back the record when somebody else wrote first (then nothing happened). */
  async #commit(step: Step): Promise<FlowRecord | undefined> {
    const before = this.#session;
    if (!needsCommit(before, step.session)) {
      this.#adopt(step.session);
      this.#effects.carryOut(step.effects, this.#session);
      return undefined;
    }
    const candidate: Session = { ...step.session, seq: before.seq + 1 };
    const stored = await this.#writer.store(candidate);
    if (stored.kind === "foreign") return stored.record;
    this.#session = candidate;
    this.#dirty = stored.kind === "not-stored";
    if (stored.kind !== "stored") this.#troubled(stored.reason);
    await this.#keeper.append([this.#commitLine(candidate)], true);
    this.#effects.carryOut(step.effects, candidate);
    return undefined;
  }

  #adopt(session: Session): void {
    if (session !== this.#session) this.#dirty = true;
    this.#session = session;
  }

  #commitLine(session: Session): JournalLine {
    const { start: _start, ...output } = session.output;
    const bare = { ...session, output: { text: "", start: output.end, end: output.end } };
    return { t: "commit", at: this.#engine.clock.now(), seq: session.seq, revision: this.#writer.record.revision, session: bare };
  }

  #troubled(reason: string): void {
    this.#engine.log.error(`iFlow session ${this.#session.name}: its TaskFlow record could not be stored (${reason}); going on, and trying again`);
    this.#flushLater(STORE_RETRY_MS);
  }

  /** Somebody else wrote the flow: what they meant becomes an event; our own state is stored again where they replaced it. */
  async #hearWriter(record: FlowRecord): Promise<void> {
    const session = this.#session;
    const change = foreignChange(record, session);
    const replaced = !isTerminal(record.status) && stateReplaced(record, session);
    if (replaced) this.#engine.log.warn(`iFlow session ${session.name}: another writer replaced the state of its TaskFlow; it was restored`);
    if (replaced) {
      const text = "Another writer replaced the state of its TaskFlow record. The session's own state was restored.";
      await this.#commit(transition(session, { type: "warn", at: this.#engine.clock.now(), text }, this.#engine.rules));
    }
    if (change === undefined) return;
    const message = change.kind === "resumed" ? await this.#foreignMessage(change.text) : undefined;
    const event: SessionEvent = { type: "foreign", at: this.#engine.clock.now(), change, message };
    const before = this.#session;
    const step = transition(before, event, this.#engine.rules);
    // The record must say again what the session is, also when the writer's words changed nothing.
    const forced = step.session === before ? { ...step, session: { ...before, inbox: [...before.inbox] } } : step;
    await this.#commit(forced);
    this.#after(before);
  }

  async #foreignMessage(text: string | undefined): Promise<Message> {
    const stored = await this.keepText(text ?? "continue");
    return { id: `w${this.#engine.newId()}`, text: stored, by: { kind: "writer", door: "taskflow" }, at: this.#engine.clock.now() };
  }

  #after(before: Session): void {
    if (this.#dirty) this.#flushLater(CHECKPOINT_MS);
    this.#arm();
    if (before !== this.#session) this.#listener.changed(before, this.#session);
  }

  #flushLater(ms: number): void {
    if (this.#cancelFlush !== undefined || this.#closed) return;
    this.#cancelFlush = this.#engine.clock.after(ms, () => {
      this.#cancelFlush = undefined;
      this.#put(() => this.#flush());
    });
  }

  /** A checkpoint: what changed since the last store, without a phase change. */
  async #flush(): Promise<void> {
    if (!this.#dirty) return;
    const candidate: Session = { ...this.#session, seq: this.#session.seq + 1 };
    if (isTerminal(this.#writer.record.status)) {
      this.#session = candidate;
      this.#dirty = false;
      await this.#keeper.append([this.#commitLine(candidate)]);
      return;
    }
    const stored = await this.#writer.store(candidate);
    if (stored.kind === "foreign") {
      await this.#hearWriter(stored.record);
      this.#flushLater(CHECKPOINT_MS);
      return;
    }
    this.#session = candidate;
    this.#dirty = stored.kind === "not-stored";
    if (stored.kind === "not-stored") this.#troubled(stored.reason);
    // The words that could not be journalled earlier go with it.
    await this.#keeper.append([]);
  }

  #touchLater(): void {
    this.#cancelTouch = this.#engine.clock.after(TOUCH_MS, () => {
      if (this.#session.phase.kind === "ended") return;
      this.#dirty = true;
      this.#put(() => this.#flush());
      this.#touchLater();
    });
  }

  /** One timer: the next moment at which something is due. */
  #arm(): void {
    const dueAt = nextDeadline(this.#session, this.#engine.rules);
    if (dueAt === this.#timerAt) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerAt = dueAt;
    if (dueAt === undefined || this.#closed) return;
    this.#cancelTimer = this.#engine.clock.after(Math.max(0, dueAt - this.#engine.clock.now()), () => {
      this.#timerAt = undefined;
      void this.post({ type: "clock" });
    });
  }
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest).slice(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
