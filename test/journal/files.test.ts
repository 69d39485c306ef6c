/** What the contract can't say of journals: files, modes, rotation, how much is read and written. */
import { type FileHandle, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createJournals } from "../../src/journal/journals.ts";
import type { JournalLine } from "../../src/ports.ts";
import { commit, header, out, pieces } from "../contract/journal.ts";
import { journalFolder, segmentFiles, wholeText } from "./folder.ts";

const MIB = 1024 * 1024;

/** Counts calls of every file handle of this process. */
async function countCalls(method: "write" | "read" | "datasync"): Promise<() => number> {
  await using handle = await open(import.meta.filename);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const spy = vi.spyOn(prototype, method);
  onTestFinished(() => spy.mockRestore());
  return () => spy.mock.calls.length;
}

describe("files", () => {
  test("[K6] only their owner can read them", async () => {
    const directory = await journalFolder();
    await createJournals(directory).create(header("s1"));
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await modeOf(directory)).toBe("700");
    expect(await modeOf(join(directory, "s1"))).toBe("700");
    for (const file of await segmentFiles(directory)) expect(await modeOf(file)).toBe("600");
  });

  test("a journal is JSON lines that a person can read", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory).create(header("s1", 7));
    await journal.append([out(0, "Hi\n")]);
    expect((await wholeText(directory)).split("\n").map((line) => line.slice(0, 40))).toEqual(
      ['{"t":"header","at":7,"v":1,"sessionId":"s', '{"t":"out","at":1,"o":0,"text":"Hi\\n"}', ""].map((line) =>
        line.slice(0, 40),
      ),
    );
  });

  test("many waiting appends are one write, and one sync", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory).create(header("s1"));
    const writes = await countCalls("write");
    const syncs = await countCalls("datasync");
    const lines = pieces(...Array.from({ length: 10_000 }, (_, i) => `line ${i}\n`));
    await Promise.all(lines.map((line, i) => (i % 100 === 0 ? journal.appendSynced([line]) : journal.append([line]))));
    expect(writes()).toBeLessThan(10);
    expect(syncs()).toBeLessThan(10);
    expect((await journal.tail()).outputEnd).toBe(
      lines.map((line) => ("text" in line ? line.text : "")).join("").length,
    );
  });

  test("an append is not synced, a synced one is", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory).create(header("s1"));
    const syncs = await countCalls("datasync");
    await journal.append([out(0, "a")]);
    expect(syncs()).toBe(0);
    await journal.appendSynced([out(1, "b")]);
    expect(syncs()).toBe(1);
  });

  test("a long journal is several files, and each is named by the output before it", async () => {
    const directory = await journalFolder();
    const journals = createJournals(directory, { segmentBytes: 1000 });
    const journal = await journals.create(header("s1"));
    for (const line of pieces(...Array.from({ length: 40 }, (_, i) => `${String(i).padStart(99, ".")}\n`))) {
      await journal.append([line]);
    }
    const files = await segmentFiles(directory);
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) expect((await stat(file)).size).toBeLessThanOrEqual(1000);
    for (const file of files.slice(1)) {
      const first = JSON.parse((await readFile(file, "utf8")).split("\n")[0] ?? "") as { o: number };
      expect(file).toContain(`-${first.o}.jsonl`);
    }
  });

  test("reading the end, or some offset, opens no other file", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory, { segmentBytes: 1000 }).create(header("s1"));
    const texts = Array.from({ length: 40 }, (_, i) => `${String(i).padStart(99, ".")}\n`);
    for (const line of pieces(...texts)) await journal.append([line]);
    await journal.append([commit(1)]);
    await journal.close();
    const files = await segmentFiles(directory);
    const kept = files.at(-3) ?? "";
    for (const file of files.slice(1, -3)) await rm(file);
    const again = await createJournals(directory).open("s1");
    const all = texts.join("");
    expect((await again?.output(3700))?.text).toBe(all.slice(3700));
    expect((await again?.lastLines(3))?.text).toBe(texts.slice(-3).join(""));
    expect((await again?.tail())?.lastCommit?.seq).toBe(1);
    const from = Number(/-(\d+)\.jsonl/.exec(kept)?.[1]);
    for (const file of files.slice(-2)) await writeFile(file, "");
    expect((await (await createJournals(directory).open("s1"))?.output(from, from + 150))?.text).toBe(
      all.slice(from, from + 150),
    );
  });

  test("following the newest words reads no file, and an old offset is found without reading what is before it", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory).create(header("s1"));
    let o = 0;
    for (let i = 0; i < 60; i += 1) {
      const text = `${String(i).padStart(100_000, "x")}\n`;
      await journal.append([out(o, text)]);
      o += text.length;
    }
    const reads = await countCalls("read");
    expect((await journal.output(o - 50_000)).text).toHaveLength(50_000);
    expect(reads()).toBe(0);
    expect((await journal.output(3_000_000, 3_000_010)).text).toHaveLength(10);
    expect(reads()).toBeLessThan(4);
  });

  test("a line of 50 MB survives, and so do its neighbours", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory).create(header("s1"));
    const huge = "line of tool output é\n".repeat((50 * MIB) / 22);
    const event: JournalLine = {
      t: "event",
      at: 1,
      event: { kind: "tool", toolCallId: "c", status: "completed", output: huge },
    };
    await journal.append([out(0, "before\n"), event, out(7, huge)]);
    await journal.append([{ t: "text", at: 1, key: "big", text: huge }, out(7 + huge.length, "after\n"), commit(1)]);
    await journal.close();
    const again = await createJournals(directory).open("s1");
    expect(await again?.output(0, 10)).toEqual({ text: "before\nlin", start: 0, end: 10 });
    expect((await again?.output(huge.length))?.text.endsWith("tput é\nafter\n")).toBe(true);
    expect((await again?.text("big"))?.length).toBe(huge.length);
    expect((await again?.tail())?.lastCommit?.seq).toBe(1);
  }, 60_000);

  test("the last commit is found however much was said after it", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory, { segmentBytes: 2 * MIB }).create(header("s1"));
    await journal.append([commit(1), commit(2)]);
    const thought: JournalLine = { t: "event", at: 1, event: { kind: "thought", text: "hm ".repeat(10_000) } };
    for (let i = 0; i < 200; i += 1) await journal.append([thought]);
    const tail = await (await createJournals(directory).open("s1"))?.tail();
    expect(tail?.lastCommit?.seq).toBe(2);
    expect(tail?.after).toHaveLength(200);
  });

  test("a file that sleeps is closed, and wakes up where it was", async () => {
    const directory = await journalFolder();
    const journal = await createJournals(directory, { idleCloseMs: 1 }).create(header("s1"));
    await journal.append(pieces("one\n"));
    await vi.waitFor(() => expect(openFiles(directory)).resolves.toEqual([]));
    await journal.append([out(4, "two\n")]);
    expect((await journal.output(0)).text).toBe("one\ntwo\n");
  });

  test("500 journals are listed in their order", async () => {
    const directory = await journalFolder();
    const journals = createJournals(directory);
    for (let i = 0; i < 500; i += 1) {
      const journal = await journals.create(header(`s${i}`, i));
      await journal.append([{ t: "flow", at: 1, flowId: `f${i}` }, commit(1)]);
      await journal.close();
    }
    const { headers } = await createJournals(directory).headers();
    expect(headers.map(({ flowId }) => flowId)).toEqual(Array.from({ length: 500 }, (_, i) => `f${i}`));
  });
});

/** Files below the directory that this process holds open (Linux; elsewhere none are seen). */
async function openFiles(directory: string): Promise<string[]> {
  const { readdir, readlink } = await import("node:fs/promises");
  const links = await readdir("/proc/self/fd").catch(() => []);
  const targets = await Promise.all(links.map((link) => readlink(`/proc/self/fd/${link}`).catch(() => "")));
  return targets.filter((target) => target.startsWith(directory));
}
