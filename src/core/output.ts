/**
 * The output stream: which words of the agent belong to it, and the end of it that fits into stateJson.
 * Owns: absolute offsets (UTF-16 code units), the bounded buffer, cutting without breaking characters.
 */
import type { AgentEvent } from "./agent-event.ts";
import type { OpenTool, OutputBuffer } from "./session.ts";

const VERBOSE_OUTPUT_LENGTH = 2_000;
const FAILURE_LENGTH = 300;
/** What is kept of the title of an open tool call. */
export const OPEN_TITLE_LENGTH = 200;

export interface StreamRules {
  readonly outputMode: "minimal" | "balanced" | "verbose";
  readonly safeMode: boolean;
}

/** Whether a cut at `at` would fall between the two halves of one character. */
function splitsCharacter(text: string, at: number): boolean {
  return isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1));
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** The first `length` code units of a text at most, with an ellipsis when cut, never half a character. */
export function cutText(text: string, length: number): string {
  return text.length <= length ? text : `${headOf(text, Math.max(0, length - 1))}…`;
}

/** The first `length` code units at most, never half a character. */
export function headOf(text: string, length: number): string {
  return text.slice(0, splitsCharacter(text, length) ? length - 1 : length);
}

/** The last `length` code units at most, never half a character. */
export function tailOf(text: string, length: number): string {
  if (text.length <= length) return text;
  const start = text.length - length;
  return text.slice(splitsCharacter(text, start) ? start + 1 : start);
}

const ENCODER = new TextEncoder();
/** Overwritten by each count; nothing is read from it. */
const COUNTED = new Uint8Array(64 * 1024);

/** Bytes as UTF-8; half a character counts as the mark that replaces it (3). */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let rest = text; rest !== "";) {
    const { read, written } = ENCODER.encodeInto(rest, COUNTED);
    bytes += written;
    rest = rest.slice(read);
  }
  return bytes;
}

export const EMPTY_OUTPUT: OutputBuffer = { text: "", start: 0, end: 0 };

/** Appends and keeps the last `limitBytes` bytes. The cost depends on the piece and the limit, not on what went before. */
export function appendOutput(buffer: OutputBuffer, piece: string, limitBytes: number): OutputBuffer {
  const end = buffer.end + piece.length;
  let text = tailOf(buffer.text + piece, limitBytes);
  for (let bytes = utf8Bytes(text); bytes > limitBytes; bytes = utf8Bytes(text)) {
    text = tailOf(text, text.length - Math.ceil((bytes - limitBytes) / 3));
  }
  return { text, start: end - text.length, end };
}

/**
 * The same buffer for a session that rests, in as few bytes as UTF-8 takes: a string with a single character beyond Latin-1
 * takes two bytes for each of them. Its text is decoded whenever it is asked for.
 */
export function restingOutput(buffer: OutputBuffer): OutputBuffer {
  const { text, start, end } = buffer;
  if (!BEYOND_LATIN.test(text) || !text.isWellFormed()) return buffer;
  const bytes = ENCODER.encode(text);
  return {
    get text() {
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    },
    start,
    end,
  };
}

const BEYOND_LATIN = /[\u0100-\uffff]/;
const HIDDEN_KINDS: ReadonlySet<string> = new Set(["read", "search"]);

/** The piece of the output stream that an event of the agent adds; empty for what is only kept in the journal. */
export function streamPiece(event: AgentEvent, open: OpenTool | undefined, rules: StreamRules): string {
  switch (event.kind) {
    case "text":
      return event.text;
    case "tool":
      return rules.outputMode === "minimal" ? "" : toolPiece(event, open, rules);
    case "plan":
      if (rules.outputMode === "minimal") return "";
      return `\n${event.entries.map((e) => `${PLAN_MARK[e.status]} ${e.text}`).join("\n")}\n`;
    case "thought":
    case "commands":
    case "asked":
    case "turn-ended":
    case "turn-failed":
    case "log":
    case "exited":
      return "";
  }
}

