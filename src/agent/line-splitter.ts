/**
 * Bytes in any pieces -> whole lines of text.
 * Owns: UTF-8 across pieces, lines across pieces, the longest line. Does not own: what a line means.
 *
 * 1. Every byte comes out: a character cut by a piece is joined, a broken one becomes U+FFFD, the last line needs no newline.
 * 2. Work is linear in the bytes: a piece is searched once, a long line is joined once.
 */
import { StringDecoder } from "node:string_decoder";

/** UTF-16 code units after which a line that has no end is passed on as it is; the longest string of the engine is 512 Mi. */
const LONGEST_LINE = 256 * 1024 * 1024;

export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #line: (text: string) => void;
  readonly #longestLine: number;
  #parts: string[] = [];
  #length = 0;

  constructor(line: (text: string) => void, longestLine: number = LONGEST_LINE) {
    this.#line = line;
    this.#longestLine = longestLine;
  }

  push(bytes: Buffer): void {
    const text = this.#decoder.write(bytes);
    let from = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      this.#complete(text.slice(from, end));
      from = end + 1;
    }
    if (from === text.length) return;
    this.#parts.push(from === 0 ? text : text.slice(from));
    this.#length += text.length - from;
    if (this.#length >= this.#longestLine) this.#complete("");
  }

  /** The stream has ended: what is left is the last line. */
  end(): void {
    const rest = this.#decoder.end();
    if (rest !== "" || this.#length > 0) this.#complete(rest);
  }

  #complete(last: string): void {
    if (this.#parts.length === 0) {
      this.#line(last);
      return;
    }
    this.#parts.push(last);
    const whole = this.#parts.join("");
    this.#parts = [];
    this.#length = 0;
    this.#line(whole);
  }
}
