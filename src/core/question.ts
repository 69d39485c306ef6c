/**
 * Questions: what the agent asks becomes numbered questions, what people say becomes exactly one valid reply.
 * Owns: choices offered, how an answer's words are read, which reply an answered request gets. Options are always the agent's own.
 */
import type { AgentReply, AgentRequest, RequestOption } from "./agent-event.ts";
import { ok, refuse, type Result } from "./errors.ts";
import { cutText } from "./output.ts";
import { isRejection } from "./permission.ts";
import { redactSecrets } from "./redact.ts";
import type { Answer, Ask, PermissionMode, PermissionSubject, Question, StoredText } from "./session.ts";

export const PREVIEW_LENGTH = 2_000;

/** What is kept of a request in memory and in the records, so that no request can outgrow them. */
const MAX_QUESTIONS = 10;
const MAX_OPTIONS = 30;
const OPTION_ID_LENGTH = 300;
const OPTION_LENGTH = 300;
const HEADER_LENGTH = 200;
/** A question's text is the key of its answer on the wire, so it is kept whole as long as that is bearable. */
const QUESTION_LENGTH = 8_000;

/** The plugin's own options; a plan has none on the wire but approved and rejected. */
export const PLAN_OPTIONS: readonly RequestOption[] = [
  { id: "approve", label: "Approve, ask before each change", kind: "allow_once" },
  { id: "approve-auto", label: "Approve and carry out without asking", kind: "allow_always" },
  { id: "reject", label: "Reject", kind: "reject_once" },
];
/** Their labels in Chinese, by option id; taken as answers as well. */
export const OWN_LABELS_ZH: Readonly<Record<string, string>> = {
  approve: "批准，每次修改前询问",
  "approve-auto": "批准，执行时不再询问",
  reject: "拒绝",
  fresh: "带着摘要重新开始",
  stop: "停止",
};
export const FRESH_START_OPTIONS: readonly RequestOption[] = [
  { id: "fresh", label: "Start fresh with a summary", kind: "allow_once" },
  { id: "stop", label: "Stop", kind: "reject_once" },
];

export const FRESH_START_TEXT =
  "iFlow no longer has the history of this session. Start fresh with a summary of what was said and done, or stop?";

/** Private keys are the longest. */
const LONGEST_SECRET = 8_192;

export function preview(text: string, key?: string): StoredText {
  if (text.length <= PREVIEW_LENGTH) return { text, length: text.length };
  // Masked before it is cut: half a secret is not known for one.
  const beginning = redactSecrets(text.slice(0, PREVIEW_LENGTH + LONGEST_SECRET));
  return { text: cutText(`${beginning}…`, PREVIEW_LENGTH), length: text.length, ...(key === undefined ? {} : { key }) };
}

export interface AskFacts {
  readonly number: number;
  readonly at: number;
  readonly deadlineAt: number;
  readonly subject?: PermissionSubject;
  /** Journal key of the whole text, when it is longer than its preview. */
  readonly textKey?: string;
}

export function askFrom(request: AgentRequest, facts: AskFacts): Ask {
  const base = { requestId: request.requestId, askedAt: facts.at, deadlineAt: facts.deadlineAt };
  const id = `q${facts.number}`;
  const one = (text: string, options: readonly RequestOption[], freeText: boolean): readonly Question[] => [
    {
      id,
      kind: request.kind === "questions" ? "question" : request.kind,
      text: preview(text, facts.textKey),
      options,
      multiSelect: false,
      freeText,
    },
  ];
  switch (request.kind) {
    case "permission": {
      const what = request.content === "" ? request.title : `${request.title}\n${request.content}`;
      const subject = facts.subject === undefined ? {} : { subject: facts.subject };
      return {
        ...base,
        ...subject,
        kind: "permission",
        questions: one(what, boundOptions(byId(request.options)), false),
      };
    }
    case "plan":
      return { ...base, kind: "plan", questions: one(request.plan, PLAN_OPTIONS, true) };
    case "questions":
      return {
        ...base,
        kind: "question",
        questions: request.questions.slice(0, MAX_QUESTIONS).map((question, index) => ({
          id: request.questions.length === 1 ? id : `${id}.${index + 1}`,
          kind: "question" as const,
          text: { text: cutText(question.text, QUESTION_LENGTH), length: question.text.length },
          ...(question.header === undefined ? {} : { header: cutText(question.header, HEADER_LENGTH) }),
          options: boundOptions(byWords(question.options)),
          multiSelect: question.multiSelect,
          freeText: true,
        })),
      };
  }
}