const PLAN_MARK = { pending: "☐", in_progress: "◐", completed: "☑" } as const;

/** A further frame of a call that is in progress already: told again only under another title. */
function isTold({ title }: Extract<AgentEvent, { kind: "tool" }>, open: OpenTool | undefined): boolean {
  if (open?.status !== "in_progress") return false;
  return title === undefined || open.title === cutText(title, OPEN_TITLE_LENGTH);
}

function toolPiece(
  event: Extract<AgentEvent, { kind: "tool" }>,
  open: OpenTool | undefined,
  rules: StreamRules,
): string {
  const title = event.title ?? open?.title ?? event.toolName ?? "tool";
  if (event.status === "failed") {
    const why = rules.safeMode ? "" : cutText((event.output ?? "").trim(), FAILURE_LENGTH);
    return `\n✗ ${title}${why === "" ? "" : `: ${why}`}\n`;
  }
  const hidden = rules.outputMode === "balanced" && HIDDEN_KINDS.has(event.toolKind ?? "");
  const begun = hidden ? "" : `\n▸ ${title}\n`;
  if (event.status === "in_progress") return isTold(event, open) ? "" : begun;
  if (event.status !== "completed") return "";
  // Some agents, and sub-agents, never say that a call is in progress.
  const late = open?.status === "pending" ? begun : "";
  const output = rules.outputMode === "verbose" && !rules.safeMode ? (event.output ?? "").trimEnd() : "";
  return output === "" ? late : `${late}\n${cutText(output, VERBOSE_OUTPUT_LENGTH)}\n`;
}

const QUESTION_END = /[?？]\s*["'”’)）\]】*_`~]*\s*$/u;
const QUESTION_LINES = 4;
const LABEL_LENGTH = 120;

/** The question in which a turn's last words end: a question mark at the end of one of the last lines. "" for none. */
export function questionAtEnd(lastWords: string): string {
  const lines = lastWords
    .trimEnd()
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-QUESTION_LINES);
  const last = lines.at(-1);
  if (last === undefined) return "";
  if (QUESTION_END.test(last)) return lastSentence(last);
  // A question followed by its choices as a list.
  const at = lines.findLastIndex((line) => !/^\s*(?:[-*•]|\d+[.)、])\s*/u.test(line));
  const asking = lines[at] ?? "";
  return QUESTION_END.test(asking) ? [lastSentence(asking), ...lines.slice(at + 1)].join("\n") : "";
}

/** Of a line that says more than fits into a label, only the sentence that asks. */
function lastSentence(line: string): string {
  if (line.length <= LABEL_LENGTH) return line.trim();
  const ends = [...line.matchAll(/[.!。！;；]\s+|[。！；]/gu)].map((end) => end.index + end[0].length);
  return line.slice(ends.findLast((at) => at < line.trimEnd().length) ?? 0).trim();
}

/** Adjacent words of one speaker become one event: a burst costs one step, and no word is lost. */
export function mergeTexts(
  events: readonly AgentEvent[],
): readonly { readonly event: AgentEvent; readonly chunks: number }[] {
  const merged: { event: AgentEvent; chunks: number }[] = [];
  let parts: string[] = [];
  let head: Extract<AgentEvent, { kind: "text" | "thought" }> | undefined;
  const flush = (): void => {
    if (head !== undefined) merged.push({ event: { ...head, text: parts.join("") }, chunks: parts.length });
    head = undefined;
    parts = [];
  };
  for (const event of events) {
    const words = event.kind === "text" || event.kind === "thought";
    const starts = event.kind === "text" && event.starts === true;
    if (!words || starts || head?.kind !== event.kind || head.agentId !== event.agentId) flush();
    if (words) {
      head ??= event;
      parts.push(event.text);
    } else {
      merged.push({ event, chunks: 1 });
    }
  }
  flush();
  return merged;
}
