/**
 * How words that could mean several things are asked back, and what was chosen, in words for the chat.
 * Owns: these texts; each possible answer stands there ready to be sent. Does not own: when they are needed (meant.ts).
 */
import { headline } from "./asked-text.ts";
import { visible } from "./fence.ts";
import { command, headOf } from "./notice.ts";
import { isExactChoice, markAt } from "./choice.ts";
import { brief, choices, labelOf, markOf, type NoticeStyle } from "./question-words.ts";
import type { Waiting } from "./meant.ts";
import type { Answer, Question, Session } from "./session.ts";
import type { Words } from "./words.ts";

const MAX_SHOWN = 6;
const TITLE_LENGTH = 160;

export type StyleOf = (session: Session) => NoticeStyle;

/** `said`: the words that could mean several of them; undefined where none were said. */
export function whichText(waiting: readonly Waiting[], said: string | undefined, styleOf: StyleOf): string {
  const [first] = waiting;
  if (first === undefined) return "";
  const { words } = styleOf(first.session);
  const shown = waiting
    .slice(0, MAX_SHOWN)
    .map((one) => waitingLines(one, waiting, said, styleOf(one.session)).join("\n"));
  const more = waiting.length > MAX_SHOWN ? [words.more(waiting.length - MAX_SHOWN)] : [];
  return [...(said === undefined ? [] : [words.answers.which]), ...shown, ...more].join("\n\n");
}

/** What is asked in short, what can be chosen, and the command that says it. */
function waitingLines(
  { session, question }: Waiting,
  all: readonly Waiting[],
  said: string | undefined,
  { words }: NoticeStyle,
): readonly string[] {
  const name = nameOf(session, all);
  if (question === undefined) {
    const asked = session.phase.kind === "idle" ? brief(session.phase.preview.slice(-TITLE_LENGTH), TITLE_LENGTH) : "";
    return [`🔔 ${words.head.waits(session.name)}: ${asked}`, command(name, said ?? words.wordsPlace)];
  }
  const isAlone = all.filter((one) => one.session === session).length === 1;
  const fits = said !== undefined && isExactChoice(question, said);
  const place = question.options.length > 0 ? words.markPlace[markOf(question)] : words.wordsPlace;
  return [
    `🔔 ${headOf(question, words, session.name)}: ${titleOf(question, words)}`,
    ...choices(question, words),
    command(name, fits ? visible(said) : place, isAlone ? undefined : question.id),
  ];
}

/** Its name, where no other one of them is called the same. */
function nameOf({ id, name }: Session, all: readonly Waiting[]): string {
  return all.some(({ session }) => session.id !== id && session.name === name) ? id : name;
}

function titleOf(question: Question, words: Words): string {
  return brief(question.kind === "fresh-start" ? words.freshStart : headline(question), TITLE_LENGTH);
}

/** `2: Allow`, as the notice showed it; behind a no its reason. */
export function chosenWords(
  question: Question,
  { optionIds = [], text }: Pick<Answer, "optionIds" | "text">,
  words: Words,
): string {
  const chosen = optionIds
    .map((id) => question.options.findIndex((option) => option.id === id))
    .map((index) => brief(`${markAt(question, index)}: ${labelOf(question, index, words)}`, TITLE_LENGTH));
  return [chosen.join(", "), text === undefined ? "" : brief(text, TITLE_LENGTH)]
    .filter((part) => part !== "")
    .join(" · ");
}
