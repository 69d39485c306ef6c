/**
 * One thing after the other: what is put in runs alone, in order (I1).
 * Owns: the line, and what becomes of it when it is closed. A thing that breaks is reported and holds up nobody behind it.
 */
interface Item {
  readonly run: () => Promise<void>;
  /** The mailbox was closed before its turn came. */
  readonly drop: () => void;
}

export class Mailbox {
  readonly #broken: (error: unknown) => void;
  readonly #items: Item[] = [];
  #draining: Promise<void> | undefined;
  #closed = false;

  constructor(broken: (error: unknown) => void) {
    this.#broken = broken;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Undefined when nothing runs or waits. */
  get busy(): Promise<void> | undefined {
    return this.#draining;
  }

  put(run: () => Promise<void>, drop: () => void = () => undefined): void {
    if (this.#closed) {
      drop();
      return;
    }
    this.#items.push({ run, drop });
    this.#draining ??= this.#drain();
  }

  /** Resolves when it has run; undefined when it could not: closed, or broken by an error that was reported. */
  ask<T>(run: () => Promise<T>): Promise<T | undefined> {
    return new Promise((resolve) => {
      const answered = async (): Promise<void> => {
        let answer: T | undefined;
        try {
          answer = await run();
        } finally {
          resolve(answer);
        }
      };
      this.put(answered, () => resolve(undefined));
    });
  }

  /** At once: what is under way is left to itself, what waits is dropped. */
  close(): void {
    this.#closed = true;
    for (const { drop } of this.#items.splice(0)) drop();
  }

  async #drain(): Promise<void> {
    // Begins in the next microtask, so that `busy` is set while it runs.
    await Promise.resolve();
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
      try {
        await item.run();
      } catch (error) {
        this.#broken(error);
      }
    }
    this.#draining = undefined;
  }
}
