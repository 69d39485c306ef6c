/**
 * Which turns run on a connection, and which prompts are still on their way out.
 * Owns: these two sets and who waits for them. Does not own: how a turn ends.
 */
export class RunningTurns {
  readonly #running = new Set<number>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #last: Promise<void> = Promise.resolve();

  get none(): boolean {
    return this.#running.size === 0;
  }

  /** Runs from now on, behind the prompts that are leaving; one that can't be sent ends its turn, and its error is passed on. */
  async begin(turn: number, send: () => Promise<void>): Promise<void> {
    this.#running.add(turn);
    const leaving = this.#last.then(send);
    this.#last = leaving.catch(() => undefined);
    this.#leaving.add(leaving);
    try {
      await leaving;
    } catch (error) {
      this.ended(turn);
      throw error;
    } finally {
      this.#leaving.delete(leaving);
    }
  }

  ended(turn: number): void {
    this.#running.delete(turn);
    if (this.none) for (const done of this.#waiting.splice(0)) done();
  }

  clear(): void {
    for (const turn of this.#running) this.ended(turn);
  }

  /** Resolves when every prompt that was begun has left, or could not: a cancel must not overtake one whose files are being read. */
  async sent(): Promise<void> {
    if (this.#leaving.size > 0) await Promise.allSettled(this.#leaving);
  }

  /** Resolves when no turn runs. */
  over(): Promise<void> {
    return this.none ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
