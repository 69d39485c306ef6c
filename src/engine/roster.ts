/**
 * Every session that is in memory, from service start to service stop.
 * Owns: actors and what surrounds them (slots, watch, governor, follow, archive), recovery at the start, settlement at the stop.
 * Invariant I6: when `stop` resolves, no agent process of ours lives.
 */
import PQueue from "p-queue";
import { messageOf } from "../core/errors.ts";
import type { Untimed } from "../core/event.ts";
import { endedElsewhere } from "../core/life.ts";
import { onlyAsks } from "../core/open-tools.ts";
import type { Owner, Session } from "../core/session.ts";
import { Admission } from "./admission.ts";
import { Archive, endedAt } from "./archive.ts";
import { atMost } from "./at-most.ts";
import type { Engine } from "./context.ts";
import { isTerminal } from "./flow-writer.ts";
import { Follow } from "./follow.ts";
import { Governor, type Voice } from "./governor.ts";
import type { Created } from "./launch.ts";
import { settleLeftovers } from "./leftovers.ts";
import { LiveLine } from "./live-line.ts";
import type { ConfiguredChats } from "./places.ts";
import { Progress } from "./progress.ts";
import { findReopened, findSessions, noteEnd, type LiveFound, type OverFound } from "./recover.ts";
import { SessionActor } from "./session-actor.ts";
import { Talk } from "./talk.ts";
import { WebCards } from "./web-cards.ts";
import { Watch } from "./watch.ts";

/** An ended session leaves memory after this long. */
const MEMORY_AFTER_END_MS = 60 * 60_000;
const SWEEP_MS = 5 * 60_000;
const REVIVED_SIDE_BY_SIDE = 8;
/** Flows that nobody wrote while no gateway ran are stale for the host's audit: they are touched soon, but not all at once. */
const TOUCHED_APART_MS = 20;
/** A session that asks keeps its slot so long at least, also when somebody waits for it. */
const ASKING_GRACE_MS = 120_000;
/** The host gives a service 5 s to stop. */
const STOP_WITHIN_MS = 4_300;
/** Notices of the stop itself may still leave in this time; the others stay owed. */
const LAST_WORDS_MS = 500;

function waitsSince({ phase, createdAt }: Session): number {
  return phase.kind === "asking" ? phase.sinceAt : createdAt;
}

/** Another writer resumed the flow of an ended session with these words. */
export type Reopened = (session: Session, text: string) => void;

export class Roster {
  readonly engine: Engine;
  readonly admission: Admission;
  readonly governor: Governor;
  readonly talk: Talk;
  readonly archive: Archive;
  readonly follow: Follow;
  readonly #progress: Progress;
  readonly #webCards: WebCards;
  readonly #liveLine: LiveLine;
  readonly #watch: Watch;
  readonly #actors = new Map<string, SessionActor>();
  /** Idle, with a process that waits for a follow-up. */
  readonly #keptAlive = new Set<SessionActor>();
  /** As they were last applied: the configuration may change while sessions live. */
  #rules: Engine["rules"];
  #sleptMs = 0;
  #cancelSweep: (() => void) | undefined;
  #stopping: Promise<void> | undefined;
  /** Begins the continuation; set by who knows how to launch. */
  onReopened: Reopened | undefined;

