import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentEvent } from "../../src/core/agent-event.ts";
import {
  appendOutput,
  questionAtEnd,
  cutText,
  EMPTY_OUTPUT,
  mergeTexts,
  restingOutput,
  streamPiece,
  tailOf,
  utf8Bytes,
} from "../../src/core/output.ts";
import { lastWordsAfter, LAST_WORDS_LENGTH, type LastWords } from "../../src/core/last-words.ts";
import { growth } from "../growth.ts";

const anyText = fc.string({ unit: "binary", maxLength: 200 });

function halves(text: string): number {
  return text.match(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g)?.length ?? 0;
}

describe("cutting", () => {
  it("never cuts a character in half, never exceeds the length", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 60 }), (text, length) => {
        const cut = cutText(text, length);
        expect(cut.length).toBeLessThanOrEqual(Math.max(length, 1));
        expect(halves(cut)).toBeLessThanOrEqual(halves(text));
        expect(cut === text || cut.endsWith("…")).toBe(true);
        const tail = tailOf(text, length);
        expect(tail.length).toBeLessThanOrEqual(length);
        expect(text.endsWith(tail)).toBe(true);
        expect(halves(tail)).toBeLessThanOrEqual(halves(text));
      }),
    );
  });

  it("cuts texts of half characters as well", () => {
    expect(cutText("\udc00abcdef", 1)).toBe("…");
    expect(cutText("😀😀", 2)).toBe("…");
    expect(cutText("😀😀", 3)).toBe("😀…");
    expect(tailOf("a😀", 1)).toBe("");
    expect(tailOf("abc", 0)).toBe("");
  });

  it("counts bytes as UTF-8 does", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
  });
});

describe("the buffer", () => {
  it("holds the end of everything that was appended, within its bytes, at true offsets", () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 20 }), fc.integer({ min: 16, max: 400 }), (pieces, limit) => {
        const buffer = pieces.reduce((before, piece) => appendOutput(before, piece, limit), EMPTY_OUTPUT);
        const whole = pieces.join("");
        expect(buffer.end).toBe(whole.length);
        expect(whole.slice(buffer.start)).toBe(buffer.text);
        expect(utf8Bytes(buffer.text)).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it("is the same while it rests, and goes on as if it had not", () => {
    const any = fc
      .array(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("修复", "\ufeff", "\ud800", "plain")))
      .map((p) => p.join(""));
    fc.assert(
      fc.property(any, any, (before, after) => {
        const buffer = appendOutput(EMPTY_OUTPUT, before, 300);
        const resting = restingOutput(buffer);
        expect(resting).toEqual(buffer);
        expect({ ...resting }).toEqual(buffer);
        expect(JSON.stringify(resting)).toBe(JSON.stringify(buffer));
        expect(appendOutput(resting, after, 300)).toEqual(appendOutput(buffer, after, 300));
      }),
    );
  });

  it("costs no more for a large piece than for its end", () => {
    const large = "修".repeat(3_000_000);
    expect(growth(3_000_000, (size) => void appendOutput(EMPTY_OUTPUT, large.slice(-size), 32_768))).toBeLessThan(0.5);
    const buffer = appendOutput(EMPTY_OUTPUT, large, 32_768);
    expect(buffer).toMatchObject({ end: 3_000_000 });
    expect(utf8Bytes(buffer.text)).toBeGreaterThan(32_000);
  });
});

