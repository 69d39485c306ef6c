/** Crashes, bad files and bad disks. */
import {
  type FileHandle,
  appendFile,
  mkdir,
  open,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { createJournals } from "../../src/journal/journals.ts";
import type { JournalLine, Journals, SessionJournal } from "../../src/ports.ts";
import { commit, header, out, pieces } from "../contract/journal.ts";
import { journalFolder, segmentFiles, wholeText } from "./folder.ts";

async function lastFile(directory: string): Promise<string> {
  return (await segmentFiles(directory)).at(-1) ?? "";
}

describe("a journal after a crash", () => {
  test("[S5] a line that was cut off is passed over, and the next begins on a line of its own", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory).create(header("s1"));
    await journal.append([...pieces("one\n", "two\n"), commit(1)]);
    await journal.close();
    await appendFile(await lastFile(directory), '{"t":"out","at":1,"o":8,"text":"thr');
    const again = await createJournals(directory).open("s1");
    expect((await again?.output(0))?.text).toBe("one\ntwo\n");
    expect(await again?.tail()).toMatchObject({ lastCommit: { seq: 1 }, after: [], outputEnd: 8 });
    await again?.append([out(8, "three\n")]);
    expect((await again?.output(0))?.text).toBe("one\ntwo\nthree\n");
    expect((await again?.tail())?.after).toEqual([out(8, "three\n")]);
    expect(await wholeText(directory)).toContain('"text":"thr\n{"t":"out","at":1,"o":8,"text":"three');
  });

  test("a whole line without its end counts before and after the repair", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory).create(header("s1"));
    await journal.append(pieces("one\n", "two\n"));
    await journal.close();
    const file = await lastFile(directory);
    await truncate(file, (await readFile(file)).length - 1);
    const again = await createJournals(directory).open("s1");
    expect((await again?.output(0))?.text).toBe("one\ntwo\n");
    await again?.append([commit(1)]);
    expect((await again?.output(0))?.text).toBe("one\ntwo\n");
    expect((await again?.tail())?.lastCommit?.seq).toBe(1);
  });

  test("[S3][S5] whatever was acknowledged is read after a crash at any byte, and nothing that was never appended", async () => {
    const directory = await journalFolder();
    let n = 0;
    await fc.assert(
      fc.asyncProperty(crashes, fc.constantFrom(60, 300, 1_000_000), async (all, segmentBytes) => {
        const sessionId = `p${(n += 1)}`;
        const journals = () => createJournals(directory, { segmentBytes });
        await (await journals().create(header(sessionId))).close();
        let acknowledged: JournalLine[] = [header(sessionId)];
        for (const { calm, last, cut } of all) {
          const journal = await openedBy(journals(), sessionId);
          const give = offsetsFrom((await journal.tail()).outputEnd);
          for (const lines of calm.map((some) => some.map(give))) {
            await journal.append(lines);
            acknowledged.push(...lines);
          }
          const safeBytes = await bytesOnDisk(directory, sessionId);
          const attempted = last.map(give);
          await journal.append(attempted);
          await journal.close();
          await cutAt(directory, sessionId, safeBytes, cut);
          const found = await linesOnDisk(directory, sessionId);
          expect(found.length).toBeGreaterThanOrEqual(acknowledged.length);
          expect(found).toEqual([...acknowledged, ...attempted].slice(0, found.length));
          await checkReads(await openedBy(journals(), sessionId), found);
          acknowledged = found;
        }
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});

interface Crash {
  /** Acknowledged before the crash. */
  readonly calm: readonly JournalLine[][];
  /** Being written when it happened. */
  readonly last: JournalLine[];
  /** How much of it reached the file, 0 to 1. */
  readonly cut: number;
}

/** Any code units, lone surrogates too. */
const text = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 30 });
const at = fc.nat();
/** Offsets of output are given when the place of a line is known. */
const line: fc.Arbitrary<JournalLine> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ t: fc.constant("out" as const), at, o: fc.constant(-1), text }) },
  fc.record({
    t: fc.constant("commit" as const),
    at,
    seq: fc.nat(),
    revision: fc.nat(),
    session: fc.dictionary(text, text),
  }),
  fc.record({ t: fc.constant("told" as const), at, noticeId: text, part: fc.constantFrom("chat", "wake") }),
  fc.record({ t: fc.constant("prompt" as const), at, turn: fc.nat(9), messageId: text, text }),
  fc.record({ t: fc.constant("text" as const), at, key: text, text }),
);
const lines = fc.array(line, { maxLength: 6 });
const crashes: fc.Arbitrary<Crash[]> = fc.array(
  fc.record({ calm: fc.array(lines, { maxLength: 4 }), last: lines, cut: fc.double({ min: 0, max: 1, noNaN: true }) }),
  { minLength: 1, maxLength: 4 },
);