  constructor(engine: Engine, voice: Voice, chats: ConfiguredChats) {
    this.engine = engine;
    this.admission = new Admission(engine.bounds.maxSessions, engine.bounds.maxQueued);
    this.talk = new Talk(
      () => this.#actors.values(),
      (session) => this.governor.routeOf(session),
      () => engine.clock.now(),
    );
    this.governor = new Governor(engine, voice, chats, this.talk);
    this.governor.places.onMoved = (from, to) => {
      for (const actor of this.#actors.values()) void actor.post({ type: "moved", from, to });
    };
    this.archive = new Archive(engine.bounds.maxPersistedSessions);
    this.#rules = engine.rules;
    this.follow = new Follow(engine, this.governor);
    this.#liveLine = new LiveLine(engine.clock, engine.children);
    this.#progress = new Progress(engine.clock, engine.delivery, this.governor);
    this.#webCards = new WebCards(engine, (session) => this.governor.places.isInWebChat(session));
    this.#watch = new Watch(
      engine,
      () => this.#actors.values(),
      () => {
        this.#takeUpRules();
        this.#takeUpSleep();
        this.#makeRoom();
      },
    );
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Live and lately ended sessions, newest first, then what the archive still knows. */
  sessions(): readonly Session[] {
    const inMemory = [...this.#actors.values()].map((actor) => actor.session);
    const archived = this.archive.all().map((entry) => entry.session);
    return [...inMemory, ...archived].toSorted((a, b) => b.createdAt - a.createdAt);
  }

  actors(): Iterable<SessionActor> {
    return this.#actors.values();
  }

  actor(id: string): SessionActor | undefined {
    return this.#actors.get(id);
  }

  flowIdOf(id: string): string | undefined {
    return this.#actors.get(id)?.flowId ?? this.archive.get(id)?.flowId;
  }

  enlist({ session, record, journal }: Created): SessionActor {
    const actor: SessionActor = new SessionActor(this.engine, this.admission, session, record, journal, {
      changed: () => this.#changed(actor),
      reopened: (text) => this.onReopened?.(actor.session, text),
    });
    this.#actors.set(session.id, actor);
    return actor;
  }

  /** Finds and carries on everything of earlier lives. One bad record never stops the rest. */
  async start(): Promise<void> {
    const { log, clock } = this.engine;
    const startedAt = clock.now();
    const { live, over, left } = await findSessions(this.engine);
    for (const line of left) log.warn(`iFlow recovery: ${line}`);
    await settleLeftovers(this.engine, [...live, ...over]);
    for (const found of over) await this.#guarded(found, () => this.#remember(found));
    await this.#retire();
    const queue = new PQueue({ concurrency: REVIVED_SIDE_BY_SIDE });
    const revive = (found: LiveFound, index: number) => this.#revive(found, (index + 1) * TOUCHED_APART_MS);
    await queue.addAll(live.map((found, index) => () => this.#guarded(found, () => revive(found, index))));
    if (live.length > 0)
      log.info(`iFlow recovery: ${live.length} sessions carry on, ${clock.now() - startedAt} ms after the start`);
    if (this.isStopping) return;
    this.engine.clock.start();
    this.admission.open();
    this.#watch.start();
    this.#sweepLater();
  }

  /** One that can't be brought back stays on disk for the next start; the others go on. */
  async #guarded({ session, journal }: Created, run: () => Promise<void>): Promise<void> {
    try {
      if (this.isStopping) await journal.close();
      else await run();
    } catch (error) {
      this.engine.log.error(
        `iFlow recovery: session ${session.name} (${session.id}) could not be carried on: ${messageOf(error)}`,
      );
    }
  }

  async #remember(found: OverFound): Promise<void> {
    const { clock } = this.engine;
    const { agent, child: _settled, ...session } = found.session;
    // Its end was stored before its process was gone, or somebody else ended it.
    if (agent !== undefined || found.endedMeanwhile) await this.#reap(found.session);
    if (found.endedMeanwhile)
      this.engine.audit.happened(session, endedElsewhere(`${found.record.status}, while no gateway ran`));
    if (!found.isNoted) await noteEnd(this.engine, found);
    const old = clock.now() - endedAt(session) > MEMORY_AFTER_END_MS && session.owed.length === 0;
    if (!old) {
      this.#changed(this.enlist({ ...found, session }));
      return;
    }
    this.archive.put(session, found.record.flowId, clock.now());
    await found.journal.close();
  }

  /** At most one commit: what the restart means, and what another writer did meanwhile. */
  async #revive(found: LiveFound, touchInMs: number): Promise<void> {
    const { session, change } = found;
    // Without one in its record nothing was started since the last that is known to be gone.
    if (session.agent !== undefined) await this.#reap(session);
    const actor = this.enlist(found);
    const events: Untimed[] = [{ type: "recovered", promptLeft: found.promptLeft, outputEnd: found.outputEnd }];
    if (found.stateLost)
      events.push({
        type: "warn",
        text: "Its stateJson had been replaced by another writer; the session was restored from its journal.",
      });
    if (found.ignored.length > 0) events.push({ type: "warn", code: "record_ignored", text: found.ignored.join(", ") });
    if (found.rightsUnknown === true) events.push({ type: "warn", code: "rights_unknown", text: "" });
    if (change !== undefined) {
      const message = change.kind === "resumed" ? await actor.writersMessage(change.text) : undefined;
      events.push({ type: "foreign", change, message });
    }
    await actor.postAll(events);
    // Its end was not stored, or somebody reopened its flow.
    if (session.phase.kind === "ended") await actor.hearStanding(found.record);
    actor.touchIn(touchInMs);
    // Also where nothing changed there may be notices that were owed before.
    this.#changed(actor);
  }

  async #reap(session: Session): Promise<void> {
    const { ended } = await this.engine.launcher.reap(session.id, session.agent?.identity);
    if (ended > 0)
      this.engine.log.warn(`iFlow recovery: ended ${ended} left-over processes of session ${session.name}`);
  }

