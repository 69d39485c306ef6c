/**
 * The words of notices, made when they leave.
 * Owns: what each notice says and in which order: emoji and name, the matter in short, what to do next; no secret is in it.
 * Does not own: the languages (words-en.ts, words-zh.ts), the way to the chat.
 */
import { SHOWN_LENGTH } from "./asked-text.ts";
import { visible } from "./fence.ts";
import { cutText } from "./output.ts";
import { openQuestions } from "./question.ts";
import {
  brief,
  choices,
  firstLine,
  hidesChoices,
  markOf,
  matter,
  withoutCode,
  type NoticeStyle,
} from "./question-words.ts";
import { redactSecrets } from "./redact.ts";
import type { Ask, Notice, NoticeCode, Question, Session } from "./session.ts";
import type { Answerer, Words } from "./words.ts";

const EMOJI = {
  launched: "↩️",
  queued: "⏳",
  asks: "🔔",
  responded: "↩️",
  "turn-finished": "✅",
  completed: "✅",
  failed: "❌",
  killed: "⛔",
  interrupted: "⚠️",
  quiet: "🕒",
  denied: "⌛",
  warning: "⚠️",
} as const;

/** With choices and what to do next a notice stays below 3,600 characters, and so one message on every channel known. */
const PART_LENGTH = 400;
const ALL_PARTS_LENGTH = 2_400;
const DETAIL_LENGTH = 700;

/** Causes whose text is nothing but the sentence that the tables have. */
const WITHOUT_DETAILS: ReadonlySet<NoticeCode> = new Set([
  "gateway_stopped",
  "model_silent",
  "tool_timeout",
  "stopped_by_person",
  "stopped_by_agent",
  "stopped_elsewhere",
  "abandoned",
]);

/** Warnings whose text says which. */
const WITH_DETAILS: ReadonlySet<NoticeCode> = new Set(["record_ignored", "background_kept", "background_ended"]);

/** Each a group of lines; groups are set apart by a blank line. */
type Paragraphs = readonly (readonly string[])[];

export function noticeText(session: Session, notice: Notice, style: NoticeStyle): string {
  const text = paragraphs(session, notice, style)
    .map((lines) => lines.filter((line) => line !== "").join("\n"))
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");
  const whole = `${EMOJI[notice.kind]} ${text}`;
  return redactSecrets(whole);
}

function paragraphs(session: Session, notice: Notice, style: NoticeStyle): Paragraphs {
  const { words } = style;
  const { head, next } = words;
  const { name } = session;
  const { data } = notice;
  switch (notice.kind) {
    case "launched":
      return [
        [
          head.launched(name),
          brief(session.prompt.text),
          words.where(session.workdir, session.settings.permissionMode),
          next.watch(name),
        ],
      ];
    case "queued":
      return [
        [
          head.queued(name, data.place),
          data.asking === undefined ? "" : words.slotsHeld(data.asking),
          next.withdraw(name),
        ],
      ];
    case "asks":
      return data.questionIds === undefined ? waits(session, notice, style) : asks(session, notice, style);
    case "responded":
      return [[`${head.responded(name, answererOf(data.code))}: ${brief(data.text ?? "")}`]];
    case "turn-finished":
      return result(session, notice, style, head.turnFinished(name, data.turn ?? session.turn, tookOf(notice, words)), [
        next.goOn(name),
      ]);
    case "completed":
      return result(session, notice, style, head.completed(name, tookOf(notice, words)), [next.resumeLater(name)]);
    case "failed":
      return cause(notice, style, head.failed(name, tookOf(notice, words)), [next.retry(name)]);
    case "killed":
      return cause(notice, style, head.killed(name, tookOf(notice, words)), [next.resumeLater(name)]);
    case "interrupted":
      return cause(notice, style, head.interrupted(name), [next.carryOn(name), next.stop(name)]);
    case "quiet": {
      const doing = data.code === "running_tool" ? words.running(brief(data.text ?? "")) : aboutOf(notice, words);
      return [[head.quiet(name, words.duration(data.durationMs ?? 0)), doing, next.stop(name)]];
    }
    case "denied":
      return [[head.denied(name, data.questionIds ?? [])]];
    case "warning":
      return [warning(session, notice, words)];
  }
}

