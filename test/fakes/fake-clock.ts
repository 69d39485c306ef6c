/**
 * A clock that a test moves by hand. Timers run in the order of their times; what they start may set further timers.
 */
import type { Clock } from "../../src/ports.ts";

interface Timer {
  at: number;
  readonly run: () => void;
}

const MOST_AT_ONCE = 5_000;
const LOOK_EVERY_MS = 10_000;

export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(startAt = 1_760_000_000_000) {
    this.#now = startAt;
  }

  now = (): number => this.#now;

  after = (ms: number, run: () => void): (() => void) => {
    const timer: Timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  /** Moves on, running what is due; between two timers everything that they began gets its turn. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (
      let before = this.#now, standing = 0;
      ;
      standing = this.#now === before ? standing + 1 : 0, before = this.#now
    ) {
      if (standing > MOST_AT_ONCE)
        throw new Error("time stands still: timers that are due at once set others without end");
      const due = [...this.#timers].filter((t) => t.at <= until).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
      await turns();
    }
    this.#now = until;
    await turns();
  }

  /** Time goes by while somebody is awake, who looks at the clock now and then; what is due meanwhile runs at its end, once. */
  async pass(ms: number, look: () => unknown): Promise<void> {
    for (let left = ms; left > 0; left -= LOOK_EVERY_MS) {
      this.#now += Math.min(left, LOOK_EVERY_MS);
      look();
    }
    await this.jump(0);
  }

  /** The machine slept: time has moved at once, and what was due meanwhile runs now, once. Set back, timers keep their waits. */
  async jump(ms: number): Promise<void> {
    this.#now += ms;
    if (ms < 0) for (const timer of this.#timers) timer.at += ms;
    const due = [...this.#timers].filter((t) => t.at <= this.#now).toSorted((a, b) => a.at - b.at);
    for (const timer of due) {
      // An earlier one may have cancelled it.
      if (this.#timers.delete(timer)) timer.run();
      await turns();
    }
    await turns();
  }
}

/** Lets everything that is ready run, file system callbacks included. */
export async function turns(count = 12): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
