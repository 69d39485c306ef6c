/**
 * Slots: how many agent processes may live, who waits, and in which order.
 * Owns: the line (continuations ahead of launches, else who waits longest goes first) and its places.
 * Nobody gets a slot before `open`: recovery first brings everybody back into line.
 * Invariant I5: a slot is released exactly once; `release` of one who waits withdraws it. Both are idempotent.
 */
import PQueue from "p-queue";

interface Ticket extends Place {
  readonly withdraw: AbortController;
  /** Set when granted: ends the queue's task and so frees the slot. */
  free?: () => void;
}

export interface Place {
  readonly ahead: boolean;
  /** Waits since (ms since the epoch); kept over restarts. */
  readonly sinceAt: number;
}

/** Larger than any time: who is ahead is so whenever they came. */
const AHEAD = 1e14;

function priorityOf({ ahead, sinceAt }: Place): number {
  return (ahead ? AHEAD : 0) - sinceAt;
}

export class Admission {
  readonly #queue: PQueue;
  #maxQueued: number;
  readonly #tickets = new Map<string, Ticket>();
  #closed = false;

  constructor(maxSessions: number, maxQueued: number) {
    this.#queue = new PQueue({ concurrency: maxSessions, autoStart: false });
    this.#maxQueued = maxQueued;
  }

  /** New slots are granted at once; of fewer slots none is taken from who holds one. */
  resize(maxSessions: number, maxQueued: number): void {
    this.#maxQueued = maxQueued;
    if (maxSessions !== this.#queue.concurrency) this.#queue.concurrency = maxSessions;
  }

  /** Gets in line. `granted` is called once, when the slot is this session's. Asking twice changes nothing. */
  request(sessionId: string, place: Place, granted: () => void): void {
    if (this.#closed || this.#tickets.has(sessionId)) return;
    const ticket: Ticket = { ...place, withdraw: new AbortController() };
    this.#tickets.set(sessionId, ticket);
    const held = async (): Promise<void> => {
      const released = new Promise<void>((resolve) => {
        ticket.free = resolve;
      });
      granted();
      await released;
    };
    this.#queue.add(held, { priority: priorityOf(place), signal: ticket.withdraw.signal }).catch(() => {
      // Withdrawn while it waited: nobody holds or wants the slot.
    });
  }

  /** From now on the line moves. */
  open(): void {
    if (!this.#closed) this.#queue.start();
  }

  /** From now on nobody gets a slot: the service stops. */
  close(): void {
    this.#closed = true;
    this.#queue.pause();
  }

  release(sessionId: string): void {
    const ticket = this.#tickets.get(sessionId);
    if (ticket === undefined) return;
    this.#tickets.delete(sessionId);
    if (ticket.free === undefined) ticket.withdraw.abort();
    else ticket.free();
  }

  /** Place in line, from 1; undefined for one who does not wait, or whose slot is free and about to be granted. */
  placeOf(sessionId: string): number | undefined {
    const index = this.#line().indexOf(sessionId);
    const place = index + 1 - (this.#queue.concurrency - this.running);
    return index === -1 || place < 1 ? undefined : place;
  }

  get running(): number {
    return [...this.#tickets.values()].filter((t) => t.free !== undefined).length;
  }

  /** Who really has to wait: more than the free slots take. */
  get waiting(): number {
    return Math.max(0, this.#tickets.size - this.#queue.concurrency);
  }

  /**
   * Whether one more launch would have to wait past the bound; `coming`: launches that are under way to the line.
   * Continuations are never refused, and take no launch's place in it.
   */
  full(coming: number): boolean {
    const waiting = [...this.#tickets.values()].filter((t) => t.free === undefined);
    const continuations = waiting.filter((t) => t.ahead).length;
    const free = Math.max(0, this.#queue.concurrency - this.running - continuations);
    return waiting.length - continuations + coming >= this.#maxQueued + free;
  }

  #line(): readonly string[] {
    const waiting = [...this.#tickets].filter(([, t]) => t.free === undefined);
    return waiting.toSorted(([, a], [, b]) => priorityOf(b) - priorityOf(a)).map(([id]) => id);
  }
}
