/**
 * A lossless queue between what arrives and who reads it: everything that has come is one batch.
 * Owns: order, the end, how much lies unread. Does not own: what the items are, when a sender has to pause.
 *
 * 1. Nothing is dropped: every item pushed before `end` is delivered, in order, exactly once.
 * 2. One promise a batch, none an item: what is pushed in one tick arrives in one batch.
 * 3. Iterated once.
 */
export class BatchQueue<T> implements AsyncIterable<readonly T[]> {
  #items: T[] = [];
  #ended = false;
  #iterated = false;
  #wake: (() => void) | undefined;
  readonly #taken: () => void;

  /** `taken` is called when the reader has emptied the queue. */
  constructor(taken: () => void = () => undefined) {
    this.#taken = taken;
  }

  /** After the end it is ignored: the end is final. */
  push(item: T): void {
    if (this.#ended) return;
    this.#items.push(item);
    this.#rouse();
  }

  end(): void {
    this.#ended = true;
    this.#rouse();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly T[], void, void> {
    if (this.#iterated) throw new Error("The events of a connection can be iterated only once.");
    this.#iterated = true;
    for (;;) {
      if (this.#items.length > 0) {
        const batch = this.#items;
        this.#items = [];
        this.#taken();
        yield batch;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
