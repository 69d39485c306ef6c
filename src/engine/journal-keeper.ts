/**
 * One session's words on their way to its journal.
 * Owns: their order, whoever appends, and what happens when nothing can be written: words are kept in memory up to a bound
 * and written later. Prompts are never kept back: a prompt whose line can't be written is not sent (I8).
 */
import { messageOf } from "../core/errors.ts";
import type { JournalLine, SessionJournal } from "../ports.ts";

const MAX_HELD_CHARS = 4 * 1024 * 1024;
/** What a line without a text of its own counts for. */
const LINE_CHARS = 200;

export class JournalKeeper {
  readonly #journal: SessionJournal;
  readonly #onTrouble: (reason: string) => void;
  /** One append at a time: what is held goes first, and goes once. */
  #chain: Promise<void> = Promise.resolve();
  #held: JournalLine[] = [];
  #heldChars = 0;
  /** What has been said of the present trouble, so that it is said once. */
  #told: "nothing" | "held" | "lost" = "nothing";

  constructor(journal: SessionJournal, onTrouble: (reason: string) => void) {
    this.#journal = journal;
    this.#onTrouble = onTrouble;
  }

  get reader(): SessionJournal {
    return this.#journal;
  }

  /** Resolves when the lines are written, or kept in memory because nothing can be written now. Never throws. */
  append(lines: readonly JournalLine[], synced = false): Promise<void> {
    return this.#next(async () => {
      try {
        await this.#write(lines, synced);
      } catch (error) {
        this.#hold(lines, messageOf(error));
      }
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
    await this.append([]);
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

  #hold(lines: readonly JournalLine[], reason: string): void {
    let lost = false;
    for (const line of lines) {
      const chars = "text" in line ? line.text.length + LINE_CHARS : LINE_CHARS;
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
    this.#onTrouble(`Its journal can't be written now (${reason}); the words are kept in memory until it can.${more}`);
  }
}
