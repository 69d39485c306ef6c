/**
 * One session's mailbox: the only hand that changes it.
 * Owns: one event at a time (I1), stored before its effects leave (I2), words journalled before they are shown,
 * conflicts turned into events (I7), coalesced checkpoints.
 */
import type { AgentEvent } from "../core/agent-event.ts";
import { nextDeadline } from "../core/deadline.ts";
import type { Result } from "../core/errors.ts";
import type { Fate, SessionEvent, Step, Taken, Untimed } from "../core/event.ts";
import { mergeTexts } from "../core/output.ts";
import type { Message, NoticePart, Session, StoredText } from "../core/session.ts";
import { transition, transitions } from "../core/transition.ts";
import type { FlowRecord, JournalLine, SessionJournal } from "../ports.ts";
import type { Admission } from "./admission.ts";
import { commitLine, fitsPhase, foreignChange, needsCommit, resumeText, stateReplaced } from "./commit-rule.ts";
import type { Engine } from "./context.ts";
import { Effects } from "./effects.ts";
import { FlowWriter, isEndedAsCancelled, isTerminal } from "./flow-writer.ts";
import { JournalKeeper } from "./journal-keeper.ts";
import { beforeStoring, ofWriter, requestFacts, saidLines, shortened } from "./long-text.ts";
import { Mailbox } from "./mailbox.ts";
import { outLines } from "./said-so-far.ts";
import { SessionTimers } from "./session-timers.ts";

const CHECKPOINT_MS = 500;
const STORE_RETRY_MS = 5_000;
const MAX_CONFLICTS = 8;

export interface ActorListener {
  /** After each stored change and each batch of words. */
  changed(before: Session, after: Session): void;
  /** Another writer resumed the flow of an ended session with these words. The flow is settled again. */
  reopened(text: string): void;
}

export class SessionActor {
  readonly #engine: Engine;
  readonly #writer: FlowWriter;
  readonly #keeper: JournalKeeper;
  readonly #effects: Effects;
  readonly #listener: ActorListener;
  readonly #timers: SessionTimers;
  readonly #mailbox: Mailbox;
  #session: Session;
  #dirty = false;
  #settledAt = 0;
  #sleptMs: number;
  /** Words that reopened the flow of this ended session; told when it is settled again, so that they are heard once. */
  #reopenedWith: string | undefined;

