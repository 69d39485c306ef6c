/**
 * Buttons for the choices of a question, and what a pressed one means.
 * Owns: the payloads `a:<session id>:<question id>:<option index>` and, to read a question whole, `w:<session id>:<question id>`,
 * at most 50 bytes so that every channel takes them.
 */
import { markAt } from "./choice.ts";
import { isPartly, noticeQuestions } from "./notice.ts";
import { cutText, utf8Bytes } from "./output.ts";
import { brief, labelOf, type NoticeStyle } from "./question-words.ts";
import type { Notice, Question, Session } from "./session.ts";

export interface ChoiceButton {
  readonly label: string;
  readonly payload: string;
}

export interface PressedChoice {
  readonly sessionId: string;
  readonly questionId: string;
  /** From 0, in the order in which the agent offered them. */
  readonly optionIndex: number;
}

const MAX_PAYLOAD_BYTES = 50;
const MAX_BUTTONS = 12;
const LABEL_LENGTH = 40;
const SHOW = /^w:([A-Za-z0-9_-]{1,40}):(q\d{1,9}(?:\.\d{1,4})?)$/;
const PAYLOAD = /^a:([A-Za-z0-9_-]{1,40}):(q\d{1,9}(?:\.\d{1,4})?):(\d{1,3})$/;

/** No choice where several are possible at once, or where they are too many to press; one to read all of what is cut. */
export function buttonsOf(session: Session, notice: Notice, style: NoticeStyle): readonly ChoiceButton[] {
  if (notice.kind !== "asks") return [];
  const { asked } = noticeQuestions(session, notice);
  const pressable = asked.filter((question) => !question.multiSelect && question.options.length > 0);
  const choices = pressable.flatMap((question) => questionButtons(session, question, asked.length > 1, style));
  const [only, ...more] = asked;
  const reads =
    only !== undefined && more.length === 0 && isPartly(only, style) ? [showButton(session, only, style)] : [];
  return [choices.length <= MAX_BUTTONS ? choices : [], reads].flatMap((buttons) =>
    buttons.every(({ payload }) => utf8Bytes(payload) <= MAX_PAYLOAD_BYTES) ? buttons : [],
  );
}

function showButton({ id }: Session, question: Question, { words }: NoticeStyle): ChoiceButton {
  return { label: words.showAll, payload: `w:${id}:${question.id}` };
}

function questionButtons(
  session: Session,
  question: Question,
  several: boolean,
  style: NoticeStyle,
): readonly ChoiceButton[] {
  const labels = question.options.map(
    (_option, index) => brief(labelOf(question, index, style.words)) || markAt(question, index),
  );
  const shown = (label: string): string => cutText(several ? `${question.id}: ${label}` : label, LABEL_LENGTH);
  // Two that look alike on a button are told apart by their marks.
  const isAlike = (label: string): boolean => labels.filter((other) => shown(other) === shown(label)).length > 1;
  return labels.map((label, index) => ({
    label: shown(isAlike(label) ? `${markAt(question, index)}: ${label}` : label),
    payload: `a:${session.id}:${question.id}:${index}`,
  }));
}

export function parsePayload(payload: string): PressedChoice | undefined {
  if (utf8Bytes(payload) > MAX_PAYLOAD_BYTES) return undefined;
  const [, sessionId, questionId, index] = PAYLOAD.exec(payload) ?? [];
  if (sessionId === undefined || questionId === undefined || index === undefined) return undefined;
  return { sessionId, questionId, optionIndex: Number(index) };
}

/** Of which question all is to be shown. */
export function parseShow(payload: string): Omit<PressedChoice, "optionIndex"> | undefined {
  if (utf8Bytes(payload) > MAX_PAYLOAD_BYTES) return undefined;
  const [, sessionId, questionId] = SHOW.exec(payload) ?? [];
  return sessionId === undefined || questionId === undefined ? undefined : { sessionId, questionId };
}
