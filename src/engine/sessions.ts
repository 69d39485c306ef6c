/**
 * The verbs: what a caller may ask of sessions, with every refusal as a value.
 * Owns: who may do what (decisions 24-27), names, which session a reference means, how an answer is told apart from a message.
 */
import { automaticLimit, voicesAfter } from "../core/answer.ts";
import { askedSince, byOf, mayGrant, sinceOf, type Caller } from "../core/caller.ts";
import { ok, refuse, type Result } from "../core/errors.ts";
import type { Taken } from "../core/event.ts";
import { cleanName, deriveName, uniqueName } from "../core/new-session.ts";
import { openQuestions } from "../core/question.ts";
import { chatKey } from "../core/route.ts";
import type { Message, Session, Settings, StoredText } from "../core/session.ts";
import type { OutputSlice, SessionJournal } from "../ports.ts";
import { carriedOver } from "./carried-over.ts";
import { viewerIn } from "./governor.ts";
import { chatsAsBefore, createSession, type LaunchRequest } from "./launch.ts";
import { findFor, unknownSession, visibleTo } from "./lookup.ts";
import { earlyAnswer, lateAnswer, mayNotAnswer, questionOfEnded, queueFull, severalOpen } from "./refusals.ts";
import { readOrder, type Launched, type LaunchOrder, type Responded, type ResponseOrder } from "./orders.ts";
import type { Roster } from "./roster.ts";
import { sliceFrom, withUnwritten } from "./said-so-far.ts";
import type { SessionActor } from "./session-actor.ts";
import { toldThere } from "./told-there.ts";

/** `repeated`: its first message is that of a turn which failed. */
type Continued = Launched & { readonly repeated: boolean };

export class Sessions {
  readonly #roster: Roster;
  /** Names of launches that are under way, by session id. */
  readonly #reserved = new Map<string, string>();
  /** Ended session -> its continuation that is under way: of two who go on at once the second speaks to the first's. */
  readonly #continuing = new Map<string, Promise<Result<Continued>>>();
  #lastLaunchAt = 0;

  constructor(roster: Roster) {
    this.#roster = roster;
    roster.onReopened = (session, text) => void this.#reopen(session, text);
  }

  get roster(): Roster {
    return this.#roster;
  }

