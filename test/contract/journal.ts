/**
 * What Journals and SessionJournal must do: one suite for the files and for the fake.
 * Owns: the promises of the port. The world (which journals, what a new process is) is handed in.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import type { JournalLine, Journals, SessionJournal } from "../../src/ports.ts";

export interface JournalWorld {
  readonly journals: Journals;
  /** The journals as a new process finds them after the old one died. */
  restart(): Journals;
  dispose(): Promise<void>;
}

export type HeaderLine = Extract<JournalLine, { t: "header" }>;

export function header(sessionId: string, at = 1_700_000_000_000): HeaderLine {
  return {
    t: "header",
    at,
    v: 1,
    sessionId,
    owner: { sessionKey: "agent:main:main", agentId: "main" },
    name: `n-${sessionId}`,
  };
}

export const out = (o: number, text: string): JournalLine => ({ t: "out", at: 1, o, text });
export const commit = (seq: number): JournalLine => ({ t: "commit", at: 2, seq, revision: seq + 3, session: { seq } });

/** Pieces one behind the other. */
export function pieces(...texts: readonly string[]): JournalLine[] {
  let o = 0;
  return texts.map((text) => {
    const line = out(o, text);
    o += text.length;
    return line;
  });
}

export function describeJournals(name: string, makeWorld: () => Promise<JournalWorld>): void {
  async function world(): Promise<JournalWorld> {
    const made = await makeWorld();
    onTestFinished(() => made.dispose());
    return made;
  }

  async function fresh(id = "s1"): Promise<{ world: JournalWorld; journal: SessionJournal }> {
    const made = await world();
    return { world: made, journal: await made.journals.create(header(id)) };
  }

  describe(`journals: ${name}`, () => {
    test("a new journal is known by its header, and its flow once that is written", async () => {
      const { journals } = await world();
      const route = { channel: "telegram", to: "telegram:42", threadId: 7 };
      const journal = await journals.create({ ...header("s1"), route });
      const known = { sessionId: "s1", name: "n-s1", owner: header("s1").owner, createdAt: 1_700_000_000_000, route };
      expect(await journals.headers()).toEqual({ headers: [known], unreadable: [] });
      await journal.appendSynced([{ t: "text", at: 1, key: "p", text: "x".repeat(100_000) }]);
      await journal.appendSynced([{ t: "flow", at: 2, flowId: "f1" }]);
      expect((await journals.headers()).headers).toEqual([{ ...known, flowId: "f1" }]);
    });

    test("headers come in the order of their creation", async () => {
      const { journals } = await world();
      for (const [id, at] of [
        ["b", 2],
        ["c", 3],
        ["a", 1],
      ] as const)
        await journals.create(header(id, at));
      expect((await journals.headers()).headers.map(({ sessionId }) => sessionId)).toEqual(["a", "b", "c"]);
    });

    test("a session has one journal", async () => {
      const {
        world: { journals },
      } = await fresh();
      await expect(journals.create(header("s1"))).rejects.toMatchObject({ code: "journal_failed" });
      expect(await journals.open("s2")).toBeUndefined();
    });

    test("appends are kept in the order of their calls, whoever made them", async () => {
      const {
        world: { journals },
        journal,
      } = await fresh();
      const same = await journals.open("s1");
      const lines = pieces(...Array.from({ length: 300 }, (_, i) => `${i}\n`));
      await Promise.all(
        lines.map((line, i) => {
          const user = (i % 2 === 0 ? undefined : same) ?? journal;
          return i % 7 === 0 ? user.appendSynced([line]) : user.append([line]);
        }),
      );
      expect((await journal.output(0)).text).toBe(Array.from({ length: 300 }, (_, i) => `${i}\n`).join(""));
      expect((await journal.tail()).after.slice(1)).toEqual(lines);
    });

    test("what is handed over may be changed afterwards", async () => {
      const { journal } = await fresh();
      const session = { seq: 1 };
      const appended = journal.append([{ t: "commit", at: 1, seq: 1, revision: 1, session }]);
      session.seq = 99;
      await appended;
      expect((await journal.tail()).lastCommit?.session).toEqual({ seq: 1 });
    });

    test("[S3] output is read at any offset", async () => {
      const { journal } = await fresh();
      await journal.append(pieces("Hello, ", "wide ", "world!\n", "", "End"));
      expect(await journal.output(0)).toEqual({ text: "Hello, wide world!\nEnd", start: 0, end: 22 });
      expect(await journal.output(9)).toEqual({ text: "de world!\nEnd", start: 9, end: 22 });
      expect(await journal.output(3, 10)).toEqual({ text: "lo, wid", start: 3, end: 10 });
      expect(await journal.output(22)).toEqual({ text: "", start: 22, end: 22 });
      expect(await journal.output(500)).toEqual({ text: "", start: 22, end: 22 });
      expect(await journal.output(0, 500)).toEqual({ text: "Hello, wide world!\nEnd", start: 0, end: 22 });
      expect(await journal.output(9, 4)).toEqual({ text: "", start: 4, end: 4 });
    });

    test("an empty journal has no output", async () => {
      const { journal } = await fresh();
      expect(await journal.output(0)).toEqual({ text: "", start: 0, end: 0 });
      expect(await journal.lastLines(5)).toEqual({ text: "", start: 0, end: 0 });
      expect(await journal.tail()).toMatchObject({ lastCommit: undefined, outputEnd: 0 });
    });

    test("[S3] any text comes back, also halves of characters and control characters", async () => {
      const { world: made, journal } = await fresh();
      const texts = ["\uD83D", "\uDE00 lone \uDFFF", '\u0000\u2028\r\n"\\', "漢字 \u{1F600}\n"];
      await journal.append(pieces(...texts));
      await journal.append([{ t: "text", at: 1, key: 'k"\\', text: texts.join("|") }]);
      const again = await made.restart().open("s1");
      for (const reader of [journal, again]) {
        expect((await reader?.output(0))?.text).toBe(texts.join(""));
        expect(await reader?.text('k"\\')).toBe(texts.join("|"));
      }
    });

    test("a piece that was written twice counts once", async () => {
      const { journal } = await fresh();
      await journal.append([out(0, "one "), out(4, "two ")]);
      await journal.append([out(4, "two "), out(8, "three")]);
      expect(await journal.output(0)).toEqual({ text: "one two three", start: 0, end: 13 });
      expect(await journal.output(5, 10)).toEqual({ text: "wo th", start: 5, end: 10 });
    });

    test("a piece that was never written shows, and offsets stay right", async () => {
      const { journal } = await fresh();
      await journal.append([out(0, "abc"), out(20, "xyz")]);
      expect(await journal.output(0)).toEqual({ text: "abc[not stored]     xyz", start: 0, end: 23 });
      expect((await journal.output(5, 21)).text).toHaveLength(16);
      expect((await journal.output(20)).text).toBe("xyz");
    });

    test.each<[number, string, string, number | undefined]>([
      [1, "a\nb\nc", "c", undefined],
      [2, "a\nb\nc\n", "b\nc\n", undefined],
      [9, "a\nb", "a\nb", undefined],
      [1, "\n\n", "\n", undefined],
      [2, "x\n\n", "x\n\n", undefined],
      [0, "a\nb", "", undefined],
      [1, "a\nb\nc", "b\n", 4],
      [1, "a\nb\nc", "b", 3],
      [1, `first\n${"long".repeat(500)}`, "long".repeat(500), undefined],
    ])("the last %i lines of %j", async (count, text, expected, to) => {
      const { journal } = await fresh();
      await journal.append(pieces(...text));
      const end = to ?? text.length;
      expect(await journal.lastLines(count, to)).toEqual({ text: expected, start: end - expected.length, end });
    });

    test("long texts are found by their key", async () => {
      const { world: made, journal } = await fresh();
      await journal.append([
        { t: "text", at: 1, key: "p1", text: "first" },
        { t: "text", at: 1, key: "p10", text: "tenth" },
        { t: "prompt", at: 1, turn: 1, messageId: "m", text: '"key":"p2","text":"no"' },
      ]);
      for (const reader of [journal, await made.restart().open("s1")]) {
        expect(await reader?.text("p1")).toBe("first");
        expect(await reader?.text("p10")).toBe("tenth");
        expect(await reader?.text("p2")).toBeUndefined();
      }
    });

    test("the tail is the last commit, what came after it, what was told and which turns were prompted", async () => {
      const { world: made, journal } = await fresh();
      const after: JournalLine[] = [
        { t: "told", at: 3, noticeId: "n2", part: "wake" },
        out(5, "late\n"),
        { t: "event", at: 3, event: { kind: "thought", text: "hm" } },
      ];
      await journal.append([{ t: "prompt", at: 1, turn: 4, messageId: "m1", text: "go" }, out(0, "word\n")]);
      await journal.append([{ t: "told", at: 1, noticeId: "n1", part: "chat" }, commit(1), commit(2), ...after]);
      for (const reader of [journal, await made.restart().open("s1")]) {
        const tail = await reader?.tail();
        expect(tail?.lastCommit).toMatchObject({ seq: 2, revision: 5, session: { seq: 2 } });
        expect(tail?.after).toEqual(after);
        expect([...(tail?.told ?? [])].toSorted()).toEqual(["n1/chat", "n2/wake"]);
        expect([...(tail?.prompted ?? [])]).toEqual([4]);
        expect(tail?.outputEnd).toBe(10);
      }
    });

    test("[S5] a new process goes on where the old one stopped", async () => {
      const { world: made, journal } = await fresh();
      await journal.append([...pieces("before\n"), commit(1)]);
      const again = await made.restart().open("s1");
      await again?.append([out(7, "after\n")]);
      expect(await again?.output(0)).toEqual({ text: "before\nafter\n", start: 0, end: 13 });
      expect((await again?.tail())?.after).toEqual([out(7, "after\n")]);
    });

    test("closing one user's hold leaves the other's; a closed one is refused", async () => {
      const {
        world: { journals },
        journal,
      } = await fresh();
      const other = await journals.open("s1");
      await journal.close();
      await journal.close();
      await other?.append(pieces("still"));
      expect((await other?.output(0))?.text).toBe("still");
      await other?.close();
      await expect(other?.append(pieces("no"))).rejects.toMatchObject({ code: "journal_failed" });
      expect((await (await journals.open("s1"))?.output(0))?.text).toBe("still");
    });

    test("[F9] one that was set aside makes room for another of the same session, and is no journal any more", async () => {
      const { journals } = await world();
      await (await journals.create(header("s1"))).close();
      await journals.setAside("s1");
      await journals.setAside("s1");
      expect(await journals.open("s1")).toBeUndefined();
      expect((await journals.headers()).headers).toEqual([]);
      const second = await journals.create(header("s1"));
      await second.append([commit(1)]);
      await second.close();
      expect((await journals.headers()).headers).toHaveLength(1);
    });

    test("a removed journal is gone, and removing it again is nothing", async () => {
      const {
        world: { journals },
        journal,
      } = await fresh();
      await journal.append(pieces("words"));
      await journals.remove("s1");
      await journals.remove("s1");
      expect(await journals.open("s1")).toBeUndefined();
      expect(await journals.headers()).toEqual({ headers: [], unreadable: [] });
      await expect(journal.append([out(5, "x")])).rejects.toMatchObject({ code: "journal_failed" });
    });

    test("an id may be any text", async () => {
      const { journals } = await world();
      const ids = ["../up", "a/b", "..", ".", "a%2Fb", "CON", "修复 登录", '*?:"<>|'];
      for (const id of ids) await (await journals.create(header(id))).append(pieces(id));
      for (const id of ids) expect((await (await journals.open(id))?.output(0))?.text).toBe(id);
      expect((await journals.headers()).headers.map(({ sessionId }) => sessionId).toSorted()).toEqual(ids.toSorted());
    });

    test("a place that can be written to says so", async () => {
      const { journals } = await world();
      expect(await journals.writable()).toEqual({ ok: true });
      expect(await journals.headers()).toEqual({ headers: [], unreadable: [] });
    });
  });
}
