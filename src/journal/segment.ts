/**
 * The files of one session's journal, and reading lines out of one.
 * Owns: names of segments, what is known of where offsets stand in them, reading blocks of lines.
 * Does not own: writing (append-queue), what lines mean.
 * A segment is named by its place and by the output's offset at its beginning: `000002-8388608.jsonl`. Names alone say
 * in which segment an offset stands.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { openRegular } from "../regular-file.ts";

const READ_BLOCK_BYTES = 256 * 1024;
const LINE_END = 0x0a;
const NAME = /^(\d{6,})-(\d+)\.jsonl$/;
/** Marks stand at least this far apart. */
const MARK_EVERY_BYTES = 64 * 1024;

/** From `at` on, no line belongs to an offset below `o`. */
interface Mark {
  readonly o: number;
  readonly at: number;
}

export class Segment {
  readonly file: string;
  readonly index: number;
  readonly firstOffset: number;
  /** Ascending in both; the first is the beginning. */
  readonly #marks: Mark[];

  constructor(folder: string, index: number, firstOffset: number) {
    this.file = join(folder, `${String(index).padStart(6, "0")}-${firstOffset}.jsonl`);
    this.index = index;
    this.firstOffset = firstOffset;
    this.#marks = [{ o: firstOffset, at: 0 }];
  }

  /** An `out` line of offset `o` stands at `at`. */
  mark(o: number, at: number): void {
    const before = this.#marks.findLastIndex((mark) => mark.at <= at);
    const [previous, next] = this.#marks.slice(before, before + 2);
    if (!previous || at - previous.at < MARK_EVERY_BYTES || o < previous.o) return;
    if (next && (next.at - at < MARK_EVERY_BYTES || next.o < o)) return;
    this.#marks.splice(before + 1, 0, { o, at });
  }

  /** Where to begin reading for `o`. */
  seek(o: number): number {
    return this.#marks.findLast((mark) => mark.o <= o)?.at ?? 0;
  }

  /** Forgets all marks but the first, for a session that sleeps. */
  forget(): void {
    this.#marks.length = 1;
  }

  /** 0 when the file isn't there. */
  async size(): Promise<number> {
    const found = await stat(this.file).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    });
    return found?.size ?? 0;
  }
}

/** In order. Throws what the file system throws. */
export async function listSegments(folder: string): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const name of await readdir(folder)) {
    const [, index, firstOffset] = NAME.exec(name) ?? [];
    if (index !== undefined) segments.push(new Segment(folder, Number(index), Number(firstOffset)));
  }
  return segments.toSorted((a, b) => a.index - b.index);
}

export interface RawLine {
  /** Position in the file. */
  readonly at: number;
  /** Without the line's end. */
  readonly bytes: Buffer;
}

/**
 * Lines between two positions, in blocks; an unfinished last line is included. Unless `from` is 0 or the beginning of a
 * line, pass `cut`: what is left of the line there is passed over.
 */
export async function* readLines(file: string, from: number, to: number, cut = false): AsyncGenerator<RawLine[]> {
  await using handle = await openRegular(file);
  let passing = cut && from > 0;
  let position = passing ? from - 1 : from;
  let lineAt = position;
  let begun: Buffer[] = [];
  while (position < to) {
    const block = Buffer.allocUnsafe(Math.min(READ_BLOCK_BYTES, to - position));
    const { bytesRead } = await handle.read(block, 0, block.length, position);
    if (bytesRead === 0) break;
    const bytes = block.subarray(0, bytesRead);
    const lines: RawLine[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
      const rest = bytes.subarray(start, end);
      if (!passing) lines.push({ at: lineAt, bytes: begun.length > 0 ? Buffer.concat([...begun, rest]) : rest });
      passing = false;
      begun = [];
      start = end + 1;
      lineAt = position + start;
    }
    if (start < bytesRead && !passing) begun.push(bytes.subarray(start));
    position += bytesRead;
    if (lines.length > 0) yield lines;
  }
  if (begun.length > 0) yield [{ at: lineAt, bytes: Buffer.concat(begun) }];
}
