/**
 * The choices of a question: by which mark each is named, how its line is spelled, and which of them somebody's words mean.
 * Owns: numbers against labels, options that look alike. Options are always the agent's own; which of them are offered is question.ts.
 * 1. A mark means one option: where a number would also be another option's label, or an item of a list in the question, the
 *    marks are letters. Which ones a question has is fixed when it is asked, and kept with it.
 * 2. Words that could mean two options mean none.
 * 3. No Markdown renderer takes a line of choices for an item of a list: it would join a list above and count on.
 */
import type { RequestOption } from "./agent-event.ts";
import { isNo, isRejection } from "./permission.ts";
import { plainWords } from "./plain-words.ts";
import type { Question } from "./session.ts";

/** The plugin's own options; a plan has none on the wire but approved and rejected. The widest comes last. */
export const PLAN_OPTIONS: readonly RequestOption[] = [
  { id: "approve", label: "Approve, ask before each change", kind: "allow_once" },
  { id: "reject", label: "Reject", kind: "reject_once" },
  { id: "approve-auto", label: "Approve and carry out without asking", kind: "allow_always" },
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

/** What a choice does, where two have the same label. */
export interface Effects {
  readonly once: string;
  readonly always: string;
  readonly no: string;
}
export const EFFECTS: Effects = { once: "once", always: "always", no: "no" };

/** Whether the options are the plugin's own, and so have labels in each language. */
export function isOwn(question: Pick<Question, "kind">): boolean {
  return question.kind === "plan" || question.kind === "fresh-start";
}

// ---------------------------------------------------------------- marks

type Marked = Pick<Question, "kind" | "options"> & { readonly text: string };

const LETTERS = 26;
/** An item of a list in the question's own words: `2. Wire it in`. */
const LISTED = /^[ \t>*+-]*[#(]?(\d{1,3})[.)、:][ \t]*(.*)$/gm;

/** Letters where a number could be read as something else that stands in the question. */
export function marksOf({ kind, options, text }: Marked): Pick<Question, "marks"> {
  const count = options.length;
  const isProse = kind === "question" || kind === "plan";
  const isTaken = options.some(({ label }, index) => numbersIn(label).some((n) => n <= count && n !== index + 1));
  return isTaken || (isProse && listsOthers(text, options)) ? { marks: "letters" } : {};
}

/** A number of its own, no part of a version, a name or a key. */
const NUMBER = /(?<![\w.,:/+-])\d{1,3}(?![\w/+-]|[.,:]\w)/g;

/** Whole numbers from 1 in a label: 2 of "2 workers", none of "3.11". */
function numbersIn(label: string): readonly number[] {
  return (label.normalize("NFKC").match(NUMBER) ?? []).map(Number).filter((n) => n > 0);
}

/** Whether the words count up something that is not these options in this order. */
function listsOthers(text: string, options: readonly RequestOption[]): boolean {
  return [...text.normalize("NFKC").matchAll(LISTED)].some(([, mark = "", rest = ""]) => {
    const label = options[Number(mark) - 1]?.label;
    return label !== undefined && !plainWords(rest).includes(plainWords(label));
  });
}

/** By what a choice is named: 1, 2, 3, or A, B, C. */
export function markAt({ marks }: Pick<Question, "marks">, index: number): string {
  if (marks !== "letters") return String(index + 1);
  const letter = String.fromCharCode("A".charCodeAt(0) + (index % LETTERS));
  return index < LETTERS ? letter : `A${letter}`;
}

/** `2: Allow`. A full stop or a bracket behind the number would make it an item of a list. */
export function choiceLine(question: Question, index: number, label: string): string {
  const description = question.options[index]?.description;
  return `${markAt(question, index)}: ${label}${description ? ` — ${description}` : ""}`;
}

/** One line a choice, named as people answer them. */
export function choiceLines(question: Question): readonly string[] {
  return question.options.map((_option, index) => choiceLine(question, index, labelApart(question, index)));
}

/** The label; behind it what the choice does, or its id, where another one has the same. */
export function labelApart(
  { kind, options }: Question,
  index: number,
  label: string = options[index]?.label ?? "",
  effects: Effects = EFFECTS,
): string {
  const option = options[index];
  if (option === undefined || kind === "question") return label;
  const alike = options.filter((other) => other !== option && plainWords(other.label) === plainWords(option.label));
  if (alike.length === 0) return label;
  const effect = effectOf(option);
  return `${label} (${alike.some((other) => effectOf(other) === effect) ? option.id : effects[effect]})`;
}

function effectOf(option: RequestOption): keyof Effects {
  if (isRejection(option)) return "no";
  return option.kind === "allow_always" ? "always" : "once";
}

// ---------------------------------------------------------------- what words mean

const YES: ReadonlySet<string> = new Set("y yes ok allow approve approved 允许 同意 批准 是 可以 好".split(" "));

const ALONE = /^[#([]?(\d{1,3}|[a-z]{1,2})[.)、\]:]?$/;

/** How the words name an option: as its notice shows it, by its place in the list where that is not its mark, or not at all. */
function named(question: Question, index: number, wanted: string): "as-shown" | "by-place" | undefined {
  const option = question.options[index];
  if (option === undefined || wanted === "") return undefined;
  const label = labelApart(question, index);
  const own = isOwn(question) ? OWN_LABELS_ZH[option.id] : undefined;
  const names = [option.label, label, option.id, own ?? label, choiceLine(question, index, label)];
  const alone = ALONE.exec(wanted)?.[1];
  if (names.some((name) => plainWords(name) === wanted) || alone === plainWords(markAt(question, index)))
    return "as-shown";
  if (alone !== String(index + 1)) return undefined;
  return numbersIn(option.label).includes(index + 1) ? "as-shown" : "by-place";
}

/** The options that are meant; `several`: the words could mean either of two; `none`: they mean none. */
export type Chosen = readonly RequestOption[] | "none" | "several";

function chosenByOne(question: Question, words: string): Chosen {
  const wanted = plainWords(words);
  const found = question.options.flatMap((option, index) => {
    const how = named(question, index, wanted);
    return how === undefined ? [] : [{ option, how }];
  });
  const [only, ...more] = found;
  // A place that is no mark may as well be meant as a number.
  if (more.length > 0 || only?.how === "by-place") return "several";
  if (only !== undefined) return [only.option];
  return question.kind === "question" ? "none" : byConsent(question, wanted);
}

/** A plain yes is the one option that allows this once; a plain no is any that rejects. */
function byConsent({ options }: Question, wanted: string): Chosen {
  const meant = isNo(wanted)
    ? options.filter(isRejection).slice(0, 1)
    : options.filter((option) => YES.has(wanted) && option.kind === "allow_once" && !isRejection(option));
  if (meant.length === 0) return "none";
  return meant.length > 1 ? "several" : meant;
}

const SEPARATED = {
  numbers: /[,，、;；\n]+|\s+(?=\d)/u,
  letters: /[,，、;；\n]+|\s+(?=[A-Za-z]{1,2}(?:[\s,，、;；]|$))/u,
} as const;

/** The options that the words choose: one, or as many as may be chosen. */
export function chosenBy(question: Question, words: string): Chosen {
  const single = chosenByOne(question, words);
  if (single !== "none" || !question.multiSelect) return single;
  const parts = plainWords(words)
    .split(SEPARATED[question.marks ?? "numbers"])
    .filter((part) => part.trim() !== "");
  const meant = parts.map((part) => chosenByOne(question, part));
  if (meant.includes("several")) return "several";
  const options = meant.flatMap((chosen) => (typeof chosen === "string" ? [] : chosen));
  return options.length === 0 || options.length < parts.length ? "none" : [...new Set(options)];
}

/**
 * True when the words are nothing but a choice (several, where several may be chosen): its mark, or its exact words as a notice of any language shows them.
 * For bare replies and other writers.
 */
export function isExactChoice(question: Question, words: string): boolean {
  const wanted = plainWords(words);
  if (question.options.some((_option, index) => named(question, index, wanted) !== undefined)) return true;
  return question.multiSelect && typeof chosenBy(question, words) !== "string";
}

/** Where a choice at the beginning of longer words can end. */
const REASON_AFTER = /[,，:：;；.。!！\n]\s*|\s+(?:[-–—]+\s+)?/gu;
const LONGEST_BEGINNING = 120;
const MARK = /^[#([]?(?:\d{1,3}|[a-z])[)\]]?$/;

/** A no and, behind it, why: `3 use the helper`, `no, use the helper`. */
export interface Rejected {
  readonly option: RequestOption;
  readonly reason: string;
}

/**
 * A choice that rejects, at the beginning of words that go on: what follows is its reason. No such words ever allow anything.
 * Behind a mark a blank is enough; words such as "no" need a sign behind them, since "no problem" is no no.
 */
export function rejectedBy(question: Question, words: string): Rejected | undefined {
  if (question.kind !== "permission" && question.kind !== "plan") return undefined;
  const text = words.trim();
  for (const { index, 0: sign } of text.slice(0, LONGEST_BEGINNING).matchAll(REASON_AFTER)) {
    const beginning = plainWords(text.slice(0, index));
    const reason = text.slice(index + sign.length).trim();
    const isSet = sign.trim() !== "" || MARK.test(beginning);
    const chosen = isSet && reason !== "" ? chosenByOne(question, beginning) : "none";
    // The first choice in the words is the one: behind a yes there is no no any more.
    if (chosen === "several") return undefined;
    const [option] = chosen === "none" ? [] : chosen;
    if (option !== undefined) return isRejection(option) ? { option, reason } : undefined;
  }
  return undefined;
}

/** Words that say nothing but yes or no. */
export function isYesOrNo(words: string): boolean {
  const wanted = plainWords(words);
  return YES.has(wanted) || isNo(wanted);
}
