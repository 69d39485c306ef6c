/**
 * Secrets out of values and of parts of texts.
 * Owns: masking every text inside of a value, masking that keeps offsets, and a text whose beginning was cut off.
 * Does not own: what a secret is (redact.ts).
 */
import { bared } from "./fence.ts";
import { undressed, withoutPrivateKeys } from "./private-key.ts";
import { redactSecrets } from "./redact.ts";
import { looksRandom } from "./secret-shape.ts";

export type Redact = (text: string) => string;

/** The same shape, every text masked; what stands under a key of `kept` stays as it is. The value itself where nothing is masked. */
export function redactValue(value: unknown, redact: Redact, kept: ReadonlySet<string> = NONE): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((inner: unknown) => redactValue(inner, redact, kept));
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  const masked = entries.map(
    ([key, inner]) => [key, kept.has(key) ? inner : redactValue(inner, redact, kept)] as const,
  );
  return masked.every(([, inner], i) => inner === entries[i]?.[1]) ? value : Object.fromEntries(masked);
}

const NONE: ReadonlySet<string> = new Set();

/** As long as the text was: offsets of what follows a secret stay what they are. */
export function redactInPlace(text: string, redact: Redact): string {
  // Only private keys go over several lines.
  const lined = withoutKeys(text);
  const masked = redact(lined);
  if (masked === text) return text;
  const before = lined.split("\n");
  const after = masked.split("\n");
  if (before.length !== after.length) return fit(lined, masked);
  return before.map((line, i) => fit(line, after[i] ?? "")).join("\n");
}

/** Private keys as stars, also those that invisible characters take apart. */
function withoutKeys(text: string): string {
  const bare = bared(text);
  const masked = withoutPrivateKeys(bare, stars);
  if (bare === text || masked === bare) return masked === bare ? text : masked;
  const [before, after] = [bare.split("\n"), masked.split("\n")];
  return text
    .split("\n")
    .map((line, i) => (before[i] === after[i] ? line : stars(line)))
    .join("\n");
}

/** The part that changed, brought to the length of what stood there. */
function fit(text: string, masked: string): string {
  if (text === masked) return text;
  let start = 0;
  while (start < text.length && text[start] === masked[start]) start += 1;
  let end = 0;
  const most = Math.min(text.length, masked.length) - start;
  while (end < most && text.at(-1 - end) === masked.at(-1 - end)) end += 1;
  const length = text.length - start - end;
  const mask = masked.slice(start, masked.length - end);
  const fitted = mask.length <= length ? mask.padEnd(length, "*") : "*".repeat(length);
  return masked.slice(0, start) + fitted + masked.slice(masked.length - end);
}

const KEY_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
/** A line of a private key. */
const KEY_WORDS = /^[A-Za-z0-9+/=\s]*$/;
const HEADER = "-----BEGIN PRIVATE KEY-----";
const HEADER_REST = /^[A-Z -]{0,60}-(?=\s|\\{1,8}[nrt])/;
const LINE_END = /\n|\\{1,8}[nrt]/;
/** Words and names are shorter; what goes on longer without a space is a path, an address or the rest of a secret. */
const LEAST_REST = 8;
/** A name that said that its value is secret may have been cut off: as far as it may stand before its value. */
const NAME_LENGTH = 96;

/** Of a text whose beginning was cut off, perhaps in the middle of a secret: what may be the rest of one goes. */
export function redactTail(text: string, redact: Redact = redactSecrets): string {
  const rest = keyRest(text);
  return redact(stars(text.slice(0, rest)) + withoutRest(withoutKeys(text.slice(rest)), rest === 0));
}

/** So much of the beginning is the rest of a private key: behind a part of its header, or up to its footer. */
function keyRest(text: string): number {
  const [header] = HEADER_REST.exec(text) ?? [];
  if (header !== undefined) {
    let length = 0;
    const whole = HEADER + text.slice(header.length);
    withoutPrivateKeys(whole, (block) => {
      if (length === 0) length = whole.startsWith(block) ? block.length : HEADER.length;
      return block;
    });
    if (length > HEADER.length) return header.length + length - HEADER.length;
  }
  const end = KEY_END.exec(text);
  return end !== null && isKeyRest(text.slice(0, end.index)) ? end.index + end[0].length : 0;
}

/** Lines of a key, the first of them perhaps behind a part of what a listing put in front of it. */
function isKeyRest(text: string): boolean {
  return text
    .split(LINE_END)
    .every((line, i) => KEY_WORDS.test(undressed(i === 0 ? line.replace(/^[^\w+/=]{1,4}/, "") : line)));
}

function withoutRest(text: string, isBeginning: boolean): string {
  const newline = text.indexOf("\n");
  const wordEnd = /\s|$/.exec(text)?.index ?? 0;
  const length = Math.max(wordEnd, Math.min(NAME_LENGTH, newline === -1 ? text.length : newline));
  const line = /^\S*/.exec(text.slice(length))?.[0].length ?? 0;
  const head = text.slice(0, length + line).replace(/\S{8,}/g, (word: string, at: number) => {
    const isRest = isBeginning && at === 0 && word.length >= LEAST_REST && /\d/.test(word) && /[A-Za-z]/.test(word);
    return isRest || looksRandom(word.replace(/^["'`]{1,8}|["'`,;.]{1,8}$/g, "")) ? stars(word) : word;
  });
  return head + text.slice(length + line);
}

function stars(text: string): string {
  return text.replace(/\S/g, "*");
}
