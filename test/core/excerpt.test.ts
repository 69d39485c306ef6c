import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { endOf } from "../../src/core/excerpt.ts";
import { keptWords, lastWordsAfter, resultOf, RESULT_LENGTH, type LastWords } from "../../src/core/last-words.ts";
import { openBlock } from "../../src/core/stream.ts";
import { noticeText } from "../../src/core/notice.ts";
import { wordsOf } from "../../src/core/language.ts";
import { growth, LINEAR } from "../growth.ts";
import { lastNotice, play, text, turnEnded, working } from "./build.ts";

const NOTHING: LastWords = { lastWords: "" };
const paragraph = (number: number): string =>
  `Paragraph ${number} says something. ${"And more of it. ".repeat(8)}`.trim();
const paragraphs = (count: number): string => Array.from({ length: count }, (_, i) => paragraph(i + 1)).join("\n\n");

/** A result in many pieces, as a streaming agent says it. */
function streamed(whole: string, size: number): LastWords {
  let words = NOTHING;
  for (let at = 0; at < whole.length; at += size)
    words = lastWordsAfter(words, { kind: "text", text: whole.slice(at, at + size) }, 100 + at);
  return words;
}

test("[D1] a long result is told by its end, from a paragraph on, and says how much stands elsewhere", () => {
  const whole = `${paragraphs(40)}\n\nThe very last sentence.`;
  const { session } = play(working(), [text("Let me see.\n"), text(whole), turnEnded(1)]);
  const notice = lastNotice(session);
  if (notice === undefined) throw new Error("nothing is owed");
  const shown = noticeText(session, notice, { words: wordsOf("en"), safeMode: false });
  const [, count, since] =
    /… ([\d,]+) characters before this: \/iflow_output --since (\d+) fix-login/.exec(shown) ?? [];
  const body = shown.slice(shown.indexOf("Paragraph"), shown.indexOf("The very last sentence.") + 23);
  expect(shown).toContain("\n\nParagraph");
  expect(body.length).toBeLessThanOrEqual(RESULT_LENGTH);
  expect(body.length).toBeGreaterThan(RESULT_LENGTH / 2 - 100);
  // What the command gives from there is the rest and what was shown, to the character.
  const output = session.output.text.slice(Number(since) - session.output.start);
  expect(output.slice(Number(count?.replaceAll(",", "")))).toBe(body);
});

test("[D1] a result that fits is told whole, with no word of more", () => {
  const { session } = play(working(), [text(paragraphs(5)), turnEnded(1)]);
  const notice = lastNotice(session);
  if (notice === undefined) throw new Error("nothing is owed");
  const shown = noticeText(session, notice, { words: wordsOf("en"), safeMode: false });
  expect(shown).toContain(paragraphs(5));
  expect(shown).not.toContain("iflow_output");
});

test("[D1] a code block that the cut goes into is begun again, also when the words came in small pieces", () => {
  const whole = `Here it is:\n\`\`\`js\n${"code(); // line\n".repeat(400)}\`\`\`\nThat is all.`;
  for (const size of [7, 100, whole.length]) {
    const { text: shown, leftOut } = resultOf(streamed(whole, size));
    expect(shown.startsWith("```js\ncode();")).toBe(true);
    expect(shown.endsWith("```\nThat is all.")).toBe(true);
    expect(whole.slice(leftOut)).toBe(shown.slice("```js\n".length));
  }
});

describe("the end of a text", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom("\n", "\n\n", "```\n", "```js\n", "~~~\n", " word", "😀", "修复登录测试"),
  );
  const anyText = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""));

  it("is the end, no longer than the room, with every code block whole", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 200, max: 500 }), (whole, room) => {
        const { text: shown, leftOut } = endOf(whole, room);
        expect(shown.length).toBeLessThanOrEqual(room);
        expect(openBlock(shown)).toBe("");
        expect(shown).toContain(whole.slice(leftOut));
        if (whole.length <= room - 100) expect(leftOut).toBe(0);
        expect(/^[\udc00-\udfff]/.test(whole.slice(leftOut)) && /[\ud800-\udbff]$/.test(whole.slice(0, leftOut))).toBe(
          false,
        );
      }),
    );
  });

  it("begins at a paragraph, else a line, else a word", () => {
    expect(endOf(`${"a ".repeat(60)}\n\nThe end. ${"b ".repeat(30)}`, 100).text.startsWith("The end.")).toBe(true);
    expect(endOf(`${"a ".repeat(60)}\nThe end. ${"b ".repeat(30)}`, 100).text.startsWith("The end.")).toBe(true);
    expect(endOf("word ".repeat(60).trim(), 103).text.startsWith("word")).toBe(true);
  });

  it("costs no more for each character of a longer text", () => {
    const work = (length: number): void => void endOf("```\n\n```\n\n".repeat(length / 10), 1_500);
    expect(growth(400_000, work)).toBeLessThan(LINEAR);
  });
});

it("of words that are kept in part the rest is counted", () => {
  const words = streamed("x".repeat(5_000), 999);
  const shorter = keptWords(words, 200);
  expect(shorter.lastWords.length + (shorter.lastWordsFrom?.dropped ?? 0)).toBe(5_000);
  expect(shorter.lastWordsFrom?.at).toBe(100);
});
