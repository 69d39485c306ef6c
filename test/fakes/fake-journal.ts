/**
 * Journals in memory: the port's fake, held to the same contract as the files.
 * Owns: what a restart leaves (`restart`), a disk that fails (`failing`), appends that wait to be acknowledged (`hold`).
 * Lines live in `files`; whoever had a journal open when the process "died" can do nothing with it any more.
 */
import { IflowError } from "../../src/core/errors.ts";
import type {
  JournalHeader,
  JournalLine,
  Journals,
  JournalTail,
  OutputSlice,
  SessionJournal,
} from "../../src/ports.ts";

type HeaderLine = Extract<JournalLine, { t: "header" }>;

export class FakeJournals implements Journals {
  readonly files: Map<string, JournalLine[]>;
  readonly aside = new Map<string, JournalLine[]>();
  /** While set, nothing can be written, and this is why. */
  failing: string | undefined;
  /** Marks of told notices that could not be written, in this life and earlier ones. */
  lostMarks = 0;
  #isOver = false;
  #held: Promise<void> | undefined;

  constructor(files = new Map<string, JournalLine[]>()) {
    this.files = files;
  }

  /** The process died: what was acknowledged stays, in a new object; the old one and its journals only throw. */
  restart(): FakeJournals {
    this.#isOver = true;
    const next = new FakeJournals(this.files);
    next.lostMarks = this.lostMarks;
    return next;
  }

  /** From now on appends wait for the release; what waits when the process dies was never written. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return () => {
      this.#held = undefined;
      resolve();
    };
  }

  async create(header: HeaderLine): Promise<SessionJournal> {
    if (this.files.has(header.sessionId)) throw failed(header.sessionId, "there is one already");
    await this.write(header.sessionId, copyOf([header]));
    return new FakeJournal(this, header.sessionId);
  }

  open(sessionId: string): Promise<SessionJournal | undefined> {
    return Promise.resolve(this.files.has(sessionId) ? new FakeJournal(this, sessionId) : undefined);
  }

  headers(): ReturnType<Journals["headers"]> {
    const headers: JournalHeader[] = [];
    for (const lines of this.files.values()) {
      const [header] = lines;
      const flow = lines.find((line) => line.t === "flow");
      if (header?.t !== "header") continue;
      const { sessionId, name, owner, route, at } = header;
      const optional = { ...(route && { route }), ...(flow && { flowId: flow.flowId }) };
      headers.push({ sessionId, name, owner, createdAt: at, ...optional });
    }
    return Promise.resolve({ headers: headers.toSorted((a, b) => a.createdAt - b.createdAt), unreadable: [] });
  }

  remove(sessionId: string): Promise<void> {
    this.files.delete(sessionId);
    return Promise.resolve();
  }

  setAside(sessionId: string): Promise<void> {
    const lines = this.files.get(sessionId);
    this.files.delete(sessionId);
    if (lines !== undefined) this.aside.set(sessionId, lines);
    return Promise.resolve();
  }

  writable(): ReturnType<Journals["writable"]> {
    return Promise.resolve(this.failing === undefined ? { ok: true } : { ok: false, reason: this.failing });
  }

  /** For the journals of this object; the lines are nobody else's. */
  async write(sessionId: string, lines: JournalLine[]): Promise<void> {
    await this.#held;
    if (this.#isOver) throw failed(sessionId, "the process is over");
    if (this.failing !== undefined) {
      this.lostMarks += lines.filter(({ t }) => t === "told").length;
      throw failed(sessionId, this.failing);
    }
    const file = this.files.get(sessionId);
    if (file) file.push(...lines);
    else if (lines[0]?.t === "header") this.files.set(sessionId, lines);
    else throw failed(sessionId, "it is gone");
  }
}

class FakeJournal implements SessionJournal {
  readonly #journals: FakeJournals;
  readonly #sessionId: string;
  #isClosed = false;
  /** Appends are ordered, also when one of them has to wait. */
  #last: Promise<void> = Promise.resolve();

  constructor(journals: FakeJournals, sessionId: string) {
    this.#journals = journals;
    this.#sessionId = sessionId;
  }

  append(lines: readonly JournalLine[]): Promise<void> {
    if (this.#isClosed) return Promise.reject(failed(this.#sessionId, "it is closed"));
    const copies = copyOf(lines);
    const mine = this.#last.catch(() => undefined).then(() => this.#journals.write(this.#sessionId, copies));
    this.#last = mine;
    return mine;
  }

  appendSynced(lines: readonly JournalLine[]): Promise<void> {
    return this.append(lines);
  }

  text(key: string): Promise<string | undefined> {
    const line = this.#lines().findLast((one) => one.t === "text" && one.key === key);
    return Promise.resolve(line?.t === "text" ? line.text : undefined);
  }

  output(from: number, to?: number): Promise<OutputSlice> {
    const all = this.#output();
    const end = Math.min(to ?? all.length, all.length);
    const start = Math.max(0, Math.min(from, end));
    return Promise.resolve({ text: all.slice(start, end), start, end });
  }

  lastLines(lines: number, to?: number): Promise<OutputSlice> {
    const all = this.#output();
    const end = Math.min(to ?? all.length, all.length);
    const shown = lines <= 0 ? [] : (all.slice(0, end).match(/[^\n]*\n|[^\n]+$/g) ?? []).slice(-lines);
    const text = shown.join("");
    return Promise.resolve({ text, start: end - text.length, end });
  }

  tail(): Promise<JournalTail> {
    const lines = this.#lines();
    const at = lines.findLastIndex((line) => line.t === "commit");
    const commit = lines[at];
    return Promise.resolve({
      lastCommit: commit?.t === "commit" ? commit : undefined,
      after: lines.slice(at + 1),
      told: new Set(lines.flatMap((line) => (line.t === "told" ? [`${line.noticeId}/${line.part}`] : []))),
      prompted: new Set(lines.flatMap((line) => (line.t === "prompt" ? [line.turn] : []))),
      outputEnd: this.#output().length,
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last.catch(() => undefined);
  }

  #lines(): readonly JournalLine[] {
    return this.#journals.files.get(this.#sessionId) ?? [];
  }

  /** One character for each offset: repeats count once, what is missing shows. */
  #output(): string {
    let text = "";
    for (const line of this.#lines()) {
      if (line.t !== "out") continue;
      const missing = Math.max(0, line.o - text.length);
      text += "[not stored]".padEnd(missing).slice(0, missing) + line.text.slice(Math.max(0, text.length - line.o));
    }
    return text;
  }
}

/** As JSON brings them back; what can't be JSON is a mistake of the test. */
function copyOf(lines: readonly JournalLine[]): JournalLine[] {
  return JSON.parse(JSON.stringify(lines)) as JournalLine[];
}

function failed(sessionId: string, reason: string): IflowError {
  return new IflowError("journal_failed", `The journal of session ${sessionId} can't be written: ${reason}.`);
}
