/**
 * The journal without secrets (`journal: "redacted"`).
 * Owns: which words are masked, and that offsets of the output stay what they are.
 * R1 A masked piece of output is as long as the piece was: offsets are the same in memory, in the flow and here.
 * R2 Secrets arrive in pieces, so the last, unfinished line of output is held back until it is finished, or a synced
 *    append or the close writes it as it is. A crash of the gateway may lose that one line.
 * R3 `text` and `commit` lines stay whole: the session goes on from them (a queued prompt is sent as it was written).
 */
import type { JournalLine } from "../ports.ts";
import type { OutLine } from "./line-codec.ts";

export type Redact = (text: string) => string;

/** A line of output longer than this is written without waiting for its end, but for so many last characters. */
const MAX_HELD_CHARS = 16 * 1024;
const KEPT_CHARS = 1024;

export class Redaction {
  readonly #redact: Redact;
  #held: OutLine | undefined;

  constructor(redact: Redact) {
    this.#redact = redact;
  }

  /** The end of the output that is not written yet, masked. */
  get held(): OutLine | undefined {
    return this.#held && this.#masked(this.#held);
  }

  /** The lines to write now. `all`: hold nothing back. */
  pass(lines: readonly JournalLine[], all: boolean): JournalLine[] {
    const passed = lines.flatMap((line) => (line.t === "out" ? this.#passOut(line) : [this.#passOther(line)]));
    return all ? [...passed, ...this.#release()] : passed;
  }

  /** What is held now, as it is: `restore` brings it back when what `pass` gave out could not be written. */
  get state(): OutLine | undefined {
    return this.#held;
  }

  restore(state: OutLine | undefined): void {
    this.#held = state;
  }

  #passOut(line: OutLine): OutLine[] {
    const held = this.#held;
    const follows = held !== undefined && held.o + held.text.length === line.o;
    const released = follows ? [] : this.#release();
    const whole = follows ? { ...line, o: held.o, text: held.text + line.text } : line;
    const cut = cutOf(whole.text);
    this.#held = cut === whole.text.length ? undefined : { ...whole, o: whole.o + cut, text: whole.text.slice(cut) };
    return cut === 0 ? released : [...released, this.#masked({ ...whole, text: whole.text.slice(0, cut) })];
  }

  #release(): OutLine[] {
    const { held } = this;
    this.#held = undefined;
    return held ? [held] : [];
  }

  #masked(line: OutLine): OutLine {
    return { ...line, text: maskKeepingLength(line.text, this.#redact) };
  }

  #passOther(line: Exclude<JournalLine, { t: "out" }>): JournalLine {
    switch (line.t) {
      case "prompt":
      case "question":
      case "answer":
        return { ...line, text: this.#redact(line.text) };
      case "event":
        // The same shape: only strings inside are replaced.
        return { ...line, event: maskStrings(line.event, this.#redact) as typeof line.event };
      case "header":
      case "flow":
      case "text":
      case "commit":
      case "told":
        return line;
    }
  }
}

/** How much may be written: whole lines, or all but the end of a line that is too long to hold. */
function cutOf(text: string): number {
  const whole = text.lastIndexOf("\n") + 1;
  return text.length - whole > MAX_HELD_CHARS ? text.length - KEPT_CHARS : whole;
}

function maskKeepingLength(text: string, redact: Redact): string {
  const masked = redact(text);
  if (masked === text) return text;
  const before = text.split("\n");
  const after = masked.split("\n");
  if (before.length !== after.length) return fit(text, masked);
  return before.map((line, i) => fit(line, after[i] ?? "")).join("\n");
}

/** The part that changed, brought to the length of what stood there. */
function fit(text: string, masked: string): string {
  if (text === masked) return text;
  let start = 0;
  while (start < text.length && text[start] === masked[start]) start += 1;
  let end = 0;
  const most = Math.min(text.length, masked.length) - start;
  while (end < most && text.at(-1 - end) === masked.at(-1 - end)) end += 1;
  const length = text.length - start - end;
  const mask = masked.slice(start, masked.length - end);
  const fitted = mask.length <= length ? mask.padEnd(length, "*") : "*".repeat(length);
  return masked.slice(0, start) + fitted + masked.slice(masked.length - end);
}

function maskStrings(value: unknown, redact: Redact): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((inner: unknown) => maskStrings(inner, redact));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskStrings(inner, redact)]));
}
