/** By which mark a choice is named, which one words mean, and what happens where two look alike. */
import { describe, expect, test } from "vitest";
import type { AgentRequest, RequestOption } from "../../src/core/agent-event.ts";
import { choiceLines, isExactChoice } from "../../src/core/choice.ts";
import { buttonsOf } from "../../src/core/choice-button.ts";
import { wordsOf } from "../../src/core/language.ts";
import { noticeText } from "../../src/core/notice.ts";
import { allowOption, isRejection, oneForEachId } from "../../src/core/permission.ts";
import { answerAt, askFrom, isGranted, readAnswer, replyOf } from "../../src/core/question.ts";
import type { Ask, Question, Session } from "../../src/core/session.ts";
import { wakeText } from "../../src/core/wake.ts";
import {
  ALLOW,
  ALLOW_ALWAYS,
  PERSON,
  REJECT,
  T0,
  asking,
  lastNotice,
  permission,
  permissionRequest,
  plan,
  questions,
} from "./build.ts";

const STYLES = (["en", "zh"] as const).map((language) => ({ words: wordsOf(language), safeMode: false }));
const [EN = { words: wordsOf("en"), safeMode: false }] = STYLES;

function askOf(request: AgentRequest): Ask {
  return askFrom(request, { number: 7, at: T0, deadlineAt: T0 + 1 });
}

function only({ questions: [first] }: Ask): Question {
  if (first === undefined) throw new Error("no question");
  return first;
}

function question(text: string, options: readonly (string | RequestOption)[], multiSelect = false): Question {
  const offered = options.map((option) => (typeof option === "string" ? { id: option, label: option } : option));
  return only(askOf({ kind: "questions", requestId: 1, questions: [{ text, options: offered, multiSelect }] }));
}

const allowed = (options: readonly RequestOption[]): Question => only(askOf(permissionRequest({ options })));

/** The answer's label or words, or why it is none. */
function meant(asked: Question, words: string): string {
  const read = readAnswer(asked, words);
  if (!read.ok) return read.refusal.message;
  const labels = read.value.optionIds?.map((id) => asked.options.find((option) => option.id === id)?.label);
  return labels?.join(", ") ?? `free: ${read.value.text}`;
}

function told(session: Session, style = EN): string {
  return noticeText(session, lastNotice(session), style);
}

describe("[A5] a number that is one option's place and in another one's label", () => {
  const workers = question("How many workers?", ["2", "4", "8"]);

  test("the choices have letters, wherever they are shown", () => {
    expect(choiceLines(workers)).toEqual(["A: 2", "B: 4", "C: 8"]);
    const session = asking(questions(1, { text: "How many workers?", options: ["2", "4", "8"] }));
    for (const style of STYLES) expect(told(session, style)).toContain("\nA: 2\nB: 4\nC: 8\n");
    expect(told(session)).toContain("Reply with the letter.");
    expect(wakeText(session, lastNotice(session), false)).toContain("(the letter of a choice, A to C, or free text)");
    expect(buttonsOf(session, lastNotice(session), EN).map(({ label }) => label)).toEqual(["2", "4", "8"]);
  });

  test("a letter is taken, a number only where it can mean one thing; else the choices are said", () => {
    const refused = '"2" could mean more than one choice of question q7. Choose one of: A: 2 · B: 4 · C: 8';
    expect(meant(workers, "2")).toContain(refused);
    expect(meant(workers, "３")).toContain("could mean more than one choice");
    expect(["a", "B", "(c)", "C.", "4", "8", "A: 2"].map((words) => meant(workers, words))).toEqual([
      "2",
      "4",
      "8",
      "8",
      "4",
      "8",
      "2",
    ]);
    expect(meant(workers, "7")).toBe("free: 7");
    expect(isExactChoice(workers, "b")).toBe(true);
    expect(isExactChoice(workers, "D")).toBe(false);
  });

  test.each([
    [["Vue 3", "Vue 2"], "numbers"],
    [["2 workers", "4 workers", "8 workers"], "letters"],
    [["Vue 2", "Vue 3"], "letters"],
    [["3", "2", "1"], "letters"],
    [["第３个", "别的", "都不要"], "letters"],
    [["1 worker", "2 workers"], "numbers"],
    [["3.11", "3.12", "3.13"], "numbers"],
    [["Node 18", "Node 20"], "numbers"],
    [["A", "B"], "numbers"],
  ] as const)("%j: %s", (options, marks) => {
    expect(question("Which?", options).marks ?? "numbers").toBe(marks);
  });

  test("several at once, by letter", () => {
    const extras = question("Which?", ["2 tests", "1 doc", "CI"], true);
    expect(["a, C", "a c", "A、B"].map((words) => meant(extras, words))).toEqual([
      "2 tests, CI",
      "2 tests, CI",
      "2 tests, 1 doc",
    ]);
    expect(meant(extras, "1, 2")).toContain("could mean more than one choice");
  });

  test("a question of an earlier version keeps its numbers, and refuses the one that could mean two", () => {
    const { marks: _new, ...old } = workers;
    expect(choiceLines(old)[0]).toBe("1: 2");
    expect(meant(old, "2")).toContain("could mean more than one choice");
    expect(meant(old, "3")).toBe("8");
  });
});

