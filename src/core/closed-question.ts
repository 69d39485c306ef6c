/**
 * What became of questions that are over, for those who answer late.
 * Owns: the last of them in the session, and how that reads. Does not own: who may answer what (answer.ts).
 */
import { oneLine, type Draft } from "./draft.ts";
import { cutText } from "./output.ts";
import { answerWords, openQuestions } from "./question.ts";
import { redactSecrets } from "./redact.ts";
import type { Answer, ClosedQuestion, Phase, Question, Session } from "./session.ts";

const MAX_CLOSED = 8;
const ANSWER_LENGTH = 80;
const MAX_LABELS = 12;

export function noteAnswered(draft: Draft, question: Question, answer: Answer): void {
  note(draft, draft.session.phase, question, { answer: keptWords(question, answer), by: answer.by.kind });
}

/** As much of an answer as is kept of it. */
export function keptWords(question: Question, answer: Pick<Answer, "optionIds" | "text">): string {
  return cutText(oneLine(redactSecrets(answerWords(question, answer))), ANSWER_LENGTH);
}

export function noteDenied(draft: Draft, question: Question): void {
  note(draft, draft.session.phase, question, {});
}

/** Questions that were open before this event, and are over without anybody's doing on them. */
export function noteDropped(draft: Draft, before: Phase): void {
  if (before.kind !== "asking" || before === draft.session.phase) return;
  const { phase, closed = [] } = draft.session;
  const known = new Set([
    ...openQuestions(phase.kind === "asking" ? phase.asks : []).map(({ id }) => id),
    ...closed.map(({ id }) => id),
  ]);
  for (const question of openQuestions(before.asks))
    if (!known.has(question.id)) note(draft, before, question, { dropped: true });
}

function note(
  draft: Draft,
  phase: Phase,
  question: Question,
  how: Pick<ClosedQuestion, "answer" | "by" | "dropped">,
): void {
  const { turn, closed = [] } = draft.session;
  const asks = phase.kind === "asking" ? phase.asks : [];
  const toldIn = asks.find(({ questions }) => questions.some(({ id }) => id === question.id))?.toldIn;
  const labels = question.options
    .slice(0, MAX_LABELS)
    .map(({ label }) => cutText(oneLine(redactSecrets(label)), ANSWER_LENGTH));
  const over: ClosedQuestion = {
    id: question.id,
    ...how,
    at: draft.at,
    turn,
    ...(labels.length === 0 ? {} : { labels }),
    ...(toldIn === undefined ? {} : { toldIn }),
  };
  draft.session = { ...draft.session, closed: [...closed, over].slice(-MAX_CLOSED) };
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
  if (found !== undefined && found.dropped !== true)
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