function offsetsFrom(start: number): (line: JournalLine) => JournalLine {
  let o = start;
  return (one) => {
    if (one.t !== "out") return one;
    const placed = { ...one, o };
    o += one.text.length;
    return placed;
  };
}

async function openedBy(journals: Journals, sessionId: string): Promise<SessionJournal> {
  const journal = await journals.open(sessionId);
  if (!journal) throw new Error(`the journal of ${sessionId} is gone`);
  return journal;
}

/** Read without the code under test. */
async function linesOnDisk(directory: string, sessionId: string): Promise<JournalLine[]> {
  const found: JournalLine[] = [];
  for (const file of await segmentFiles(directory, sessionId)) {
    for (const one of (await readFile(file, "utf8")).split("\n")) {
      try {
        found.push(JSON.parse(one) as JournalLine);
      } catch {
        // A line that was cut off.
      }
    }
  }
  return found;
}

async function bytesOnDisk(directory: string, sessionId: string): Promise<number> {
  const sizes = await Promise.all(
    (await segmentFiles(directory, sessionId)).map(async (file) => (await stat(file)).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A crash while the last append was written: of its bytes only a part is there. */
async function cutAt(directory: string, sessionId: string, safeBytes: number, part: number): Promise<void> {
  const files = await segmentFiles(directory, sessionId);
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let left = safeBytes + Math.floor((total - safeBytes) * part);
  for (const [i, file] of files.entries()) {
    const size = sizes[i] ?? 0;
    if (left <= 0) await rm(file);
    else if (left < size) await truncate(file, left);
    left -= size;
  }
}

async function checkReads(journal: SessionJournal, all: readonly JournalLine[]): Promise<void> {
  const output = all.map((one) => (one.t === "out" ? one.text : "")).join("");
  expect(await journal.output(0)).toEqual({ text: output, start: 0, end: output.length });
  const third = Math.floor(output.length / 3);
  expect((await journal.output(third, 2 * third)).text).toBe(output.slice(third, 2 * third));
  const tail = await journal.tail();
  const last = all.findLastIndex((one) => one.t === "commit");
  expect(tail.lastCommit).toEqual(all[last]);
  expect(tail.after).toEqual(all.slice(last + 1));
  expect(tail.outputEnd).toBe(output.length);
  for (const one of all) {
    if (one.t !== "text") continue;
    const newest = all.findLast((later) => later.t === "text" && later.key === one.key);
    expect(await journal.text(one.key)).toBe(newest?.t === "text" ? newest.text : "");
  }
}

describe("a bad disk", () => {
  /** A segment that is really the device which is always full. */
  async function fullDisk(): Promise<{ directory: string; journal: SessionJournal; mend(): Promise<void> }> {
    const directory = await journalFolder();
    const journals = createJournals(directory, { segmentBytes: 100, idleCloseMs: 0 });
    const journal = await journals.create(header("s1"));
    const next = join(directory, "s1", "000002-0.jsonl");
    await symlink("/dev/full", next);
    return { directory, journal, mend: () => rm(next) };
  }

  test("a full disk is said, and once there is room the same words are written", async () => {
    const { journal, mend } = await fullDisk();
    const words = pieces("one\n", "two\n");
    const failure = await journal.append(words).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "IflowError", code: "journal_failed" });
    expect(String(failure)).toContain(
      "The journal of session s1 can't be written: the disk is full; free some space (ENOSPC).",
    );
    expect(await journal.output(0)).toEqual({ text: "", start: 0, end: 0 });
    await mend();
    await journal.append(words);
    expect((await journal.output(0)).text).toBe("one\ntwo\n");
  });

  test("each of the waiting appends hears of it", async () => {
    const { journal } = await fullDisk();
    const results = await Promise.allSettled([journal.append([commit(1)]), journal.appendSynced([commit(2)])]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  test("what a failed write left half done is taken back", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory, { idleCloseMs: 0 }).create(header("s1"));
    await journal.append(pieces("one\n"));
    const before = await wholeText(directory);
    const failing = await failWritesAfter(20);
    await expect(journal.append([out(4, "two\n"), commit(1)])).rejects.toMatchObject({ code: "journal_failed" });
    failing.stop();
    expect(await wholeText(directory)).toBe(before);
    await journal.append([out(4, "two\n"), commit(1)]);
    expect((await journal.output(0)).text).toBe("one\ntwo\n");
    expect(await journal.tail()).toMatchObject({ lastCommit: { seq: 1 }, outputEnd: 8 });
  });

  test("what can't be taken back does no harm", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory, { idleCloseMs: 0 }).create(header("s1"));
    await journal.append(pieces("one\n"));
    const words = [out(4, "two\n"), out(8, "three\n")];
    const failing = await failWritesAfter(60, { alsoTruncate: true });
    await expect(journal.append(words)).rejects.toMatchObject({ code: "journal_failed" });
    failing.stop();
    expect(await wholeText(directory)).toContain("two");
    await journal.append([...words, commit(1)]);
    for (const reader of [journal, await createJournals(directory).open("s1")]) {
      expect((await reader?.output(0))?.text).toBe("one\ntwo\nthree\n");
      expect(await reader?.tail()).toMatchObject({ lastCommit: { seq: 1 }, outputEnd: 14 });
    }
  });

  test("a place where nothing can be made is said before a launch", async () => {
    const directory = await journalFolder();
    await mkdir(join(directory, ".."), { recursive: true });
    await writeFile(directory, "a file");
    const journals = createJournals(join(directory, "below"));
    const writable = await journals.writable();
    expect(writable).toMatchObject({ ok: false });
    expect(JSON.stringify(writable)).toContain("a part of its path is a file, not a directory (ENOTDIR)");
    await expect(journals.create(header("s1"))).rejects.toMatchObject({ code: "journal_failed" });
  });

  test("a journal that was removed by hand is said, not written into nothing", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory, { idleCloseMs: 0 }).create(header("s1"));
    await journal.append(pieces("one\n"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await rm(join(directory, "s1"), { recursive: true });
    await expect(journal.append([out(4, "two\n")])).rejects.toThrow(/it is gone; was it removed by hand\? \(ENOENT\)/);
  });
});

