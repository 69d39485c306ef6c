/**
 * A question as people and agents read it: what it is about, its choices, what safe mode leaves of it.
 */
import { choiceLine, isOwn, labelApart, markAt } from "./choice.ts";
import { blockAtEnd, closingOf, isCode, textLines } from "./code-block.ts";
import { oneLine } from "./draft.ts";
import { fenced, visible } from "./fence.ts";
import { cutText } from "./output.ts";
import { redactSecrets } from "./redact.ts";
import type { Question } from "./session.ts";
import type { Mark, Words } from "./words.ts";

export interface NoticeStyle {
  readonly words: Words;
  /** Without what files and commands said. Secrets are masked in any case. */
  readonly safeMode: boolean;
}

const TITLE_LENGTH = 300;
const CHOICE_LENGTH = 120;
const MAX_CHOICES = 12;

/** One line that nobody else's line ends, controls or marks can break. */
export function brief(text: string, length: number = TITLE_LENGTH): string {
  return cutText(oneLine(visible(redactSecrets(text))), length);
}

/** The label of a choice in the reader's language, where it is the plugin's own. */
export function labelOf(question: Question, index: number, words: Words): string {
  const option = question.options[index];
  if (option === undefined) return "";
  const label = isOwn(question) ? (words.options[option.id] ?? option.label) : option.label;
  return labelApart(question, index, label, words.effects);
}

/** One line a choice, named as people answer them, and how many may be chosen. */
export function choices(question: Question, words: Words): readonly string[] {
  const lines = question.options.map((_option, index) =>
    brief(choiceLine(question, index, labelOf(question, index, words)), CHOICE_LENGTH),
  );
  const more = lines.length > MAX_CHOICES ? [words.more(lines.length - MAX_CHOICES)] : [];
  const example = `${markAt(question, 0)}, ${markAt(question, 2)}`;
  const several = question.multiSelect && lines.length > 1 ? [words.severalAllowed(example, markOf(question))] : [];
  return [...lines.slice(0, MAX_CHOICES), ...more, ...several];
}

export function markOf({ marks }: Question): Mark {
  return marks === "letters" ? "letter" : "number";
}

/** What is asked: a permission's title, and what would be done in a block of its own. */
export function matter(question: Question, length: number, { words, safeMode }: NoticeStyle): readonly string[] {
  const own = question.kind === "fresh-start" ? words.freshStart : question.text.text;
  const whole = visible(redactSecrets(own)).trim();
  const [title = "", ...rest] = whole.split("\n");
  const content = rest.join("\n").trim();
  const header = question.header === undefined ? "" : `${brief(question.header, CHOICE_LENGTH)}: `;
  if (safeMode) return [header + cutText(title, TITLE_LENGTH), ...(content === "" ? [] : [words.contentHidden])];
  if (question.kind !== "permission") return [header + cutMarkdown(whole, length)];
  return [header + cutText(title, TITLE_LENGTH), ...(content === "" ? [] : [fenced(cutText(content, length))])];
}

/** Cut at the end; a code block that is cut off is closed. */
export function cutMarkdown(text: string, length: number): string {
  const cut = cutText(text, length);
  return cut + closingOf(blockAtEnd(cut), cut);
}

/** Prose without its code blocks: they are what files and commands said. */
export function withoutCode(text: string, mark: string): string {
  const parts: string[] = [];
  for (const line of textLines(text)) {
    if (!isCode(line)) parts.push(text.slice(line.start, line.end));
    else if (line.before === undefined) parts.push(`\n${mark}\n\n`);
  }
  return parts
    .join("")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