function answererOf(code: NoticeCode | undefined): Answerer {
  return code === "by_agent" || code === "by_writer" ? code : "by_person";
}

function aboutOf({ data }: Notice, words: Words): string {
  return data.code === undefined ? "" : words.about[data.code];
}

function tookOf({ data }: Notice, words: Words): string | undefined {
  return data.durationMs === undefined || data.durationMs < 1_000 ? undefined : words.duration(data.durationMs);
}

// ---------------------------------------------------------------- results and causes

/** The last words of a turn as they may be shown. */
function resultWords(notice: Notice, { words, safeMode }: NoticeStyle): string {
  const whole = visible(notice.data.text ?? "").trim();
  return safeMode ? withoutCode(whole, words.codeHidden) : whole;
}

function result(
  session: Session,
  notice: Notice,
  style: NoticeStyle,
  head: string,
  next: readonly string[],
): Paragraphs {
  const { words } = style;
  return [
    [head, aboutOf(notice, words), unsent(notice, words)],
    [elsewhere(session, notice, words)],
    [resultWords(notice, style)],
    next,
  ];
}

/** How much of a result stands before what is shown, and where. */
function elsewhere({ name }: Session, { data: { leftOut } }: Notice, { next }: Words): string {
  return leftOut === undefined ? "" : next.readBefore(leftOut.length, outputSince(name, leftOut.since));
}

/** The command that gives the output from this offset on. */
function outputSince(name: string, offset: number): string {
  return `/iflow_output --since ${offset} ${name}`;
}

function unsent({ data }: Notice, words: Words): string {
  return data.unsent === undefined ? "" : words.unsent(data.unsent);
}

function cause(notice: Notice, { words, safeMode }: NoticeStyle, head: string, next: readonly string[]): Paragraphs {
  const { code } = notice.data;
  const details = visible(notice.data.text ?? "").trim();
  const shown = code !== undefined && WITHOUT_DETAILS.has(code) ? "" : safeMode ? firstLine(details) : details;
  const remedy = code === undefined ? "" : (words.remedy[code] ?? "");
  return [[head, aboutOf(notice, words), cutText(shown, DETAIL_LENGTH), remedy, unsent(notice, words)], next];
}

function warning(session: Session, notice: Notice, words: Words): readonly string[] {
  const { data } = notice;
  const about = aboutOf(notice, words);
  const head = `${words.head.warning(session.name)}: ${about === "" ? brief(data.text ?? "") : about}`;
  if (data.code !== undefined && WITH_DETAILS.has(data.code)) return [head, brief(data.text ?? "")];
  if (data.code === "deadline_held") return [head, words.held(words.duration(data.durationMs ?? 0))];
  if (data.code === "foreign_resume" && (data.text ?? "").trim() !== "")
    return [head, words.resumedWith(brief(data.text ?? ""))];
  return [head];
}

// ---------------------------------------------------------------- questions

/** A turn whose last words ask something. */
function waits(session: Session, notice: Notice, style: NoticeStyle): Paragraphs {
  const { words } = style;
  const limited = notice.data.code === "limit_reached";
  const { code: _limit, ...rest } = notice.data;
  const shown = limited ? { ...notice, data: rest } : notice;
  const how = words.next.say(command(session.name, words.wordsPlace));
  return result(session, shown, style, words.head.waits(session.name), [limited ? words.about.limit_reached : "", how]);
}

export function command(name: string, answer: string, questionId?: string): string {
  return `/iflow_respond ${questionId === undefined ? "" : `--question ${questionId} `}${name} ${answer}`;
}