describe("[N7] what belongs to the stream", () => {
  const rules = { outputMode: "balanced", safeMode: false } as const;
  const running: AgentEvent = {
    kind: "tool",
    toolCallId: "c",
    status: "in_progress",
    title: "npm test",
    toolKind: "execute",
  };
  const reading: AgentEvent = { ...running, title: "Read a.ts", toolKind: "read" };
  const failed: AgentEvent = { kind: "tool", toolCallId: "c", status: "failed", output: "secret file content" };
  const done: AgentEvent = { kind: "tool", toolCallId: "c", status: "completed", output: "42 tests" };

  it.each([
    ["balanced", running, "\n▸ npm test\n"],
    ["balanced", reading, ""],
    ["verbose", reading, "\n▸ Read a.ts\n"],
    ["minimal", running, ""],
    ["minimal", { kind: "text", text: "words" }, "words"],
    ["balanced", done, ""],
    ["verbose", done, "\n42 tests\n"],
    ["balanced", failed, "\n✗ tool: secret file content\n"],
    ["balanced", { ...failed, output: "" }, "\n✗ tool\n"],
    ["minimal", { kind: "plan", entries: [{ text: "a", status: "pending" }] }, ""],
    ["balanced", { kind: "thought", text: "hm" }, ""],
    ["balanced", { kind: "turn-ended", turn: 1, stopReason: "end_turn" }, ""],
  ] as readonly (readonly ["minimal" | "balanced" | "verbose", AgentEvent, string])[])(
    "%s %j",
    (outputMode, event, piece) => {
      expect(streamPiece(event, undefined, { ...rules, outputMode })).toBe(piece);
    },
  );

  it("safe mode hides what commands and files said", () => {
    expect(streamPiece(failed, undefined, { ...rules, safeMode: true })).toBe("\n✗ tool\n");
    expect(streamPiece(done, undefined, { outputMode: "verbose", safeMode: true })).toBe("");
  });

  it("joins the words of one speaker, and loses none", () => {
    const text = (words: string, agentId?: string): AgentEvent => ({
      kind: "text",
      text: words,
      ...(agentId === undefined ? {} : { agentId }),
    });
    const merged = mergeTexts([
      text("a"),
      text("b"),
      { kind: "thought", text: "t" },
      text("c", "sub"),
      text("d", "sub"),
      running,
      text("e"),
    ]);
    expect(merged).toEqual([
      { event: text("ab"), chunks: 2 },
      { event: { kind: "thought", text: "t" }, chunks: 1 },
      { event: text("cd", "sub"), chunks: 2 },
      { event: running, chunks: 1 },
      { event: text("e"), chunks: 1 },
    ]);
  });
});

describe("the last words", () => {
  const say = (words: string): AgentEvent => ({ kind: "text", text: words });
  const call: AgentEvent = { kind: "tool", toolCallId: "c", status: "in_progress" };
  const after = (...events: readonly AgentEvent[]): string =>
    events.reduce<LastWords>((words, event) => lastWordsAfter(words, event, 0), { lastWords: "" }).lastWords.trim();

  it.each([
    [[say("a"), say("b")], "ab"],
    [[say("before"), call, say("after")], "after"],
    [[say("before"), call, call], "before"],
    [[call], ""],
    [[say("mine"), { kind: "text", text: "sub", agentId: "s" }], "mine"],
  ] as readonly (readonly [readonly AgentEvent[], string])[])("%j", (events, words) => {
    expect(after(...events)).toBe(words);
  });

  it("are bounded", () => {
    expect(after(say("x".repeat(5_000)), call).length).toBeLessThanOrEqual(LAST_WORDS_LENGTH);
  });
});

describe("questionAtEnd", () => {
  it.each([
    ["Which database do you want?", true],
    ["用哪个数据库？", true],
    ["Shall I go on? ", true],
    ['Should it say "hello"?', true],
    ["**Proceed?**", true],
    ["Which one?\n1. Postgres\n2. SQLite", true],
    ["选哪个？\n1、甲\n2、乙", true],
    ["Which one?\n- Postgres\n- SQLite\n", true],
    ["Done. All tests pass.", false],
    ["", false],
    ["What was wrong? The token had expired.", false],
    ["Why did it fail?\nBecause the port was taken.", false],
    ["See https://example.com/?q=1", false],
    ["`a ? b : c`", false],
  ])("%j: %s", (words, asks) => {
    expect(questionAtEnd(words) !== "").toBe(asks);
  });
});