describe("headers of a bad directory", () => {
  test("what can't be read is named and left as it is, and stops nothing", async () => {
    const directory = await journalFolder();
    const journals = createJournals(directory);
    await journals.create(header("good"));
    const bad: Record<string, string> = {
      cut: '{"t":"header","at":1,"v":1,"sess',
      other: '{"t":"out","at":1,"o":0,"text":"x"}\n',
      newer: `${JSON.stringify({ ...header("newer"), v: 2 })}\n`,
      noise: "\u0000\u0001 not a journal\n",
    };
    for (const [name, content] of Object.entries(bad)) {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, "000001-0.jsonl"), content);
    }
    await mkdir(join(directory, "empty"));
    await mkdir(join(directory, "begun"));
    await writeFile(join(directory, "begun", "000001-0.jsonl"), "");
    await writeFile(join(directory, "a stray file"), "x");
    await mkdir(join(directory, "strange", "000001-0.jsonl"), { recursive: true });
    const { headers, unreadable } = await journals.headers();
    expect(headers.map(({ sessionId }) => sessionId)).toEqual(["good"]);
    const reasons = Object.fromEntries(
      unreadable.map(({ file, reason }) => [file.slice(directory.length + 1), reason]),
    );
    expect(reasons).toEqual({
      "cut/000001-0.jsonl": "its first line is no whole header",
      "other/000001-0.jsonl": "its first line is no whole header",
      "newer/000001-0.jsonl": "this plugin doesn't know version 2 of it",
      "noise/000001-0.jsonl": "its first line is no whole header",
      "strange/000001-0.jsonl": expect.stringContaining("no regular file") as string,
    });
    for (const [name, content] of Object.entries(bad)) {
      expect(await readFile(join(directory, name, "000001-0.jsonl"), "utf8")).toBe(content);
    }
  });
});

/** Every file handle of this process writes so many more bytes, then fails as a full disk does. */
async function failWritesAfter(bytes: number, { alsoTruncate = false } = {}): Promise<{ stop(): void }> {
  await using handle = await open(import.meta.filename);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const full = (): Error => Object.assign(new Error("no space left"), { code: "ENOSPC" });
  const write = prototype.write;
  let left = bytes;
  const writing = vi.spyOn(prototype, "write").mockImplementation(async function (
    this: FileHandle,
    data: unknown,
    offset?: unknown,
  ) {
    if (!Buffer.isBuffer(data) || left <= 0) throw full();
    const from = typeof offset === "number" ? offset : 0;
    const part = data.subarray(from, from + left);
    left -= part.length;
    const { bytesWritten } = (await Reflect.apply(write, this, [part])) as { bytesWritten: number };
    return { bytesWritten, buffer: data };
  } as FileHandle["write"]);
  const truncating = alsoTruncate ? vi.spyOn(prototype, "truncate").mockRejectedValue(full()) : undefined;
  return {
    stop: () => {
      writing.mockRestore();
      truncating?.mockRestore();
    },
  };
}
