/**
 * Every session that is in memory, from service start to service stop.
 * Owns: actors and what surrounds them (slots, watch, governor, follow, archive), recovery at the start, settlement at the stop.
 * Invariant I6: when `stop` resolves, no agent process of ours lives.
 */
import type { Session } from "../core/session.ts";
import { redactSecrets } from "../core/redact.ts";
import { Admission } from "./admission.ts";
import { Archive, endedAt } from "./archive.ts";
import type { Engine } from "./context.ts";
import { Follow } from "./follow.ts";
import { Governor, type Voice } from "./governor.ts";
import type { Created } from "./launch.ts";
import { findSessions, type LiveFound } from "./recover.ts";
import { SessionActor } from "./session-actor.ts";
import { Watch } from "./watch.ts";
import type { Route } from "../core/session.ts";

/** An ended session leaves memory after this long. */
const MEMORY_AFTER_END_MS = 60 * 60_000;
const SWEEP_MS = 5 * 60_000;

export class Roster {
  readonly engine: Engine;
  readonly admission: Admission;
  readonly governor: Governor;
  readonly archive: Archive;
  readonly #follow: Follow;
  readonly #watch: Watch;
  readonly #actors = new Map<string, SessionActor>();
  #cancelSweep: (() => void) | undefined;
  #stopping: Promise<void> | undefined;

  constructor(engine: Engine, voice: Voice, routeOf: (session: Session) => Route | undefined) {
    this.engine = engine;
    this.admission = new Admission(engine.bounds.maxSessions, engine.bounds.maxQueued);
    this.governor = new Governor(engine.delivery, voice, routeOf, engine.log);
    this.archive = new Archive(engine.bounds.maxPersistedSessions);
    const redact = engine.rules.safeMode ? redactSecrets : (text: string) => text;
    this.#follow = new Follow(engine.clock, engine.delivery, this.governor, redact);
    this.#watch = new Watch(engine, () => this.#actors.values());
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
    });
    this.#actors.set(session.id, actor);
    return actor;
  }

  /** Finds and carries on everything of earlier lives. One bad record never stops the rest. */
  async start(): Promise<void> {
    const { log, clock } = this.engine;
    const { live, over, left } = await findSessions(this.engine);
    for (const line of left) log.warn(`iFlow recovery: ${line}`);
    for (const found of over) {
      const old = clock.now() - endedAt(found.session) > MEMORY_AFTER_END_MS && found.session.owed.length === 0;
      if (old) {
        this.archive.put(found.session, found.record.flowId, clock.now());
        await found.journal.close();
        await this.#retire(found.session);
      } else {
        this.#changed(this.enlist(found));
      }
    }
    for (const found of live) await this.#revive(found);
    if (live.length > 0) log.info(`iFlow recovery: ${live.length} sessions carry on`);
    this.#watch.start();
    this.#sweepLater();
  }

  async #revive(found: LiveFound): Promise<void> {
    const { engine } = this;
    const { session } = found;
    const { ended } = await engine.launcher.reap(session.id, session.agent?.identity);
    if (ended > 0) engine.log.warn(`iFlow recovery: ended ${ended} left-over processes of session ${session.name}`);
    const actor = this.enlist(found);
    if (found.stateLost) {
      await actor.post({ type: "warn", text: "Its stateJson had been replaced by another writer; the session was restored from its journal." });
    }
    await actor.post({ type: "recovered", promptLeft: found.promptLeft, outputEnd: found.outputEnd });
    if (found.cancelled) await actor.post({ type: "foreign", change: { kind: "cancelled" }, message: undefined });
  }

  /** Everything is settled and can be resumed: agents gone, children ended, words written. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopNow();
    return this.#stopping;
  }

  async #stopNow(): Promise<void> {
    this.#cancelSweep?.();
    this.admission.close();
    await this.#watch.stop();
    await Promise.all([...this.#actors.values()].map(async (actor) => actor.post({ type: "stopping" })));
    await this.#follow.close();
    await this.governor.close();
    await Promise.all([...this.#actors.values()].map((actor) => actor.close()));
    this.#actors.clear();
  }

  #changed(actor: SessionActor): void {
    this.governor.tell(actor);
    this.#follow.changed(actor);
    this.#pressure();
  }

  /** Somebody waits for a slot: processes that are only kept alive for a follow-up make room. */
  #pressure(): void {
    if (this.admission.waiting === 0) return;
    for (const actor of this.#actors.values()) {
      const { phase, agent } = actor.session;
      if (phase.kind === "idle" && agent?.kind === "ready") void actor.post({ type: "park" });
    }
  }

  #sweepLater(): void {
    this.#cancelSweep = this.engine.clock.after(SWEEP_MS, () => {
      void this.sweep().then(() => this.#sweepLater());
    });
  }

  /** Ended sessions leave memory after an hour; they stay known and can be resumed. */
  async sweep(): Promise<void> {
    const now = this.engine.clock.now();
    for (const actor of this.#actors.values()) {
      const { session } = actor;
      const done = session.phase.kind === "ended" && session.owed.length === 0 && session.agent === undefined;
      if (!done || now - endedAt(session) < MEMORY_AFTER_END_MS) continue;
      this.#actors.delete(session.id);
      await actor.close();
      this.archive.put(actor.session, actor.flowId, now);
    }
    for (const { session } of this.archive.all()) await this.#retire(session);
  }

  /** Journals are removed by retention, never under a live session. */
  async #retire(session: Session): Promise<void> {
    if (this.engine.clock.now() - endedAt(session) < this.engine.bounds.journalRetentionMs) return;
    this.archive.take(session.id);
    await this.engine.journals.remove(session.id);
  }
}
