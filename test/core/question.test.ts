import { describe, expect, it } from "vitest";
import type { AgentRequest } from "../../src/core/agent-event.ts";
import { preview } from "../../src/core/asked-text.ts";
import { choiceLines, isExactChoice } from "../../src/core/choice.ts";
import {
  answerWords,
  approvedMode,
  askFrom,
  deny,
  isGranted,
  openQuestions,
  readAnswer,
  replyOf,
} from "../../src/core/question.ts";
import type { Answer, Ask, Question } from "../../src/core/session.ts";
import { ALLOW, ALLOW_ALWAYS, PERSON, REJECT, T0, permissionRequest } from "./build.ts";

const FACTS = { number: 7, at: T0, deadlineAt: T0 + 1 };

function ask(request: AgentRequest): Ask {
  return askFrom(request, FACTS);
}

function first(request: AgentRequest): Question {
  const [question] = ask(request).questions;
  if (question === undefined) throw new Error("no question");
  return question;
}

function asks(text: string, labels: readonly string[], multiSelect = false): AgentRequest {
  return {
    kind: "questions",
    requestId: 1,
    questions: [{ text, options: labels.map((label) => ({ id: label, label })), multiSelect }],
  };
}

function withAnswer(given: Ask, answer: Partial<Answer>): Ask {
  return { ...given, questions: given.questions.map((q) => ({ ...q, answer: { by: PERSON, at: T0, ...answer } })) };
}

const PERMISSION = first(permissionRequest());
const PLAN = first({ kind: "plan", requestId: 1, plan: "1. Write" });
const DATABASE = first(asks("Which DB?", ["Postgres", "SQLite"]));
const MANY = first(asks("Which?", ["A", "B", "C"], true));
const NUMBERS = first(asks("How many?", ["3", "5", "10"]));

describe("readAnswer", () => {
  const chosen = (question: Question, words: string) => {
    const read = readAnswer(question, words);
    return read.ok ? (read.value.optionIds ?? read.value.text) : read.refusal.code;
  };

  it.each([
    [PERMISSION, "1", [ALLOW.id]],
    [PERMISSION, " 1. ", [ALLOW.id]],
    [PERMISSION, "(1)", [ALLOW.id]],
    [PERMISSION, "（1）", [ALLOW.id]],
    [PERMISSION, "1: Allow", [ALLOW.id]],
    [PERMISSION, "#2", [REJECT.id]],
    [PERMISSION, "3", [ALLOW_ALWAYS.id]],
    [PERMISSION, "allow", [ALLOW.id]],
    [PERMISSION, "YES", [ALLOW.id]],
    [PERMISSION, "允许", [ALLOW.id]],
    [PERMISSION, "no", [REJECT.id]],
    [PERMISSION, "拒绝", [REJECT.id]],
    [PERMISSION, "always allow", [ALLOW_ALWAYS.id]],
    [PERMISSION, "9", "invalid_choice"],
    [PERMISSION, "0", "invalid_choice"],
    [PERMISSION, "allow but only once", "invalid_choice"],
    [PERMISSION, "", "invalid_choice"],
    [PERMISSION, "   ", "invalid_choice"],
    [PLAN, "approve", ["approve"]],
    [PLAN, "yes", ["approve"]],
    [PLAN, "no", ["reject"]],
    [PLAN, "use SQLite instead", "use SQLite instead"],
    [DATABASE, "1", ["Postgres"]],
    [DATABASE, "sqlite", ["SQLite"]],
    [DATABASE, "yes", "yes"],
    [DATABASE, "MySQL", "MySQL"],
    [DATABASE, "  ", "invalid_choice"],
    [MANY, "1, 3", ["A", "C"]],
    [MANY, "1 3", ["A", "C"]],
    [MANY, "a、c", ["A", "C"]],
    [MANY, "1,1", ["A"]],
    [MANY, "1, something else", "1, something else"],
    [NUMBERS, "2", "invalid_choice"],
    [NUMBERS, "b", ["5"]],
    [NUMBERS, "5", ["5"]],
    [NUMBERS, "10", ["10"]],
    [NUMBERS, "7", "7"],
  ])("%#: %j", (question, words, expected) => {
    expect(chosen(question, words)).toEqual(expected);
  });

  it("what was given as a choice, or is a number, must be one, also where words of one's own would do", () => {
    const refused = (words: string, as?: "option"): unknown => readAnswer(DATABASE, words, as);
    expect(refused("9")).toMatchObject({
      refusal: {
        code: "invalid_choice",
        message: expect.stringContaining("or answer in words of your own") as unknown,
      },
    });
    expect(refused("Mongo", "option")).toMatchObject({ refusal: { code: "invalid_choice" } });
    expect(refused("Mongo")).toMatchObject({ ok: true, value: { text: "Mongo" } });
  });

  it("refuses with the choices, quoting what was said", () => {
    expect(readAnswer(PERMISSION, "perhaps")).toMatchObject({
      refusal: {
        message: '"perhaps" is no choice of question q7. Choose one of: 1: Allow · 2: Reject · 3: Always Allow',
      },
    });
  });
});