describe("[A7] a list in the question, and its choices behind it", () => {
  /** What CommonMark takes for the beginning of a list item. */
  const ITEM = /^ {0,3}(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/m;

  test("no line of choices is an item of a list", () => {
    for (const text of ["1. Read\n2. Wire it in\n3. Test", "Which?\n\n- a\n- b", "Which?"]) {
      for (const session of [asking(plan(1, text)), asking(questions(1, { text, options: ["left", "right"] }))]) {
        for (const style of STYLES)
          expect(told(session, style).slice(told(session, style).lastIndexOf(text) + text.length)).not.toMatch(ITEM);
      }
    }
    expect(choiceLines(allowed([ALLOW, REJECT])).join("\n")).not.toMatch(ITEM);
  });

  test("where the question counts up something else, the choices have letters, and its numbers are no answer", () => {
    const planned = only(askOf({ kind: "plan", requestId: 1, plan: "1. Read the parser\n2. Wire it in\n3. Test" }));
    expect(choiceLines(planned)).toEqual([
      "A: Approve, ask before each change",
      "B: Reject",
      "C: Approve and carry out without asking",
    ]);
    expect(meant(planned, "2")).toContain('"2" could mean more than one choice');
    expect(meant(planned, "c")).toBe("Approve and carry out without asking");
    const same = question("Which one?\n1. The left way\n2. The right way", ["left way", "right way"]);
    expect(meant(same, "2")).toBe("right way");
    const turned = question("Which one?\n1) left\n2) right", ["right", "left"]);
    expect(choiceLines(turned)).toEqual(["A: right", "B: left"]);
  });
});

describe("[A8] options that look alike", () => {
  const allow = { id: "x", label: "Do it", kind: "allow_once" };
  const reject = { id: "y", label: "Do it", kind: "reject_once" };

  test("with one label: told apart where they are shown, refused in words, taken by mark and by button", () => {
    const alike = allowed([allow, reject]);
    expect(choiceLines(alike)).toEqual(["1: Do it (once)", "2: Do it (no)"]);
    expect(meant(alike, "do it")).toContain("could mean more than one choice");
    expect(readAnswer(alike, "2")).toMatchObject({ value: { optionIds: ["y"] } });
    expect(readAnswer(alike, "Do it (no)")).toMatchObject({ value: { optionIds: ["y"] } });
    expect([0, 1].map((index) => answerAt(alike, index))).toMatchObject([
      { value: { optionIds: ["x"] } },
      { value: { optionIds: ["y"] } },
    ]);
    expect(answerAt(alike, 2)).toMatchObject({ refusal: { code: "invalid_choice" } });
    const session = asking(permission({ options: [allow, reject, { ...allow, id: "z" }] }));
    expect(buttonsOf(session, lastNotice(session), EN).map(({ label }) => label)).toEqual([
      "Do it (x)",
      "Do it (z)",
      "Do it (no)",
    ]);
  });

  test("on buttons also where only the part that fits is the same", () => {
    const long = "x".repeat(50);
    const session = asking(questions(1, { text: "?", options: [`${long}1`, `${long}2`] }));
    expect(buttonsOf(session, lastNotice(session), EN).map(({ label }) => label.slice(0, 3))).toEqual(["1: ", "2: "]);
  });

  test("choices of a question with one label have what else is said of them, and each is reached", () => {
    const where = ["here", "there"].map((description) => ({ id: "Postgres", label: "Postgres", description }));
    const asked = question("Which?", [...where, { id: "Postgres", label: "Postgres", description: "here" }]);
    expect(choiceLines(asked)).toEqual(["1: Postgres — here", "2: Postgres — there"]);
    expect(new Set(asked.options.map(({ id }) => id)).size).toBe(2);
    expect(meant(asked, "postgres")).toContain("could mean more than one choice");
    expect(meant(asked, "2")).toBe("Postgres");
  });

  test("a label that is another one's id means neither", () => {
    const asked = allowed([
      { id: "b", label: "a", kind: "allow_once" },
      { id: "a", label: "c", kind: "reject_once" },
    ]);
    expect(meant(asked, "a")).toContain("could mean more than one choice");
  });

  test("a yes that two options could be is no answer", () => {
    const asked = allowed([allow, { ...allow, id: "z", label: "Do more" }, REJECT]);
    expect(meant(asked, "yes")).toContain("could mean more than one choice");
    expect(meant(asked, "no")).toBe("Reject");
  });

  test.each([
    ["a yes and a no", [allow, { ...reject, id: "x" }], ["reject_once"]],
    ["a no and a yes", [{ ...reject, id: "x" }, allow], ["reject_once"]],
    ["this time and always", [allow, { ...ALLOW_ALWAYS, id: "x" }, REJECT], ["reject_once", "allow_always"]],
    ["twice the same", [allow, allow, REJECT], ["allow_once", "reject_once"]],
  ] as const)("one id for %s: only the most careful is offered", (_name, options, kinds) => {
    const asked = askOf(permissionRequest({ options }));
    expect(only(asked).options.map(({ kind }) => kind)).toEqual(kinds);
    expect(allowOption([...options])?.kind).toBe(kinds.findLast((kind) => kind.startsWith("allow")));
  });

  test("one id for a yes and a no in a record of before: the answer is no", () => {
    const asked = askOf(permissionRequest());
    const answer = { optionIds: ["x"], by: PERSON, at: T0 };
    const old: Ask = { ...asked, questions: [{ ...only(asked), options: [allow, { ...reject, id: "x" }], answer }] };
    expect(isGranted(old)).toBe(false);
    expect(replyOf(old)).toEqual({ kind: "cancelled" });
  });

  test("what reads as a no never allows, whatever it says that it is", () => {
    const named = { id: "x", label: " Reject ", kind: "allow_always" };
    expect(isRejection(named)).toBe(true);
    expect(allowOption([named, ALLOW])).toBe(ALLOW);
    expect(oneForEachId([ALLOW, { ...named, id: ALLOW.id }])).toEqual([{ ...named, id: ALLOW.id }]);
  });
});

test("what allows once is the first choice, the widest the last", () => {
  expect(allowed([ALLOW_ALWAYS, ALLOW, REJECT]).options).toEqual([ALLOW, REJECT, ALLOW_ALWAYS]);
  expect(allowed([ALLOW_ALWAYS, REJECT]).options).toEqual([REJECT, ALLOW_ALWAYS]);
  expect(only(askOf({ kind: "plan", requestId: 1, plan: "x" })).options.map(({ id }) => id)).toEqual([
    "approve",
    "reject",
    "approve-auto",
  ]);
});

describe("[H13] a no with its reason", () => {
  const OFFERED = allowed([ALLOW, REJECT, ALLOW_ALWAYS]);

  test.each([
    ["2 use the existing helper", "use the existing helper"],
    ["2: use it", "use it"],
    ["no, use the existing helper", "use the existing helper"],
    ["No. Not this one", "Not this one"],
    ["Reject: too wide", "too wide"],
    ["reject - too wide", "too wide"],
    ["不，用现有的", "用现有的"],
    ["拒绝：太多", "太多"],
    // A no alone has no reason, and these are no no.
    ["no problem, go ahead", undefined],
    ["not now", undefined],
    // No yes is ever read out of words.
    ["yes, but no: use it", undefined],
    ["1 use it", undefined],
    ["1, 2 use it", undefined],
    ["ok, no, use it", undefined],
  ])("%s", (words, reason) => {
    const read = readAnswer(OFFERED, words);
    expect(read).toEqual(
      reason === undefined
        ? { ok: false, refusal: expect.objectContaining({ code: "invalid_choice" }) }
        : { ok: true, value: { optionIds: [REJECT.id], text: reason } },
    );
  });

  test("a bare no has none", () => {
    expect(readAnswer(OFFERED, "no")).toEqual({ ok: true, value: { optionIds: [REJECT.id] } });
  });

  test("of a plan it goes along in the reply", () => {
    const asked = askOf({ kind: "plan", requestId: 1, plan: "Do it" });
    const [first] = asked.questions;
    const read = readAnswer(only(asked), "2 smaller steps");
    const answer = { ...(read.ok ? read.value : {}), by: PERSON, at: T0 };
    expect(replyOf({ ...asked, questions: [{ ...first!, answer }] })).toEqual({
      kind: "plan",
      approved: false,
      reason: "smaller steps",
    });
  });

  test("an option of a question of the agent's own is chosen by nothing else than itself", () => {
    expect(meant(question("Go on?", ["Yes", "No"]), "no, use the helper")).toBe("free: no, use the helper");
  });
});
