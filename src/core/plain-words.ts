/**
 * Words as they are compared, however a keyboard wrote them: ２, ٢, 2️⃣ and "2." are all the number 2.
 * Owns: that translation, and whether words are nothing but numbers. Does not own: what a number stands for.
 */

const DIGIT = /\p{Nd}/gu;
/** The frame of a keycap, variation selectors, and marks of direction that keyboards put around digits. */
const UNSEEN = /[\u{20e3}\u{fe00}-\u{fe0f}\p{Cf}]/gu;

/** One form for every way to write the same, in small letters. */
export function plainWords(text: string): string {
  return text
    .normalize("NFKC")
    .replace(UNSEEN, "")
    .replaceAll("🔟", "10")
    .replace(DIGIT, asciiDigit)
    .trim()
    .toLowerCase();
}

/** Unicode keeps the ten digits of each script together and in order. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let first = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return String((code - first) % 10);
}

/** A channel may join messages that come right behind each other into one (host fact): the same again is the same once. */
export function saidOnce(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const [first] = lines;
  return first !== undefined && lines.every((line) => plainWords(line) === plainWords(first)) ? first : text;
}

const NUMBER = /^[#([]?(\d{1,3})[.)\]:,、。]?$/u;

/** `2`, `#2`, `2.`, `(2)`. */
export function numberOf(text: string): number | undefined {
  const digits = NUMBER.exec(plainWords(text))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** `1, 3` and `1 3`, and a number alone: words that are nothing but numbers. Undefined: there is something else in them. */
export function numbersOf(text: string): readonly number[] | undefined {
  const parts = plainWords(text)
    .split(/[,，、;；\s]+/u)
    .filter((part) => part !== "");
  const numbers = parts.flatMap((part) => numberOf(part) ?? []);
  return numbers.length > 0 && numbers.length === parts.length ? numbers : undefined;
}

const LISTED = /^[ \t>*+-]*\(?(?:\p{Nd}{1,3}|[A-Za-z])[.):、][ \t]/mu;

/** Whether a text has lines that somebody could answer by a number or a letter. */
export function showsNumbers(text: string): boolean {
  return LISTED.test(text);
}
