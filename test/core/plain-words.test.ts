/** However a keyboard writes a number, it is that number; and words that are more than numbers are none. */
import { expect, test } from "vitest";
import { numberOf, numbersOf, plainWords, showsNumbers } from "../../src/core/plain-words.ts";

test.each([
  "2",
  " 2 ",
  "２",
  "٢",
  "۲",
  "२",
  "২",
  "๒",
  "2️⃣",
  "2\u20e3",
  "②",
  "2.",
  "2)",
  "２．",
  "(2)",
  "（2）",
  "#2",
  "#２",
  "2、",
  "\u200f٢",
  "𝟐",
])("[A6] %j is the number 2", (words) => {
  expect(numberOf(words)).toBe(2);
});

test.each(["", "2 things", "2.5", "two", "a2", "2?", "1234", "2 3"])("[A6] %j is no number alone", (words) => {
  expect(numberOf(words)).toBeUndefined();
});

test("[A6] ten is one keycap, and several digits of a script are one number", () => {
  expect([numberOf("🔟"), numberOf("١٢"), numberOf("１２")]).toEqual([10, 12, 12]);
});

test.each([
  ["1, 3", [1, 3]],
  ["1 3", [1, 3]],
  ["１，３", [1, 3]],
  ["1、3；5", [1, 3, 5]],
  ["1️⃣ 3️⃣", [1, 3]],
  ["2", [2]],
  ["1 and 3", undefined],
  ["1, three", undefined],
  ["", undefined],
])("[A6] [H9] %j holds %j", (words, numbers) => {
  expect(numbersOf(words)).toEqual(numbers);
});

test("words are compared without width, direction and case", () => {
  expect(plainWords(" ＡＬＬＯＷ\u200e ")).toBe("allow");
});

test.each([
  ["1. red\n2. blue", true],
  ["Which?\n  (1) red", true],
  ["- 2) x", true],
  ["1.5 times faster", false],
  ["In 2024 it was so.", false],
])("a text with an item that a number could mean: %j", (text, shows) => {
  expect(showsNumbers(text)).toBe(shows);
});
