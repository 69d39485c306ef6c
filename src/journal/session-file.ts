/**
 * One session's journal: the port `SessionJournal` on segments of an append-only JSONL file.
 * Owns: what may be read while it is written, closing. Does not own: which sessions exist (journals.ts).
 * J1 What is read was written; what was acknowledged is read, by this process and by the next one after any crash.
 */
import { IflowError } from "../core/errors.ts";
import type { Redact } from "../core/redact-value.ts";
import type { JournalLine, JournalTail, OutputSlice, SessionJournal } from "../ports.ts";
import { AppendQueue } from "./append-queue.ts";
import { journalFailed } from "./disk-error.ts";
import { type OutLine, decodeLine, encodeLine } from "./line-codec.ts";
import { OutputReader, lastLinesOf } from "./output-reader.ts";
import { Redaction } from "./redaction.ts";
import { type Segment, readLines } from "./segment.ts";
import { findOutputEnd, readTail } from "./tail-reader.ts";

export interface SessionFileOptions {
  readonly sessionId: string;
  readonly folder: string;
  readonly segments: Segment[];
  readonly segmentBytes: number;
  readonly idleCloseMs: number;
  readonly redact: Redact | undefined;
}

export class SessionFile implements SessionJournal {
  readonly #options: SessionFileOptions;
  readonly #queue: AppendQueue;
  readonly #output: OutputReader;
  readonly #redaction: Redaction | undefined;
  /** One past the last piece of output on file; undefined until somebody needs it. */
  #outputEnd: number | undefined;
  #isClosed = false;

  constructor(options: SessionFileOptions) {
    const { folder, segments, segmentBytes, idleCloseMs, redact } = options;
    this.#options = options;
    this.#output = new OutputReader(segments);
    this.#redaction = redact && new Redaction(redact);
    this.#queue = new AppendQueue(
      {
        folder,
        segmentBytes,
        idleCloseMs,
        findOutputEnd: () => this.#writtenEnd(),
        onIdle: () => this.#output.forget(),
      },
      segments,
    );
  }

  append(lines: readonly JournalLine[]): Promise<void> {
    return this.#append(lines, false);
  }

  appendSynced(lines: readonly JournalLine[]): Promise<void> {
    return this.#append(lines, true);
  }

  /** Looks from the newest segment back: long texts are asked for soon after they were written. */
  async text(key: string): Promise<string | undefined> {
    const whole = this.#redaction?.whole(key);
    if (whole !== undefined) return whole;
    const beginning = `"key":${JSON.stringify(key)},"text":`;
    return this.#reading(async () => {
      for (const segment of this.#options.segments.toReversed()) {
        const size = await segment.size();
        let found: string | undefined;
        for await (const lines of size === 0 ? [] : readLines(segment.file, 0, size)) {
          for (const { bytes } of lines) {
            const isIt =
              bytes.length > beginning.length && bytes.subarray(0, beginning.length + 64).includes(beginning);
            const line = isIt ? decodeLine(bytes) : undefined;
            if (line?.t === "text" && line.key === key) found = line.text;
          }
        }
        if (found !== undefined) return found;
      }
      return undefined;
    });
  }

  async output(from: number, to?: number): Promise<OutputSlice> {
    return this.#reading(async () => this.#slice(from, Math.min(to ?? Infinity, await this.#end())));
  }

  async lastLines(lines: number, to?: number): Promise<OutputSlice> {
    return this.#reading(async () => {
      const end = Math.min(to ?? Infinity, await this.#end());
      return lastLinesOf((from, until) => this.#slice(from, until), lines, end);
    });
  }

  async tail(): Promise<JournalTail> {
    return this.#reading(() => readTail(this.#options.segments));
  }

  /** Never throws: what was acknowledged is written already. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const rest = this.#redaction?.held ? this.#append([], true) : undefined;
    this.#isClosed = true;
    await Promise.allSettled([rest]);
    await this.#queue.close();
  }

  async #append(lines: readonly JournalLine[], synced: boolean): Promise<void> {
    if (this.#isClosed)
      throw new IflowError("journal_failed", `The journal of session ${this.#options.sessionId} is closed.`);
    const before = this.#redaction?.state;
    const written = this.#redaction ? this.#redaction.pass(lines, synced) : lines;
    if (written.length === 0 && !synced) return;
    const pieces = written.filter((line): line is OutLine => line.t === "out");
    const last = pieces.at(-1);
    try {
      await this.#queue.append({
        text: written.map((line) => `${encodeLine(line)}\n`).join(""),
        firstOffset: pieces[0]?.o,
        outputEnd: last && last.o + last.text.length,
        synced,
      });
    } catch (error) {
      if (before) this.#redaction?.restore(before);
      throw journalFailed(`The journal of session ${this.#options.sessionId} can't be written`, error);
    }
    this.#output.wrote(pieces);
    if (last) this.#outputEnd = Math.max(this.#outputEnd ?? 0, last.o + last.text.length);
  }

  /** One past the last piece on file. An append that ends while the files are looked at knows it better. */
  async #writtenEnd(): Promise<number> {
    if (this.#outputEnd !== undefined) return this.#outputEnd;
    const found = await findOutputEnd(this.#options.segments);
    this.#outputEnd = Math.max(found, this.#outputEnd ?? 0);
    return this.#outputEnd;
  }

  /** As above, with what redaction holds back. */
  async #end(): Promise<number> {
    const written = await this.#writtenEnd();
    const held = this.#redaction?.held;
    return held ? held.o + held.text.length : written;
  }

  async #slice(from: number, to: number): Promise<OutputSlice> {
    const held = this.#redaction?.held;
    if (!held || to <= held.o) return this.#output.slice(from, to);
    const start = Math.min(Math.max(0, from), to);
    const before = start < held.o ? (await this.#output.slice(start, held.o)).text : "";
    return { text: before + held.text.slice(Math.max(0, start - held.o), to - held.o), start, end: to };
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw journalFailed(`The journal of session ${this.#options.sessionId} can't be read`, error);
    }
  }
}
