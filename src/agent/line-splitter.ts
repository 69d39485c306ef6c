/**
 * Bytes in any pieces -> whole lines of text.
 * Owns: UTF-8 across pieces, lines across pieces, the longest line. Does not own: what a line means.
 *
 * 1. Every byte of a line comes out: a character cut by a piece is joined, a broken one becomes U+FFFD, the last line needs no newline.
 * 2. Work is linear in the bytes: a piece is searched once, a long line is joined once.
 * 3. A line past LONGEST_LINE is not kept: its two ends and its length come out when it is over, and the next line is whole again.
 */
import { StringDecoder } from "node:string_decoder";

/** Longest line that is taken whole, in UTF-16 code units: far above what a real tool prints, and bearable to parse. */
export const LONGEST_LINE = 16 * 1024 * 1024;
/** What is kept of a longer one: enough to see what it was. */
const HEAD = 64 * 1024;
const TAIL = 1024;

/** A line that was too long to be kept. */
export interface CutLine {
  readonly head: string;
  readonly tail: string;
  /** Of the whole line, in UTF-16 code units. */
  readonly length: number;
}

export interface LineReader {
  line(text: string): void;
  cut(line: CutLine): void;
}

/** The ends of a line that lies in memory already. */
export function cutLine(text: string): CutLine {
  return { head: text.slice(0, HEAD), tail: text.slice(-TAIL), length: text.length };
}

export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #reader: LineReader;
  readonly #longestLine: number;
  #parts: string[] = [];
  #length = 0;
  /** Beginning of a line that has grown too long; its parts are thrown away as they come. */
  #head: string | undefined;
  #tail = "";

  constructor(reader: LineReader, longestLine: number = LONGEST_LINE) {
    this.#reader = reader;
    this.#longestLine = longestLine;
  }

  push(bytes: Buffer): void {
    const text = this.#decoder.write(bytes);
    let from = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      this.#take(text.slice(from, end));
      this.#complete();
      from = end + 1;
    }
    if (from < text.length) this.#take(from === 0 ? text : text.slice(from));
  }

  /** The stream has ended: what is left is the last line. */
  end(): void {
    const rest = this.#decoder.end();
    if (rest !== "") this.#take(rest);
    if (this.#length > 0) this.#complete();
  }

  #take(part: string): void {
    this.#length += part.length;
    if (this.#head === undefined) this.#parts.push(part);
    else this.#tail = `${this.#tail}${part}`.slice(-TAIL);
    if (this.#head !== undefined || this.#length <= this.#longestLine) return;
    const { head, tail } = cutLine(this.#parts.join(""));
    this.#parts = [];
    // Copied: a slice would hold the whole of what it is a slice of.
    this.#head = Buffer.from(head, "utf16le").toString("utf16le");
    this.#tail = Buffer.from(tail, "utf16le").toString("utf16le");
  }

  #complete(): void {
    const [head, tail, length, parts] = [this.#head, this.#tail, this.#length, this.#parts];
    this.#parts = [];
    this.#length = 0;
    this.#head = undefined;
    this.#tail = "";
    if (head !== undefined) this.#reader.cut({ head, tail, length });
    else this.#reader.line(parts.length === 1 ? (parts[0] ?? "") : parts.join(""));
  }
}
