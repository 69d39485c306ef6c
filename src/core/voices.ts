/**
 * The voices in the output beside the agent's own: what it was told, what it asked, what was answered.
 * Owns: how they are shown there, and the seam before them: the next voice never runs on in somebody else's line or code block.
 * Does not own: how a question is asked in a chat (notice.ts). What stands here is for reading only.
 */
import { oneLine, write, type Draft } from "./draft.ts";
import { closed } from "./excerpt.ts";
import { interrupted, openWords } from "./last-words.ts";
import { cutText } from "./output.ts";
import { answerWords } from "./question.ts";
import type { Answer, By, Message, OutputBuffer, Question, Session } from "./session.ts";

const WHO = { person: "👤", agent: "🤖", plugin: "⚙️", writer: "⚙️" } as const satisfies Record<By["kind"], string>;

const OTHER_VOICE = /^(?:\n?\s{0,12}(?:`{3,}|~{3,}))?\n{0,2}(?:👤|🤖|⚙️|🔔|⌛) /u;

/** Whether this piece of output is what people said, or what was asked and answered. */
export function isOtherVoice(piece: string): boolean {
  return OTHER_VOICE.test(piece);
}

const PROMPT_LENGTH = 1_000;
const QUESTION_LENGTH = 200;
const ANSWER_LENGTH = 400;

/** What brings the next words onto a line of their own, behind a blank one. */
export function paragraphAfter({ text, end }: OutputBuffer): string {
  if (end === 0 || text.endsWith("\n\n")) return "";
  return text.endsWith("\n") ? "\n" : "\n\n";
}

/** What ends the code block in which the agent's words break off; "" when there is none. */
export function blockEnd(session: Session): string {
  const words = openWords(session);
  return words === "" ? "" : closed(words).slice(words.length);
}

/** Somebody else speaks next: what the agent said is over. */
export function breakOff(draft: Draft): void {
  write(draft, blockEnd(draft.session));
  draft.session = { ...draft.session, ...interrupted(draft.session) };
}

/** A message has left for the agent. What the session began with is not repeated: it is shown with the session itself. */
export function showPrompt(draft: Draft, { text, by }: Message): void {
  if (draft.session.turn > 1) show(draft, `${WHO[by.kind]} ${closed(cutText(text.text.trim(), PROMPT_LENGTH))}\n`);
}

export function showQuestions(draft: Draft, questions: readonly Question[]): void {
  breakOff(draft);
  const lines = questions.map(({ id, text }) => `🔔 ${id}: ${firstLineOf(text.text)}\n`);
  show(draft, lines.join(""));
}

export function showAnswer(draft: Draft, question: Question, answer: Answer): void {
  const words = cutText(oneLine(answerWords(question, answer)), ANSWER_LENGTH);
  show(draft, `${WHO[answer.by.kind]} ${question.id}: ${words}\n`);
}

/** Nobody answered in time. */
export function showDenial(draft: Draft, questions: readonly Question[]): void {
  show(draft, questions.map(({ id }) => `⌛ ${id}\n`).join(""));
}

function show(draft: Draft, lines: string): void {
  if (lines !== "") write(draft, `${paragraphAfter(draft.session.output)}${lines}\n`);
}

function firstLineOf(text: string): string {
  return cutText(oneLine(text.trim().split("\n", 1)[0] ?? ""), QUESTION_LENGTH);
}
