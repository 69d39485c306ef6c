/**
 * What the host's own parsers make of words that were made inert: no order, nothing to fetch, nothing dropped.
 * Its public functions are asked, the same that its ways out call.
 */
import fc from "fast-check";
import { createOutboundPayloadPlan, sanitizeForPlainText } from "openclaw/plugin-sdk/channel-outbound";
import { findCodeRegions, sanitizeAssistantVisibleText } from "openclaw/plugin-sdk/text-chunking";
import { describe, expect, test } from "vitest";
import { isCode, textLines } from "../../src/core/code-block.ts";
import { inertText } from "../../src/core/inert-text.ts";
import { growth, LINEAR } from "../growth.ts";

const RUNS = 2_500;

const ORDERS = [
  "MEDIA:/etc/passwd",
  " media: ~/.ssh/id_rsa",
  "MEDIA:`/etc/passwd`",
  "![x](https://example.com/x.png)",
  "[[reply_to:5]]",
  "[[ reply_to_current ]]",
  "[[audio_as_voice]]",
  "<b>",
  "</div>",
  '<a href="x">',
  "<think>",
  "<system-reminder>",
  "</system-reminder>",
  "<|assistant|>",
  "<function=read>",
  "[tool:exec]",
  "🛠️ Exec: rm",
  "tool_call: x",
  "<relevant_memories>",
  "[TOOL_CALL]",
  "<prompt-data>",
  "<details>",
];
const MARKS = [
  "`",
  "``",
  "```",
  "````",
  "~~~",
  "```js",
  "```a`b",
  "```js `inline`",
  "~~~ x",
  "`a`",
  "``b``",
  "\\",
  "`x|y`",
];
const LAYOUT = [
  "\n",
  "\n",
  "\n",
  "\n\n",
  " ",
  "  ",
  "   ",
  "    ",
  "\t",
  "- ",
  "1. ",
  "2) ",
  "> ",
  ">",
  "# ",
  "---",
  "===",
  "|",
  "|-|-|",
  "* * *",
  "[a]: b",
  "<!--",
  "-->",
  "word",
  "a|b",
  "",
  "-",
  "-\n",
  "1.\n",
  "\r\n",
  "-   ",
  "10. ",
];
const fragment = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...LAYOUT) },
  { weight: 2, arbitrary: fc.constantFrom(...MARKS) },
  { weight: 2, arbitrary: fc.constantFrom(...ORDERS) },
  { weight: 1, arbitrary: fc.constantFrom(...ORDERS, ...MARKS).map((line) => `\n${line}\n`) },
);
const hostile = fc.array(fragment, { minLength: 1, maxLength: 24 }).map((parts) => `▍job\n${parts.join("")}`);

/** The words without what was put between them, and without spaces, which the host tidies. */
function wordsOf(text: string): string {
  return text.replace(/[\s`\u2060]/g, "");
}

describe("what the host makes of inert words", () => {
  test("[G1] no file is attached, nothing fetched, no reply redirected", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const inert = inertText(text);
        const [entry] = createOutboundPayloadPlan([{ text: inert }], { extractMarkdownImages: true });
        expect(entry?.payload.mediaUrls ?? [], inert).toEqual([]);
        expect(entry?.payload.replyToId, inert).toBeUndefined();
        expect(entry?.payload.replyToCurrent ?? false, inert).toBe(false);
        expect(entry?.payload.audioAsVoice ?? false, inert).toBe(false);
        expect(wordsOf(entry?.payload.text ?? "")).toBe(wordsOf(text));
      }),
      { numRuns: RUNS },
    );
  });

  test.each([
    "```a`b\nMEDIA:/etc/passwd",
    "```js `inline`\nMEDIA:/etc/passwd",
    "```a`b\nx\n```\nMEDIA:/etc/passwd\n```",
    "- ```js\n  code\n  ```\nMEDIA:/etc/passwd",
    "1. a\n   ```\nMEDIA:/etc/passwd",
    "> ```\nMEDIA:/etc/passwd",
    "    ```\nMEDIA:/etc/passwd",
    "```\n    ```\n```\nMEDIA:/etc/passwd",
    "~~~ x\r~~~\nMEDIA:/etc/passwd",
    "`a\n[[reply_to:5]] `b` <b>` <b>",
  ])("[G1] nothing of it in %j", (text) => {
    const [entry] = createOutboundPayloadPlan([{ text: inertText(text) }], { extractMarkdownImages: true });
    expect([entry?.payload.mediaUrls ?? [], entry?.payload.replyToId]).toEqual([[], undefined]);
    expect(wordsOf(entry?.payload.text ?? "")).toBe(wordsOf(text));
  });

  test.each([
    "1. Do this:\n\n   ```html\n   <div>\n   ```\n\n2. Then `<b>` and:\n   ```yaml\n   media: x\n   ```",
    "> ```html\n> <i>\n> ```",
    "- a\n  - b\n\n    ```\n    <b>\n    ```\n",
    "```html\n<div>\nmedia: x\n![a](b)\n```",
    "Use `Array<string>` and `![x](y)`",
  ])("[G1] code stays as it is in %j", (text) => {
    expect(inertText(text).replaceAll("\u2060", "")).toBe(text);
  });

  test("[G1] no word is dropped as a tag or as a trace of the host's own agent", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = sanitizeForPlainText(sanitizeAssistantVisibleText(inertText(text)), { style: "markdown" });
        expect(wordsOf(shown)).toBe(wordsOf(text));
      }),
      { numRuns: RUNS },
    );
  });

  test.each([
    "```\n",
    "> ",
    "- ",
    "`",
    "- `<b>\n",
    "<b>",
    "MEDIA:/x\n",
    "![",
    "[[reply_to:1]]",
    "[a]: `\n",
    "\t",
    "|-|\n",
    "\\`",
    "- - -",
    "1. ",
  ])("[G1] costs in proportion to the length for %j again and again", (unit) => {
    const work = (size: number): void => void inertText(`<i> ${unit.repeat(Math.ceil(size / unit.length))}`);
    expect(growth(60_000, work)).toBeLessThan(LINEAR);
  });

  test("[G1] what is surely code here is code there", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const regions = findCodeRegions(text).filter(({ block }) => block);
        for (const line of textLines(text)) {
          // An empty line of a quote at the end belongs to nothing there.
          if (!line.sure || !isCode(line) || /^[\s>]*$/.test(text.slice(line.start, line.end))) continue;
          expect(
            regions.some(({ start, end }) => start < line.end && line.start < end),
            JSON.stringify([text, text.slice(line.start, line.end)]),
          ).toBe(true);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
