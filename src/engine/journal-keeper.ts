/**
 * One session's words on their way to its journal.
 * Owns: order, and what happens when nothing can be written: words are kept in memory up to a bound and written later.
 * Prompts are never kept back: a prompt whose line can't be written is not sent (I8).
 */
import { messageOf } from "../core/errors.ts";
import type { JournalLine, SessionJournal } from "../ports.ts";

const MAX_HELD_CHARS = 4 * 1024 * 1024;

export class JournalKeeper {
  readonly #journal: SessionJournal;
  readonly #onTrouble: (reason: string) => void;
  #held: JournalLine[] = [];
  #heldChars = 0;
  #lostChars = 0;
  #troubled = false;

  constructor(journal: SessionJournal, onTrouble: (reason: string) => void) {
    this.#journal = journal;
    this.#onTrouble = onTrouble;
  }

  get reader(): SessionJournal {
    return this.#journal;
  }

  /** Resolves when the lines are written, or kept in memory because nothing can be written now. Never throws. */
  async append(lines: readonly JournalLine[], synced = false): Promise<void> {
    const all = this.#held.length === 0 ? lines : [...this.#held, ...lines];
    if (all.length === 0) return;
    try {
      await (synced ? this.#journal.appendSynced(all) : this.#journal.append(all));
      this.#held = [];
      this.#heldChars = 0;
      this.#troubled = false;
    } catch (error) {
      this.#hold(lines, messageOf(error));
    }
  }

  /** As `append`, but throws IflowError `journal_failed`: nothing may go on without this line. */
  async appendOrThrow(lines: readonly JournalLine[]): Promise<void> {
    await this.#journal.appendSynced([...this.#held, ...lines]);
    this.#held = [];
    this.#heldChars = 0;
  }

  async close(): Promise<void> {
    await this.append([]);
    await this.#journal.close();
  }

  #hold(lines: readonly JournalLine[], reason: string): void {
    for (const line of lines) {
      const size = "text" in line ? line.text.length : 200;
      if (this.#heldChars + size > MAX_HELD_CHARS) this.#lostChars += size;
      else {
        this.#held.push(line);
        this.#heldChars += size;
      }
    }
    if (this.#troubled && this.#lostChars === 0) return;
    this.#troubled = true;
    const lost = this.#lostChars === 0 ? "" : ` ${this.#lostChars} characters were too many to keep.`;
    this.#lostChars = 0;
    this.#onTrouble(`Its journal can't be written now (${reason}); the words are kept in memory until it can.${lost}`);
  }
}
