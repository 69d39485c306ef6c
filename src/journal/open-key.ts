/**
 * A private key that arrives line by line: its first line says what the others are, and is written long before them.
 * Owns: whether one is open at the end of what was written, and which of the next lines belong to it.
 */

import { undressed } from "../core/private-key.ts";

const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
const FULL_LINE = /^\s*[A-Za-z0-9+/=]{16,}\s*$/;
const LAST_LINE = /^\s*[A-Za-z0-9+/]{1,15}={0,2}\s*$/;
const HEADER_LINE = /^\s*(?:(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash): .{0,80})?$/;

/** The same length, without what belongs to a key that was open before. `open`: one is open behind it. */
export function withoutOpenKey(text: string, wasOpen: boolean): { readonly text: string; readonly open: boolean } {
  const rest = wasOpen ? restOfKey(text) : { length: 0, open: false };
  const masked = text.slice(0, rest.length).replace(/\S/g, "*") + text.slice(rest.length);
  return { text: masked, open: rest.open || opensKey(text.slice(rest.length)) };
}

function opensKey(text: string): boolean {
  const begin = [...text.matchAll(BEGIN)].at(-1);
  return begin !== undefined && restOfKey(text.slice(begin.index + begin[0].length)).open;
}

/** How much of the beginning belongs to the key; `open`: all of it does, and its end is still to come. */
function restOfKey(text: string): { readonly length: number; readonly open: boolean } {
  const lines = text.split("\n");
  let length = 0;
  for (const [i, whole] of lines.entries()) {
    const end = END.exec(whole);
    if (end !== null) return { length: length + end.index + end[0].length, open: false };
    const line = undressed(whole);
    const isLast =
      LAST_LINE.test(line) && (i + 1 >= lines.length || END.test(lines[i + 1] ?? "") || line.includes("="));
    if (!FULL_LINE.test(line) && !HEADER_LINE.test(line) && !isLast) return { length, open: false };
    length += whole.length + 1;
  }
  return { length: text.length, open: true };
}