  constructor(
    engine: Engine,
    admission: Admission,
    session: Session,
    record: FlowRecord,
    journal: SessionJournal,
    listener: ActorListener,
  ) {
    this.#engine = engine;
    this.#session = session;
    this.#sleptMs = engine.clock.sleptMs;
    this.#listener = listener;
    this.#mailbox = new Mailbox((error) =>
      engine.log.error(`iFlow session ${this.#session.name}: an event could not be handled: ${String(error)}`),
    );
    this.#writer = new FlowWriter(engine.flows, record, session);
    this.#keeper = new JournalKeeper(journal, engine.clock, (reason) => void this.post({ type: "warn", text: reason }));
    this.#effects = new Effects(engine, admission, this.#keeper, record.flowId, this);
    this.#timers = new SessionTimers(engine.clock, {
      due: () => void this.post({ type: "clock" }),
      checkpoint: () => this.#mailbox.put(() => this.#flush()),
      touch: () => this.#touch(),
    });
    this.#timers.dueAt(nextDeadline(session, engine.rules));
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
    return this.#mailbox.ask(() => this.#handle([this.#timed(event)]));
  }

  /** Several events at once: stored together or not at all. */
  postAll(events: readonly Untimed[]): Promise<Result<Taken> | undefined> {
    return this.#mailbox.ask(() => this.#handle(events.map((event) => this.#timed(event))));
  }

  /** What the agent said, a batch at a time. */
  hear(batch: readonly AgentEvent[]): void {
    this.#mailbox.put(() => this.#handleSaid(batch));
  }

  /** Rereads the flow, because a poll saw that somebody else wrote. */
  look(): Promise<void> {
    return this.#mailbox
      .ask(async () => {
        const stored = await this.#writer.look(this.#session);
        if (stored.kind === "stored") await this.#settleAgain();
        if (stored.kind === "foreign") await this.#hearWriter(stored.record);
        if (stored.kind === "gone")
          await this.#handle([this.#timed({ type: "foreign", change: { kind: "removed" }, message: undefined })]);
      })
      .then(() => undefined);
  }

  /** Hears what stood in the record when this actor began, from a time when nobody watched. */
  hearStanding(record: FlowRecord): Promise<void> {
    return this.#mailbox.ask(() => this.#hearWriter(record)).then(() => undefined);
  }

  /** The record becomes `cancelled`; tried again until the host has said what it is. */
  endFlow(): void {
    this.#mailbox.put(async () => {
      if (await isEndedAsCancelled(this.#writer, this.#session, this.#engine.log)) return;
      this.#engine.clock.after(STORE_RETRY_MS, () => this.endFlow());
    });
  }

  /** Deadlines may have moved. */
  rulesChanged(): void {
    this.#timers.dueAt(nextDeadline(this.#session, this.#engine.rules));
  }

  /** The flow is mutated then at the latest, so that nobody takes it for stale. */
  touchIn(ms: number): void {
    this.#timers.touchIn(ms);
  }

  /** A part of an owed notice was handed over: marked in the journal first, so that a restart knows it. */
  async told(noticeId: string, part: NoticePart, fate: Fate): Promise<void> {
    await this.#keeper.append([{ t: "told", at: this.#engine.clock.now(), noticeId, part }]);
    await this.post({ type: "told", noticeId, part, ...fate });
  }

  /** Stores a long text in the journal and gives back what the session keeps of it. */
  async keepText(text: string): Promise<StoredText> {
    const lines: JournalLine[] = [];
    const stored = shortened(text, lines, this.#engine.clock.now(), this.#newKey());
    await this.#keeper.append(lines, true);
    return stored;
  }

  /** Everything in the mailbox is handled and every effect begun so far has ended. */
  async settled(): Promise<void> {
    while (this.#mailbox.busy !== undefined) await this.#mailbox.busy;
    await this.#effects.settled();
    if (this.#mailbox.busy !== undefined) await this.settled();
  }

  /** Last checkpoint, then nothing of this actor runs any more. */
  async close(): Promise<void> {
    await this.settled();
    if (this.#dirty && !this.#mailbox.isClosed) await this.#flush();
    this.abandon();
    await this.#keeper.close();
  }

  /** At once: what is under way is left to itself. */
  abandon(): void {
    this.#mailbox.close();
    this.#timers.close();
  }

  #touch(): void {
    if (this.#session.phase.kind === "ended") return;
    this.#dirty = true;
    this.#timers.checkpointIn(CHECKPOINT_MS);
  }

  #timed(event: Untimed): SessionEvent {
    return { ...event, at: this.#engine.clock.now() };
  }

  /** Before anything is decided: the times from which it is counted move by what nobody was awake. */
  #takeUpSleep(): void {
    const ms = this.#engine.clock.sleptMs - this.#sleptMs;
    this.#sleptMs += ms;
    if (ms !== 0)
      this.#adopt(transition(this.#session, this.#timed({ type: "slept", ms }), this.#engine.rules).session);
  }

  #newKey(): string {
    return `x${this.#engine.newId()}`;
  }

  async #handle(events: readonly SessionEvent[]): Promise<Result<Taken> | undefined> {
    this.#takeUpSleep();
    const before = this.#session;
    const step = await this.#apply(events);
    this.#after(before);
    return step.reply;
  }

  async #handleSaid(batch: readonly AgentEvent[]): Promise<void> {
    this.#takeUpSleep();
    const started = this.#session;
    const lines: JournalLine[] = [];
    const at = this.#engine.clock.now();
    for (const { event, chunks } of mergeTexts(batch)) {
      const facts = requestFacts(event, lines, at, () => this.#newKey());
      const said: SessionEvent = { type: "said", at, event, chunks, ...facts };
      const before = this.#session;
      const step = transition(before, said, this.#engine.rules);
      if (needsCommit(before, step.session) || step.effects.length > 0) {
        await this.#keeper.append(lines.splice(0));
        await this.#apply([said], step, saidLines(event, at));
      } else {
        lines.push(...outLines(before, step, at), ...saidLines(event, at));
        this.#adopt(step.session);
      }
    }
    await this.#keeper.append(lines);
    this.#after(started);
  }

  /** Decides, stores, and only then lets the effects leave. A conflict is heard first, then the events are decided anew. */
  async #apply(events: readonly SessionEvent[], decided?: Step, own: readonly JournalLine[] = []): Promise<Step> {
    let step = decided ?? transitions(this.#session, events, this.#engine.rules);
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
      const foreign = await this.#commit(step, false, own);
      if (foreign === undefined) return step;
      await this.#hearWriter(foreign);
      step = transitions(this.#session, events, this.#engine.rules);
    }
    await this.#goOnFromMemory(step);
    return step;
  }

  /** Stores a step and carries it out; gives back the record when somebody else wrote first (then nothing happened). */
  async #commit(step: Step, force = false, own: readonly JournalLine[] = []): Promise<FlowRecord | undefined> {
    const before = this.#session;
    const words = [...outLines(before, step, this.#engine.clock.now()), ...own];
    if (!force && !needsCommit(before, step.session)) {
      if (words.length > 0) await this.#keeper.append(words);
      this.#adopt(step.session);
      this.#effects.carryOut(step.effects, this.#session);
      return undefined;
    }
    const candidate = await this.#candidate(step.session);
    const stored = await this.#writer.store(candidate);
    if (stored.kind === "foreign") return stored.record;
    if (stored.kind !== "stored") this.#troubled(stored.reason);
    this.#session = candidate;
    this.#dirty = stored.kind === "not-stored";
    await this.#keeper.append([...words, commitLine(candidate, this.record.revision, this.#engine.clock.now())], true);
    this.#effects.carryOut(step.effects, candidate);
    if (stored.kind === "stored") this.#tellReopening();
    if (stored.kind === "stored" && stored.overtaken !== undefined) await this.#hearWriter(stored.overtaken);
    // Whether it is really gone is told by a reread; a live session then ends.
    if (stored.kind === "gone" && candidate.phase.kind !== "ended") void this.look();
    return undefined;
  }

  /** Somebody writes faster than we: the session goes on, and the record follows when there is peace. */
  async #goOnFromMemory(step: Step): Promise<void> {
    this.#troubled(`it was changed by somebody else ${MAX_CONFLICTS} times in a row`);
    const words = outLines(this.#session, step, this.#engine.clock.now());
    this.#session = await this.#candidate(step.session);
    this.#dirty = true;
    await this.#keeper.append(
      [...words, commitLine(this.#session, this.record.revision, this.#engine.clock.now())],
      true,
    );
    this.#effects.carryOut(step.effects, this.#session);
  }

  async #candidate(session: Session): Promise<Session> {
    const kept = beforeStoring(this.#session, session, this.#engine.clock.now(), () => this.#newKey());
    await this.#keeper.append(kept.lines, true);
    return { ...kept.session, seq: this.#session.seq + 1 };
  }

  #adopt(session: Session): void {
    if (session !== this.#session) this.#dirty = true;
    this.#session = session;
  }

  #troubled(reason: string): void {
    this.#engine.log.error(
      `iFlow session ${this.#session.name}: its TaskFlow record could not be stored (${reason}); going on, and trying again`,
    );
    this.#timers.checkpointIn(STORE_RETRY_MS);
  }

  /** Somebody else wrote: it is heard before anything else is decided. What they write meanwhile is heard as well. */
  async #hearWriter(first: FlowRecord): Promise<void> {
    let record: FlowRecord | undefined = first;
    for (let attempt = 0; record !== undefined && attempt < MAX_CONFLICTS; attempt += 1) {
      const before = this.#session;
      record = before.phase.kind === "ended" ? await this.#hearReopening(record) : await this.#hearOnce(record, before);
      this.#after(before);
    }
    if (record !== undefined) this.#troubled("another writer did not stop changing it");
  }

  /** What they meant becomes an event; our own state is stored again where they replaced it, in the same commit. */
  async #hearOnce(record: FlowRecord, session: Session): Promise<FlowRecord | undefined> {
    const { own } = this.#writer;
    const change = foreignChange(record, session, own);
    if (change?.kind === "resumed") this.#writer.noteHeard(record);
    const replaced = !isTerminal(record.status) && stateReplaced(record, own);
    if (change === undefined && !replaced && fitsPhase(record.status, session)) return undefined;
    const events: Untimed[] = [];
    if (replaced) {
      const text = "Another writer replaced the state of its TaskFlow record. The session's own state was restored.";
      this.#engine.log.warn(`iFlow session ${session.name}: ${text}`);
      events.push({ type: "warn", text });
    }
    if (change !== undefined) {
      const message = change.kind === "resumed" ? await this.writersMessage(change.text) : undefined;
      events.push({ type: "foreign", change, message });
    }
    const timed = events.map((event) => this.#timed(event));
    const step = transitions(session, timed, this.#engine.rules);
    // The record must say again what the session is, also when the writer's words changed nothing.
    return this.#commit(step, true);
  }

  /** A terminal flow that somebody reopened is settled again; their words begin a continuation (decision 8). */
  async #hearReopening(record: FlowRecord): Promise<FlowRecord | undefined> {
    if (isTerminal(record.status)) return undefined;
    this.#reopenedWith = resumeText(record, this.#writer.own) ?? this.#reopenedWith;
    this.#writer.noteHeard(record);
    return this.#storeEnd();
  }

  #storeEnd(): Promise<FlowRecord | undefined> {
    const session = this.#session;
    const killed = session.phase.kind === "ended" && session.phase.outcome === "killed";
    return this.#commit({ session, effects: killed ? [{ do: "end-flow-cancelled" }] : [] }, true);
  }

  /** The host said that the flow of this ended session was gone, and it is there: its end is stored after all. */
  async #settleAgain(): Promise<void> {
    const { phase } = this.#session;
    const now = this.#engine.clock.now();
    if (phase.kind !== "ended" || isTerminal(this.#writer.record.status) || now < this.#settledAt + STORE_RETRY_MS)
      return;
    this.#settledAt = now;
    // At first the end itself is still under way.
    const foreign = now < phase.at + STORE_RETRY_MS ? undefined : await this.#storeEnd();
    if (foreign !== undefined) await this.#hearWriter(foreign);
  }

  /** Our state stands in the record again: the words that stood there are nowhere else any more. */
  #tellReopening(): void {
    const text = this.#reopenedWith;
    this.#reopenedWith = undefined;
    if (text !== undefined) this.#listener.reopened(text);
  }

  /** The words of another writer, as a message; "continue" where there are none. */
  async writersMessage(text: string | undefined): Promise<Message> {
    const stored = await this.keepText(text ?? "continue");
    return ofWriter(stored, `w${this.#engine.newId()}`, this.#engine.clock.now());
  }

  #after(before: Session): void {
    if (this.#dirty) this.#timers.checkpointIn(CHECKPOINT_MS);
    this.#timers.dueAt(nextDeadline(this.#session, this.#engine.rules));
    if (before !== this.#session) this.#listener.changed(before, this.#session);
  }

  /** A checkpoint: what changed since the last store, without a phase change. */
  async #flush(): Promise<void> {
    if (!this.#dirty) return;
    const candidate: Session = { ...this.#session, seq: this.#session.seq + 1 };
    const ended = isTerminal(this.#writer.record.status);
    const stored = await this.#writer.store(candidate);
    if (stored.kind === "foreign") {
      await this.#hearWriter(stored.record);
      this.#timers.checkpointIn(CHECKPOINT_MS);
      return;
    }
    this.#session = candidate;
    this.#dirty = stored.kind === "not-stored";
    if (stored.kind === "not-stored") this.#troubled(stored.reason);
    if (stored.kind === "stored") this.#tellReopening();
    if (stored.kind === "stored" && stored.overtaken !== undefined) await this.#hearWriter(stored.overtaken);
    // A terminal flow takes nothing more: the journal has the rest. Words that could not be journalled earlier go along.
    await this.#keeper.append(ended ? [commitLine(candidate, this.record.revision, this.#engine.clock.now())] : []);
  }
}
