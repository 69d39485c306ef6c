/**
 * All journals of the plugin, one folder a session below one directory.
 * Owns: folders, headers, sharing one writer among all who open a session, removal, whether anything can be written.
 * Does not own: what a session's files hold (session-file.ts), when journals are removed.
 * D1 One writer a session: who opens one that is open gets the same.
 * D2 One folder that can't be read is reported by name and left as it is; it never stops the rest.
 */
import type { Dirent } from "node:fs";
import { chmod, mkdir, open, readdir, rename, rm, statfs, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { IflowError } from "../core/errors.ts";
import type { Redact } from "../core/redact-value.ts";
import type { JournalHeader, Journals, SessionJournal } from "../ports.ts";
import { diskReason, errorCode, journalFailed } from "./disk-error.ts";
import { readHeader } from "./header-reader.ts";
import type { HeaderLine } from "./line-codec.ts";
import { type Segment, listSegments } from "./segment.ts";
import { SessionFile } from "./session-file.ts";

const SEGMENT_BYTES = 8 * 1024 * 1024;
const IDLE_CLOSE_MS = 5_000;
/** Begins no name of a session: dots are escaped in those. */
const ASIDE = ".damaged-";
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** Less free space than that counts as full: a session writes more than its first line. */
const LEAST_FREE_BYTES = 4 * 1024 * 1024;
const PROBE_BYTES = 4096;
const HEADERS_AT_A_TIME = 16;

export interface JournalOptions {
  readonly segmentBytes?: number;
  /** A session's file is closed after so long without an append. */
  readonly idleCloseMs?: number;
  /** Masks secrets in what is written: `journal: "redacted"`, `safeMode`. */
  readonly redact?: Redact | undefined;
}

interface Shared {
  readonly file: SessionFile;
  users: number;
  closing?: Promise<void>;
}

export function createJournals(directory: string, options: JournalOptions = {}): Journals {
  return new JournalDirectory(directory, options);
}

class JournalDirectory implements Journals {
  readonly #directory: string;
  readonly #options: JournalOptions;
  readonly #shared = new Map<string, Shared>();
  #probes = 0;

  constructor(directory: string, options: JournalOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  async create(header: HeaderLine): Promise<SessionJournal> {
    const folder = this.#folder(header.sessionId);
    try {
      await this.#makeDirectory();
      await mkdir(folder, { mode: FOLDER_MODE });
    } catch (error) {
      const what = `The journal of session ${header.sessionId} can't be created`;
      throw errorCode(error) === "EEXIST"
        ? new IflowError("journal_failed", `${what}: there is one already.`)
        : journalFailed(what, error);
    }
    const journal = this.#share(header.sessionId, []);
    try {
      await journal.append([header]);
      return journal;
    } catch (error) {
      await journal.close();
      await this.remove(header.sessionId);
      throw error;
    }
  }

  async open(sessionId: string): Promise<SessionJournal | undefined> {
    await this.#shared.get(sessionId)?.closing;
    const segments = this.#shared.has(sessionId) ? [] : await this.#segments(sessionId);
    // Somebody may have opened it while its folder was read.
    return this.#shared.has(sessionId) || segments.length > 0 ? this.#share(sessionId, segments) : undefined;
  }

  async headers(): ReturnType<Journals["headers"]> {
    const headers: JournalHeader[] = [];
    const unreadable: { file: string; reason: string }[] = [];
    const folders = (await this.#entries())
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith(ASIDE))
      .map(({ name }) => name);
    const readNext = async (): Promise<void> => {
      for (let name = folders.pop(); name !== undefined; name = folders.pop()) {
        const read = await readHeader(join(this.#directory, name));
        if (read.kind === "header") headers.push(read.header);
        if (read.kind === "unreadable") unreadable.push({ file: read.file, reason: read.reason });
      }
    };
    await Promise.all(Array.from({ length: HEADERS_AT_A_TIME }, readNext));
    return { headers: headers.toSorted((a, b) => a.createdAt - b.createdAt), unreadable };
  }

  async remove(sessionId: string): Promise<void> {
    const shared = this.#shared.get(sessionId);
    this.#shared.delete(sessionId);
    await shared?.file.close();
    try {
      await rm(this.#folder(sessionId), { recursive: true, force: true });
    } catch (error) {
      throw journalFailed(`The journal of session ${sessionId} can't be removed`, error);
    }
  }

  async setAside(sessionId: string): Promise<void> {
    const folder = this.#folder(sessionId);
    try {
      await rename(folder, join(this.#directory, `${ASIDE}${Date.now()}-${basename(folder)}`));
    } catch (error) {
      if (errorCode(error) !== "ENOENT")
        throw journalFailed(`The journal of session ${sessionId} can't be set aside`, error);
    }
  }

  async writable(): ReturnType<Journals["writable"]> {
    const probe = join(this.#directory, `.probe-${process.pid}-${(this.#probes += 1)}`);
    try {
      await this.#makeDirectory();
      const { bavail, bsize } = await statfs(this.#directory);
      if (bavail * bsize < LEAST_FREE_BYTES) {
        const free = `${Math.floor((bavail * bsize) / 1024)} KiB free`;
        return { ok: false, reason: `The journals' directory ${this.#directory} has too little space: ${free}.` };
      }
      await using file = await open(probe, "wx", FILE_MODE);
      await file.writeFile(Buffer.alloc(PROBE_BYTES));
      return { ok: true };
    } catch (error) {
      return { ok: false, reason: `Nothing can be written to ${this.#directory}: ${diskReason(error)}.` };
    } finally {
      // It may never have been made; what is left of it is no journal.
      await unlink(probe).catch(() => undefined);
    }
  }

  #share(sessionId: string, segments: Segment[]): SessionJournal {
    let shared = this.#shared.get(sessionId);
    if (!shared) {
      const { segmentBytes = SEGMENT_BYTES, idleCloseMs = IDLE_CLOSE_MS, redact } = this.#options;
      const folder = this.#folder(sessionId);
      shared = { file: new SessionFile({ sessionId, folder, segments, segmentBytes, idleCloseMs, redact }), users: 0 };
      this.#shared.set(sessionId, shared);
    }
    shared.users += 1;
    return new OpenJournal(shared.file, () => this.#release(sessionId, shared));
  }

  async #release(sessionId: string, shared: Shared): Promise<void> {
    shared.users -= 1;
    if (shared.users > 0) return;
    shared.closing ??= shared.file.close();
    await shared.closing;
    if (this.#shared.get(sessionId) === shared) this.#shared.delete(sessionId);
  }

  async #segments(sessionId: string): Promise<Segment[]> {
    try {
      return await listSegments(this.#folder(sessionId));
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw journalFailed(`The journal of session ${sessionId} can't be opened`, error);
    }
  }

  async #entries(): Promise<Dirent[]> {
    try {
      return await readdir(this.#directory, { withFileTypes: true });
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw journalFailed(`The journals' directory ${this.#directory} can't be read`, error);
    }
  }

  async #makeDirectory(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: FOLDER_MODE });
    await chmod(this.#directory, FOLDER_MODE);
  }

  /** Ids are file names only after everything but plain characters is escaped. */
  #folder(sessionId: string): string {
    return join(this.#directory, encodeURIComponent(sessionId).replaceAll(".", "%2E").replaceAll("*", "%2A"));
  }
}

/** One user's hold on a shared journal; closing twice counts once. */
class OpenJournal implements SessionJournal {
  readonly #file: SessionFile;
  #release: (() => Promise<void>) | undefined;

  constructor(file: SessionFile, release: () => Promise<void>) {
    this.#file = file;
    this.#release = release;
  }

  append: SessionJournal["append"] = (lines) => this.#file.append(lines);
  appendSynced: SessionJournal["appendSynced"] = (lines) => this.#file.appendSynced(lines);
  text: SessionJournal["text"] = (key) => this.#file.text(key);
  output: SessionJournal["output"] = (from, to) => this.#file.output(from, to);
  lastLines: SessionJournal["lastLines"] = (lines, to) => this.#file.lastLines(lines, to);
  tail: SessionJournal["tail"] = () => this.#file.tail();

  async close(): Promise<void> {
    const release = this.#release;
    this.#release = undefined;
    await release?.();
  }
}
