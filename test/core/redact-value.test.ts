/** Secrets in parts of texts: cut at the beginning, cut at the end, and masked in place. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bared, visible } from "../../src/core/fence.ts";
import { cutText } from "../../src/core/output.ts";
import { redactSecrets } from "../../src/core/redact.ts";
import { redactInPlace, redactTail, redactValue } from "../../src/core/redact-value.ts";
import { preview } from "../../src/core/asked-text.ts";
import { PLANTED, foundIn } from "../planted-secrets.ts";

const onePlanted = fc.constantFrom(...PLANTED);

test("what is left of a secret whose beginning was cut off goes", () => {
  fc.assert(
    fc.property(onePlanted, fc.nat(300), (planted, cut) => {
      const tail = planted.text.slice(Math.min(cut, planted.text.length - 1));
      const shown = redactTail(`${tail} and more words\nof 2 lines`);
      expect(shown).toContain("and more words\nof 2 lines");
      // A short rest (less than a third of most) tells nothing.
      expect(
        foundIn(
          shown,
          [planted].filter(() => tail.length > 16),
        ),
      ).toEqual([]);
    }),
  );
});

test("ordinary tails stay", () => {
  for (const text of ["", "words and words", "ests pass now", "of 14", "line\nanother 3 lines", "done."])
    expect(redactTail(text)).toBe(text);
});

test("the preview of a long text has no secret that its end cut in two", () => {
  fc.assert(
    fc.property(onePlanted, fc.nat(120), (planted, back) => {
      const text = `${"x ".repeat(1_000 - Math.floor(back / 2))}${planted.text}${" y".repeat(2_000)}`;
      const { text: shown, length } = preview(text, "k");
      expect(length).toBe(text.length);
      expect(shown.length).toBeLessThanOrEqual(2_000);
      expect(foundIn(shown, [planted])).toEqual([]);
    }),
  );
});

test("masked in place, a text is as long as it was, line by line", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          onePlanted.map(({ text }) => text),
          fc.constantFrom("\n", " and ", "你好 "),
        ),
      ),
      (parts) => {
        const text = parts.join("");
        const masked = redactInPlace(text, redactSecrets);
        expect(masked.split("\n").map((line) => line.length)).toEqual(text.split("\n").map((line) => line.length));
      },
    ),
  );
});

describe("a value", () => {
  test("is masked to its leaves, but for what stands under kept keys", () => {
    const [{ text, secret }] = PLANTED as readonly [(typeof PLANTED)[number]];
    const value = { a: [text, { b: text, id: text }], n: 1, none: null, id: text };
    const masked = JSON.stringify(redactValue(value, redactSecrets, new Set(["id"])));
    expect(masked.split(secret)).toHaveLength(3);
    expect(JSON.parse(masked)).toMatchObject({ n: 1, none: null, id: text });
  });

  test("without a secret is the same value", () => {
    const value = { a: ["x", { b: "token expired" }], n: 1 };
    expect(redactValue(value, redactSecrets)).toBe(value);
  });
});

describe("[G4] what takes a secret apart", () => {
  const BETWEEN = [
    "\u001b[0m",
    "\u001b]8;;x\u0007",
    "\u001b(B",
    "\u009b1m",
    "\u200b",
    "\u2060",
    "\u200d",
    "\ufe0f",
    "\u00ad",
    "\u0000",
    "\u{e0041}",
  ];

  const whole = fc.constantFrom(...PLANTED.filter(({ text }) => bared(text) === text));

  test("does not hide it, whether it is taken out before or afterwards", () => {
    fc.assert(
      fc.property(whole, fc.constantFrom(...BETWEEN), fc.nat(200), (planted, between, at) => {
        const cut = at % planted.text.length;
        const text = `Here: ${planted.text.slice(0, cut)}${between}${planted.text.slice(cut)} end`;
        expect(foundIn(redactSecrets(text), [planted])).toEqual([]);
        expect(foundIn(visible(redactSecrets(text)), [planted])).toEqual([]);
        expect(foundIn(redactSecrets(visible(text)), [planted])).toEqual([]);
        const inPlace = redactInPlace(text, redactSecrets);
        expect(foundIn(inPlace, [planted])).toEqual([]);
        expect(inPlace).toHaveLength(text.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test("also as a string literal writes it", () => {
    for (const between of ["\\u001b[1m", "\\\\u200b", "\\x1b[0m", "\\033[31m", "\\e[0m"])
      expect(redactSecrets(`{"a":"sk-aB3dE5fG7h${between}J9kL2mN4pQ6rS8"}`)).toBe('{"a":"[redacted]"}');
  });

  test("stays where there is no secret", () => {
    const text = "\u001b[31mred\u001b[0m 👨‍👩‍👧‍👦 می‌خواهم\nand a line\u200b more";
    expect(redactSecrets(text)).toBe(text);
    expect(redactSecrets(`${text}\nsk-${"aB3dE5fG7hJ9kL2mN4pQ6rS8"}`)).toBe(`${text}\n[redacted]`);
  });
});

test("[G3] wherever a text is cut off, nothing that was a secret is left at its end", () => {
  fc.assert(
    fc.property(onePlanted, fc.nat(200), (planted, at) => {
      const cut = cutText(`See ${planted.text}`, 12 + (at % planted.text.length));
      const shown = redactSecrets(cut);
      // A short beginning tells nothing.
      const told = planted.secret.slice(0, Math.ceil(planted.secret.length / 3));
      expect([shown, told].filter((text) => text === shown && text.includes(told))).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});
