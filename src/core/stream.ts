/**
 * Long text in pieces that a channel takes.
 * Owns: where a text is cut, and that a code block which is cut reads as one in both pieces.
 * Invariants: the bodies joined are the text, to the last character; no piece is longer than the limit, also when it has been made
 * inert; no character is cut in half. Lengths are UTF-16 code units. Linear in the text: each piece looks back at most one limit.
 */
import { closingOf, isFence, openingOf, textLines, type CodeBlock, type TextLine } from "./code-block.ts";
import { inertText } from "./inert-text.ts";

/** One piece: `head` and `tail` are fences that were added, `body` is text. */
export interface Piece {
  readonly head: string;
  readonly body: string;
  readonly tail: string;
}

/** What one message says. */
export interface ChannelText {
  readonly text: string;
  /** So much of the whole is said with this message and those before it. */
  readonly end: number;
}

/** Below this, room for fences would leave none for words: long texts are then cut without them. */
const SMALLEST_FENCED_LIMIT = 64;
/** A block with a mark or an indent of absurd length is not begun again. */
const LONGEST_OPENING = 48;
/** A line or paragraph end earlier than this part of the room is not worth a short piece. */
const EARLIEST_LINE_END = 0.25;
const EARLIEST_PARAGRAPH_END = 0.5;
const LONGEST_CLUSTER = 24;

/** Pieces of at most `limit` code units, none of them blank; a code block that is cut is closed, and begun again in the next. */
export function splitForChannel(text: string, limit: number): readonly ChannelText[] {
  const texts: ChannelText[] = [];
  let end = 0;
  for (const { head, body, tail } of piecesOf(text, limit)) {
    end += body.length;
    if (body.trim() !== "") texts.push({ text: head + body + tail, end });
  }
  return texts;
}

export function piecesOf(text: string, limit: number): readonly Piece[] {
  const room = Math.max(2, Math.floor(limit));
  const lines = linesOf(text, room >= SMALLEST_FENCED_LIMIT);
  const pieces: Piece[] = [];
  let at = 0;
  let line = 0;
  while (at < text.length) {
    while ((lines[line]?.end ?? text.length) <= at) line += 1;
    const head = opening(lines[line]?.before);
    const { end, tail } = cutFor(text, lines, line, at, head, room);
    pieces.push({ head, body: text.slice(at, end), tail });
    at = end;
  }
  return pieces;
}

/** The line that begins the code block which is open where the text ends; "" when none is. */
export function openBlock(text: string): string {
  const last = textLines(text).at(-1);
  // A line that begins a block may still go on.
  const mayGoOn = last !== undefined && last.before === undefined && !text.endsWith("\n");
  return mayGoOn ? "" : opening(last?.after);
}

/** Without fences, lines are all that is looked at. */
function linesOf(text: string, fenced: boolean): readonly TextLine[] {
  const lines = textLines(text);
  return fenced ? lines : lines.map((line) => ({ ...line, before: undefined, after: undefined }));
}

function opening(block: CodeBlock | undefined): string {
  const line = openingOf(block);
  return line.length > LONGEST_OPENING ? "" : line;
}

function closing(block: CodeBlock | undefined, body: string): string {
  return opening(block) === "" ? "" : closingOf(block, body);
}

/** The best end of the piece that begins at `at`, in line `first`, with what closes it. */
function cutFor(
  text: string,
  lines: readonly TextLine[],
  first: number,
  at: number,
  head: string,
  limit: number,
): { readonly end: number; readonly tail: string } {
  const room = limit - head.length;
  for (let left = room; ;) {
    const { end, line } = bestEnd(text, lines, first, at, left);
    const body = text.slice(at, end);
    const tail = closing(fenceAt(lines, line, end), body);
    const piece = head + body + tail;
    // Made inert it grows by marks, and shrinks by what nobody sees.
    const over = Math.max(piece.length, inertText(piece).length) - limit;
    if (over <= 0) return { end, tail };
    const length = Math.min(left, body.length);
    // Where the marks stand close together, to leave out what is over would leave out too much.
    left = Math.max(length - over, Math.floor(length / 2));
    if (left < 2) return { end: bestEnd(text, lines, first, at, room).end, tail: "" };
  }
}

/** The block that is open at `end`, which lies in `line` or at its end. */
function fenceAt(lines: readonly TextLine[], line: number, end: number): CodeBlock | undefined {
  const inside = lines[line];
  return inside === undefined || end < inside.end ? inside?.before : inside.after;
}

function bestEnd(
  text: string,
  lines: readonly TextLine[],
  first: number,
  at: number,
  room: number,
): { readonly end: number; readonly line: number } {
  const most = at + room;
  let line = first;
  while ((lines[line]?.end ?? text.length) < most && line < lines.length - 1) line += 1;
  if (text.length <= most) return { end: text.length, line: lines.length - 1 };
  const lineEnd = lastLineEnd(lines, first, line, at, room);
  if (lineEnd !== undefined) return lineEnd;
  const open = lines[line];
  // A fence is not cut in the middle when there is anything before it.
  if (open !== undefined && isFence(open) && open.start > at) return { end: open.start, line: line - 1 };
  return { end: wordEnd(text, at, most), line };
}

/** The last line end that fits; a paragraph end is better, and one that leaves an empty code block behind is worse. */
function lastLineEnd(
  lines: readonly TextLine[],
  first: number,
  last: number,
  at: number,
  room: number,
): { readonly end: number; readonly line: number } | undefined {
  let best: { end: number; line: number } | undefined;
  let poor: { end: number; line: number } | undefined;
  for (let i = last; i >= first; i -= 1) {
    const end = lines[i]?.end ?? 0;
    if (end > at + room || end <= at) continue;
    if (end < at + room * (best === undefined ? EARLIEST_LINE_END : EARLIEST_PARAGRAPH_END)) break;
    if (emptiesBlock(lines[i], lines[i + 1])) poor ??= { end, line: i };
    else if (lines[i]?.isBlank === true && lines[i + 1]?.before === undefined) return { end, line: i };
    else best ??= { end, line: i };
  }
  return best ?? poor;
}

function emptiesBlock(line: TextLine | undefined, next: TextLine | undefined): boolean {
  const opened = line !== undefined && line.before === undefined && line.after !== undefined;
  const closesNext = next !== undefined && next.before !== undefined && next.after === undefined;
  return opened || closesNext;
}

/** After the last space; where there is none (CJK, long tokens) between two characters. */
function wordEnd(text: string, at: number, most: number): number {
  const earliest = at + Math.ceil((most - at) * EARLIEST_PARAGRAPH_END);
  for (let end = most; end > earliest; end -= 1) {
    if (/\s/u.test(text[end - 1] ?? "") && !/\s/u.test(text[end] ?? "")) return end;
  }
  return characterEnd(text, at, most);
}

/** Not inside a surrogate pair, and not before a mark or joiner that belongs to the character in front. */
function characterEnd(text: string, at: number, most: number): number {
  const earliest = Math.max(at + 1, most - LONGEST_CLUSTER);
  for (let end = most; end >= earliest; end -= 1) {
    if (!isLow(text, end) && !joins(text, end)) return end;
  }
  const end = isLow(text, most) && most - 1 > at ? most - 1 : most;
  return end;
}

function isLow(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  const before = text.charCodeAt(at - 1);
  return code >= 0xdc00 && code <= 0xdfff && before >= 0xd800 && before <= 0xdbff;
}

function joins(text: string, at: number): boolean {
  const next = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return /^[\p{M}\p{Emoji_Modifier}\u200d]/u.test(next) || text[at - 1] === "\u200d";
}