/** Options that can be chosen: one whose id would have to be cut could not be named on the wire. */
function byId(options: readonly RequestOption[]): readonly RequestOption[] {
  return options.filter((option) => option.id.length <= OPTION_ID_LENGTH);
}

/** Choices of a question are named by their words on the wire, so a short id of our own does. */
function byWords(options: readonly RequestOption[]): readonly RequestOption[] {
  return options.map((option, index) =>
    option.id.length <= OPTION_ID_LENGTH ? option : { ...option, id: `o${index + 1}` },
  );
}

function boundOptions(options: readonly RequestOption[]): readonly RequestOption[] {
  return options.slice(0, MAX_OPTIONS).map((option) => ({
    ...option,
    label: cutText(option.label, OPTION_LENGTH),
    ...(option.description === undefined ? {} : { description: cutText(option.description, OPTION_LENGTH) }),
  }));
}

/** Somebody has answered it, or a part of it. */
export function hasAnswer({ questions }: Ask): boolean {
  return questions.some(({ answer }) => answer !== undefined);
}

export function openQuestions(asks: readonly Ask[]): readonly Question[] {
  return asks.flatMap((ask) => ask.questions).filter((question) => question.answer === undefined);
}

/** One line a choice, numbered as people answer them. */
export function choiceLines(question: Question): readonly string[] {
  return question.options.map((o, i) => `${i + 1}. ${o.label}${o.description ? ` — ${o.description}` : ""}`);
}

const YES: ReadonlySet<string> = new Set([
  "y",
  "yes",
  "ok",
  "allow",
  "approve",
  "approved",
  "允许",
  "同意",
  "批准",
  "是",
  "可以",
  "好",
]);
const NO: ReadonlySet<string> = new Set([
  "n",
  "no",
  "deny",
  "denied",
  "reject",
  "cancel",
  "拒绝",
  "不",
  "否",
  "不行",
  "取消",
]);

