/**
 * The timers of one session: its next deadline, the coalesced checkpoint, and the touch that keeps its flow fresh.
 * Owns: that each of them runs at most once at a time and dies with the session. Does not own: what they lead to.
 */
import type { Clock } from "../ports.ts";

/** The host's audit calls a flow stale after 30 minutes without a mutation. */
const TOUCH_MS = 15 * 60_000;
/**
 * At least so long from checkpoint to checkpoint. The host's command cancels a flow only if nobody has written it since the command
 * looked, 0.2 s and more before (host fact): a flow that is written all the time could hardly be cancelled by it.
 */
const CHECKPOINT_EVERY_MS = 3_000;
/** Timers of the platform count in 31 bits; a later deadline is looked at again in between. */
const LONGEST_WAIT_MS = 24 * 60 * 60_000;

export interface TimerRuns {
  readonly due: () => void;
  readonly checkpoint: () => void;
  readonly touch: () => void;
}

export class SessionTimers {
  readonly #clock: Clock;
  readonly #runs: TimerRuns;
  #cancelDue: (() => void) | undefined;
  #dueAt: number | undefined;
  #cancelCheckpoint: (() => void) | undefined;
  #checkpointAt = Number.NEGATIVE_INFINITY;
  #cancelTouch: (() => void) | undefined;
  #closed = false;

  constructor(clock: Clock, runs: TimerRuns) {
    this.#clock = clock;
    this.#runs = runs;
    this.touchIn(TOUCH_MS);
  }

  /** The next moment at which something is due (ms since the epoch); undefined: nothing. */
  dueAt(at: number | undefined): void {
    if (at === this.#dueAt) return;
    this.#cancelDue?.();
    this.#cancelDue = undefined;
    this.#dueAt = at;
    if (at === undefined || this.#closed) return;
    const waitMs = Math.min(Math.max(0, at - this.#clock.now()), LONGEST_WAIT_MS);
    this.#cancelDue = this.#clock.after(waitMs, () => {
      this.#dueAt = undefined;
      this.#runs.due();
    });
  }

  /** A checkpoint that is planned already comes first; it comes later where the last one was a moment ago. */
  checkpointIn(ms: number): void {
    if (this.#cancelCheckpoint !== undefined || this.#closed) return;
    // A clock that was set back does not put it off further.
    const restMs = Math.min(CHECKPOINT_EVERY_MS, this.#checkpointAt + CHECKPOINT_EVERY_MS - this.#clock.now());
    this.#cancelCheckpoint = this.#clock.after(Math.max(ms, restMs), () => {
      this.#cancelCheckpoint = undefined;
      this.#checkpointAt = this.#clock.now();
      this.#runs.checkpoint();
    });
  }

  /** The next touch; the ones after it follow at the usual distance. */
  touchIn(ms: number): void {
    this.#cancelTouch?.();
    if (this.#closed) return;
    this.#cancelTouch = this.#clock.after(ms, () => {
      this.#runs.touch();
      this.touchIn(TOUCH_MS);
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancelDue?.();
    this.#cancelCheckpoint?.();
    this.#cancelTouch?.();
  }
}
