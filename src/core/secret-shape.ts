/**
 * What a secret looks like when only its value is known.
 * Owns: the line between random strings and words, names, paths, references.
 */

const LEAST_RANDOM_LENGTH = 16;
const LEAST_WEAK_LENGTH = 6;
const MOST_WEAK_LENGTH = 64;
const MEASURED_LENGTH = 256;
/** Bits a character; English words and identifiers of this length stay below it or carry no digits. */
const LEAST_ENTROPY_BITS = 3;

/** A reference or a mark that stands for a value: `$TOKEN`, `${{ x }}`, `<token>`, `***`, `[redacted]`, `xxxx`. */
export function placeholder(value: string): boolean {
  if (/^[$<{%[(*]/.test(value) || value.includes("${") || value.includes("[redacted]")) return true;
  if (
    /^(?:your|my|the|some|insert|replace|change|example|dummy|fake|placeholder|redacted|todo|none|null|undefined|true|false)(?![a-z]{3})/i.test(
      value,
    )
  )
    return true;
  if (
    /^(?:process|import|os|env|config|secrets|vars|self|this|ctx|req|res|options|opts|params|args|props|settings)\b[.[]/.test(
      value,
    )
  )
    return true;
  return /^(.)\1*$/.test(value) || /^x{3,}/i.test(value) || value.includes("...") || value.includes("…");
}

/** Long, mixed and without the structure of words, paths or names. */
export function looksRandom(value: string): boolean {
  const bare = withoutPadding(value);
  if (bare.length < LEAST_RANDOM_LENGTH || placeholder(value) || /[\s()]/.test(bare)) return false;
  if (!/\d/.test(bare) || !/[A-Za-z]/.test(bare)) return false;
  if (isPath(bare) || isWordChain(bare)) return false;
  return entropyBits(bare.slice(0, MEASURED_LENGTH)) >= LEAST_ENTROPY_BITS;
}

/** Without the `=` at its end, however many. */
function withoutPadding(value: string): string {
  let end = value.length;
  while (value[end - 1] === "=") end -= 1;
  return value.slice(0, end);
}

export interface WeakContext {
  /** Quoted or in an environment file, so it is no variable's name. */
  readonly literal: boolean;
  /** It is called a password: those are words with a number more often than not. */
  readonly password: boolean;
}

/** A short password: letters mixed with digits or signs. */
export function looksWeakSecret(value: string, { literal, password }: WeakContext): boolean {
  if (value.length < LEAST_WEAK_LENGTH || value.length > MOST_WEAK_LENGTH || /[\s()]/.test(value)) return false;
  if (isPath(value) || /^[\d.:,-]+$/.test(value) || !/[A-Za-z]/.test(value)) return false;
  // A member, a type: `security?.password`, `Uint8Array`.
  if (!literal && /^[A-Za-z_$][\w$]*\?\.|^[A-Z][a-z]+\d{1,2}[A-Z][a-z]+$/.test(value)) return false;
  if (/[!@#$%^&*?+~]/.test(value)) return true;
  if (!/\d/.test(value)) return false;
  if (literal) return password || !isWordChain(value);
  return /^[^._-]+$/.test(value) && !/pass|secret|token|key|pwd/i.test(value);
}

function isPath(value: string): boolean {
  return (
    /^(?:\.{0,2}\/|~\/|[A-Za-z]:\\|https?:)/.test(value) ||
    /\.(?:ts|js|py|json|ya?ml|md|txt|pem|sh|go|rs|java|html?|com|org|net|io|dev)$/i.test(value)
  );
}

/** `my-app-secret-2024`, `UserTokenV2`, `service.auth.v1`: parts that are words or short numbers. */
function isWordChain(value: string): boolean {
  const parts = value.split(/[._\-/:@]|(?<=[A-Za-z][a-z]{2})\d{1,2}(?=[A-Z][a-z]{2})/).filter((part) => part !== "");
  return parts.every((part) => /^\d{1,4}$/.test(part) || /^v?\d{1,2}(?:[a-z]\d?)?$/i.test(part) || isWord(part));
}

/** Letters with few changes of case, and at most a short number behind them. */
function isWord(part: string): boolean {
  const letters = part.replace(/\d{1,2}$/, "");
  if (letters.length > 40 || !/^[A-Za-z]+$/.test(letters)) return false;
  const humps = letters.match(/[A-Z]+/g)?.length ?? 0;
  return humps * 3 <= Math.max(letters.length, 3);
}

function entropyBits(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
