/**
 * What a language has to say: the shape of the tables of words.
 * The words themselves stand in words-en.ts and words-zh.ts, what they are for in notice.ts.
 */
import type { Effects } from "./choice.ts";
import type { NoticeCode } from "./session.ts";

/** Who gave an answer, as its notice says it. */
export type Answerer = "by_agent" | "by_person" | "by_writer";

/** From which chat a person answered, as far as that is known: `meanwhile` is before the notice had arrived. */
export type FromChat = "here" | "elsewhere" | "meanwhile";
/** From where a question was answered, as its own notice says it in the end. */
export type AnsweredFrom = FromChat | "agent" | "writer";

/** By what a choice is named. */
export type Mark = "number" | "letter";

export interface Words {
  /** `3m 12s`. */
  duration(ms: number): string;
  /** First lines, behind the emoji. `took` is a readable duration. */
  readonly head: {
    launched(name: string): string;
    queued(name: string, place: number | undefined): string;
    permission(name: string): string;
    plan(name: string): string;
    question(name: string): string;
    questions(name: string, count: number): string;
    freshStart(name: string): string;
    waits(name: string): string;
    /** `what`: the questions, each in a line's length. */
    closed(name: string, what: string): string;
    responded(name: string, who: Answerer): string;
    turnFinished(name: string, turn: number, took: string | undefined): string;
    completed(name: string, took: string | undefined): string;
    failed(name: string, took: string | undefined): string;
    killed(name: string, took: string | undefined): string;
    interrupted(name: string): string;
    quiet(name: string, took: string): string;
    denied(name: string, ids: readonly string[]): string;
    warning(name: string): string;
  };
  /** One sentence for what a notice is about. */
  readonly about: Readonly<Record<NoticeCode, string>>;
  /** What to do against a cause, where there is something. */
  readonly remedy: Readonly<Partial<Record<NoticeCode, string>>>;
  where(workdir: string, mode: string): string;
  unsent(count: number): string;
  slotsHeld(names: readonly string[]): string;
  running(tool: string): string;
  held(took: string): string;
  resumedWith(words: string): string;
  more(count: number): string;
  /** Between the two ends of a text: how many of its characters are shown. */
  partly(shown: number, total: number): string;
  /** On the button that shows all of it. */
  readonly showAll: string;
  /** Instead of a message that may not have arrived. */
  mayBeMissing(name: string): string;
  /** Before a notice that comes to another chat than its own. */
  elsewhere(name: string): string;
  /** Of commands as they were sent. */
  readonly typed: {
    waitsForRest(command: string, units: number): string;
    restMissing(command: string, units: number): string;
    attachment(command: string): string;
  };
  /** Labels of the plugin's own options, by id. */
  readonly options: Readonly<Record<string, string>>;
  readonly freshStart: string;
  /** Where an example of a command has a choice. */
  readonly markPlace: Readonly<Record<Mark, string>>;
  readonly wordsPlace: string;
  severalAllowed(example: string, mark: Mark): string;
  /** What a choice does, behind a label that another one has as well. */
  readonly effects: Effects;
  /** What is said to words without a command. */
  readonly answers: {
    /** Words that could be meant for several sessions. */
    readonly which: string;
    /** They came after the answer. */
    already(name: string, answer: string | undefined): string;
    readonly nothingAnswered: string;
    passedOn(name: string): string;
  };
  /** What became of a question, in place of what its notice said about answering it. */
  readonly over: {
    answered(answer: string, from: AnsweredFrom): string;
    readonly denied: string;
    /** Its turn or session ended before. */
    readonly dropped: string;
  };
  readonly contentHidden: string;
  readonly codeHidden: string;
  /** What a command answers in a chat. */
  readonly reply: {
    launched(name: string, mode: string): string;
    queued(name: string, mode: string, place: number): string;
    /** `what`: the words of an answer; absent: it was a message. */
    taken(name: string, what: string | undefined, how: "now" | "queued" | "resumed"): string;
    stillOpen(ids: readonly string[]): string;
    stopped(name: string, took: string | undefined): string;
    closed(name: string): string;
    resumed(name: string): string;
    forked(name: string, into: string, how: "copied" | "summary"): string;
    following(name: string): string;
    readonly repeats: string;
    readonly willBeTold: string;
    readonly nothingNew: string;
  };
  /** What to do next: lines with the commands in them. */
  readonly next: {
    /** What is asked, whole. */
    readWhole(command: string): string;
    watch(name: string): string;
    withdraw(name: string): string;
    choose(command: string, mark: Mark): string;
    chooseOrSay(command: string, mark: Mark): string;
    say(command: string): string;
    each(command: string): string;
    deadline(left: string): string;
    goOn(name: string): string;
    retry(name: string): string;
    resumeLater(name: string): string;
    carryOn(name: string): string;
    stop(name: string): string;
    /** So many characters stand before what is shown. */
    readBefore(length: number, command: string): string;
  };
}
