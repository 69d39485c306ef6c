/** Each situation of docs/situations.md is shown by a test whose title begins with its id, and each such title has its line there. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const TESTS = import.meta.dirname;

/** `[A1]` or `[A1] [B2]` in the title of a test, not in an expression. */
const NAMED = /\[([A-H]\d{1,2})\](?=[^\n]*["'`])/g;
const LINE = /^\| ([A-H]\d{1,2}) \| [^|]+ \| [^|]+ \|$/gm;

const document = readFileSync(join(TESTS, "..", "docs", "situations.md"), "utf8");
const described = [...document.matchAll(LINE)].map(([, id = ""]) => id);

const named = new Set(
  readdirSync(TESTS, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("situations"))
    .flatMap((file) => [...readFileSync(join(TESTS, file), "utf8").matchAll(NAMED)].map(([, id = ""]) => id)),
);

test("each situation is named by the title of a test", () => {
  expect(described.filter((id) => !named.has(id))).toEqual([]);
});

test("each situation that a title names is described", () => {
  expect([...named].filter((id) => !described.includes(id))).toEqual([]);
});

test("each has one line", () => {
  expect(described.filter((id, index) => described.indexOf(id) !== index)).toEqual([]);
});
