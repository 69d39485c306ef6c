/**
 * A question that is over, as its own notice says it from then on: who asked what, and what became of it. No instructions any more.
 * Owns: these texts. Does not own: which message is edited to them, and when (the engine's notice-ends).
 */
import { keptWords } from "./closed-question.ts";
import { headOf } from "./notice.ts";
import { askedLine, brief, type NoticeStyle } from "./question-words.ts";
import { redactSecrets } from "./redact.ts";
import type { Answer, By, Question, Session } from "./session.ts";
import { chosenWords } from "./which.ts";
import type { AnsweredFrom, FromChat } from "./words.ts";

/** `questions`: those of one notice, as they stood last. */
export function overText(session: Session, questions: readonly Question[], from: FromChat, style: NoticeStyle): string {
  const { words } = style;
  const [first, ...more] = questions;
  if (first === undefined) return "";
  const became = (question: Question): string => becameOf(session, question, from, style);
  const text =
    more.length === 0
      ? `🔔 ${headOf(first, words, session.name)}\n${askedLine(first, words)}\n\n${became(first)}`
      : [
          `🔔 ${words.head.questions(session.name, questions.length)}`,
          ...questions.map((question) => `${question.id} · ${askedLine(question, words)}\n${became(question)}`),
        ].join("\n\n");
  return redactSecrets(text);
}

/** For a chat whose message can't be edited: the answer came from elsewhere. */
export function answeredText(session: Session, questions: readonly Question[], style: NoticeStyle): string {
  const answers = questions.map((question) => becameOf(session, question, "elsewhere", style));
  const [head, ...more] = answers.map((answer) => answer.replace(/^(\S+) /u, `$1 ${session.name}: `));
  return redactSecrets([head, ...more].join("\n"));
}

function becameOf(session: Session, question: Question, from: FromChat, { words }: NoticeStyle): string {
  const closed = session.closed?.findLast(({ id }) => id === question.id);
  const by = closed?.by ?? question.answer?.by.kind;
  if (by === undefined) return closed?.dropped === true ? words.over.dropped : words.over.denied;
  const answer = question.answer ?? optionOf(question, closed?.answer ?? "");
  const said = answer === undefined ? brief(closed?.answer ?? "") : chosenWords(question, answer, words);
  return words.over.answered(said, fromOf(by, from));
}

/** Of an answer only its words are kept: the option that has them, with its mark and in the reader's language. */
function optionOf(question: Question, words: string): Pick<Answer, "optionIds"> | undefined {
  const option = question.options.find(({ id }) => keptWords(question, { optionIds: [id] }) === words);
  return option === undefined ? undefined : { optionIds: [option.id] };
}

function fromOf(by: By["kind"], from: FromChat): AnsweredFrom {
  switch (by) {
    case "person":
      return from;
    case "agent":
    case "writer":
      return by;
    case "plugin":
      return "meanwhile";
  }
}
