/**
 * Questions: what the agent asks becomes numbered questions, what people say becomes exactly one valid reply.
 * Owns: choices offered, which answers are taken, which reply an answered request gets. Options are always the agent's own.
 * Does not own: by which mark a choice is named, and which one words mean (choice.ts).
 */
import type { AgentReply, AgentRequest, AskedAnswer, AskedQuestion, RequestOption } from "./agent-event.ts";
import { askedText, fitsNotice, storedText, TITLE_LENGTH } from "./asked-text.ts";
import { chosenBy, choiceLines, marksOf, PLAN_OPTIONS, rejectedBy } from "./choice.ts";
import { ok, refuse, type Result } from "./errors.ts";
import { cutText } from "./output.ts";
import { isRejection, mayAlways, oneForEachId, subjectOf, type PermissionRequest } from "./permission.ts";
import { numberOf } from "./plain-words.ts";
import { redactSecrets } from "./redact.ts";
import type { Answer, Ask, PermissionMode, PermissionSubject, Question } from "./session.ts";

/** What is kept of a request in memory and in the records, so that no request can outgrow them. */
const MAX_QUESTIONS = 10;
const MAX_OPTIONS = 30;
const OPTION_ID_LENGTH = 300;
const OPTION_LENGTH = 300;
const HEADER_LENGTH = 200;
const QUESTION_LENGTH = 8_000;

export const FRESH_START_TEXT =
  "iFlow no longer has the history of this session. Start fresh with a summary of what was said and done, or stop?";

export interface AskFacts {
  readonly number: number;
  readonly at: number;
  readonly deadlineAt: number;
  readonly subject?: PermissionSubject;
  /** Journal key of the whole text, when it is longer than its preview. */
  readonly textKey?: string;
  /** Notices do not show what commands and files say (safe mode). */
  readonly hidesContent?: boolean;
}

export function askFrom(request: AgentRequest, facts: AskFacts): Ask {
  const base = { requestId: request.requestId, askedAt: facts.at, deadlineAt: facts.deadlineAt };
  const id = `q${facts.number}`;
  switch (request.kind) {
    case "permission": {
      const subject = facts.subject === undefined ? {} : { subject: facts.subject };
      return { ...base, ...subject, kind: "permission", questions: [askedPermission(request, id, facts)] };
    }
    case "plan":
      return { ...base, kind: "plan", questions: [askedPlan(request.plan, id, facts)] };
    case "questions":
      return {
        ...base,
        kind: "question",
        questions: request.questions.slice(0, MAX_QUESTIONS).map((question, index) => {
          const key = facts.textKey === undefined ? undefined : partKey(facts.textKey, index);
          return askedQuestion(question, request.questions.length === 1 ? id : `${id}.${index + 1}`, key);
        }),
      };
  }
}

function askedPermission(request: PermissionRequest, id: string, { textKey, hidesContent }: AskFacts): Question {
  const { title, content, note } = askedText(request);
  const isHidden = hidesContent === true && content !== "" && content.trim() !== title.trim();
  const options = boundOptions(inOrder(offeredFor(request, fitsNotice(content) && !isHidden)));
  return {
    id,
    kind: "permission",
    text: { text: cutText(title, TITLE_LENGTH), length: title.length },
    ...(content === "" ? {} : { content: storedText(content, textKey) }),
    ...(note === "" ? {} : { header: cutText(note, HEADER_LENGTH) }),
    options,
    multiSelect: false,
    freeText: false,
    ...marksOf({ kind: "permission", options, text: title }),
  };
}

function askedPlan(plan: string, id: string, { textKey, hidesContent }: AskFacts): Question {
  const isReadable = fitsNotice(plan) && !(hidesContent === true && plan.trim().includes("\n"));
  const options = isReadable ? PLAN_OPTIONS : PLAN_OPTIONS.filter(({ kind }) => kind !== "allow_always");
  const text = storedText(plan, textKey);
  return {
    id,
    kind: "plan",
    text,
    options,
    multiSelect: false,
    freeText: true,
    ...marksOf({ kind: "plan", options, text: plan }),
  };
}

/** Whether less is kept of a question than was asked: the journal then has all of it. */
export function isKeptInPart({ text, options }: AskedQuestion): boolean {
  return text.length > QUESTION_LENGTH || options.length > MAX_OPTIONS;
}

/** The key of the whole of one question of several, from 0. */
export function partKey(key: string, index: number): string {
  return `${key}.${index + 1}`;
}

function askedQuestion(question: AskedQuestion, id: string, key: string | undefined): Question {
  const { text, header, multiSelect } = question;
  const kind = "question" as const;
  const options = boundOptions(byWords(question.options));
  return {
    id,
    kind,
    text: {
      text: cutText(text, QUESTION_LENGTH),
      length: text.length,
      ...(key !== undefined && isKeptInPart(question) ? { key } : {}),
    },
    ...(header === undefined ? {} : { header: cutText(header, HEADER_LENGTH) }),
    options,
    multiSelect,
    freeText: true,
    ...marksOf({ kind, options, text }),
  };
}

/** Options that can be chosen: one whose id would have to be cut could not be named on the wire. */
function byId(options: readonly RequestOption[]): readonly RequestOption[] {
  return oneForEachId(options).filter((option) => option.id.length <= OPTION_ID_LENGTH);
}

/** "Always" is no choice where it could not be kept to what was asked, or where nobody can read all of that in the notice. */
function offeredFor(request: PermissionRequest, isReadable: boolean): readonly RequestOption[] {
  const subject = subjectOf(request, "");
  const lasts = isReadable && subject !== undefined && mayAlways(subject);
  return byId(request.options).filter(({ kind }) => lasts || kind !== "allow_always");
}

