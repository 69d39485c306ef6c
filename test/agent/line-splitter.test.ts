import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineSplitter } from "../../src/agent/line-splitter.ts";
import { growth, LINEAR } from "../growth.ts";

/** Cuts bytes at the given places. */
function pieces(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : places[index - 1], end));
}

function split(chunks: readonly Buffer[], longestLine?: number): readonly string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), longestLine);
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

  test("50 MB in one line come whole, at a cost in proportion to the length", () => {
    const chunk = Buffer.alloc(64 * 1024, "x");
    const oneLine = (chunks: number): readonly string[] =>
      split([...Array.from({ length: chunks }, () => chunk), Buffer.from("\n")]);
    expect(oneLine(800)[0]?.length).toBe(800 * 64 * 1024);
    expect(growth(800, (chunks) => void oneLine(chunks))).toBeLessThan(LINEAR);
  });

  test("a line without an end is passed on in parts before it fills the memory", () => {
    const lines = split([Buffer.from("12345"), Buffer.from("67890"), Buffer.from("abc\n")], 8);
    expect(lines).toEqual(["1234567890", "abc"]);
  });
});