describe("isExactChoice", () => {
  it.each([
    ["Allow", true],
    ["allow ", true],
    ["2", true],
    ["4", false],
    ["yes", false],
    ["允许", false],
    ["Allow it", false],
    ["", false],
    [" ", false],
  ])("%j: %s", (words, exact) => {
    expect(isExactChoice(PERMISSION, words)).toBe(exact);
  });

  it.each([
    ["Reject", true],
    ["拒绝", true],
    ["批准，执行时不再询问 ", true],
    ["停止", false],
    ["批准", false],
    ["同意", false],
  ])("of the plugin's own labels, in each of its languages: %j: %s", (words, exact) => {
    expect(isExactChoice(PLAN, words)).toBe(exact);
  });

  it("a label of the plugin's own is none where iFlow made the choices", () => {
    expect(isExactChoice(first(asks("Which?", ["reject", "approve"])), "拒绝")).toBe(false);
  });

  it("an option without words is never chosen by silence", () => {
    const blank = first(permissionRequest({ options: [{ id: "", label: "", kind: "allow_once" }] }));
    expect(isExactChoice(blank, "")).toBe(false);
    expect(readAnswer(blank, " ").ok).toBe(false);
  });
});

describe("replyOf", () => {
  it("permission: the chosen option, and cancelled for every kind of no", () => {
    const asked = ask(permissionRequest());
    expect(replyOf(withAnswer(asked, { optionIds: [ALLOW.id] }))).toEqual({ kind: "selected", optionId: ALLOW.id });
    for (const answer of [
      { optionIds: [REJECT.id] },
      { optionIds: ["unknown"] },
      { optionIds: [] },
      { text: "allow" },
    ]) {
      expect(replyOf(withAnswer(asked, answer))).toEqual({ kind: "cancelled" });
    }
    expect(replyOf(asked)).toEqual({ kind: "cancelled" });
  });

  it("smart mode's two options: the second is a no although it has no kind", () => {
    const asked = ask(
      permissionRequest({
        options: [
          { id: "proceed_once", label: "同意" },
          { id: "cancel", label: "拒绝" },
        ],
      }),
    );
    expect(replyOf(withAnswer(asked, { optionIds: ["cancel"] }))).toEqual({ kind: "cancelled" });
    expect(replyOf(withAnswer(asked, { optionIds: ["proceed_once"] }))).toEqual({
      kind: "selected",
      optionId: "proceed_once",
    });
  });

  it("plan: approved or not, free words are the reason", () => {
    const asked = ask({ kind: "plan", requestId: 1, plan: "x" });
    expect(replyOf(withAnswer(asked, { optionIds: ["approve"] }))).toEqual({ kind: "plan", approved: true });
    expect(replyOf(withAnswer(asked, { optionIds: ["reject"] }))).toEqual({ kind: "plan", approved: false });
    expect(replyOf(withAnswer(asked, { text: "too risky" }))).toEqual({
      kind: "plan",
      approved: false,
      reason: "too risky",
    });
    expect(approvedMode(withAnswer(asked, { optionIds: ["approve"] }))).toBe("manual");
    expect(approvedMode(withAnswer(asked, { optionIds: ["approve-auto"] }))).toBe("auto");
    expect(approvedMode(withAnswer(asked, { optionIds: ["reject"] }))).toBeUndefined();
  });

  it("questions: in their order, by the ids of their choices or in words", () => {
    const question = { text: "Which?", options: [{ id: "A", label: "A" }], multiSelect: false };
    const asked = ask({ kind: "questions", requestId: 1, questions: [question, question] });
    const [one, two] = [{ optionIds: ["A"] }, { text: "neither" }].map((answer) => ({ ...answer, by: PERSON, at: T0 }));
    const answered = { ...asked, questions: asked.questions.map((q, i) => ({ ...q, answer: i === 0 ? one : two })) };
    expect(replyOf(answered as typeof asked)).toEqual({
      kind: "answers",
      answers: [{ optionIds: ["A"] }, { text: "neither" }],
    });
  });

  it("several choices: a list", () => {
    expect(replyOf(withAnswer(ask(asks("Which?", ["A", "B"], true)), { optionIds: ["A", "B"] }))).toEqual({
      kind: "answers",
      answers: [{ optionIds: ["A", "B"] }],
    });
  });
});