function optionByWords(question: Question, words: string): RequestOption | undefined {
  const wanted = words.trim().toLowerCase();
  if (wanted === "") return undefined;
  const number = /^[#（(]?(\d{1,3})[.)）、]?$/.exec(wanted)?.[1];
  const numbered = number === undefined ? undefined : question.options[Number(number) - 1];
  if (numbered !== undefined) return numbered;
  const exact = optionNamed(question, wanted);
  if (exact !== undefined || question.kind === "question") return exact;
  if (YES.has(wanted)) return question.options.find((o) => o.kind === "allow_once");
  if (NO.has(wanted)) return question.options.find(isRejection);
  return undefined;
}

/** The option with exactly this label or id, in small letters; the plugin's own have a label in each language. */
function optionNamed(question: Question, wanted: string): RequestOption | undefined {
  const own = isOwn(question) ? OWN_LABELS_ZH : {};
  return question.options.find(({ id, label }) => [label.toLowerCase(), id.toLowerCase(), own[id]].includes(wanted));
}

/** Whether the options are the plugin's own, and so have labels in each language. */
export function isOwn(question: Pick<Question, "kind">): boolean {
  return question.kind === "plan" || question.kind === "fresh-start";
}

function optionsByWords(question: Question, words: string): readonly RequestOption[] | undefined {
  const single = optionByWords(question, words);
  if (single !== undefined) return [single];
  if (!question.multiSelect) return undefined;
  const parts = words.split(/[,，、;；\n]+|\s+(?=\d)/u).filter((part) => part.trim() !== "");
  const options = parts.map((part) => optionByWords(question, part));
  return options.length > 0 && options.every((o) => o !== undefined) ? [...new Set(options)] : undefined;
}

/**
 * What somebody's words mean as an answer to this question: option ids, or free text where that is allowed.
 * Refuses `invalid_choice` with the choices when they mean neither. `option`: they were given as a choice, so they must be one.
 */
export function readAnswer(
  question: Question,
  words: string,
  as: "words" | "option" = "words",
): Result<Pick<Answer, "optionIds" | "text">> {
  const options = optionsByWords(question, words);
  if (options !== undefined) return ok({ optionIds: options.map((o) => o.id) });
  // A number alone is meant as one of the choices, also where any words would do; but for choices that are numbers themselves.
  const isCounted = question.options.length > 0 && !question.options.some(({ label }) => /\d/.test(label));
  const isMeant = as === "option" || (isCounted && /^\s*\d{1,3}\s*$/.test(words));
  if (question.freeText && words.trim() !== "" && !isMeant) return ok({ text: words });
  const said = words.trim() === "" ? "An empty answer" : `"${cutText(redactSecrets(words.trim()), 60)}"`;
  return refuse("invalid_choice", `${said} is no choice of question ${question.id}. ${chooseFrom(question)}`);
}

function chooseFrom(question: Question): string {
  const own = question.freeText ? ", or answer in words of your own" : "";
  return question.options.length === 0
    ? "It has no choices: answer in words."
    : `Choose one of: ${choiceLines(question).join(" · ")}${own}`;
}

/**
 * True when the words are nothing but a choice: its number, or its exact words as a notice of any language shows them.
 * For bare replies and other writers.
 */
export function isExactChoice(question: Question, words: string): boolean {
  const wanted = words.trim().toLowerCase();
  if (wanted === "") return false;
  const byNumber = /^\d{1,3}$/.test(wanted) && question.options[Number(wanted) - 1] !== undefined;
  return byNumber || optionNamed(question, wanted) !== undefined;
}

function labelsOf(question: Question, answer: Answer): readonly string[] {
  return (answer.optionIds ?? []).map((id) => question.options.find((o) => o.id === id)?.label ?? id);
}

/** The words of an answer, for people and for a prompt that carries a late answer. */
export function answerWords(question: Question, answer: Answer): string {
  return answer.text ?? labelsOf(question, answer).join(", ");
}

function chosen(ask: Ask): RequestOption | undefined {
  const [question] = ask.questions;
  const id = question?.answer?.optionIds?.[0];
  return question?.options.find((o) => o.id === id);
}

export function isGranted(ask: Ask): boolean {
  const option = chosen(ask);
  return option !== undefined && !isRejection(option);
}

export function isLasting(ask: Ask): boolean {
  return chosen(ask)?.kind === "allow_always";
}

/** The mode in which an approved plan is carried out; undefined when it was not approved. */
export function approvedMode(ask: Ask): PermissionMode | undefined {
  if (ask.kind !== "plan" || !isGranted(ask)) return undefined;
  return isLasting(ask) ? "auto" : "manual";
}

/** The one reply to a request whose every part is answered. Rejections are always `cancelled` (the protocol ignores others in one mode). */
export function replyOf(ask: Ask): AgentReply {
  switch (ask.kind) {
    case "permission": {
      const option = chosen(ask);
      return option === undefined || isRejection(option)
        ? { kind: "cancelled" }
        : { kind: "selected", optionId: option.id };
    }
    case "plan": {
      const reason = ask.questions[0]?.answer?.text;
      return { kind: "plan", approved: isGranted(ask), ...(reason === undefined ? {} : { reason }) };
    }
    case "question": {
      const answers = ask.questions.map((question) => [question.text.text, answerOf(question)] as const);
      // fromEntries keeps any question text as a key of its own, "__proto__" too.
      return { kind: "answers", answers: Object.fromEntries(answers) };
    }
    case "fresh-start":
      return { kind: "cancelled" };
  }
}

function answerOf(question: Question): string | readonly string[] {
  if (question.answer === undefined) return "";
  const labels = labelsOf(question, question.answer);
  return question.answer.text ?? (question.multiSelect ? labels : (labels[0] ?? ""));
}

/** Denies every open part: the reply then says that nobody answered. */
export function deny(ask: Ask, reason: string, at: number): Ask {
  const answer: Answer = { text: `(no answer: ${reason})`, by: { kind: "plugin", door: "plugin" }, at };
  return { ...ask, questions: ask.questions.map((q) => (q.answer === undefined ? { ...q, answer } : q)) };
}