  /** The original knows its continuation from now on, also when it has left memory. */
  async linkContinuation(original: Session, by: string): Promise<void> {
    const actor = this.#actors.get(original.id);
    if (actor !== undefined) {
      await actor.post({ type: "continued", by });
      return;
    }
    const linked: Session = { ...original, continuedBy: by, seq: original.seq + 1 };
    this.archive.update(linked);
    await this.#noteLink(linked);
  }

  /** The journal's last commit wins over an older state, so it is where the link is kept. */
  async #noteLink(session: Session): Promise<void> {
    const { journals, clock, log } = this.engine;
    try {
      const journal = await journals.open(session.id);
      await journal?.append([{ t: "commit", at: clock.now(), seq: session.seq, revision: 0, session }]);
      await journal?.close();
    } catch (error) {
      log.warn(`iFlow session ${session.name}: its continuation could not be noted: ${messageOf(error)}`);
    }
  }

  /** In the tick in which a signal came: the host takes no end of a task once it drains. Nothing else stops yet. */
  settleChildren(reason: string): void {
    this.#watch.childrenAreSettled = true;
    this.engine.children.settleAll("failed", this.engine.clock.now(), reason);
  }

  /** The gateway goes on after all: sessions get child tasks again. */
  spared(): void {
    this.#watch.childrenAreSettled = false;
  }

  /** Everything is settled and can be resumed: agents gone, children ended, words written. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopWithin(STOP_WITHIN_MS);
    return this.#stopping;
  }

  async #stopWithin(ms: number): Promise<void> {
    this.#cancelSweep?.();
    this.engine.clock.stop();
    this.#progress.close();
    this.#liveLine.close();
    this.admission.close();
    if ((await atMost(this.engine.clock, ms, this.#stopAll())) !== "late") return;
    const names = [...this.#actors.values()].map((actor) => actor.session.name).join(", ");
    this.engine.log.error(`iFlow: not everything was settled within ${ms} ms: ${names}. The next start does the rest.`);
    for (const actor of this.#actors.values()) actor.abandon();
  }

  async #stopAll(): Promise<void> {
    const stopping = [...this.#actors.values()].map((actor) => actor.post({ type: "stopping" }));
    await this.#watch.stop();
    await Promise.all(stopping);
    const agentsGone = Promise.all([...this.#actors.values()].map((actor) => actor.settled()));
    await Promise.all([this.#lastWords(), agentsGone]);
    await Promise.all([...this.#actors.values()].map(async (actor) => this.#closeActor(actor)));
  }

  async #closeActor(actor: SessionActor): Promise<void> {
    await actor.close();
    this.#actors.delete(actor.session.id);
  }

  /** What the stop itself has to say is said where that is quick. */
  async #lastWords(): Promise<void> {
    const said = Promise.all([this.governor.settled(), this.#webCards.close()]);
    await atMost(this.engine.clock, LAST_WORDS_MS, said);
    await Promise.all([this.governor.close(), this.follow.close()]);
  }

  #changed(actor: SessionActor): void {
    this.governor.tell(actor);
    this.follow.changed(actor);
    this.#liveLine.changed(actor);
    const { session } = actor;
    const noCard = this.engine.rules.outputMode === "minimal" && session.phase.kind === "working";
    if (!noCard) {
      this.#progress.changed(session, () => this.#actors.get(session.id)?.session);
      this.#webCards.changed(session);
    }
    if (session.phase.kind === "idle" && session.agent?.kind === "ready") this.#keptAlive.add(actor);
    else this.#keptAlive.delete(actor);
    this.pressure();
  }

  /** Bounds and deadlines of an edited configuration; everything else is asked anew whenever it is needed. */
  #takeUpRules(): void {
    const { bounds, rules } = this.engine;
    this.admission.resize(bounds.maxSessions, bounds.maxQueued);
    this.archive.resize(bounds.maxPersistedSessions);
    if (rules === this.#rules) return;
    this.#rules = rules;
    for (const actor of this.#actors.values()) actor.rulesChanged();
  }

  /** The machine slept, or its clock was set: no session waits for its next event to know of it. */
  #takeUpSleep(): void {
    const { sleptMs } = this.engine.clock;
    if (sleptMs === this.#sleptMs) return;
    this.#sleptMs = sleptMs;
    this.engine.log.info(`iFlow: nothing ran for a while, or the clock was set; that time counts for no session`);
    for (const actor of this.#actors.values()) void actor.post({ type: "clock" });
  }

  /** Somebody waits for a slot: processes that are only kept alive for a follow-up make room. */
  pressure(): void {
    if (this.#keptAlive.size === 0 || this.admission.waiting === 0) return;
    for (const actor of this.#keptAlive) void actor.post({ type: "park" });
  }

  /**
   * Where nobody who is only kept alive can make room, those do who have waited for a person the longest: their questions stay
   * open, and the answer starts iFlow again. A person who is about to answer gets a moment first.
   */
  #makeRoom(): void {
    const { waiting } = this.admission;
    if (waiting === 0 || this.#keptAlive.size > 0) return;
    const actors = [...this.#actors.values()];
    const leaving = actors.filter(({ session }) => session.agent?.kind === "stopping").length;
    const until = this.engine.clock.now() - ASKING_GRACE_MS;
    const asking = actors.filter(({ session }) => session.agent?.kind === "ready" && onlyAsks(session));
    const longest = asking
      .filter(({ session }) => waitsSince(session) <= until)
      .toSorted((a, b) => waitsSince(a.session) - waitsSince(b.session));
    for (const actor of longest.slice(0, Math.max(0, waiting - leaving))) void actor.post({ type: "park" });
  }

  /** Names of this owner's sessions that hold a slot while they wait for a person. */
  askingOf({ sessionKey }: Owner): readonly string[] {
    return [...this.#actors.values()]
      .map((actor) => actor.session)
      .filter((session) => session.owner.sessionKey === sessionKey && session.agent !== undefined && onlyAsks(session))
      .map((session) => session.name);
  }

  #sweepLater(): void {
    this.#cancelSweep = this.engine.clock.after(SWEEP_MS, () => {
      this.sweep()
        .catch((error: unknown) =>
          this.engine.log.warn(`iFlow: old sessions could not be put away: ${messageOf(error)}`),
        )
        .finally(() => {
          if (!this.isStopping) this.#sweepLater();
        });
    });
  }

  /** Ended sessions leave memory after an hour; they stay known and can be resumed. */
  async sweep(): Promise<void> {
    const now = this.engine.clock.now();
    for (const actor of this.#actors.values()) {
      const { session } = actor;
      const done =
        session.phase.kind === "ended" &&
        session.owed.length === 0 &&
        session.agent === undefined &&
        isTerminal(actor.record.status);
      if (!done || now - endedAt(session) < MEMORY_AFTER_END_MS || this.isStopping) continue;
      await actor.close();
      this.archive.put(actor.session, actor.flowId, now);
      this.#actors.delete(session.id);
    }
    for (const found of await findReopened(this.engine, this.archive.all())) {
      this.archive.take(found.session.id);
      await this.#guarded(found, () => this.#revive(found, TOUCHED_APART_MS));
    }
    await this.#retire();
  }

  /** Journals are removed by retention, never under a live session. */
  async #retire(): Promise<void> {
    const { clock, bounds, journals } = this.engine;
    for (const id of this.archive.endedBefore(clock.now() - bounds.journalRetentionMs)) {
      await journals.remove(id);
      this.archive.take(id);
    }
  }
}
