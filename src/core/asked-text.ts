/**
 * What a question is about: a line that names it, and the whole of it that has to be read before somebody consents.
 * Owns: what of a request is title and what content, how much of a long text a session keeps (its beginning and its end; the
 * journal has the whole), and whether a notice can show all of it.
 */
import type { AgentRequest } from "./agent-event.ts";
import { endOf } from "./excerpt.ts";
import { visible } from "./fence.ts";
import { cutText, tailOf } from "./output.ts";
import { redactSecrets } from "./redact.ts";
import { redactTail } from "./redact-value.ts";
import { openBlock } from "./stream.ts";
import type { Question, StoredText } from "./session.ts";
import { shellCommand } from "./shell-command.ts";

export const PREVIEW_LENGTH = 2_000;
export const TITLE_LENGTH = 300;
/** As much as a notice of one question shows of what it is about. */
export const SHOWN_LENGTH = 1_300;

const TAIL_LENGTH = 1_000;
/** Private keys are the longest. */
const LONGEST_SECRET = 8_192;

export interface AskedText {
  readonly title: string;
  /** Everything that has to be read, and no part of it in the title alone; "" where the title says all. */
  readonly content: string;
  /** What the agent says that it is for. */
  readonly note: string;
}

/** Of a permission: the command or the first line in short, and all of it apart. */
export function askedText({ title, toolKind, content }: Extract<AgentRequest, { kind: "permission" }>): AskedText {
  const { command, note, isMarked } = toolKind === "execute" ? shellCommand(title) : { ...NO_COMMAND, command: title };
  const [first = "", ...rest] = visible(command).split("\n");
  const isCommand = content === "" || content.trim() === command.trim();
  if (isMarked) return { title: first, content: isCommand ? command : `${command}\n${content}`, note };
  const over = first.length > TITLE_LENGTH ? command : rest.join("\n");
  return { title: first, content: [over, content].filter((part) => part.trim() !== "").join("\n"), note };
}

const NO_COMMAND = { note: "", isMarked: false };

/** The whole text that the journal keeps of a request, when it is long. */
export function wholeOf(request: Extract<AgentRequest, { kind: "permission" | "plan" }>): string {
  return request.kind === "plan" ? request.plan : askedText(request).content;
}

export function preview(text: string, key?: string): StoredText {
  if (text.length <= PREVIEW_LENGTH) return { text, length: text.length };
  // Masked before it is cut: half a secret is not known for one.
  const beginning = redactSecrets(text.slice(0, PREVIEW_LENGTH + LONGEST_SECRET));
  return { text: cutText(`${beginning}…`, PREVIEW_LENGTH), length: text.length, ...(key === undefined ? {} : { key }) };
}

/** Beginning and end of what is asked about. */
export function storedText(text: string, key: string | undefined): StoredText {
  const stored = preview(text, key);
  if (text.length <= PREVIEW_LENGTH) return stored;
  const at = Math.max(0, text.length - TAIL_LENGTH - LONGEST_SECRET);
  const end = at === 0 ? redactSecrets(text) : redactTail(text.slice(at));
  return { ...stored, tail: endOf(end, TAIL_LENGTH, openBlock(text.slice(0, at))).text };
}

/** Whether a notice of one question shows all of a text. */
export function fitsNotice(text: string, length: number = SHOWN_LENGTH): boolean {
  return text.length <= length && visible(redactSecrets(text)).length <= length;
}

/** One line for lists and labels. What was asked in a record of before holds its content as well. */
export function headline({ text, kind }: Pick<Question, "text" | "kind">): string {
  const [first = "", ...rest] = visible(text.text).trim().split("\n");
  const line = kind === "permission" ? shellCommand(first).command : first;
  return rest.length > 0 && kind !== "permission" ? `${line} …` : line;
}

/** Whether the content begins with the title, as a command does, or a title that is too long. */
export function isNamedByContent({ text, content }: Pick<Question, "text" | "content">): boolean {
  return (
    content !== undefined && visible(content.text).trimStart().startsWith(visible(text.text).trim().replace(/…$/, ""))
  );
}

/** The question in words for the agent that asked it: what it is about, as far as it is kept. */
export function askedWords({ text, content }: Pick<Question, "text" | "content">): string {
  return content === undefined || isNamedByContent({ text, content })
    ? (content ?? text).text
    : `${text.text}\n${content.text}`;
}

/** What stands before the content of a question: its header, and its title where the content does not begin with it. */
export function askedHead(question: Question): string {
  const { kind, header, text } = question;
  const note = header === undefined ? "" : header;
  if (kind !== "permission" || isNamedByContent(question)) return note;
  const [title = ""] = text.text.split("\n");
  return note === "" ? title : `${note}: ${title}`;
}

/** What has to be read of a question beside its title: apart, or, in a record of before, behind the first line. */
export function contentOf({ kind, text, content }: Question): StoredText | undefined {
  if (kind !== "permission") return text;
  if (content !== undefined) return content;
  const newline = text.text.indexOf("\n");
  if (newline === -1) return undefined;
  return { ...text, text: text.text.slice(newline + 1), length: text.length - newline - 1 };
}

/** A text as a notice shows it: whole, or its two ends. */
export interface Shown {
  readonly head: string;
  readonly tail: string;
  /** Of so many characters; undefined where all are shown. */
  readonly total: number | undefined;
}

export function shownOf(stored: StoredText, length: number, kind: "block" | "prose"): Shown {
  const text = visible(redactSecrets(stored.text)).trim();
  const isPart = stored.length > stored.text.length && stored.text.endsWith("…");
  if (!isPart && text.length <= length) return { head: text, tail: "", total: undefined };
  const end = stored.tail === undefined ? (isPart ? "" : text) : visible(redactSecrets(stored.tail));
  const room = end === "" ? length : Math.floor(length / 2);
  const head = headAt(text.replace(/…$/, ""), room);
  const tail = kind === "prose" ? endOf(end, room).text : tailOf(end, room);
  return { head, tail: tail.trim(), total: stored.length };
}

/** Up to the end of a word, where there is one soon. */
function headAt(text: string, length: number): string {
  if (text.length <= length) return text.trimEnd();
  const cut = text.slice(0, length);
  return /^([\s\S]*\S)\s+\S{0,60}$/.exec(cut)?.[1] ?? cutText(text, length);
}
