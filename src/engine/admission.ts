/**
 * Slots: how many agent processes may live, who waits, and in which order.
 * Owns: the line (continuations ahead of launches, else first come first served) and its places.
 * Invariant I5: a slot is released exactly once; `release` of one who waits withdraws it. Both are idempotent.
 */
import PQueue from "p-queue";

interface Ticket {
  readonly ahead: boolean;
  readonly withdraw: AbortController;
  /** Set when granted: ends the queue's task and so frees the slot. */
  free?: () => void;
}

const AHEAD = 1;

export class Admission {
  readonly #queue: PQueue;
  readonly #maxQueued: number;
  readonly #tickets = new Map<string, Ticket>();
  #closed = false;

  constructor(maxSessions: number, maxQueued: number) {
    this.#queue = new PQueue({ concurrency: maxSessions });
    this.#maxQueued = maxQueued;
  }

  /** Gets in line. `granted` is called once, when the slot is this session's. Asking twice changes nothing. */
  request(sessionId: string, ahead: boolean, granted: () => void): void {
    if (this.#closed || this.#tickets.has(sessionId)) return;
    const ticket: Ticket = { ahead, withdraw: new AbortController() };
    this.#tickets.set(sessionId, ticket);
    const held = async (): Promise<void> => {
      const released = new Promise<void>((resolve) => {
        ticket.free = resolve;
      });
      granted();
      await released;
    };
    this.#queue.add(held, { priority: ahead ? AHEAD : 0, signal: ticket.withdraw.signal }).catch(() => {
      // Withdrawn while it waited: nobody holds or wants the slot.
    });
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

  get waiting(): number {
    return this.#line().length;
  }

  /** Whether one more launch would have to wait past the bound. Continuations are never refused. */
  get full(): boolean {
    const launches = [...this.#tickets.values()].filter((t) => t.free === undefined && !t.ahead).length;
    return launches >= this.#maxQueued && this.running >= this.#queue.concurrency;
  }

  #line(): readonly string[] {
    const waiting = [...this.#tickets].filter(([, t]) => t.free === undefined);
    return [...waiting.filter(([, t]) => t.ahead), ...waiting.filter(([, t]) => !t.ahead)].map(([id]) => id);
  }
}
