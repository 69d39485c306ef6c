/** No promise is claimed without a test that names it, and no test names a promise that was never made. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REQUIREMENTS, type Requirement } from "./requirements.ts";

const TESTS = import.meta.dirname;

/** `[S5]` in the title of a test, not in an expression. */
const NAMED = /\[([OSNK]\d{1,2})\](?=[^\n]*["'`])/g;

function namedIds(): Map<string, string[]> {
  const named = new Map<string, string[]>();
  const files = readdirSync(TESTS, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  for (const file of files.filter((one) => !one.startsWith("requirements"))) {
    for (const [, id = ""] of readFileSync(join(TESTS, file), "utf8").matchAll(NAMED)) {
      named.set(id, [...(named.get(id) ?? []), file]);
    }
  }
  return named;
}

const requirements = new Map<string, Requirement>(Object.entries(REQUIREMENTS));
const named = namedIds();

test("what is claimed to be done is named by a test", () => {
  const claimed = [...requirements].filter(([, { done }]) => done).map(([id]) => id);
  expect(claimed.filter((id) => !named.has(id))).toEqual([]);
});

test("what tests name was promised", () => {
  expect([...named].filter(([id]) => !requirements.has(id))).toEqual([]);
});

test("the promises are numbered without gaps", () => {
  const groups = { O: 9, S: 11, N: 9, K: 8 };
  const all = Object.entries(groups).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, i) => `${letter}${i + 1}`),
  );
  expect([...requirements.keys()]).toEqual(all);
});