/** What allows once stands first, what allows for longer last, so that no hasty answer is the widest. */
function inOrder(options: readonly RequestOption[]): readonly RequestOption[] {
  const place = (option: RequestOption): number => (isRejection(option) ? 1 : option.kind === "allow_always" ? 2 : 0);
  return options.toSorted((a, b) => place(a) - place(b));
}

/**
 * Choices of a question are named by their words on the wire, so a short id of our own does, also where two have the same.
 * What says the same twice is one choice.
 */
function byWords(options: readonly RequestOption[]): readonly RequestOption[] {
  const said = new Set<string>();
  const ids = new Set<string>();
  return options.flatMap((option, index) => {
    const words = `${option.label}\n${option.description ?? ""}`;
    if (said.has(words)) return [];
    said.add(words);
    const id = option.id.length > OPTION_ID_LENGTH || ids.has(option.id) ? `o${index + 1}` : option.id;
    ids.add(id);
    return [{ ...option, id }];
  });
}

/** The agent's own words of a choice, whole, by the id under which it was put to people. */
export function ownLabel({ options }: AskedQuestion, id: string): string | undefined {
  return byWords(options).find((option) => option.id === id)?.label;
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

/**
 * What somebody's words mean as an answer to this question: option ids, or free text where that is allowed.
 * Refuses `invalid_choice` with the choices when they mean neither. `option`: they were given as a choice, so they must be one.
 */
export function readAnswer(
  question: Question,
  words: string,
  as: "words" | "option" = "words",
): Result<Pick<Answer, "optionIds" | "text">> {
  const meant = chosenBy(question, words);
  if (typeof meant !== "string") return ok({ optionIds: meant.map((o) => o.id) });
  const rejected = as === "words" ? rejectedBy(question, words) : undefined;
  if (rejected !== undefined) return ok({ optionIds: [rejected.option.id], text: rejected.reason });
  // A number alone is meant as one of the choices, also where any words would do; but for choices that are numbers themselves.
  const isCounted = question.options.length > 0 && !question.options.some(({ label }) => /\d/.test(label));
  const isMeant = as === "option" || meant === "several" || (isCounted && numberOf(words) !== undefined);
  if (question.freeText && words.trim() !== "" && !isMeant) return ok({ text: words });
  const said = words.trim() === "" ? "An empty answer" : `"${cutText(redactSecrets(words.trim()), 60)}"`;
  const what = meant === "several" ? "could mean more than one choice" : "is no choice";
  return refuse("invalid_choice", `${said} ${what} of question ${question.id}. ${chooseFrom(question)}`);
}

/** The option that stands at this place, from 0: what a button means, whatever the labels say. */
export function answerAt(question: Question, index: number): Result<Pick<Answer, "optionIds">> {
  const option = question.options[index];
  if (option !== undefined) return ok({ optionIds: [option.id] });
  return refuse("invalid_choice", `Question ${question.id} has no choice ${index + 1}. ${chooseFrom(question)}`);
}

function chooseFrom(question: Question): string {
  const own = question.freeText ? ", or answer in words of your own" : "";
  return question.options.length === 0
    ? "It has no choices: answer in words."
    : `Choose one of: ${choiceLines(question).join(" · ")}${own}`;
}

function labelsOf(question: Question, answer: Pick<Answer, "optionIds">): readonly string[] {
  return (answer.optionIds ?? []).map((id) => question.options.find((o) => o.id === id)?.label ?? id);
}

/** The words of an answer, for people and for a prompt that carries a late answer; of a no with its reason both. */
export function answerWords(question: Question, answer: Partial<Answer>): string {
  const labels = labelsOf(question, answer).join(", ");
  if (answer.text === undefined) return labels;
  return labels === "" ? answer.text : `${labels}: ${answer.text}`;
}

/** Why a permission was rejected: the protocol takes no words there, so they go as the next message. */
export function unsaidReason({ kind, questions: [question] }: Ask): string | undefined {
  return kind === "permission" && question?.answer?.optionIds !== undefined ? question.answer.text : undefined;
}

function chosen(ask: Ask): RequestOption | undefined {
  const [question] = ask.questions;
  const id = question?.answer?.optionIds?.[0];
  const named = question?.options.filter((option) => option.id === id) ?? [];
  // One id for a yes and a no: a no never allows.
  return named.find(isRejection) ?? named[0];
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
      if (option === undefined || isRejection(option)) return { kind: "cancelled" };
      return { kind: "selected", optionId: forNow(ask, option).id };
    }
    case "plan": {
      const reason = ask.questions[0]?.answer?.text;
      return { kind: "plan", approved: isGranted(ask), ...(reason === undefined ? {} : { reason }) };
    }
    case "question":
      return { kind: "answers", answers: ask.questions.map(answerOf) };
    case "fresh-start":
      return { kind: "cancelled" };
  }
}

/** "Always" for a command is kept here and asked for nothing more there: iFlow's own would cover whatever begins with the same word. */
function forNow({ subject, questions: [question] }: Ask, option: RequestOption): RequestOption {
  if (subject?.toolKind !== "execute" || option.kind !== "allow_always") return option;
  return question?.options.find((other) => other.kind === "allow_once" && !isRejection(other)) ?? option;
}

function answerOf({ answer }: Question): AskedAnswer {
  return answer?.text === undefined ? { optionIds: answer?.optionIds ?? [] } : { text: answer.text };
}

/** Denies every open part: the reply then says that nobody answered. */
export function deny(ask: Ask, reason: string, at: number): Ask {
  const answer: Answer = { text: `(no answer: ${reason})`, by: { kind: "plugin", door: "plugin" }, at };
  return { ...ask, questions: ask.questions.map((q) => (q.answer === undefined ? { ...q, answer } : q)) };
}
