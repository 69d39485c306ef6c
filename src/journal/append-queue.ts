/**
 * Appends to the newest segment of one journal: in order, many waiting ones as one write.
 * Owns: the open file, rotation, syncing, and the repair of what a failed or cut-off write left.
 * Does not own: what lines mean, reading.
 * Q1 An append resolves when the operating system has its bytes, a synced one when the disk has them and all before it.
 * Q2 A failed append leaves nothing behind that would be read as part of the journal, as far as the disk allows; what it
 *    does leave (whole lines that could not be taken back) are repeats that readers pass over.
 * Q3 A segment's name says the output's offset at its beginning, so rotation knows the end of the output.
 */
import { type FileHandle, constants, open } from "node:fs/promises";
import { dirname } from "node:path";
import { Segment } from "./segment.ts";

const MAX_WRITE_CHARS = 4 * 1024 * 1024;
const LINE_END = 0x0a;
const FILE_MODE = 0o600;
/** O_APPEND: whatever else writes to the file, nothing is overwritten. O_NONBLOCK: a pipe in its place fails instead of waiting. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

export interface Append {
  /** Whole lines, each with its end. */
  readonly text: string;
  /** Offset of its first piece of output, and one past its last. */
  readonly firstOffset: number | undefined;
  readonly outputEnd: number | undefined;
  readonly synced: boolean;
}

interface Waiting extends Append {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface QueueOptions {
  readonly folder: string;
  readonly segmentBytes: number;
  /** The file is closed after so long without an append, and opened again by the next. */
  readonly idleCloseMs: number;
  /** Asked once, before the first rotation, when no append has told it. */
  readonly findOutputEnd: () => Promise<number>;
  /** The file was closed for want of work. */
  readonly onIdle: () => void;
}

export class AppendQueue {
  readonly #options: QueueOptions;
  /** Ascending; shared with the readers. */
  readonly #segments: Segment[];
  readonly #waiting: Waiting[] = [];
  #pumping: Promise<void> | undefined;
  #file: FileHandle | undefined;
  #bytes = 0;
  #torn = false;
  #outputEnd: number | undefined;
  /** Since the last sync: bytes of the file, names in the folder. */
  #unsyncedBytes = false;
  #unsyncedNames = false;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: QueueOptions, segments: Segment[]) {
    this.#options = options;
    this.#segments = segments;
  }

  append(append: Append): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...append, resolve, reject });
      this.#pumping ??= this.#pump();
    });
  }

  /** Resolves when nothing waits and the file is closed. A later append opens it again. */
  async close(): Promise<void> {
    await this.#pumping;
    await this.#closeFile();
  }

  async #pump(): Promise<void> {
    clearTimeout(this.#idleTimer);
    // What is appended in the same tick goes along.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#write(this.#takeBatch());
    this.#pumping = undefined;
    this.#idleTimer = setTimeout(() => void this.#idle(), this.#options.idleCloseMs).unref();
  }

  async #idle(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = this.#closeFile()
      // Everything was acknowledged before: closing loses nothing.
      .catch(() => undefined)
      .then(() => {
        this.#pumping = undefined;
        if (this.#waiting.length > 0) this.#pumping = this.#pump();
        else this.#options.onIdle();
      });
    await this.#pumping;
  }

  #takeBatch(): Waiting[] {
    let chars = 0;
    const end = this.#waiting.findIndex(({ text }) => (chars += text.length) > MAX_WRITE_CHARS);
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end));
  }

  /** Never throws: each append of the batch hears of its own fate. */
  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      const bytes = Buffer.from(batch.map(({ text }) => text).join(""), "utf8");
      const file = await this.#fileFor(bytes.length);
      await this.#writeWhole(file, bytes);
      this.#markOutput(batch, this.#bytes - bytes.length);
      for (const { outputEnd } of batch) {
        if (outputEnd !== undefined) this.#outputEnd = Math.max(outputEnd, this.#outputEnd ?? 0);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const { synced, resolve } of batch) if (!synced) resolve();
    const synced = batch.filter((append) => append.synced);
    if (synced.length === 0) return;
    try {
      await this.#sync();
      for (const { resolve } of synced) resolve();
    } catch (error) {
      for (const { reject } of synced) reject(error);
    }
  }

  #markOutput(batch: readonly Waiting[], from: number): void {
    const segment = this.#segments.at(-1);
    let at = from;
    for (const { text, firstOffset } of batch) {
      if (firstOffset !== undefined) segment?.mark(firstOffset, at);
      at += Buffer.byteLength(text);
    }
  }

  async #writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
    const before = this.#bytes;
    try {
      if (this.#torn) this.#bytes += (await file.write(Buffer.of(LINE_END))).bytesWritten;
      this.#torn = false;
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, done);
        done += bytesWritten;
        this.#bytes += bytesWritten;
      }
      this.#unsyncedBytes = true;
    } catch (error) {
      await this.#takeBack(file, before);
      throw error;
    }
  }

  /** Q2. Where the file can't be cut, the next line begins on a new one. */
  async #takeBack(file: FileHandle, length: number): Promise<void> {
    try {
      await file.truncate(length);
      this.#bytes = length;
    } catch {
      // Readers pass over a line that doesn't parse and over repeated output: nothing is read wrongly.
    }
    // The next append opens the file anew and looks at what is really there.
    await this.#closeFile().catch(() => undefined);
  }

  async #fileFor(bytes: number): Promise<FileHandle> {
    let file = this.#file ?? (await this.#openLast());
    if (this.#bytes > 0 && this.#bytes + bytes > this.#options.segmentBytes) {
      await this.#rotate();
      file = this.#file ?? (await this.#openLast());
    }
    return file;
  }

  async #openLast(): Promise<FileHandle> {
    let segment = this.#segments.at(-1);
    if (!segment) this.#segments.push((segment = new Segment(this.#options.folder, 1, 0)));
    const file = await open(segment.file, FLAGS, FILE_MODE);
    const { size } = await file.stat();
    if (size === 0) this.#unsyncedNames = true;
    else {
      const last = Buffer.alloc(1);
      await file.read(last, 0, 1, size - 1);
      this.#torn = last[0] !== LINE_END;
    }
    this.#bytes = size;
    this.#file = file;
    return file;
  }

  /** The old segment is synced first: a synced line never stands before one that a power loss took away. */
  async #rotate(): Promise<void> {
    const last = this.#segments.at(-1);
    this.#outputEnd ??= await this.#options.findOutputEnd();
    await this.#sync();
    await this.#closeFile();
    this.#segments.push(new Segment(this.#options.folder, (last?.index ?? 0) + 1, this.#outputEnd));
  }

  async #sync(): Promise<void> {
    if (this.#unsyncedBytes) await this.#file?.datasync();
    this.#unsyncedBytes = false;
    if (!this.#unsyncedNames) return;
    for (const path of [this.#options.folder, dirname(this.#options.folder)]) {
      await using folder = await open(path, constants.O_RDONLY);
      await folder.sync();
    }
    this.#unsyncedNames = false;
  }

  async #closeFile(): Promise<void> {
    clearTimeout(this.#idleTimer);
    const file = this.#file;
    this.#file = undefined;
    this.#torn = false;
    await file?.close();
  }
}
