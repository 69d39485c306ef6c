/**
 * The frames in one line of an agent, whatever a terminal would have made of the rest of it.
 * Owns: which parts of a line are decoration (escape sequences, bells, other control characters, a byte order mark), where a JSON object
 * ends, what is left of one that was cut off. Does not own: what a frame means.
 *
 * 1. JSON holds no raw control character, so taking these out of a line never changes a frame.
 * 2. A frame stands by itself: what follows printed words on the same line may be an echo of it, and is no frame. A return of the
 *    cursor to the beginning of the line begins it anew.
 * 3. Work is linear in the line.
 */
import { isRecord, type JsonRecord, parseJson } from "./json-shape.ts";

export interface Frame {
  readonly frame: JsonRecord;
  /** The JSON text alone. */
  readonly text: string;
}

export interface LineFrames {
  readonly frames: readonly Frame[];
  /** Printed words beside them, without decoration. */
  readonly words: string;
}

/** A title or the like that is never ended must not take a frame along. */
const NO_FRAME = String.raw`(?!\{\s*"(?:jsonrpc|id|method|params|result|error)")`;
/** Escape sequences: CSI; strings (titles, links, device control), ended by a bell or ST; the short ones; an escape alone. */
const ESCAPES = new RegExp(
  [
    String.raw`\x1b\[[0-?]*[ -/]*${NO_FRAME}[@-~]`,
    String.raw`\x1b[\]PX^_](?:${NO_FRAME}[^\x07\x1b\x9c\r])*(?:\x07|\x1b\\|\x9c)?`,
    String.raw`\x1b[ -/]*${NO_FRAME}[0-~]`,
    String.raw`\x1b`,
  ].join("|"),
  "g",
);
/** The cursor goes back to where the line begins, or the line is wiped. */
const ANEW = new RegExp(String.raw`^\x1b\[(?:1?G|[\d;]*[Hf]|2K)$`);
/** Those that JSON can't hold at all; the others (C1) may stand in its texts. */
const CONTROLS = /(?![\t\n\r\u0080-\u009f])\p{Cc}/u;
const ALL_CONTROLS = new RegExp(CONTROLS, "gu");
/** Between frames: blanks, marks without a width, and the same sequences in their one-character form. */
const BETWEEN = new RegExp(
  String.raw`(?:\x9b[0-?]*[ -/]*${NO_FRAME}[@-~]|[\x90\x98\x9d-\x9f](?:${NO_FRAME}[^\x9c\r])*\x9c?|[\s\x80-\x9f\u200b\ufeff])+`,
  "y",
);
/** How often a line may be searched through for ends that are not there. */
const SEARCHES = 4;

/** Below it, a frame that was cut is not mended at its last comma. */
const DEEPEST = 32;

/** The line as it would be read, a carriage return for each return to its beginning. */
function undecorated(line: string): string {
  if (!CONTROLS.test(line)) return line;
  return line.replace(ESCAPES, (found) => (ANEW.test(found) ? "\r" : "")).replace(ALL_CONTROLS, "");
}

export function framesIn(line: string): LineFrames {
  const text = undecorated(line);
  const frames: Frame[] = [];
  const words: string[] = [];
  let patience = text.length * SEARCHES;
  for (let at = afterBlanks(text, 0); at < text.length; at = afterBlanks(text, at)) {
    const end = text[at] === "{" && patience > 0 ? endOfObject(text, at) : undefined;
    const json = end === undefined ? "" : text.slice(at, end);
    const frame = json === "" ? undefined : parseJson(json);
    if (end !== undefined && isRecord(frame)) {
      frames.push({ frame, text: json });
      at = end;
      continue;
    }
    const next = text.indexOf("\r", at);
    if (text[at] === "{") patience -= (end ?? text.length) - at;
    words.push(text.slice(at, next === -1 ? text.length : next).trim());
    at = next === -1 ? text.length : next + 1;
  }
  return { frames, words: words.join(" ") };
}

function afterBlanks(text: string, at: number): number {
  BETWEEN.lastIndex = at;
  return BETWEEN.test(text) ? BETWEEN.lastIndex : at;
}

/** Where the object that begins at `from` ends; undefined when it does not. */
function endOfObject(text: string, from: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char === "\\") at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

/** The object of which only the beginning is there, closed where it was cut; `mark` stands at the end of a text that was cut. */
export function closedFrame(head: string, mark: string): JsonRecord | undefined {
  const text = undecorated(head);
  const from = afterBlanks(text, 0);
  if (text[from] !== "{") return undefined;
  const open: string[] = [];
  let quoted = false;
  let last: { readonly at: number; readonly open: readonly string[] } | undefined;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char === "\\") at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "{") open.push("}");
    else if (char === "[") open.push("]");
    else if (char === "}" || char === "]") open.pop();
    else if (char === "," && open.length <= DEEPEST) last = { at, open: [...open] };
  }
  const closers = (list: readonly string[]): string => list.toReversed().join("");
  const whole = quoted
    ? `${text.slice(from).replace(/\\(?:u[\da-fA-F]{0,3})?$/, "")}${JSON.stringify(mark).slice(1)}`
    : text.slice(from);
  const closed = parseJson(`${whole}${closers(open)}`);
  if (isRecord(closed)) return closed;
  // Cut within a name or a number: what stood before it.
  const before = last === undefined ? undefined : parseJson(`${text.slice(from, last.at)}${closers(last.open)}`);
  return isRecord(before) ? before : undefined;
}
