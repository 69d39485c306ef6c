/**
 * The end of a text that is longer than there is room for.
 * Owns: where it begins (a paragraph, else a line, else a word; never half a character) and that a code block which the cut
 * went into reads as one: it is begun again, and one that never ended is closed.
 * Does not own: how it is said that something is left out (the words), secrets (masked by the caller, before the cut).
 * A text is cut once: whoever keeps one for later keeps its end longer than it will be shown.
 */
import { blockAtEnd, closingOf } from "./code-block.ts";
import { openBlock } from "./stream.ts";

export interface Excerpt {
  readonly text: string;
  /** So many code units of the text stand in front of it. */
  readonly leftOut: number;
}

/** Room for a fence that is begun again, and for one that is closed. */
const FENCES_LENGTH = 80;
/** A paragraph, or a line, that begins later than this part of the room would show too little. */
const LATEST_BEGINNING = 0.5;
const MAX_TRIES = 12;

/** `block`: the line that begins the code block which is open where the text begins; "" for none. At most `room` code units. */
export function endOf(text: string, room: number, block = ""): Excerpt {
  const hasFence = block !== "" || /^[ \t]*(?:`{3}|~{3})/m.test(text);
  const space = hasFence ? Math.max(1, room - FENCES_LENGTH) : room;
  if (text.length <= space) return { text: closed(block + text), leftOut: 0 };
  const leftOut = beginningOf(text, text.length - space, block);
  const open = openBlock(block + text.slice(0, leftOut));
  return { text: closed(open + text.slice(leftOut)), leftOut };
}

/** A code block that is open at the end is closed. */
export function closed(text: string): string {
  return text + closingOf(blockAtEnd(text), text);
}

/** Where the end begins: at `earliest` or after it. */
function beginningOf(text: string, earliest: number, block: string): number {
  const latest = earliest + (text.length - earliest) * LATEST_BEGINNING;
  const paragraph = starts(text, /\n[ \t]*\n\s*/g, earliest, latest).find(
    (at) => openBlock(block + text.slice(0, at)) === "",
  );
  if (paragraph !== undefined) return paragraph;
  const [line] = starts(text, /\n/g, earliest, latest);
  if (line !== undefined) return pastClosing(text, line, block);
  const [word] = starts(text, /\s+/g, earliest, latest);
  return word ?? wholeCharacter(text, earliest);
}

/** The ends of what matches, as far as they lie between the two bounds. */
function starts(text: string, mark: RegExp, earliest: number, latest: number): readonly number[] {
  const found: number[] = [];
  const from = Math.max(0, earliest - 2);
  for (const match of text.slice(from, Math.ceil(latest) + 1).matchAll(mark)) {
    const at = from + match.index + match[0].length;
    if (at >= earliest && at <= latest && found.length < MAX_TRIES) found.push(at);
  }
  return found;
}

/** A line that only closes a code block would leave an empty one. */
function pastClosing(text: string, at: number, block: string): number {
  const [fence] = /^[ \t]*(?:`{3,}|~{3,})[ \t]*(?:\n|$)/.exec(text.slice(at, at + 80)) ?? [];
  if (fence === undefined || openBlock(block + text.slice(0, at)) === "") return at;
  return at + fence.length < text.length ? at + fence.length : at;
}

function wholeCharacter(text: string, at: number): number {
  return /^[\udc00-\udfff\p{M}\u200d]/u.test(text.slice(at, at + 2)) ? at + 1 : at;
}
