/**
 * Somebody else's words between marks that they cannot close.
 * Owns: the mark (longer than any in the words), and which invisible characters are taken out.
 * Invariant: between the two fence lines there is no line that a reader could take for the closing one.
 */

const SHORTEST = 3;

/** A Markdown code fence around the words. */
export function fenced(words: string, info = "", shortest = SHORTEST): string {
  const mark = "`".repeat(Math.max(shortest, longestRun(words) + 1));
  return `${mark}${info}\n${words}${words.endsWith("\n") || words === "" ? "" : "\n"}${mark}`;
}

function longestRun(words: string): number {
  let longest = 0;
  for (const run of words.matchAll(/`+/g)) longest = Math.max(longest, run[0].length);
  return longest;
}

/**
 * Characters that a reader does not see but a model may obey, or that change how a line reads: controls, escape
 * sequences, bidirectional marks, zero-width characters, tags and private variation selectors. Line ends become "\n".
 */
export function visible(words: string): string {
  return words
    .replace(/\r\n?|[\u0085\u2028\u2029\v\f]/g, "\n")
    .replace(ESCAPES, "")
    .replace(INVISIBLE, "");
}

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-?]{0,32}[ -/]{0,8}[@-~]`, "g");
const INVISIBLE =
  /(?![\n\t])[\p{Cc}\p{Cs}\p{Co}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
