/**
 * What became of questions that are over, for those who answer late.
 * Owns: the last of them in the session, and how that reads. Does not own: who may answer what (answer.ts).
 */
import { oneLine, type Draft } from "./draft.ts";
import { cutText } from "./output.ts";
import { answerWords, openQuestions } from "./question.ts";
import { redactSecrets } from "./redact.ts";
import type { Answer, ClosedQuestion, Question, Session } from "./session.ts";

const MAX_CLOSED = 8;
const ANSWER_LENGTH = 80;

export function noteAnswered(draft: Draft, question: Question, answer: Answer): void {
  const words = cutText(oneLine(redactSecrets(answerWords(question, answer))), ANSWER_LENGTH);
  note(draft, { id: question.id, answer: words, by: answer.by.kind });
}

export function noteDenied(draft: Draft, question: Question): void {
  note(draft, { id: question.id });
}

function note(draft: Draft, closed: ClosedQuestion): void {
  draft.session = { ...draft.session, closed: [...(draft.session.closed ?? []), closed].slice(-MAX_CLOSED) };
}

const BY = {
  person: "a person",
  agent: "the agent",
  plugin: "the plugin",
  writer: "another writer of its TaskFlow",
} as const;

/** One sentence without its end: what became of it. */
export function whatBecame(session: Session, questionId: string): string {
  const { name, closed = [], nextId } = session;
  const found = closed.findLast(({ id }) => id === questionId);
  const question = `Question ${questionId} of ${name}`;
  if (found?.answer !== undefined && found.by !== undefined)
    return `${question} was already answered: ${found.answer} (by ${BY[found.by]})`;
  if (found !== undefined)
    return `${question} was denied, since nobody answered before its deadline (questionTimeoutMinutes)`;
  const number = Number(/^q(\d{1,9})(?:\.\d+)?$/.exec(questionId)?.[1] ?? Number.NaN);
  if (!(number < nextId)) return `${name} has asked no question ${cutText(oneLine(redactSecrets(questionId)), 40)}`;
  return `${question} is not open any more (its turn was stopped or has ended)`;
}

/** And what is open instead. */
export function closedMessage(session: Session, questionId: string): string {
  const { name, phase } = session;
  const open = phase.kind === "asking" ? openQuestions(phase.asks).map(({ id }) => id) : [];
  const now = open.length > 0 ? `Open now: ${open.join(", ")}.` : `${name} is ${phase.kind}, with no open question.`;
  return `${whatBecame(session, questionId)}. ${now}`;
}
