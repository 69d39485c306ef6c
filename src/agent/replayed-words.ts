/**
 * What an agent repeats of an earlier conversation when a session is loaded, before the answer to the load or behind it.
 * Owns: until when it counts as a repetition. Does not own: what frames mean.
 *
 * 1. From the load to the first prompt everything is old; the prompt waits until the agent has been quiet for a moment, so that what
 *    comes after it is new. An agent that never gets quiet holds it up for a fixed time at most.
 */
const QUIET_MS = 100;
const LONGEST_MS = 5_000;

export class ReplayedWords {
  #old = false;
  #heardAtMs = 0;

  /** A session was loaded just now. */
  begin(): void {
    this.#old = true;
    this.#heardAtMs = performance.now();
  }

  /** A frame of the conversation has come: whether it is old. */
  heard(): boolean {
    if (this.#old) this.#heardAtMs = performance.now();
    return this.#old;
  }

  /** Resolves when what comes from now on is new. */
  async over(): Promise<void> {
    const until = performance.now() + LONGEST_MS;
    while (this.#old) {
      const now = performance.now();
      const waitMs = Math.min(this.#heardAtMs + QUIET_MS, until) - now;
      if (waitMs <= 0) this.#old = false;
      else await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}
