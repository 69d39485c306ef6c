/**
 * The clock of the engine: it notices that nothing ran for a while.
 * Owns: telling a sleep of the machine (a frozen process, a clock that somebody set) from time that has passed. Time asleep counts
 * for nobody: each session moves its times by `sleptMs` before it decides anything (core/slept.ts).
 * A beat keeps the moment fresh at which something last ran; whoever asks for the time or is called back looks at how long ago that is.
 */
import type { Clock } from "../ports.ts";

const BEAT_MS = 5_000;
/** Longer than a busy machine holds up a beat. */
const ASLEEP_AFTER_MS = 15_000;
/** A clock is corrected by less than that without meaning. */
const SET_BACK_BY_MS = 1_000;

export class AwakeClock implements Clock {
  readonly #clock: Clock;
  #seenAt: number;
  #sleptMs = 0;
  #cancelBeat: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#seenAt = clock.now();
  }

  now(): number {
    this.#look();
    return this.#seenAt;
  }

  after(ms: number, run: () => void): () => void {
    return this.#clock.after(ms, () => {
      this.#look();
      run();
    });
  }

  /** For durations: the time of this clock without what was slept. It never goes back, and is no date. */
  awakeMs(): number {
    return this.now() - this.#sleptMs;
  }

  /** How long nothing ran, altogether; less than before when the clock was set back. */
  get sleptMs(): number {
    this.#look();
    return this.#sleptMs;
  }

  /** From now on a beat keeps it awake. */
  start(): void {
    this.#cancelBeat = this.after(BEAT_MS, () => this.start());
  }

  stop(): void {
    this.#cancelBeat?.();
  }

  #look(): void {
    const now = this.#clock.now();
    const ms = now - this.#seenAt;
    this.#seenAt = now;
    if (ms > ASLEEP_AFTER_MS || ms < -SET_BACK_BY_MS) this.#sleptMs += ms;
  }
}
