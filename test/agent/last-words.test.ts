/** [S10] What an agent said last on its stderr: told as it is, but for secrets. */
import { expect, test } from "vitest";
import { LastWords } from "../../src/agent/last-words.ts";
import { PLANTED, foundIn } from "../planted-secrets.ts";

test("[S10] short last words are told from their first one on", () => {
  const words = new LastWords(() => "node:internal/v8:12 Error: no key");
  expect(words.sentence).toBe(" Its last words on stderr: node:internal/v8:12 Error: no key");
  expect(new LastWords(() => "").sentence).toBe("");
});

test("no secret is in them, wherever their beginning was cut off", () => {
  for (const { text, kind } of PLANTED) {
    for (let cut = 0; cut < text.length; cut += 3) {
      const tail = `${text.slice(cut)} failed\n`.padEnd(4_096, "and more words\n");
      expect(foundIn(new LastWords(() => tail).tail), `${kind}, cut at ${cut}`).toEqual([]);
    }
    expect(foundIn(new LastWords(() => `login with ${text} failed`).tail), kind).toEqual([]);
  }
});

test("what a peer sends as control texts is kept like stderr", () => {
  const words = new LastWords(() => "");
  words.hear("//stderr Embedded peer started");
  words.hear(`//stderr using ${PLANTED[0]?.text ?? ""}`);
  expect(words.tail).toBe("using [redacted]");
});

test("[H13] what Node says at each start of iFlow is no last word; what it says of an end is", () => {
  const noise = [
    "(node:4711) [DEP0040] DeprecationWarning: The `punycode` module is deprecated. Please use a userland alternative instead.",
    "(Use `node --trace-deprecation ...` to show where the warning was created)",
    "(node:4711) ExperimentalWarning: SQLite is an experimental feature and might change at any time",
    "(Use `iflow --trace-warnings ...` to show where the warning was created)",
  ];
  expect(new LastWords(() => noise.join("\n")).sentence).toBe("");
  const end = "(node:4711) UnhandledPromiseRejectionWarning: no key\nDeprecationWarning: of a tool\nout of memory";
  expect(new LastWords(() => [...noise, end].join("\r\n")).tail).toBe(end);
});
