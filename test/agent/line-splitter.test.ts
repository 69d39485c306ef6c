import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CutLine, LineSplitter, LONGEST_LINE } from "../../src/agent/line-splitter.ts";
import { growth, LINEAR } from "../growth.ts";

/** Cuts bytes at the given places. */
function pieces(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : places[index - 1], end));
}

function split(chunks: readonly Buffer[], longestLine?: number): readonly string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(
    { line: (line) => lines.push(line), cut: ({ head, length, tail }) => lines.push(`${head}…${tail} (${length})`) },
    longestLine,
  );
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

describe("line splitter", () => {
  test("lines and characters cut anywhere come out whole", () => {
    const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", " "));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
        expect(split(pieces(bytes, cuts))).toEqual(lines);
      }),
    );
  });

  test("whatever the bytes are, cutting them changes nothing and loses nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.array(fc.nat()), (array, cuts) => {
        const bytes = Buffer.from(array);
        const whole = bytes.toString("utf8");
        const expected = whole.endsWith("\n") ? whole.slice(0, -1).split("\n") : whole === "" ? [] : whole.split("\n");
        expect(split(pieces(bytes, cuts))).toEqual(expected);
      }),
    );
  });

  test("the last line needs no newline", () => {
    expect(split([Buffer.from("a\nb")])).toEqual(["a", "b"]);
    expect(split([Buffer.from("a\n")])).toEqual(["a"]);
    expect(split([])).toEqual([]);
  });

  test("a character that never ends is told as broken, not dropped", () => {
    expect(split([Buffer.from([0x61, 0xe4, 0xbd])])).toEqual(["a\uFFFD"]);
  });

  test("the longest line comes whole, at a cost in proportion to the length", () => {
    const chunk = Buffer.alloc(64 * 1024, "x");
    const oneLine = (chunks: number): readonly string[] =>
      split([...Array.from({ length: chunks }, () => chunk), Buffer.from("\n")]);
    expect(oneLine(256)[0]?.length).toBe(LONGEST_LINE);
    expect(growth(256, (chunks) => void oneLine(chunks))).toBeLessThan(LINEAR);
  });

  test("[F6] of a line longer than any text can be, its ends and its length come out, and the next line whole", () => {
    const cut: CutLine[] = [];
    const lines: string[] = [];
    const splitter = new LineSplitter({ line: (line) => lines.push(line), cut: (line) => cut.push(line) });
    const chunk = Buffer.alloc(1024 * 1024, "x");
    splitter.push(Buffer.from('{"id":7,'));
    // Longer than the longest string of the engine: kept, it could not even be joined.
    for (let count = 0; count < 600; count += 1) splitter.push(chunk);
    splitter.push(Buffer.from('end"}\nnext\n'));
    expect(lines).toEqual(["next"]);
    expect(cut.map(({ length }) => length)).toEqual([8 + 600 * 1024 * 1024 + 5]);
    expect(cut[0]?.head.startsWith('{"id":7,xxx')).toBe(true);
    expect(cut[0]?.tail.endsWith('xxxend"}')).toBe(true);
    expect((cut[0]?.head.length ?? 0) + (cut[0]?.tail.length ?? 0)).toBeLessThan(100_000);
  });

  test("[F6] wherever the pieces end: a line past the bound is cut, every other one is whole", () => {
    expect(split([Buffer.from("12345"), Buffer.from("67890"), Buffer.from("abc\nshort\n12345678\n")], 8)).toEqual([
      "1234567890…1234567890abc (13)",
      "short",
      "12345678",
    ]);
    expect(split([Buffer.from("123456789")], 8)).toEqual(["123456789…123456789 (9)"]);
  });
});
