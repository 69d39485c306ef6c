/**
 * What the launching agent is told when it is woken: facts, ids and the next step in our words.
 * Invariant: every word that iFlow, its files or its tools may have chosen stands between two fence lines that it cannot
 * close, and is said to be data. Outside of them a hostile session can change nothing.
 */
import { markAt } from "./choice.ts";
import { asData, visible } from "./fence.ts";
import { noticeQuestions } from "./notice.ts";
import { cutText } from "./output.ts";
import { choices, firstLine, markOf, matter, withoutCode, type NoticeStyle } from "./question-words.ts";
import { redactSecrets } from "./redact.ts";
import type { Notice, Question, Session } from "./session.ts";
import { EN } from "./words-en.ts";

const CONTENT_LENGTH = 4_000;
const QUESTION_LENGTH = 2_000;

export function wakeText(session: Session, notice: Notice, safeMode: boolean): string {
  const content = contentOf(session, notice, { words: EN, safeMode });
  return [
    `[iFlow plugin] ${matterOf(session, notice)}`,
    `Session: name ${quoted(session.name)}, id ${quoted(session.id)}, turn ${session.turn}, directory ${quoted(session.workdir)}.`,
    ...factsOf(notice),
    "The person in the chat has been told this already, by the plugin: do not repeat the notice.",
    nextStep(session, notice),
    ...fencedContent(redactSecrets(content)),
  ].join("\n");
}

/** As JSON: what a person chose as a name or directory can't end its own quotes or line. */
function quoted(text: string): string {
  return JSON.stringify(visible(text));
}

function matterOf(session: Session, notice: Notice): string {
  switch (notice.kind) {
    case "asks":
      return asksMatter(session, notice);
    case "turn-finished":
      return `A turn of your iFlow session is finished. The session waits for a follow-up, or ends by itself.`;
    case "completed":
      return "Your iFlow session is completed.";
    case "failed":
      return "Your iFlow session has failed.";
    case "killed":
      return "Your iFlow session was stopped.";
    case "interrupted":
      return "Your iFlow session was interrupted. Nothing of it was repeated.";
    case "launched":
    case "queued":
    case "responded":
    case "quiet":
    case "denied":
    case "warning":
      return `Your iFlow session has news (${notice.kind}).`;
  }
}

const KINDS = {
  permission: "a permission",
  plan: "the approval of a plan",
  question: "a question",
  "fresh-start": "how to go on without its history",
} as const;

function asksMatter(session: Session, notice: Notice): string {
  if (notice.data.questionIds === undefined)
    return "Your iFlow session ended its turn with a question and waits for an answer.";
  const { asked } = noticeQuestions(session, notice);
  const [first] = asked;
  if (first === undefined) return "Your iFlow session had asked something; it was answered or withdrawn meanwhile.";
  const ids = asked.map((question) => question.id).join(", ");
  return asked.length === 1
    ? `Your iFlow session waits for ${KINDS[first.kind]}: ${ids}.`
    : `Your iFlow session waits for ${asked.length} answers: ${ids}.`;
}

function factsOf({ data }: Notice): readonly string[] {
  const about = data.code === undefined || data.code === "limit_reached" ? "" : EN.about[data.code];
  const took =
    data.durationMs === undefined || data.durationMs < 1_000
      ? ""
      : `It has worked for ${EN.duration(data.durationMs)}.`;
  const unsent = data.unsent === undefined ? "" : EN.unsent(data.unsent);
  const before =
    data.leftOut === undefined
      ? ""
      : `${data.leftOut.length} characters of the result stand before the words below: iflow_output, since ${data.leftOut.since}.`;
  const remedy = data.code === undefined ? "" : (EN.remedy[data.code] ?? "");
  const facts = [about, remedy, took, unsent, before].filter((fact) => fact !== "").join(" ");
  return facts === "" ? [] : [facts];
}

function nextStep(session: Session, notice: Notice): string {
  const ref = JSON.stringify(session.id);
  switch (notice.kind) {
    case "asks":
      return asksNext(session, notice, ref);
    case "turn-finished":
    case "completed":
      return `Next: read what you need with iflow_output {"session": ${ref}}, then tell the person the result in your own words. To go on with the same context: iflow_respond {"session": ${ref}, "message": "..."}.`;
    case "failed":
      return `Next: tell the person the cause. Do not launch the same work again unasked. With the same context: iflow_resume {"session": ${ref}}.`;
    case "killed":
      return "Next: nothing, unless the person asks. Do not launch the same work again unasked.";
    case "interrupted":
      return `Next: tell the person what is known and ask whether to go on. Then: iflow_respond {"session": ${ref}, "message": "continue"}.`;
    case "launched":
    case "queued":
    case "responded":
    case "quiet":
    case "denied":
    case "warning":
      return "Next: nothing.";
  }
}

function asksNext(session: Session, notice: Notice, ref: string): string {
  const { asked } = noticeQuestions(session, notice);
  if (notice.data.questionIds !== undefined && asked.length === 0) return "Next: nothing.";
  const grants = asked.some((question) => question.kind !== "question");
  const rule = grants
    ? "Answer only if the person has already decided exactly this in the chat; a permission or a plan is theirs to grant. Otherwise ask them, and wait."
    : "Answer only if the person has already decided it in the chat or it is plain fact. Otherwise ask them, and wait.";
  const cut = asked.filter((question) => matter(question, QUESTION_LENGTH, { words: EN, safeMode: false }).isCut);
  const reads = cut.map(
    ({ id }) => `  iflow_output {"session": ${ref}, "question_id": ${JSON.stringify(id)}} (all of it)`,
  );
  const calls = asked.length === 0 ? [call(ref, undefined, false)] : asked.map((question) => call(ref, question, true));
  return [`Next: ${rule}`, ...reads, ...calls].join("\n");
}

function call(ref: string, question: Question | undefined, withId: boolean): string {
  const id = withId && question !== undefined ? `, "question_id": ${JSON.stringify(question.id)}` : "";
  const count = question?.options.length ?? 0;
  const numbers =
    question === undefined || count === 0
      ? "free text"
      : `the ${markOf(question)} of a choice, ${markAt(question, 0)} to ${markAt(question, count - 1)}${question.freeText ? ", or free text" : ""}`;
  return `  iflow_respond {"session": ${ref}${id}, "message": "..."} (${numbers})`;
}

// ---------------------------------------------------------------- words that are not ours

function contentOf(session: Session, notice: Notice, style: NoticeStyle): string {
  if (notice.data.questionIds === undefined) return resultOf(notice, style);
  const { asked } = noticeQuestions(session, notice);
  return asked
    .map((question) =>
      [`${question.id}:`, ...matter(question, QUESTION_LENGTH, style).lines, ...choices(question, EN)].join("\n"),
    )
    .join("\n\n");
}

/** In safe mode prose without code for a result, the first line of a cause (the rest may be a program's output). */
function resultOf({ kind, data }: Notice, { safeMode }: NoticeStyle): string {
  const text = data.text ?? "";
  if (!safeMode) return text;
  const isResult = kind === "turn-finished" || kind === "completed" || kind === "asks";
  return isResult ? withoutCode(text, EN.codeHidden) : firstLine(text);
}

function fencedContent(content: string): readonly string[] {
  const shown = visible(content).trim();
  if (shown === "") return [];
  return ["", ...asData(cutText(shown, CONTENT_LENGTH))];
}
