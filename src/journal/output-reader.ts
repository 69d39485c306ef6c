/**
 * The output stream of one journal, read at any offset.
 * Owns: finding an offset (segment by name, place by mark), joining pieces, and the latest words, kept in memory while
 * the session talks, so that following it reads no file.
 * O1 A slice has one character for each offset: repeated pieces count once, a missing piece shows as a mark of its length.
 */
import type { OutputSlice } from "../ports.ts";
import { type OutLine, decodeLine, outOffset } from "./line-codec.ts";
import { type RawLine, type Segment, readLines } from "./segment.ts";

const RECENT_CHARS = 64 * 1024;
const MISSING = "[not stored]";
/** First guess of how long lines are; it doubles until enough were found. */
const CHARS_A_LINE = 200;

export class OutputReader {
  readonly #segments: readonly Segment[];
  #recent: OutputSlice | undefined;

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  /** These pieces were written. */
  wrote(pieces: readonly OutLine[]): void {
    for (const { o, text } of pieces) {
      const { end, text: before, start } = this.#recent ?? { end: o, text: "", start: o };
      // Anything but the next piece (a repeat, a gap) is left to the files.
      this.#recent = end === o ? { text: before + text, start, end: o + text.length } : undefined;
    }
    if (this.#recent && this.#recent.text.length > 2 * RECENT_CHARS) {
      const { text, end } = this.#recent;
      this.#recent = { text: text.slice(-RECENT_CHARS), start: end - RECENT_CHARS, end };
    }
  }

  /** For a session that sleeps. */
  forget(): void {
    this.#recent = undefined;
    for (const segment of this.#segments) segment.forget();
  }

  /** `to` is not beyond the end of the output. */
  async slice(from: number, to: number): Promise<OutputSlice> {
    const start = Math.max(0, Math.min(from, to));
    const recent = this.#recent;
    if (recent && start >= recent.start && to <= recent.end) {
      return { text: recent.text.slice(start - recent.start, to - recent.start), start, end: to };
    }
    return { text: start === to ? "" : await this.#fromFiles(start, to), start, end: to };
  }

  async #fromFiles(from: number, to: number): Promise<string> {
    const join = new Joiner(from, to);
    const first = Math.max(
      0,
      this.#segments.findLastIndex(({ firstOffset }) => firstOffset <= from),
    );
    for (let i = first; i < this.#segments.length && !join.isDone; i += 1) {
      const segment = this.#segments[i];
      if (!segment || (i > first && segment.firstOffset >= to)) break;
      await readInto(join, segment, i === first ? from : 0);
    }
    return join.finish();
  }
}

/** The last `count` lines before `to`; a line end at the very end closes the last line. */
export async function lastLinesOf(
  slice: (from: number, to: number) => Promise<OutputSlice>,
  count: number,
  to: number,
): Promise<OutputSlice> {
  for (let chars = count * CHARS_A_LINE; ; chars *= 4) {
    const found = await slice(Math.max(0, to - chars), to);
    const begin = beginOfLastLines(found.text, count);
    if (begin !== undefined) return { text: found.text.slice(begin), start: found.start + begin, end: to };
    if (found.start === 0) return found;
  }
}

async function readInto(join: Joiner, segment: Segment, from: number): Promise<void> {
  const size = await segment.size();
  // A line is parsed when the next one shows that it reaches into the slice.
  let held: RawLine | undefined;
  for await (const lines of size === 0 ? [] : readLines(segment.file, segment.seek(from), size)) {
    for (const line of lines) {
      const o = outOffset(line.bytes);
      if (o === undefined) continue;
      segment.mark(o, line.at);
      if (held && o > join.position) join.add(held);
      held = line;
      if (o >= join.to) return;
    }
    if (join.isDone) return;
  }
  if (held) join.add(held);
}

/** Pieces by offset into one text. */
class Joiner {
  readonly to: number;
  position: number;
  readonly #parts: string[] = [];

  constructor(from: number, to: number) {
    this.position = from;
    this.to = to;
  }

  get isDone(): boolean {
    return this.position >= this.to;
  }

  add(line: RawLine): void {
    const piece = decodeLine(line.bytes);
    if (piece?.t !== "out") return;
    const { o, text } = piece;
    if (o + text.length <= this.position || this.isDone) return;
    if (o > this.position) this.#missing(Math.min(o, this.to));
    this.#push(text.slice(this.position - o, this.to - o));
  }

  finish(): string {
    if (!this.isDone) this.#missing(this.to);
    return this.#parts.join("");
  }

  #missing(until: number): void {
    const length = until - this.position;
    this.#push(MISSING.padEnd(length).slice(0, length));
  }

  #push(text: string): void {
    this.#parts.push(text);
    this.position += text.length;
  }
}

/** Undefined when the text holds fewer lines than that, or just as many (then the first may begin earlier). */
function beginOfLastLines(text: string, count: number): number | undefined {
  if (count <= 0) return text.length;
  let at = text.endsWith("\n") ? text.length - 1 : text.length;
  for (let found = 0; found < count; found += 1) {
    if (at === 0) return undefined;
    at = text.lastIndexOf("\n", at - 1);
    if (at < 0) return undefined;
  }
  return at + 1;
}
