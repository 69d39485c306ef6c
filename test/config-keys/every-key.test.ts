/** Every key of the configuration has a test that shows its effect: it is named in the title, `[maxSessions]`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KindGuard, type TSchema } from "@sinclair/typebox";
import { expect, test } from "vitest";
import { configSchema } from "../../src/config-schema.ts";

/** Dotted, down to what is no group of keys. */
function keysOf(schema: TSchema, path: readonly string[] = []): readonly string[] {
  if (!KindGuard.IsObject(schema) || Object.keys(schema.properties).length === 0) return [path.join(".")];
  return Object.entries(schema.properties).flatMap(([key, inner]) => keysOf(inner, [...path, key]));
}

/** A title that begins with keys. */
const TITLE = /["`]((?:\[[A-Za-z.]+\] ?)+)/g;

test("each key is named by a test that shows what it does, and no test names a key that is none", () => {
  const files = readdirSync(import.meta.dirname).filter((file) => !file.startsWith("every-key"));
  const texts = files.map((file) => readFileSync(join(import.meta.dirname, file), "utf8"));
  const titles = texts.flatMap((text) => [...text.matchAll(TITLE)].map(([, keys = ""]) => keys));
  const named = new Set(titles.flatMap((keys) => keys.match(/[A-Za-z.]+/g) ?? []));
  expect([...named].toSorted()).toEqual(keysOf(configSchema).toSorted());
});