it("keeps no more of a request than the records can bear", () => {
  const long = "x".repeat(50_000);
  const option = { id: "a", label: long, description: long };
  const giant = ask({
    kind: "questions",
    requestId: 1,
    questions: Array.from({ length: 50 }, () => ({
      text: long,
      header: long,
      options: [...Array.from({ length: 500 }, () => option), { id: long, label: "x" }],
      multiSelect: false,
    })),
  });
  expect(JSON.stringify(giant).length).toBeLessThan(300_000);
  expect(giant.questions).toHaveLength(10);
  const longest = first(asks("?", [long, "B"]));
  expect(longest.options.map((o) => o.id)).toEqual(["o1", "B"]);
  expect(readAnswer(longest, "1")).toEqual({ ok: true, value: { optionIds: ["o1"] } });
  const offered = ask(permissionRequest({ options: [{ id: long, label: "Allow", kind: "allow_once" }, REJECT] }));
  expect(offered.questions[0]?.options).toEqual([REJECT]);
});

it("denies only what is open", () => {
  const asked = ask({
    kind: "questions",
    requestId: 1,
    questions: [
      { text: "a?", options: [], multiSelect: false },
      { text: "b?", options: [], multiSelect: false },
    ],
  });
  const half = {
    ...asked,
    questions: asked.questions.map((q, i) => (i === 0 ? { ...q, answer: { text: "x", by: PERSON, at: T0 } } : q)),
  };
  expect(openQuestions([half]).map((q) => q.id)).toEqual(["q7.2"]);
  const denied = deny(half, "too late", T0);
  expect(openQuestions([denied])).toEqual([]);
  expect(replyOf(denied)).toEqual({ kind: "answers", answers: [{ text: "x" }, { text: "(no answer: too late)" }] });
  expect(isGranted(deny(ask(permissionRequest()), "too late", T0))).toBe(false);
});

it("reads for people: choices with numbers, answers in words", () => {
  const described = first({
    kind: "questions",
    requestId: 1,
    questions: [
      {
        text: "?",
        options: [
          { id: "a", label: "A", description: "the first" },
          { id: "b", label: "B" },
        ],
        multiSelect: false,
      },
    ],
  });
  expect(choiceLines(described)).toEqual(["1: A — the first", "2: B"]);
  expect(answerWords(PERMISSION, { optionIds: [ALLOW.id], by: PERSON, at: T0 })).toBe("Allow");
  expect(answerWords(PERMISSION, { optionIds: ["unknown"], by: PERSON, at: T0 })).toBe("unknown");
});

it("a long text keeps its beginning, its length and the key of the whole", () => {
  expect(preview("short", "k")).toEqual({ text: "short", length: 5 });
  expect(preview("x".repeat(3_000), "k")).toMatchObject({ length: 3_000, key: "k" });
  expect(preview("x".repeat(3_000)).text).toHaveLength(2_000);
});
