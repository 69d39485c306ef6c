/**
 * The host's own progress card in a web chat: one a chat, with a line for each session that works in it.
 * Owns: what stands in it and when it is replaced. Does not own: whose card it is (the host's side leaves a card of somebody else alone).
 * A card is worth nothing but the present. The host keeps it over a kill, so the first that is heard of a chat in a life takes it away.
 */
import { currentStep } from "../core/flow-command.ts";
import type { Owner, Session } from "../core/session.ts";
import type { Delivery } from "../ports.ts";
import type { AwakeClock } from "./awake-clock.ts";

/** A turn that is shorter gets no line: its result says it all. */
const FIRST_LINE_MS = 8_000;
const EVERY_MS = 4_000;
const LONGEST_PAUSE_MS = 60_000;

interface Job {
  readonly sinceMs: number;
  /** Since when a person is waited for, and how long that took before: it is no work. */
  waitsSinceMs: number | undefined;
  waitedMs: number;
  session: Session;
}

interface Card {
  readonly owner: Owner;
  readonly jobs: Map<string, Job>;
  /** Undefined: there is none. */
  shown: string | undefined;
  pauseMs: number;
  busy: boolean;
  cancel: (() => void) | undefined;
}

export class WebCards {
  readonly #clock: AwakeClock;
  readonly #delivery: Delivery;
  readonly #isInWebChat: (session: Session) => boolean;
  readonly #cards = new Map<string, Card>();
  readonly #known = new Set<string>();
  #closed = false;

  constructor({ clock, delivery }: Outside, isInWebChat: (session: Session) => boolean) {
    this.#clock = clock;
    this.#delivery = delivery;
    this.#isInWebChat = isInWebChat;
  }

  changed(session: Session): void {
    if (this.#closed || this.#delivery.card === undefined || !this.#isInWebChat(session)) return;
    const { kind } = session.phase;
    const { sessionKey } = session.owner;
    if (!this.#known.has(sessionKey)) this.#later(this.#open(session, "of an earlier life"), 0);
    this.#known.add(sessionKey);
    const card = this.#cards.get(sessionKey);
    const job = card?.jobs.get(session.id);
    if (kind === "working" || (kind === "asking" && job !== undefined)) this.#works(session, card, job);
    else if (job !== undefined) {
      card?.jobs.delete(session.id);
      this.#later(card, 0);
    }
  }

  /** What stands in a chat's card goes with the service. */
  async close(): Promise<void> {
    this.#closed = true;
    const cards = [...this.#cards.values()];
    for (const card of cards) card.cancel?.();
    this.#cards.clear();
    await Promise.all(
      cards.map(async ({ owner, shown }) => shown === undefined || this.#delivery.card?.(owner, undefined)),
    );
  }

  #works(session: Session, card: Card | undefined, job: Job | undefined): void {
    if (job !== undefined && job.session.turn === session.turn) {
      this.#count(session, job);
      job.session = session;
      return;
    }
    const open = card ?? this.#open(session, undefined);
    open.jobs.set(session.id, { sinceMs: this.#clock.awakeMs(), waitsSinceMs: undefined, waitedMs: 0, session });
    if (open.cancel === undefined && !open.busy) this.#later(open, FIRST_LINE_MS);
  }

  #count({ phase }: Session, job: Job): void {
    const nowMs = this.#clock.awakeMs();
    if (phase.kind === "asking") job.waitsSinceMs ??= nowMs;
    else {
      if (job.waitsSinceMs !== undefined) job.waitedMs += nowMs - job.waitsSinceMs;
      job.waitsSinceMs = undefined;
    }
  }

  #open({ owner }: Session, shown: string | undefined): Card {
    const card: Card = { owner, jobs: new Map(), shown, pauseMs: 0, busy: false, cancel: undefined };
    this.#cards.set(owner.sessionKey, card);
    return card;
  }

  #later(card: Card | undefined, ms: number): void {
    if (card === undefined || card.busy || this.#closed) return;
    card.cancel?.();
    card.cancel = this.#clock.after(Math.max(ms, card.pauseMs), () => {
      card.cancel = undefined;
      void this.#show(card);
    });
  }

  async #show(card: Card): Promise<void> {
    const text = this.#textOf(card);
    if (text !== card.shown) await this.#put(card, text);
    if (this.#closed) return;
    const isOver = card.jobs.size === 0 && (card.shown === undefined || card.pauseMs >= LONGEST_PAUSE_MS);
    if (isOver) this.#cards.delete(card.owner.sessionKey);
    else this.#later(card, EVERY_MS);
  }

  async #put(card: Card, text: string | undefined): Promise<void> {
    card.busy = true;
    const handover = await this.#delivery.card?.(card.owner, text);
    card.busy = false;
    if (handover?.kind === "accepted") {
      card.shown = text;
      card.pauseMs = 0;
    } else card.pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(EVERY_MS, card.pauseMs * 2));
  }

  #textOf(card: Card): string | undefined {
    const lines = [...card.jobs.values()].flatMap(({ sinceMs, waitsSinceMs, waitedMs, session }) => {
      const ageMs = (waitsSinceMs ?? this.#clock.awakeMs()) - sinceMs - waitedMs;
      return ageMs < FIRST_LINE_MS ? [] : [`🟢 ${session.name} · ${currentStep(session)} · ${readable(ageMs)}`];
    });
    return lines.length === 0 ? undefined : lines.join("\n\n");
  }
}

interface Outside {
  readonly clock: AwakeClock;
  readonly delivery: Delivery;
}

function readable(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
}