  all(caller: Caller): readonly Session[] {
    return visibleTo(this.#roster, caller);
  }

  find(caller: Caller, ref: string): Result<Session> {
    return findFor(this.#roster, caller, ref);
  }

  /** Answers at once: the flow exists, iFlow starts when there is a slot. */
  async launch(caller: Caller, order: LaunchOrder): Promise<Result<Launched>> {
    const { admission, engine } = this.#roster;
    if (admission.full(this.#reserved.size)) {
      return queueFull(this.#roster);
    }
    const writable = await engine.journals.writable();
    if (!writable.ok) {
      return refuse(
        "storage_unavailable",
        `Nothing was launched: session records can't be stored (${writable.reason}). Running sessions go on. Free some space or make the OpenClaw state directory writable, then try again.`,
      );
    }
    // Asked again: others may have come in while the disk was asked.
    if (admission.full(this.#reserved.size)) return queueFull(this.#roster);
    return this.#create(caller, order, undefined);
  }

  async #create(caller: Caller, order: LaunchOrder, continues: LaunchRequest["continues"]): Promise<Result<Launched>> {
    if (this.#roster.isStopping)
      return refuse("storage_unavailable", "The plugin is stopping. Try again when the gateway is back.");
    const { engine } = this.#roster;
    const id = engine.newId();
    const name = this.#reserveName(caller, order, id);
    this.#lastLaunchAt = Math.max(engine.clock.now(), this.#lastLaunchAt + 1);
    const request = {
      ...order,
      name,
      by: byOf(caller, 0),
      owner: caller.owner,
      at: this.#lastLaunchAt,
      ...(continues === undefined ? {} : { continues }),
    };
    try {
      const created = await createSession(engine, id, request);
      if (!created.ok) return created;
      const actor = this.#roster.enlist(created.value);
      // Somebody may have found the flow before we did.
      await actor.hearStanding(created.value.record);
      await actor.post({ type: "admitted" });
      // In line: from here on it is counted there.
      this.#reserved.delete(id);
      return ok(await this.#placed(caller, actor));
    } finally {
      this.#reserved.delete(id);
    }
  }

  async #placed(caller: Caller, actor: SessionActor): Promise<Launched> {
    const place = this.#roster.admission.placeOf(actor.session.id);
    const asking = this.#roster.askingOf(actor.session.owner);
    const told = toldThere(this.#roster.governor, caller, actor.session);
    if (place !== undefined) await actor.post({ type: "placed", place, asking, ...told });
    this.#roster.pressure();
    return { session: actor.session, flowId: actor.flowId, place };
  }

  #reserveName(caller: Caller, order: LaunchOrder, id: string): string {
    const wanted = (order.name === undefined ? "" : cleanName(order.name)) || deriveName(order.prompt);
    const live = this.#roster
      .sessions()
      .filter((s) => s.phase.kind !== "ended" && s.owner.sessionKey === caller.owner.sessionKey);
    const name = uniqueName(wanted, new Set([...live.map((s) => s.name), ...this.#reserved.values()]));
    this.#reserved.set(id, name);
    return name;
  }

  /** Answers a question, continues a waiting session, queues a message, or goes on with an ended one in a new flow. */
  async respond(caller: Caller, ref: string, order: ResponseOrder): Promise<Result<Responded>> {
    const found = this.find(caller, ref);
    if (!found.ok) return found;
    const session = found.value;
    if (session.phase.kind === "ended" && order.questionId !== undefined)
      return questionOfEnded(session, order.questionId);
    const late = lateAnswer(session, order);
    if (late !== undefined) return late;
    if (session.phase.kind === "ended") return this.#continueEnded(caller, session, order);
    const actor = this.#roster.actor(session.id);
    if (actor === undefined) return unknownSession(this.#roster, caller, ref);
    const answering = session.phase.kind === "asking" && !order.interrupt && order.asMessage !== true;
    if (answering || order.questionId !== undefined) return this.#answer(caller, actor, order);
    const by = byOf(caller, sinceOf(session));
    const text = await actor.keepText(order.message);
    const message: Message = { id: `m${this.#roster.engine.newId()}`, text, by, at: this.#roster.engine.clock.now() };
    const taken = await actor.post({ type: "message", message, interrupt: order.interrupt });
    return this.#taken(actor, taken);
  }

  async #answer(caller: Caller, actor: SessionActor, order: ResponseOrder): Promise<Result<Responded>> {
    const { session } = actor;
    const open = session.phase.kind === "asking" ? openQuestions(session.phase.asks) : [];
    const question = order.questionId === undefined ? open[0] : open.find((q) => q.id === order.questionId);
    if (order.questionId === undefined && open.length > 1) return severalOpen(session, open);
    const at = this.#roster.engine.clock.now();
    const early = question === undefined ? undefined : earlyAnswer(caller, session, question, order, at);
    if (early !== undefined) return early;
    // The core says what happened to a question that is not open any more.
    const questionId = question?.id ?? order.questionId ?? "";
    if (question !== undefined && !mayGrant(caller, session, question.kind)) return mayNotAnswer(session, question);
    const read = question === undefined ? ok({ text: order.message }) : readOrder(question, order);
    if (!read.ok) return read;
    const askedAt = askedSince(session, questionId);
    const answer = { ...read.value, by: byOf(caller, askedAt), at };
    const post = () => actor.post({ type: "answered", questionId, answer });
    const taken = await this.#roster.governor.ends.from(caller, session.id, questionId, post);
    return this.#taken(actor, taken, question === undefined ? {} : { question, answer: read.value });
  }

  #taken(
    actor: SessionActor,
    taken: Result<Taken> | undefined,
    answered: Pick<Responded, "question" | "answer"> = {},
  ): Result<Responded> {
    if (taken === undefined)
      return refuse("wrong_phase", `${actor.session.name} can't take this now (${actor.session.phase.kind}).`);
    if (!taken.ok) return taken;
    return ok({ session: actor.session, flowId: actor.flowId, delivered: taken.value, ...answered });
  }

  /** A terminal flow is never reopened: a new session and flow go on with the same context and settings (decision 6). */
  async #continueEnded(caller: Caller, ended: Session, order: ResponseOrder): Promise<Result<Responded>> {
    const underWay = this.#continuing.get(ended.id);
    if (underWay !== undefined) {
      const first = await underWay;
      // The second speaks to the session that the first has begun.
      return first.ok ? this.respond(caller, first.value.session.id, order) : first;
    }
    const going = this.continueSession(caller, ended, order, undefined).finally(() =>
      this.#continuing.delete(ended.id),
    );
    this.#continuing.set(ended.id, going);
    const continued = await going;
    if (!continued.ok) return continued;
    const { session, flowId, repeated } = continued.value;
    return ok({ session, flowId, delivered: "resumed", ...(repeated ? { repeated: true as const } : {}) });
  }

  /** `fork`: the original stays as it is, and the new session does not become its continuation. */
  async continueSession(
    caller: Caller,
    original: Session,
    words: Pick<ResponseOrder, "message" | "repeats">,
    fork: { readonly acpSessionId: string | undefined } | undefined,
  ): Promise<Result<Continued>> {
    const { admission, engine } = this.#roster;
    if (fork !== undefined && admission.full(this.#reserved.size)) return queueFull(this.#roster);
    const by = byOf(caller, sinceOf(original));
    const limited = automaticLimit(original, by, engine.rules);
    if (limited !== undefined) return limited;
    const settings = await this.#settingsOf(original);
    if (!settings.ok) return settings;
    const textOf = (key: string) => this.#reading(original, (journal) => journal.text(key));
    const { prompt, files, repeated, again, undone } = await carriedOver(original, words, textOf);
    const order: LaunchOrder = {
      name: fork === undefined ? original.name : `${original.name}-fork`,
      prompt,
      workdir: original.workdir,
      files,
      ...chatsAsBefore(original, caller.route),
      settings: settings.value,
    };
    const created = await this.#create({ ...caller, owner: original.owner }, order, {
      id: original.id,
      acpSessionId: (fork ?? original).acpSessionId,
      isFork: fork !== undefined,
      autoResponds: voicesAfter(original.counters.autoResponds, by),
      again,
      undone,
    });
    if (!created.ok) return created;
    if (fork === undefined) await this.#roster.linkContinuation(original, created.value.session.id);
    return ok({ ...created.value, repeated });
  }

  /** A writer's words for a session that had ended: they begin its continuation, as if somebody had responded. */
  async #reopen(session: Session, text: string): Promise<void> {
    const caller: Caller = { door: "taskflow", owner: session.owner, seesAll: true, isPerson: false, inGroup: false };
    const going = await this.respond(caller, session.id, {
      message: text,
      interrupt: false,
      questionId: undefined,
      option: undefined,
      asMessage: true,
    });
    if (!going.ok)
      this.#roster.engine.log.warn(
        `iFlow session ${session.name}: another writer resumed it, and it could not go on: ${going.refusal.message}`,
      );
  }

  /** The whole of a long text; undefined where its journal is gone. */
  async wholeText(session: Session, { key, text }: StoredText): Promise<string | undefined> {
    return key === undefined ? text : this.#reading(session, (journal) => journal.text(key));
  }

  /** With the whole of its system prompt: a part of it would be another one. */
  async #settingsOf(original: Session): Promise<Result<LaunchRequest["settings"]>> {
    const { systemPrompt, ...settings }: Settings = original.settings;
    if (systemPrompt === undefined) return ok(settings);
    const whole = await this.wholeText(original, systemPrompt);
    if (whole !== undefined) return ok({ ...settings, systemPrompt: whole });
    return refuse(
      "not_available",
      `The system prompt of ${original.name} is not stored any more (journalRetentionDays). Launch a new session.`,
    );
  }

  async kill(caller: Caller, ref: string): Promise<Result<Session>> {
    const found = this.find(caller, ref);
    if (!found.ok) return found;
    const actor = this.#roster.actor(found.value.id);
    if (actor === undefined || found.value.phase.kind === "ended") {
      const { phase } = found.value;
      return refuse(
        "wrong_phase",
        `${found.value.name} has already ended (${phase.kind === "ended" ? phase.outcome : phase.kind}). Nothing was stopped.`,
      );
    }
    const told = toldThere(this.#roster.governor, caller, found.value);
    const taken = await actor.post({ type: "kill", by: byOf(caller, 0), ...told });
    if (taken?.ok === false) return taken;
    return ok(actor.session);
  }

  /** Every live session of the caller's own. */
  async killAll(caller: Caller): Promise<readonly Session[]> {
    const own = this.#roster
      .sessions()
      .filter((s) => s.owner.sessionKey === caller.owner.sessionKey && s.phase.kind !== "ended");
    const killed: Session[] = [];
    for (const session of own) {
      const result = await this.kill(caller, session.id);
      if (result.ok) killed.push(result.value);
    }
    return killed;
  }

  async output(
    caller: Caller,
    ref: string,
    want: { readonly lines: number; readonly full: boolean; readonly since: number | undefined },
  ): Promise<Result<{ session: Session; slice: OutputSlice }>> {
    const found = this.find(caller, ref);
    if (!found.ok) return found;
    const read = (journal: SessionJournal): Promise<OutputSlice> =>
      want.since !== undefined
        ? journal.output(want.since)
        : want.full
          ? journal.output(0)
          : journal.lastLines(want.lines);
    const written = await this.#reading(found.value, read);
    if (written === undefined)
      return refuse(
        "not_found",
        `The journal of ${found.value.name} is gone (journalRetentionDays); only its record is left.`,
      );
    const session = this.#roster.actor(found.value.id)?.session ?? found.value;
    return ok({ session, slice: withUnwritten(written, session.output, want.since) });
  }

  /** This chat follows from now on; gives what it has not seen, at most the last `lines` lines when it is new. */
  async foreground(
    caller: Caller,
    ref: string,
    lines: number,
  ): Promise<Result<{ session: Session; slice: OutputSlice }>> {
    const found = this.find(caller, ref);
    if (!found.ok) return found;
    const actor = this.#roster.actor(found.value.id);
    const { route } = caller;
    if (route === undefined && caller.door === "rpc" && actor !== undefined) {
      return refuse("invalid_params", "There is no chat to follow in: give a route (channel|account|target).");
    }
    const chat = chatKey(route, caller.owner.sessionKey);
    const { key = chat, seen } = viewerIn(found.value, chat) ?? {};
    const written = await this.#reading(found.value, (journal) =>
      seen === undefined ? journal.lastLines(lines) : journal.output(seen),
    );
    if (written === undefined)
      return refuse("not_found", `The journal of ${found.value.name} is gone (journalRetentionDays).`);
    const session = actor?.session ?? found.value;
    // What was streamed since, and what the piece that is on its way brings, is not said again.
    const streamed = Math.max(viewerIn(session, chat)?.seen ?? 0, this.#roster.follow.handedTo(session, key));
    const slice = sliceFrom(withUnwritten(written, session.output, seen), streamed);
    const where = route === undefined ? { sessionKey: caller.owner.sessionKey } : { route };
    if (actor !== undefined)
      await actor.post({ type: "viewed", viewer: { key, ...where, seen: slice.end, mode: "live" } });
    return ok({ session: actor?.session ?? found.value, slice });
  }

  /** This chat stops following; without a reference, every session that it follows. */
  async background(caller: Caller, ref: string | undefined): Promise<Result<readonly Session[]>> {
    const chat = chatKey(caller.route, caller.owner.sessionKey);
    const found = ref === undefined ? undefined : this.find(caller, ref);
    if (found?.ok === false) return found;
    const candidates = found === undefined ? this.all(caller) : [found.value];
    const stopped: Session[] = [];
    for (const session of candidates) {
      const viewer = viewerIn(session, chat);
      const actor = this.#roster.actor(session.id);
      if (viewer?.mode !== "live" || actor === undefined) continue;
      await actor.post({ type: "viewed", viewer: { ...viewer, mode: "background" } });
      stopped.push(actor.session);
    }
    return ok(stopped);
  }

  /** A new session with the same history, where the agent's own copy can be made; the original is never loaded (decision 18). */
  async fork(
    caller: Caller,
    original: Session,
    message: string,
    repeats?: true,
  ): Promise<Result<Continued & { readonly history: "copied" | "summary" }>> {
    const { acpSessionId } = original;
    const copy = acpSessionId === undefined ? undefined : await this.#roster.engine.launcher.copyHistory(acpSessionId);
    const words = repeats === undefined ? { message } : { message, repeats };
    const forked = await this.continueSession(caller, original, words, { acpSessionId: copy });
    return forked.ok ? ok({ ...forked.value, history: copy === undefined ? "summary" : "copied" }) : forked;
  }

  nowAt(): number {
    return this.#roster.engine.clock.now();
  }

  flowIdOf(session: Session): string | undefined {
    return this.#roster.flowIdOf(session.id);
  }

  placeOf(session: Session): number | undefined {
    return this.#roster.admission.placeOf(session.id);
  }

  async #reading<T>(session: Session, read: (journal: SessionJournal) => Promise<T>): Promise<T | undefined> {
    const actor = this.#roster.actor(session.id);
    if (actor !== undefined) return read(actor.journal);
    const journal = await this.#roster.engine.journals.open(session.id);
    if (journal === undefined) return undefined;
    try {
      return await read(journal);
    } finally {
      await journal.close();
    }
  }
}
