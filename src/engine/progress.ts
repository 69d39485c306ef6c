/**
 * Progress: one card a turn in the session's chat, edited in place while iFlow works.
 * Owns: when a card is posted and edited, and what happens when an edit fails: it pauses, and never posts a new card (decision 22).
 * A card is worth nothing but the present: it is kept in memory, dropped for newer words, and gone with a restart.
 */
import { currentStep, turnCalls } from "../core/flow-command.ts";
import { chatKey } from "../core/route.ts";
import type { Route, Session } from "../core/session.ts";
import type { Delivery } from "../ports.ts";
import type { AwakeClock } from "./awake-clock.ts";
import { viewerIn, type Governor } from "./governor.ts";

/** A turn that is shorter gets no card: its result says it all. */
const FIRST_CARD_MS = 8_000;
const EDIT_EVERY_MS = 4_000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** Some eight minutes. */
const MAX_LAST_TRIES = 12;

interface Card {
  readonly turn: number;
  readonly sinceMs: number;
  /** Since when a person is waited for, and how long that took before: it is no work. */
  waitsSinceMs: number | undefined;
  waitedMs: number;
  messageId: string | undefined;
  shown: string;
  pauseMs: number;
  cancel: (() => void) | undefined;
  busy: boolean;
  /** The turn is over, and this is what the card is to say in the end. */
  last: string | undefined;
  lastTries: number;
}

export class Progress {
  readonly #clock: AwakeClock;
  readonly #delivery: Delivery;
  readonly #governor: Governor;
  readonly #cards = new Map<string, Card>();
  /** Of turns that are over, until their last words are shown. */
  readonly #closing = new Set<Card>();
  #closed = false;

  constructor(clock: AwakeClock, delivery: Delivery, governor: Governor) {
    this.#clock = clock;
    this.#delivery = delivery;
    this.#governor = governor;
  }

  changed(session: Session, current: () => Session | undefined): void {
    const card = this.#cards.get(session.id);
    if (card !== undefined) this.#count(session, card);
    if (session.phase.kind !== "working") {
      if (card !== undefined && session.phase.kind !== "asking") this.#finish(session, card);
      return;
    }
    if (this.#closed) return;
    if (card?.turn === session.turn) {
      // It stood still while somebody was asked.
      if (card.cancel === undefined && !card.busy) this.#later(card, EDIT_EVERY_MS, current);
      return;
    }
    if (!this.#wanted(session)) return;
    card?.cancel?.();
    const fresh: Card = {
      turn: session.turn,
      sinceMs: this.#clock.awakeMs(),
      waitsSinceMs: undefined,
      waitedMs: 0,
      messageId: undefined,
      shown: "",
      pauseMs: 0,
      cancel: undefined,
      busy: false,
      last: undefined,
      lastTries: 0,
    };
    this.#cards.set(session.id, fresh);
    this.#later(fresh, FIRST_CARD_MS, current);
  }

  close(): void {
    this.#closed = true;
    for (const card of [...this.#cards.values(), ...this.#closing]) card.cancel?.();
    this.#cards.clear();
    this.#closing.clear();
  }

  /** A chat that can edit and does not follow the output anyway. */
  #wanted(session: Session): boolean {
    const route = this.#governor.routeOf(session);
    if (!this.#delivery.canEdit(route)) return false;
    return viewerIn(session, chatKey(route, session.owner.sessionKey))?.mode !== "live";
  }

  #later(card: Card, ms: number, current: () => Session | undefined): void {
    card.cancel?.();
    card.cancel = this.#clock.after(ms, () => {
      card.cancel = undefined;
      void this.#show(card, current);
    });
  }

  async #show(card: Card, current: () => Session | undefined): Promise<void> {
    const session = current();
    if (
      session === undefined ||
      this.#closed ||
      this.#cards.get(session.id) !== card ||
      session.phase.kind !== "working"
    )
      return;
    if (this.#wanted(session))
      await this.#put(session, card, `🟢 ${session.name} · ${currentStep(session)} · ${this.#age(card)}`);
    if (this.#cards.get(session.id) === card) this.#later(card, Math.max(EDIT_EVERY_MS, card.pauseMs), current);
  }

  /** What was done stays; the result itself is a notice of its own. */
  #finish(session: Session, card: Card): void {
    card.cancel?.();
    this.#cards.delete(session.id);
    card.last = `◻️ ${session.name} · turn ${card.turn} · ${turnCalls(session)} · ${this.#age(card)}`;
    this.#closing.add(card);
    void this.#close(session, card);
  }

  /** A card that can't be reached now is closed when it can; one that was never posted has nothing to close. */
  async #close(session: Session, card: Card): Promise<void> {
    if (card.busy || card.last === undefined) return;
    card.lastTries += 1;
    if (card.messageId !== undefined) await this.#put(session, card, card.last);
    const isOver = card.messageId === undefined || card.shown === card.last || card.lastTries >= MAX_LAST_TRIES;
    if (isOver) this.#closing.delete(card);
    else if (this.#closing.has(card))
      card.cancel = this.#clock.after(card.pauseMs, () => void this.#close(session, card));
  }

  async #put(session: Session, card: Card, text: string): Promise<void> {
    const route = this.#governor.routeOf(session);
    if (route === undefined || card.busy || text === card.shown) return;
    card.busy = true;
    const posted = card.messageId === undefined;
    const handover = posted
      ? await this.#governor.card(this.#message(session, route, card, text), () => card.last === undefined)
      : await this.#governor.edit(session.owner, route, card.messageId ?? "", text);
    card.busy = false;
    if (handover.kind === "accepted") {
      card.messageId ??= handover.messageId;
      card.shown = text;
      card.pauseMs = 0;
    } else if (!posted || handover.kind === "later")
      card.pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, card.pauseMs * 2));
    // One that may have been posted is not posted again: without an id there is nothing to edit.
    if (posted && card.messageId === undefined && handover.kind !== "later") this.#forget(session, card);
    if (card.last !== undefined && text !== card.last) void this.#close(session, card);
  }

  #forget(session: Session, card: Card): void {
    if (this.#cards.get(session.id) === card) this.#cards.delete(session.id);
    this.#closing.delete(card);
  }

  #count({ phase }: Session, card: Card): void {
    const nowMs = this.#clock.awakeMs();
    if (phase.kind === "asking") card.waitsSinceMs ??= nowMs;
    else {
      if (card.waitsSinceMs !== undefined) card.waitedMs += nowMs - card.waitsSinceMs;
      card.waitsSinceMs = undefined;
    }
  }

  #message(session: Session, route: Route, card: Card, text: string) {
    return { intentId: `iflow:${session.id}:card${card.turn}`, owner: session.owner, route, text };
  }

  #age(card: Card): string {
    const untilMs = card.waitsSinceMs ?? this.#clock.awakeMs();
    const seconds = Math.round((untilMs - card.sinceMs - card.waitedMs) / 1000);
    return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  }
}
