/**
 * Refusals of the verbs that need more than a line: each names the thing, its state and the next step.
 */
import type { Caller } from "../core/caller.ts";
import { whatBecame } from "../core/closed-question.ts";
import { oneLine } from "../core/draft.ts";
import { refuse, type Refused } from "../core/errors.ts";
import { headline } from "../core/asked-text.ts";
import { choiceLines, isYesOrNo } from "../core/choice.ts";
import { askOf, isTooSoon, REPEATED_MS, soundsLike } from "../core/meant.ts";
import { cutText } from "../core/output.ts";
import { numbersOf, plainWords } from "../core/plain-words.ts";
import { answerWords, readAnswer } from "../core/question.ts";
import { redactSecrets } from "../core/redact.ts";
import type { ClosedQuestion, Question, Session } from "../core/session.ts";
import type { ResponseOrder } from "./orders.ts";
import type { Roster } from "./roster.ts";

const ANSWER_LENGTH = 80;
const TITLE_LENGTH = 160;

export function queueFull({ engine, admission }: Roster): Refused {
  const { maxSessions, maxQueued } = engine.bounds;
  const slots = maxSessions === 1 ? "The only slot is busy" : `All ${maxSessions} slots are busy`;
  const line = admission.waiting === 1 ? "1 session waits" : `${admission.waiting} sessions wait`;
  return refuse(
    "queue_full",
    `${slots} and ${line} (maxQueued ${maxQueued}). Nothing was launched. Wait for one to finish, or end one with iflow_kill; iflow_sessions lists them.`,
  );
}

/** Who answers a question does not mean to begin a new conversation. */
export function questionOfEnded(session: Session, questionId: string): Refused {
  return refuse(
    "question_closed",
    `${whatBecame(session, questionId)}. The session has ended (${howOf(session)}). ${toSendIt(session)}`,
  );
}

export function severalOpen(session: Session, open: readonly Question[]): Refused {
  const list = open
    .map((q) => `${shortOf(q)}\n  /iflow_respond --question ${q.id} ${session.name} ${placeOf(q)}`)
    .join("\n");
  return refuse(
    "question_ambiguous",
    `${session.name} has ${open.length} open questions. Say which with question_id:\n${list}`,
  );
}

/**
 * Words that are an answer, and nothing is asked that they could answer: a settled question, or a session that has ended.
 * They never become a prompt by themselves. Undefined where they may be meant as they are.
 */
export function lateAnswer(session: Session, order: ResponseOrder): Refused | undefined {
  const { phase, closed = [], turn } = session;
  const asksForWords = phase.kind === "asking" || (phase.kind === "idle" && phase.expects === "answer");
  if (asksForWords || order.asMessage === true || order.interrupt || order.questionId !== undefined) return undefined;
  const last = closed.at(-1);
  const isNumber = numbersOf(order.message) !== undefined && (last !== undefined || phase.kind === "ended");
  const isOfThisTurn = last?.turn === turn && (soundsLike(last, order.message) || isYesOrNo(order.message));
  if (!isNumber && (!isOfThisTurn || CONTINUE.has(plainWords(order.message)))) return undefined;
  const became = last === undefined ? "" : `${whatBecame(session, last.id)}. `;
  const now = phase.kind === "ended" ? `has ended (${howOf(session)})` : `is ${phase.kind}`;
  return refuse(
    "question_closed",
    `${became}${session.name} ${now} and asks nothing now, so nothing was sent. ${toSendIt(session, order.message)}`,
  );
}

/** What notices tell people to say. */
const CONTINUE: ReadonlySet<string> = new Set(["continue", "继续"]);

function toSendIt({ name }: Session, message = "<message>"): string {
  const said = cutText(oneLine(redactSecrets(message)), ANSWER_LENGTH);
  return `To send it as a message: /iflow_respond --message ${name} ${said}`;
}

export function mayNotAnswer(session: Session, { kind }: Question): Refused {
  return refuse(
    "not_allowed",
    `In a group, only the person who launched ${session.name}, the host's owner or an operator may answer its ${kind}.`,
  );
}

/**
 * Words of somebody in a chat without the question's id, before anybody can have read what is open now. Undefined where they
 * are in time: whoever names the question has read it.
 */
export function earlyAnswer(
  { door }: Caller,
  session: Session,
  question: Question,
  { questionId, message }: ResponseOrder,
  at: number,
): Refused | undefined {
  if (door !== "command" || questionId !== undefined) return undefined;
  const toldAt = askOf(session, question.id)?.toldAt;
  const last = session.closed?.at(-1);
  const isTold = toldAt !== undefined && toldAt <= at && !isTooSoon(session, toldAt, at);
  if (isTold && (toldAt < (last?.at ?? at) || !isSameAgain(last, question, message, at))) return undefined;
  const became = last === undefined ? "" : `${whatBecame(session, last.id)}. `;
  const since = last === undefined ? `${session.name} asks this, and nobody was told yet` : "This is asked since";
  return refuse(
    "question_ambiguous",
    `${became}${since}, so nothing was answered:\n${shortOf(question)}\nAnswer it: /iflow_respond --question ${question.id} ${session.name} ${placeOf(question)}`,
  );
}

/** A person's command may be sent twice, and no channel says when it was written. */
function isSameAgain(last: ClosedQuestion | undefined, question: Question, words: string, at: number): boolean {
  if (last?.at === undefined || last.answer === undefined || last.by !== "person") return false;
  if (at - last.at >= REPEATED_MS) return false;
  const read = readAnswer(question, words);
  return (
    read.ok &&
    sameWords(answerWords(question, { ...read.value, by: { kind: "person", door: "command" }, at }), last.answer)
  );
}

function sameWords(a: string, b: string): boolean {
  return plainWords(cutText(oneLine(redactSecrets(a)), ANSWER_LENGTH)) === plainWords(b);
}

function howOf({ phase }: Session): string {
  return phase.kind === "ended" ? phase.outcome : phase.kind;
}

function shortOf(question: Question): string {
  return `${question.id}: ${cutText(redactSecrets(headline(question)), TITLE_LENGTH)} [${choiceLines(question).join(" · ")}]`;
}

function placeOf({ options, marks }: Question): string {
  if (options.length === 0) return "<answer>";
  return marks === "letters" ? "<letter>" : "<number>";
}