/** The questions of this notice that are still open, and all that are. */
export function noticeQuestions(
  { phase }: Session,
  { data }: Notice,
): { readonly asked: readonly Question[]; readonly open: readonly Question[] } {
  const open = phase.kind === "asking" ? openQuestions(phase.asks) : [];
  const ids = new Set(data.questionIds);
  return { asked: open.filter((question) => ids.has(question.id)), open };
}

function asks(session: Session, notice: Notice, style: NoticeStyle): Paragraphs {
  const { words } = style;
  const { asked } = noticeQuestions(session, notice);
  const [first] = asked;
  if (first === undefined) return [[words.head.closed(session.name, brief(notice.data.text ?? ""))]];
  const last = [notice.data.code === "limit_reached" ? words.about.limit_reached : ""];
  const left = deadline(session, notice, words);
  if (asked.length === 1) {
    const head = headOf(first, words, session.name);
    return [
      [head, ...matter(first, SHOWN_LENGTH, style).lines],
      choices(first, words),
      [...last, readWhole(session, first, SHOWN_LENGTH, style), howTo(session.name, first, words), left],
    ];
  }
  const place = first.options.length > 0 ? words.markPlace[markOf(first)] : words.wordsPlace;
  const how = words.next.each(command(session.name, place, first.id));
  return [[words.head.questions(session.name, asked.length)], ...parts(session, asked, style), [...last, how, left]];
}

export function headOf({ kind }: Question, { head }: Words, name: string): string {
  switch (kind) {
    case "permission":
      return head.permission(name);
    case "plan":
      return head.plan(name);
    case "question":
      return head.question(name);
    case "fresh-start":
      return head.freshStart(name);
  }
}

/** As many parts as fit; how many more there are is said. */
function parts(session: Session, questions: readonly Question[], style: NoticeStyle): Paragraphs {
  const shown: (readonly string[])[] = [];
  let length = 0;
  for (const question of questions) {
    const [title = "", ...content] = matter(question, PART_LENGTH, style).lines;
    const all = readWhole(session, question, PART_LENGTH, style);
    const lines = [`${question.id} · ${title}`, ...content, ...choices(question, style.words), all];
    length += lines.join("\n").length + 2;
    if (length > ALL_PARTS_LENGTH && shown.length > 0)
      return [...shown, [style.words.more(questions.length - shown.length)]];
    shown.push(lines);
  }
  return shown;
}

/** Whether the notice of one question shows less than all that has to be read, which can be read elsewhere. */
export function isPartly(question: Question, style: NoticeStyle): boolean {
  return matter(question, SHOWN_LENGTH, style).isCut || hidesChoices(question, style.words);
}

/** Where all of a question can be read, when its notice has a part of it. */
function readWhole({ name }: Session, question: Question, length: number, style: NoticeStyle): string {
  const isPart = matter(question, length, style).isCut || hidesChoices(question, style.words);
  return isPart ? style.words.next.readWhole(`/iflow_output --question ${question.id} ${name}`) : "";
}

/**
 * A bare reply is an answer only as a choice, so for anything else the command is named, with the question's id: sent twice, it
 * can't answer the next question. No number of a choice stands in the example: whoever copies it would grant that one.
 */
function howTo(name: string, question: Question, words: Words): string {
  const { next, markPlace, wordsPlace } = words;
  const { id, options, multiSelect, freeText } = question;
  const inWords = command(name, wordsPlace, id);
  if (options.length === 0) return next.say(inWords);
  const mark = markOf(question);
  if (multiSelect || freeText) return next.chooseOrSay(inWords, mark);
  return next.choose(command(name, markPlace[mark], id), mark);
}

function deadline({ phase }: Session, notice: Notice, words: Words): string {
  if (phase.kind !== "asking") return "";
  const mine = (ask: Ask): boolean => ask.questions.some((question) => notice.data.questionIds?.includes(question.id));
  const left = Math.min(...phase.asks.filter(mine).map((ask) => ask.deadlineAt - notice.at));
  return Number.isFinite(left) && left > 0 ? words.next.deadline(words.duration(left)) : "";
}
