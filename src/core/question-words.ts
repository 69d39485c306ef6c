/**
 * A question as people and agents read it: what it is about, its choices, what safe mode leaves of it.
 */
import { contentOf, isNamedByContent, headline, shownOf, TITLE_LENGTH } from "./asked-text.ts";
import { choiceLine, isOwn, labelApart, markAt } from "./choice.ts";
import { isCode, textLines } from "./code-block.ts";
import { oneLine } from "./draft.ts";
import { closed } from "./excerpt.ts";
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

/** What is asked, in one line. */
export function askedLine(question: Question, { freshStart }: Words): string {
  if (question.kind === "fresh-start") return freshStart;
  const note = question.header === undefined ? "" : `${brief(question.header, CHOICE_LENGTH)}: `;
  return note + brief(headline(question));
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

/** What is asked, and whether a part of it is not shown but can be. */
export interface Matter {
  readonly lines: readonly string[];
  readonly isCut: boolean;
}

/** A permission's title, and what would be done in a block of its own; of what is too long both ends. */
export function matter(question: Question, length: number, style: NoticeStyle): Matter {
  const { words, safeMode } = style;
  if (question.kind === "fresh-start") return { lines: [words.freshStart], isCut: false };
  const content = contentOf(question);
  const note = question.header === undefined ? "" : brief(question.header, CHOICE_LENGTH);
  const before = note === "" ? "" : `${note}: `;
  const named = before + brief(headline(question));
  const isSaid = content === undefined || visible(content.text).trim() === headline(question).trim();
  if (safeMode) return { lines: [named, ...(isSaid ? [] : [words.contentHidden])], isCut: !isSaid };
  if (content === undefined) return { lines: [named], isCut: false };
  const isBlock = question.kind === "permission";
  const { head, tail, total } = shownOf(content, length, isBlock ? "block" : "prose");
  const shown = isBlock ? fenced : closed;
  const ends =
    total === undefined
      ? [shown(isBlock ? head : before + head)]
      : [
          shown(isBlock ? head : before + head),
          `\n${words.partly(head.length + tail.length, total)}${tail === "" ? "" : "\n"}`,
          tail === "" ? "" : shown(tail),
        ];
  // A command is its own title.
  const isCommand = isBlock && isNamedByContent(question);
  return {
    lines: [...(isBlock ? [isCommand ? note : named] : []), ...ends].filter((line) => line !== ""),
    isCut: total !== undefined,
  };
}

/** Whether a notice shows less of the choices than there is. */
export function hidesChoices(question: Question, words: Words): boolean {
  const isLong = question.options.some(
    (_option, index) => choiceLine(question, index, labelOf(question, index, words)).length > CHOICE_LENGTH,
  );
  const isMore = question.kind === "question" && question.text.key !== undefined;
  return isLong || isMore || question.options.length > MAX_CHOICES;
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
