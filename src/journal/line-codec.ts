/**
 * Lines of a journal as bytes, and what can be told of a line without parsing it.
 * Owns: the order of keys, the reading of a line's beginning. Does not own: files.
 * L1 A line counts when it parses: what a crash cut off never does, with a line end behind it or not.
 * L2 Lone surrogates are written as escapes and come back as they were.
 */
import type { JournalLine } from "../ports.ts";

export type OutLine = Extract<JournalLine, { t: "out" }>;
export type HeaderLine = Extract<JournalLine, { t: "header" }>;
export type LineKind = JournalLine["t"];

const KINDS: Readonly<Record<LineKind, true>> = {
  header: true,
  flow: true,
  text: true,
  prompt: true,
  out: true,
  event: true,
  question: true,
  answer: true,
  rights: true,
  commit: true,
  told: true,
};

const QUOTE = 0x22;
/** Of the kinds only `out` begins with it. */
const LETTER_O = 0x6f;
/** `{"t":"` stands before the kind. */
const KIND_AT = 6;
/** Longest beginning of an `out` line up to its text: the kind and two numbers of 16 digits. */
const OUT_HEAD_BYTES = 72;
const OUT_HEAD = /^\{"t":"out","at":[^,]+,"o":(\d+),"text":/;

/** One line without its end. Kind, time and offset or key come first, so that a reader can pass over the rest. */
export function encodeLine(line: JournalLine): string {
  const { t, at } = line;
  switch (t) {
    case "out":
      return JSON.stringify({ t, at, o: line.o, text: line.text });
    case "text":
      return JSON.stringify({ t, at, key: line.key, text: line.text });
    case "header":
    case "flow":
    case "prompt":
    case "event":
    case "question":
    case "answer":
    case "rights":
    case "commit":
    case "told":
      return JSON.stringify(Object.assign({ t, at }, line));
  }
}

/** Undefined for what a crash left, or a newer version wrote. */
export function decodeLine(bytes: Buffer): JournalLine | undefined {
  if (kindOf(bytes) === undefined) return undefined;
  try {
    // Every line that stands in a journal was written by `encodeLine`; its kind has been looked at.
    return JSON.parse(bytes.toString("utf8")) as JournalLine;
  } catch {
    // L1: cut off by a crash, and never acknowledged.
    return undefined;
  }
}

export function kindOf(bytes: Buffer): LineKind | undefined {
  const end = bytes.indexOf(QUOTE, KIND_AT);
  if (end < 0 || end > KIND_AT + 16) return undefined;
  const kind = bytes.toString("latin1", KIND_AT, end);
  return isKind(kind) ? kind : undefined;
}

function isKind(kind: string): kind is LineKind {
  return Object.hasOwn(KINDS, kind);
}

/** The offset at which an `out` line begins; undefined for any other line. */
export function outOffset(bytes: Buffer): number | undefined {
  if (bytes[KIND_AT] !== LETTER_O) return undefined;
  const head = OUT_HEAD.exec(bytes.toString("latin1", 0, OUT_HEAD_BYTES));
  return head === null ? undefined : Number(head[1]);
}
