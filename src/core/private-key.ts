/**
 * Private keys in texts: blocks of base64 between a header and a footer, as they stand in files, diffs and string literals, also
 * behind what listings put in front of lines: numbers, names of files, the marks of quotes and tables.
 * Owns: where such a block begins and ends, also one that is cut off. Linear: what is looked at around a header or footer is bounded.
 */

import { bared } from "./fence.ts";

const KEY_HEADER = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
/** What a listing puts in front of a line: `12\t`, `12→`, `12 | `, `src/a.pem:12:`, `src/a.pem-12-`. */
const LISTED = String.raw`(?:\d{1,7}(?:[ \t]{0,4}(?:[\t→│|:)]|\\{1,8}t)| {2})|[\w./][\w./@-]{0,200}(?::\d{1,7}:|-\d{1,7}-)|[\w./@-]{1,200}\.[A-Za-z]\w{0,9}:)`;
const BETWEEN = String.raw`(?:\s|\\{1,8}[nrt]|["',+>|│]|(?<=(?:\n|\\n)[ \t]{0,10})${LISTED}`;
const KEY_FOOTER = new RegExp(String.raw`${BETWEEN}){0,64}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----`, "y");
/** One word of a key, behind line ends, the escapes and quotes of a string literal, or the header lines of a key. */
const KEY_WORDS = new RegExp(
  String.raw`${BETWEEN}|-(?!-)){0,64}((?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash): [^\n\\]{0,80}|[A-Za-z0-9+/=]{1,200})`,
  "y",
);
const AFTER_SHORT_WORD = new RegExp(String.raw`${BETWEEN}){0,64}(?:-----END|=|…|$)`, "y");
const FULL_WORD_LENGTH = 16;
const LEAST_KEY_LENGTH = 40;

/** A block with its key material, also where its beginning or its end is missing; a header that is only mentioned stays. */
export function withoutPrivateKeys(text: string, put: (block: string) => string): string {
  return withoutHeadless(withoutBlocks(text, put), put);
}

function withoutBlocks(text: string, put: (block: string) => string): string {
  let result = "";
  let done = 0;
  for (const header of text.matchAll(KEY_HEADER)) {
    if (header.index < done) continue;
    const end = keyEnd(text, header.index + header[0].length);
    if (end === undefined) continue;
    result += text.slice(done, header.index) + put(text.slice(header.index, end));
    done = end;
  }
  return result + text.slice(done);
}

/** The end of the key that begins at `from`; undefined when what follows is no key. */
function keyEnd(text: string, from: number): number | undefined {
  let end = from;
  let material = 0;
  for (;;) {
    const word = matchAt(KEY_WORDS, text, end)?.[1];
    if (word === undefined) break;
    const wordEnd = KEY_WORDS.lastIndex;
    const full = word.length >= FULL_WORD_LENGTH || word.includes(": ");
    if (!full && matchAt(AFTER_SHORT_WORD, text, wordEnd) === null) break;
    if (!word.includes(": ")) material += word.length;
    end = wordEnd;
  }
  // Cut off with the text: less than a key is left of it.
  const cutOff = material > 0 && (end >= text.length || text[end] === "…");
  if (material < LEAST_KEY_LENGTH && !cutOff) return undefined;
  return end + (matchAt(KEY_FOOTER, text, end)?.[0].length ?? 0);
}

/** At this place and nowhere behind it. */
export function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}

// ---------------------------------------------------------------- the end of a key without its beginning

const FOOTER = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const KEY_LINE = /^\s*(?:[A-Za-z0-9+/=]{16,}|[A-Za-z0-9+/]{1,15}={1,2})\s*$/;
/** What a diff, a quote, a table or a listing puts in front of a line. */
const DRESS = new RegExp(String.raw`^[+\- >|│]{0,8}[ \t]{0,16}(?:${LISTED}[ \t]?)?`);

/** A line without what a listing put in front of it, and without what nobody sees. */
export function undressed(line: string): string {
  return bared(line).replace(DRESS, "");
}

const LONGEST_LINE = 200;
const MOST_LINES = 120;

/** A diff or a tail of a file may show the last lines of a key alone. */
function withoutHeadless(text: string, put: (block: string) => string): string {
  let result = "";
  let done = 0;
  for (const footer of text.matchAll(FOOTER)) {
    const start = linesBefore(text, footer.index, done);
    if (start === undefined) continue;
    const end = footer.index + footer[0].length;
    result += text.slice(done, start) + put(text.slice(start, end));
    done = end;
  }
  return result + text.slice(done);
}

/** Where the key's lines above this footer begin; undefined when there are none. */
function linesBefore(text: string, footerAt: number, from: number): number | undefined {
  let start: number | undefined;
  // A footer far behind the beginning of its line ends no key.
  const nearest = Math.max(from, footerAt - LONGEST_LINE);
  const newline = text.slice(nearest, footerAt).lastIndexOf("\n");
  if (newline === -1) return undefined;
  let lineAt = nearest + newline + 1;
  for (let lines = 0; lines < MOST_LINES && lineAt > from; lines += 1) {
    const near = Math.max(from, lineAt - 1 - LONGEST_LINE);
    const before = near + text.slice(near, lineAt - 1).lastIndexOf("\n") + 1;
    if (!KEY_LINE.test(undressed(text.slice(before, lineAt - 1)))) break;
    start = before;
    lineAt = before;
  }
  return start;
}
