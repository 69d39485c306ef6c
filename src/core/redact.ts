/**
 * Secrets out of text that people, other agents or logs will see.
 * Owns: what counts as a secret. Does not own: where redaction is applied.
 * Invariants: idempotent; linear time for any text (each search is anchored at a literal and looks a bounded distance
 * around it); prose, code and references to variables stay as they are.
 */
import { bared } from "./fence.ts";
import { matchAt, withoutPrivateKeys } from "./private-key.ts";
import { withoutPlaced } from "./secret-place.ts";
import { looksRandom, looksWeakSecret, placeholder } from "./secret-shape.ts";
import { withoutTokens } from "./secret-token.ts";

/** What stands where a secret was. */
export const REDACTED = "[redacted]";
const MOST_ROUNDS = 4;

/**
 * Also of words that escape sequences or invisible characters take apart: each line with a secret is then without them, so that it
 * does not matter whether they go before or after.
 */
export function redactSecrets(text: string): string {
  const bare = bared(text);
  const shown = redactBare(bare);
  if (shown === bare) return text;
  if (bare === text) return shown;
  const [before, after] = [bare.split("\n"), shown.split("\n")];
  if (before.length !== after.length) return shown;
  const lines = text.split("\n");
  return after.map((line, i) => (line === before[i] ? (lines[i] ?? "") : line)).join("\n");
}

/** What is masked first may bare what stands behind it: masked until nothing changes. */
function redactBare(text: string): string {
  let shown = text;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const before = shown;
    const withoutKeys = withoutPrivateKeys(before, () => REDACTED);
    shown = withoutTokens(redactAssignments(withoutPlaced(withoutKeys, REDACTED)), REDACTED);
    if (shown === before) break;
  }
  return shown;
}

// ---------------------------------------------------------------- name = value

const KEY_WORD =
  /api[_-]?key|secret|token|passw(?:or)?d|passphrase|pwd|(?:private|access|signing|encryption|master|license|auth|storage|account|subscription|deploy|service|client|pre-?shared|host|session|cookie|webhook|bot)[_-]?key|credential|authorization/gi;
const NAME_LENGTH = 64;
/** `=`, `: `, `=>`, `":"`, also with the backslashes of JSON in JSON; a space after a command-line option. */
const OPERATOR = /\\{0,3}["'`]?\]?(?:[ \t]{0,3}(?::=|=>|[:=](?!=))[ \t]{0,3}| (?=[^\s-]))(\\{0,3}["'`])?/y;
const QUOTED_LENGTH = 4_096;
const LEAST_CUT_OFF = 4;
const BARE_VALUE = /[A-Za-z0-9_\-./+~!@#$%^*?]{4,}={0,2}/y;
/** Names that speak about a secret without being one. */
const NOT_THE_SECRET =
  /(?:file|path|dir|url|uri|name|count|limit|type|length|size|header|prefix|ttl|expiry|expires|expiresin|budget|usage|format|field|param|policy|hint|version|manager|id)s?$/i;

/** The value of a name that says that it is secret. */
function redactAssignments(text: string): string {
  let result = "";
  let done = 0;
  for (const word of text.matchAll(KEY_WORD)) {
    if (word.index < done) continue;
    const value = valueOf(text, word.index, word.index + word[0].length);
    if (value === undefined) continue;
    result += text.slice(done, value.start) + REDACTED;
    done = value.end;
  }
  return result + text.slice(done);
}

function valueOf(
  text: string,
  wordAt: number,
  wordEnd: number,
): { readonly start: number; readonly end: number } | undefined {
  let nameAt = wordAt;
  while (nameAt > wordAt - NAME_LENGTH && /[A-Za-z0-9_.-]/.test(text[nameAt - 1] ?? "")) nameAt -= 1;
  let nameEnd = wordEnd;
  while (nameEnd < wordEnd + NAME_LENGTH && /[A-Za-z0-9_-]/.test(text[nameEnd] ?? "")) nameEnd += 1;
  const name = text.slice(nameAt, nameEnd);
  if (NOT_THE_SECRET.test(name) || isOtherWord(text, wordAt, wordEnd)) return undefined;
  const operator = matchAt(OPERATOR, text, nameEnd);
  if (operator === null) return undefined;
  const spaced = !/[:=]/.test(operator[0]);
  if (spaced && !name.startsWith("--")) return undefined;
  const start = nameEnd + operator[0].length;
  const quote = operator[1];
  const end = quote === undefined ? bareEnd(text, start) : quotedEnd(text, start, quote);
  if (end === undefined) return undefined;
  const value = text.slice(start, end);
  if (placeholder(value)) return undefined;
  const env = /^[A-Z0-9_]+$/.test(name) && operator[0].startsWith("=");
  const literal = quote !== undefined || env;
  const password = /pass|pwd/i.test(name);
  // Cut off: what is left of it is too short to be known.
  if (text[end] === "…" && value.length >= LEAST_CUT_OFF && /\d|[a-z][A-Z]/.test(value) && !/[./]/.test(value))
    return { start, end };
  const weak = (literal || password || name.startsWith("--")) && looksWeakSecret(value, { literal, password });
  return weak || looksRandom(value) ? { start, end } : undefined;
}

/** `tokenizer`, `SECRETARY`: the word goes on in the same case, with more than a plural. */
function isOtherWord(text: string, wordAt: number, wordEnd: number): boolean {
  const word = text.slice(wordAt, wordEnd);
  if (word.toLowerCase() === "pwd" && /[a-z]/i.test(text[wordAt - 1] ?? "")) return true;
  const rest = text.slice(wordEnd, wordEnd + 2);
  return word === word.toUpperCase() ? /^S?[A-RT-Z]/.test(rest) : /^s?[a-rt-z]/.test(rest);
}

function bareEnd(text: string, start: number): number | undefined {
  const value = matchAt(BARE_VALUE, text, start)?.[0];
  if (value === undefined) return undefined;
  // A call, an index or a type argument: code, not a value.
  const next = text[start + value.length];
  if (next === "(" || next === "[" || next === "<" || next === "{") return undefined;
  return start + value.replace(/[.!?]{1,3}$/, "").length;
}

function quotedEnd(text: string, start: number, quote: string): number | undefined {
  const line = text.slice(start, start + QUOTED_LENGTH);
  const cutOff = /^[^\s"'`…]{4,64}(?=…)/.exec(line);
  if (cutOff !== null) return start + cutOff[0].length;
  const end = line.indexOf(quote);
  const newline = line.indexOf("\n");
  return end <= 0 || (newline !== -1 && newline < end) ? undefined : start + end;
}
