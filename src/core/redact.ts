/**
 * Secrets out of text that people, other agents or logs will see.
 * Owns: what counts as a secret. Does not own: where redaction is applied.
 * Invariants: idempotent; linear time for any text (each search is anchored at a literal and looks a bounded distance
 * around it); prose, code and references to variables stay as they are.
 */
import { matchAt, withoutPrivateKeys } from "./private-key.ts";
import { looksRandom, looksWeakSecret, placeholder } from "./secret-shape.ts";

/** What stands where a secret was. */
export const REDACTED = "[redacted]";

export function redactSecrets(text: string): string {
  return redactTokens(redactAssignments(redactSchemes(redactUrls(withoutPrivateKeys(text, () => REDACTED)))));
}

// ---------------------------------------------------------------- credentials in addresses

const URL_CREDENTIALS = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/)([^\s/:@"'`<>]{0,200})(?::([^\s/@"'`<>]{1,200}))?@/gi;
const WEBHOOK =
  /(hooks\.slack\.com\/(?:services|workflows)\/|discord(?:app)?\.com\/api\/webhooks\/)([A-Za-z0-9_/-]{20,300})/gi;

function redactUrls(text: string): string {
  return text
    .replace(URL_CREDENTIALS, (whole, scheme: string, user: string, password: string | undefined) => {
      if (password === undefined) return looksRandom(user) ? `${scheme}${REDACTED}@` : whole;
      return placeholder(password) ? whole : `${scheme}${user}:${REDACTED}@`;
    })
    .replace(WEBHOOK, (_whole, place: string) => `${place}${REDACTED}`);
}

// ---------------------------------------------------------------- Authorization headers

const HEADER =
  /(authorization["'\\]{0,3}\s{0,3}[:=]\s{0,3}["'\\]{0,2}(?:bearer|basic|token|digest|apikey)\s{1,3})([^\s"'`\\<>,;)]{4,4096})/gi;
const BEARER = /(\bbearer\s{1,3})([A-Za-z0-9._~+/-]{16,4096}={0,2})/gi;

function redactSchemes(text: string): string {
  return text
    .replace(HEADER, (whole, start: string, value: string) => (isHeaderValue(value) ? `${start}${REDACTED}` : whole))
    .replace(BEARER, (whole, start: string, value: string) => (looksRandom(value) ? `${start}${REDACTED}` : whole));
}

/** `Bearer token` in a sentence is a word; a value has digits, mixed case or is long. */
function isHeaderValue(value: string): boolean {
  return !placeholder(value) && (/\d/.test(value) || /[a-z][A-Z]|[A-Z][a-z]+[A-Z]/.test(value) || value.length >= 24);
}

// ---------------------------------------------------------------- name = value

const KEY_WORD =
  /api[_-]?key|secret|token|passw(?:or)?d|passphrase|pwd|(?:private|access|signing|encryption|master|license|auth|storage|account|subscription|deploy|service)[_-]?key|credential|authorization/gi;
const NAME_LENGTH = 64;
/** `=`, `: `, `=>`, `":"`, also with the backslashes of JSON in JSON; a space after a command-line option. */
const OPERATOR = /\\{0,3}["'`]?\]?(?:[ \t]{0,3}(?::=|=>|[:=](?!=))[ \t]{0,3}| (?=[^\s-]))(\\{0,3}["'`])?/y;
const QUOTED_LENGTH = 4_096;
const BARE_VALUE = /[A-Za-z0-9_\-./+~!@#$%^*?]{4,4096}={0,2}/y;
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
  const end = line.indexOf(quote);
  const newline = line.indexOf("\n");
  return end <= 0 || (newline !== -1 && newline < end) ? undefined : start + end;
}

// ---------------------------------------------------------------- tokens that are known by their beginning

/** A run of token characters; every character belongs to at most one, so nothing is read twice. */
const RUN = /[A-Za-z0-9_.-]{16,}/g;
const BOT_TOKEN = /\b(\d{8,10}:)(AA[A-Za-z0-9_-]{30,40})(?![A-Za-z0-9_-])/g;

/** Beginning and the least length of the rest; the rest must look random. */
const PREFIXES: readonly (readonly [string, number])[] = [
  ["sk-", 16],
  ["sk_live_", 16],
  ["sk_test_", 16],
  ["rk_live_", 16],
  ["whsec_", 16],
  ["ghp_", 20],
  ["gho_", 20],
  ["ghu_", 20],
  ["ghs_", 20],
  ["ghr_", 20],
  ["github_pat_", 20],
  ["glpat-", 16],
  ["npm_", 20],
  ["pypi-", 30],
  ["xoxb-", 12],
  ["xoxp-", 12],
  ["xoxa-", 12],
  ["xoxr-", 12],
  ["xoxs-", 12],
  ["xapp-", 12],
  ["AIza", 30],
  ["hf_", 20],
  ["gsk_", 20],
  ["xai-", 20],
  ["dop_v1_", 20],
  ["shpat_", 20],
  ["AGE-SECRET-KEY-", 20],
];
const AWS_KEY = /^(?:AKIA|ASIA)[A-Z0-9]{16}$/;

function redactTokens(text: string): string {
  return text.replace(BOT_TOKEN, (_whole, id: string) => `${id}${REDACTED}`).replace(RUN, redactRun);
}

function redactRun(run: string): string {
  const parts = run.split(".");
  const shown: string[] = [];
  for (let i = 0; i < parts.length; i += 1) {
    const span = dottedToken(parts, i);
    if (span > 0) {
      shown.push(REDACTED);
      i += span - 1;
    } else {
      shown.push(isToken(parts[i] ?? "") ? REDACTED : (parts[i] ?? ""));
    }
  }
  return shown.join(".");
}

/** How many parts a token with dots takes: a JWT, a SendGrid key, a Google access token; 0 for none. */
function dottedToken(parts: readonly string[], at: number): number {
  const [first = "", second = "", third] = parts.slice(at, at + 3);
  if (first.startsWith("eyJ") && first.length >= 12 && second.length >= 8) return third === undefined ? 2 : 3;
  if (first === "SG" && second.length >= 16 && (third?.length ?? 0) >= 16) return 3;
  if (first === "ya29" && second.length >= 20) return 2;
  return 0;
}

function isToken(word: string): boolean {
  // What a terminal's colour code or an option's dashes leave in front.
  const bare = word.replace(/^(?:\d{1,3}m)?[-_]{0,3}/, "");
  if (AWS_KEY.test(bare)) return true;
  return PREFIXES.some(([prefix, least]) => {
    const rest = bare.slice(prefix.length);
    return (
      bare.startsWith(prefix) &&
      rest.length >= least &&
      rest.split(/[-_]/).some((part) => part.length >= 10 && /\d/.test(part) && /[A-Za-z]/.test(part))
    );
  });
}
