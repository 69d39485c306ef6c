import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inertText } from "../../src/core/inert-text.ts";
import { piecesOf, splitForChannel } from "../../src/core/stream.ts";
import { growth, LINEAR } from "../growth.ts";

const texts = (text: string, limit: number): readonly string[] => splitForChannel(text, limit).map((said) => said.text);
const bodies = (text: string, limit: number): readonly string[] => piecesOf(text, limit).map((piece) => piece.body);

function lonelyHalves(text: string): number {
  return (
    text.length - text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "").length
  );
}

describe("[N3] splitForChannel", () => {
  it("leaves a text that fits as it is", () => {
    expect(texts("hello", 5)).toEqual(["hello"]);
    expect(texts("", 100)).toEqual([]);
  });

  it("says with each how much of the text it covers", () => {
    const text = `one two\n${" ".repeat(60)}\n${"three ".repeat(8)}\n\n`;
    const said = splitForChannel(text, 30);
    expect(said.map(({ text: words, end }) => text.slice(0, end).endsWith(words))).not.toContain(false);
    expect(text.slice(said.at(-1)?.end).trim()).toBe("");
  });

  it("keeps the limit also for a text that grows when it is made inert", () => {
    const tags = Array.from({ length: 300 }, (_, n) => `<li>item ${n}</li>`).join("\n");
    for (const text of [tags, "<b>".repeat(900), `${"`".repeat(9)} ${"<i> ` ``` ".repeat(200)}`]) {
      for (const limit of [120, 400, 3_800]) {
        expect(bodies(text, limit).join("")).toBe(text);
        for (const piece of texts(text, limit)) expect(inertText(piece).length).toBeLessThanOrEqual(limit);
      }
    }
    expect(texts(tags, 400).length).toBeLessThan((1.5 * inertText(tags).length) / 400);
  });

  it("cuts at the end of a paragraph rather than at a later line end", () => {
    const first = `${"one ".repeat(15)}\nline two\n\n`;
    const text = `${first}next paragraph\nits second line\n${"z".repeat(80)}`;
    expect(bodies(text, 110)[0]).toBe(first);
  });

  it("cuts at a line end where no paragraph ends", () => {
    const text = `${"a".repeat(50)}\n${"b".repeat(50)}\n${"c".repeat(50)}`;
    expect(bodies(text, 110)).toEqual([`${"a".repeat(50)}\n${"b".repeat(50)}\n`, "c".repeat(50)]);
  });

  it("does not send a short first line alone when a long line follows", () => {
    const text = `Title\n${"word ".repeat(60)}`;
    const [first = ""] = bodies(text, 100);
    expect(first.length).toBeGreaterThan(80);
    expect(first.endsWith(" ")).toBe(true);
  });

  it("cuts between words in a long line", () => {
    for (const body of bodies("lorem ipsum dolor sit amet ".repeat(40), 97)) expect(body).toMatch(/ $/);
  });

  it("cuts Chinese by character", () => {
    const text = "修复登录测试并补充文档".repeat(40);
    const pieces = bodies(text, 100);
    expect(pieces.join("")).toBe(text);
    expect(pieces.slice(0, -1).every((piece) => piece.length === 100)).toBe(true);
  });

  it("never cuts an emoji, a skin tone or a family in half", () => {
    for (const emoji of ["😀", "👍🏽", "👨‍👩‍👧‍👦", "é", "☑️"]) {
      for (const body of bodies(emoji.repeat(60), 67)) {
        expect(lonelyHalves(body)).toBe(0);
        expect(body.replaceAll(emoji, "")).toBe("");
      }
    }
  });

  it("closes a code block that it cuts, and opens it again with its language", () => {
    const code = Array.from({ length: 40 }, (_, i) => `  const value${i} = ${i};`).join("\n");
    const pieces = texts(`Here it is:\n\n\`\`\`ts title=a.ts\n${code}\n\`\`\`\n\nDone.`, 300);
    expect(pieces.length).toBeGreaterThan(3);
    for (const piece of pieces) {
      expect(piece.length).toBeLessThanOrEqual(300);
      expect((piece.match(/^```/gm) ?? []).length % 2).toBe(0);
    }
    expect(pieces[1]).toMatch(/^```ts\n {2}const/);
    expect(pieces[0]).toMatch(/;\n```$/);
    expect(pieces.at(-1)).toMatch(/\n```\n\nDone\.$/);
  });

  it("keeps the indent and the marker of a block in a list", () => {
    const text = `1. Run\n   ~~~~sh\n${"   echo one two three\n".repeat(20)}   ~~~~\n2. Done`;
    const [first = "", second = ""] = texts(text, 200);
    expect(first.endsWith("\n   ~~~~")).toBe(true);
    expect(second.startsWith("   ~~~~sh\n")).toBe(true);
  });

  it("takes a shorter or other fence inside a block for its words", () => {
    const text = `\`\`\`\`md\n${"```js\nx\n```\n~~~\n".repeat(30)}\`\`\`\`\n`;
    for (const piece of texts(text, 150).slice(1)) expect(piece.startsWith("````md\n")).toBe(true);
  });

  it("leaves no empty block where a cut falls beside a fence", () => {
    for (let pad = 0; pad < 120; pad += 1) {
      const text = `${"p".repeat(pad)}\n\`\`\`js\n${"code();\n".repeat(14)}\`\`\`\nafter\n${"q".repeat(60)}`;
      for (const piece of texts(text, 130)) expect(piece).not.toMatch(/^```(?:js)?\n```/m);
    }
  });

  it("closes a block that the text itself leaves open", () => {
    expect(texts("```py\nprint(1)\n", 100)).toEqual(["```py\nprint(1)\n```"]);
  });

  it("sends no blank message", () => {
    expect(texts(`word${" ".repeat(500)}\n\n\n`, 100)).toHaveLength(1);
  });

  it("is linear in the length of anything", () => {
    const long = ["a", " ", "\n", "```\n", "`", "~~~", "😀", "修", "x y\n\n", "`".repeat(5000)];
    for (const unit of long) {
      const text = (size: number): string => unit.repeat(Math.ceil(size / unit.length));
      expect(growth(1_000_000, (size) => piecesOf(text(size), 3_800))).toBeLessThan(LINEAR);
      const whole = text(250_000);
      expect(
        piecesOf(whole, 3_800)
          .map((p) => p.body)
          .join(""),
      ).toBe(whole);
    }
  });

  const fragment = fc.oneof(
    fc.constantFrom(
      "```",
      "```ts\n",
      "\n```\n",
      "~~~\n",
      "````",
      "\n\n",
      "\n",
      " ",
      "修复",
      "😀",
      "👨‍👩‍👧",
      "\r\n",
      "`",
      "    ",
      "é",
    ),
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.lorem({ maxCount: 12 }),
  );
  const text = fc.array(fragment, { maxLength: 60 }).map((parts) => parts.join(""));

  it("keeps every word, within the limit, for any text and limit", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 300 }), (words, limit) => {
        const pieces = piecesOf(words, limit);
        expect(pieces.map((piece) => piece.body).join("")).toBe(words);
        for (const { head, body, tail } of pieces) {
          expect(body).not.toBe("");
          expect((head + body + tail).length).toBeLessThanOrEqual(Math.max(2, limit));
        }
        expect(lonelyHalves(pieces.map((piece) => piece.body).join("\n"))).toBe(lonelyHalves(words));
      }),
      { numRuns: 1_000 },
    );
  });

  it("adds only fences, and what it adds leaves no block open", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 64, max: 300 }), (words, limit) => {
        for (const { head, tail } of piecesOf(words, limit)) {
          expect(head).toMatch(/^(?:\s*(?:`{3,}|~{3,})\S*\n)?$/);
          expect(tail).toMatch(/^(?:\n?\s*(?:`{3,}|~{3,}))?$/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
