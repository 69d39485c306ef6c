/**
 * The journal without secrets (`journal: "redacted"`, `safeMode`).
 * Owns: which words are masked, and that offsets of the output stay what they are.
 * R1 A masked piece of output is as long as the piece was: offsets are the same in memory, in the flow and here.
 * R2 Secrets arrive in pieces, so the last, unfinished line of output is held back until it is finished, or a synced
 *    append or the close writes it as it is. A crash of the gateway may lose that one line.
 * R3 `text` lines, which the session has still to send, stay whole in memory as long as the journal is open (a queued prompt
 *    is sent as it was written); after a restart there is only what was masked.
 */
import { shownLastWords } from "../core/last-words.ts";
import { redactInPlace, redactValue, type Redact } from "../core/redact-value.ts";
import type { WordsFrom } from "../core/session.ts";
import type { JournalLine } from "../ports.ts";
import type { OutLine } from "./line-codec.ts";
import { withoutOpenKey } from "./open-key.ts";

type TextLine = Extract<JournalLine, { t: "text" }>;

/** A line of output longer than this is written without waiting for its end, but for so many last characters. */
const MAX_HELD_CHARS = 16 * 1024;
const KEPT_CHARS = 1024;

export interface RedactionState {
  readonly held: OutLine | undefined;
  readonly inKey: boolean;
}

export class Redaction {
  readonly #redact: Redact;
  #held: OutLine | undefined;
  /** A private key began on a line that is written, and has not ended there. */
  #inKey = false;
  /** Texts that were masked, by key. */
  readonly #whole = new Map<string, string>();

  constructor(redact: Redact) {
    this.#redact = redact;
  }

  /** The end of the output that is not written yet, masked. */
  get held(): OutLine | undefined {
    return this.#held && this.#masked(this.#held);
  }

  /** A text as it was before it was masked. */
  whole(key: string): string | undefined {
    return this.#whole.get(key);
  }

  /** The lines to write now. `all`: hold nothing back. */
  pass(lines: readonly JournalLine[], all: boolean): JournalLine[] {
    const passed = lines.flatMap((line) => (line.t === "out" ? this.#passOut(line) : [this.#passOther(line)]));
    return all ? [...passed, ...this.#release()] : passed;
  }

  /** What is held now, as it is: `restore` brings it back when what `pass` gave out could not be written. */
  get state(): RedactionState {
    return { held: this.#held, inKey: this.#inKey };
  }

  restore({ held, inKey }: RedactionState): void {
    this.#held = held;
    this.#inKey = inKey;
  }

  #passOut(line: OutLine): OutLine[] {
    const held = this.#held;
    const follows = held !== undefined && held.o + held.text.length === line.o;
    const released = follows ? [] : this.#release();
    const whole = follows ? { ...line, o: held.o, text: held.text + line.text } : line;
    // What is held has no line end.
    const cut = cutOf(line.text, whole.text.length - line.text.length);
    const passed = cut === 0 ? [] : [this.#pass({ ...whole, text: whole.text.slice(0, cut) })];
    this.#held = cut === whole.text.length ? undefined : { ...whole, o: whole.o + cut, text: whole.text.slice(cut) };
    return [...released, ...passed];
  }

  #release(): OutLine[] {
    const held = this.#held;
    this.#held = undefined;
    return held ? [this.#pass(held)] : [];
  }

  /** Masked, and written from here on. */
  #pass(line: OutLine): OutLine {
    const masked = this.#masked(line);
    this.#inKey = withoutOpenKey(line.text, this.#inKey).open;
    return masked;
  }

  #masked(line: OutLine): OutLine {
    return { ...line, text: redactInPlace(withoutOpenKey(line.text, this.#inKey).text, this.#redact) };
  }

  #passOther(line: Exclude<JournalLine, { t: "out" }>): JournalLine {
    switch (line.t) {
      case "prompt":
      case "question":
      case "answer":
        return { ...line, text: this.#redact(line.text) };
      case "text":
        return this.#passText(line);
      case "event":
        // The same shape: only strings inside are replaced.
        return { ...line, event: redactValue(line.event, this.#redact) as typeof line.event };
      case "rights":
        // The same shape: only strings inside are replaced.
        return redactValue(line, this.#redact) as typeof line;
      case "commit":
        return { ...line, session: this.#maskedSession(line.session) };
      case "header":
      case "flow":
      case "told":
        return line;
    }
  }

  #maskedSession(session: unknown): unknown {
    const masked = redactValue(session, this.#redact);
    if (typeof session !== "object" || session === null || !("lastWords" in session)) return masked;
    const { lastWords } = session;
    if (typeof lastWords !== "string") return masked;
    const from = "lastWordsFrom" in session ? (session.lastWordsFrom as WordsFrom | undefined) : undefined;
    const words = from === undefined ? { lastWords } : { lastWords, lastWordsFrom: from };
    return { ...(masked as object), lastWords: shownLastWords(words, this.#redact) };
  }

  #passText(line: TextLine): TextLine {
    const text = this.#redact(line.text);
    if (text !== line.text) this.#whole.set(line.key, line.text);
    return { ...line, text };
  }
}

/** How much may be written behind so much that is held: whole lines, or all but the end of a line that is too long to hold. */
function cutOf(text: string, held: number): number {
  const newline = text.lastIndexOf("\n");
  const whole = newline === -1 ? 0 : held + newline + 1;
  const length = held + text.length;
  return length - whole > MAX_HELD_CHARS ? length - KEPT_CHARS : whole;
}
