/**
 * One session's words on their way to its journal.
 * Owns: their order, whoever appends, and what happens when nothing can be written: words are kept in memory up to a bound
 * and written later. Prompts are never kept back: a prompt whose line can't be written is not sent (I8).
 */
import { messageOf } from "../core/errors.ts";
import type { Clock, JournalLine, SessionJournal } from "../ports.ts";

const MAX_HELD_CHARS = 4 * 1024 * 1024;
/** What is held is not tried again with each new word. */
const RETRY_MS = 1_000;

export class JournalKeeper {
  readonly #journal: SessionJournal;
  readonly #clock: Clock;
  readonly #onTrouble: (reason: string) => void;
  /** One append at a time: what is held goes first, and goes once. */
  #chain: Promise<void> = Promise.resolve();
  #held: JournalLine[] = [];
  #heldChars = 0;
  #retryAt = 0;
  #cancelRetry: (() => void) | undefined;
  #reason = "";
  /** What has been said of the present trouble, so that it is said once. */
  #told: "nothing" | "held" | "lost" = "nothing";

  constructor(journal: SessionJournal, clock: Clock, onTrouble: (reason: string) => void) {
    this.#journal = journal;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
  }

  get reader(): SessionJournal {
    return this.#journal;
  }

  /** Resolves when the lines are written, or kept in memory because nothing can be written now. Never throws. */
  append(lines: readonly JournalLine[], synced = false): Promise<void> {
    return this.#next(async () => {
      if (this.#held.length > 0 && this.#waits()) this.#hold(lines);
      else await this.#writeOrHold(lines, synced);
    });
  }

  /** As `append`, but throws IflowError `journal_failed`: nothing may go on without this line. */
  appendOrThrow(lines: readonly JournalLine[]): Promise<void> {
    return this.#next(() => this.#write(lines, true));
  }

  /** A long text, also while it is only held. Throws where the journal can't be read. */
  async text(key: string): Promise<string | undefined> {
    const held = this.#held.find((line) => line.t === "text" && line.key === key);
    return held?.t === "text" ? held.text : this.#journal.text(key);
  }

  async close(): Promise<void> {
    this.#cancelRetry?.();
    await this.#next(() => this.#writeOrHold([], false));
    this.#cancelRetry?.();
    await this.#journal.close();
  }

  #next(run: () => Promise<void>): Promise<void> {
    const done = this.#chain.then(run);
    // The caller hears of a failure; the next append does not depend on it.
    this.#chain = done.catch(() => undefined);
    return done;
  }

  async #write(lines: readonly JournalLine[], synced: boolean): Promise<void> {
    const all = [...this.#held, ...lines];
    if (all.length === 0) return;
    await (synced ? this.#journal.appendSynced(all) : this.#journal.append(all));
    this.#held = [];
    this.#heldChars = 0;
    this.#told = "nothing";
  }

  /** A clock that was set back must not make this wait for hours. */
  #waits(): boolean {
    const ms = this.#retryAt - this.#clock.now();
    return ms > 0 && ms <= RETRY_MS;
  }

  async #writeOrHold(lines: readonly JournalLine[], synced: boolean): Promise<void> {
    try {
      await this.#write(lines, synced);
    } catch (error) {
      this.#reason = messageOf(error);
      this.#retryAt = this.#clock.now() + RETRY_MS;
      this.#cancelRetry?.();
      this.#cancelRetry = this.#clock.after(RETRY_MS, () => void this.append([]));
      this.#hold(lines);
    }
  }

  #hold(lines: readonly JournalLine[]): void {
    let lost = false;
    for (const line of lines) {
      const chars = JSON.stringify(line).length;
      if (this.#heldChars + chars > MAX_HELD_CHARS) lost = true;
      else {
        this.#held.push(line);
        this.#heldChars += chars;
      }
    }
    const state = lost ? "lost" : "held";
    if (this.#told === state || this.#told === "lost") return;
    this.#told = state;
    const more = lost ? " There are too many now: the newest are lost." : "";
    this.#onTrouble(
      `Its journal can't be written now (${this.#reason}); the words are kept in memory until it can.${more}`,
    );
  }
}
