/** No words of an agent can freeze the gateway: what looks at them costs in proportion to their length. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fenced, visible } from "../../src/core/fence.ts";
import { inertText } from "../../src/core/inert-text.ts";
import { withoutPrivateKeys } from "../../src/core/private-key.ts";
import { endOf } from "../../src/core/excerpt.ts";
import { withoutCode } from "../../src/core/question-words.ts";
import { redactSecrets } from "../../src/core/redact.ts";
import { redactInPlace, redactTail, redactValue } from "../../src/core/redact-value.ts";
import { piecesOf } from "../../src/core/stream.ts";
import { withoutOpenKey } from "../../src/journal/open-key.ts";
import { Redaction } from "../../src/journal/redaction.ts";
import { growth, LINEAR } from "../growth.ts";

const LOOKS: Readonly<Record<string, (text: string) => unknown>> = {
  redactSecrets,
  redactTail,
  redactInPlace: (text) => redactInPlace(text, redactSecrets),
  redactValue: (text) => redactValue({ a: [text] }, redactSecrets),
  withoutPrivateKeys: (text) => withoutPrivateKeys(text, () => ""),
  withoutOpenKey: (text) => withoutOpenKey(text, true),
  visible,
  fenced: (text) => fenced(text),
  inertText,
  piecesOf: (text) => piecesOf(text, 4_000),
  endOf: (text) => endOf(text, 1_200),
  withoutCode: (text) => withoutCode(text, "-"),
  journal: (text) => {
    const redaction = new Redaction(redactSecrets);
    for (let o = 0; o < text.length; o += 50)
      redaction.pass([{ t: "out", at: 1, o, text: text.slice(o, o + 50) }], false);
    return redaction.pass([], true);
  },
};

/** What the searches are anchored at, what they look through, and what they end at. */
const BEGINNINGS = [
  "",
  "-----BEGIN RSA PRIVATE KEY-----",
  "-----END PRIVATE KEY-----",
  "token=",
  'password: "',
  "secret=>'",
  "--token ",
  "Authorization: Bearer ",
  "Cookie: a=",
  "https://a:",
  "?sig=",
  "sk-",
  "eyJ",
  "hvs.",
  "machine a login b password ",
  "curl x -u a:",
  "mysql -p",
  "_auth=",
  "\u001b]",
  "\u001b[",
  "```",
  "> ```",
  "- ",
  "[a]: `",
  "<b ",
  "MEDIA:",
  "[[",
  "a.pem:12:",
  "12\t",
];
const FILLINGS = [
  "",
  "a",
  "aB3dE5fG7hJ9kL2m",
  " ",
  "=",
  "A".repeat(300),
  "`",
  "\u200b",
  ";",
  "\\",
  "0",
  "-",
  ".",
  "/",
  '"',
  "修",
];
const ENDS = ["", "\n", "-----END PRIVATE KEY-----", '"', "@", "!", "\u0007", "`", "\r", "]", ">", "\n\n", "|", "x"];

const shape = fc.record({
  beginning: fc.constantFrom(...BEGINNINGS),
  filling: fc.constantFrom(...FILLINGS),
  times: fc.constantFrom(1, 5, 5_000),
  end: fc.constantFrom(...ENDS),
});

describe.each(Object.keys(LOOKS))("[G2] %s", (name) => {
  test("is linear for whatever is said again and again", () => {
    const look = LOOKS[name];
    if (look === undefined) throw new Error(name);
    fc.assert(
      fc.property(shape, ({ beginning, filling, times, end }) => {
        const unit = beginning + filling.repeat(times) + end || "x";
        const text = (size: number): string => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
        expect(growth(64_000, (size) => void look(text(size)))).toBeLessThan(LINEAR);
      }),
      { numRuns: 40 },
    );
  });
});

test("[G2] the end of a key again and again, in safe mode a second or more of everybody's time", () => {
  const text = "-----END PRIVATE KEY-----".repeat(40_000);
  expect(growth(text.length, (size) => void redactSecrets(text.slice(0, size)))).toBeLessThan(LINEAR);
  expect(redactSecrets(text)).toBe(text);
});
