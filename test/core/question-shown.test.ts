/** How a question is shown: in its notice, in lists and labels, and that whoever grants can read all of it. */
import { describe, expect, it } from "vitest";
import { currentStep, waitJson } from "../../src/core/flow-command.ts";
import { wordsOf } from "../../src/core/language.ts";
import { noticeText } from "../../src/core/notice.ts";
import { buttonsOf, parseShow } from "../../src/core/choice-button.ts";
import type { Question, Session } from "../../src/core/session.ts";
import { encodeSession, parseSession } from "../../src/core/state-json.ts";
import { RULES, asking, idle, lastNotice, permission, phaseOf, plan, play, questions, working } from "./build.ts";

const EN = { words: wordsOf("en"), safeMode: false };

function told(session: Session): string {
  return noticeText(session, lastNotice(session), EN);
}

describe("[H10] a long answer that ends in a question", () => {
  const before = Array.from({ length: 200 }, (_, i) => `Finding number ${i} says something about the parser.`);
  const question = "Shall I also rewrite the tests that depend on it?";
  const list = ["What next?", "- the parser", "- the tests"].join("\n");

  it.each([
    ["in a line of its own", `${before.join("\n")}\n\n${question}`, question],
    ["as the last sentence", `${before.join(" ")} ${question}`, question],
    ["with its choices as a list", `${before.join("\n\n")}\n\n${list}`, "What next? - the parser - the tests"],
    ["in Chinese", `${"解析器有问题。".repeat(400)}要不要也改测试？`, "要不要也改测试？"],
  ])("%s: the notice has it, and labels and lists have it first", (_name, answer, label) => {
    const session = idle(answer);
    expect(told(session)).toContain(label.split(" - ").join("\n- "));
    expect(currentStep(session)).toBe(`Waiting for you: ${label}`);
    expect(session.child?.label).toBe(`iFlow fix-login · waiting for you: ${label}`);
    expect(waitJson(session)).toMatchObject({ for: "answer", text: label.split(" - ").join("\n- ") });
  });

  it("and one that asks nothing is listed from the beginning of a word", () => {
    const [, word] = /^Turn 1 finished: (\S+) /.exec(currentStep(idle(before.join(" ")))) ?? [];
    expect(before.join(" ").split(" ")).toContain(word);
  });
});

const STYLES = (["en", "zh"] as const).map((language) => ({ words: wordsOf(language), safeMode: false }));
const WHERE = " [current working directory /work/app]";
const LONG = `echo start && ${"echo more && ".repeat(200)}rm -rf build`;

function first(session: Session): Question {
  const [question] = phaseOf(session, "asking").asks.flatMap(({ questions: parts }) => parts);
  if (question === undefined) throw new Error("no question");
  return question;
}

describe("[B1] what is too long for a notice", () => {
  const command = asking(permission({ title: LONG + WHERE, content: LONG }));
  const diff = `--- a.txt\n+++ a.txt\n${"+ one line of it\n".repeat(300)}+ the end of it`;
  const steps = Array.from({ length: 150 }, (_, i) => `${i + 1}. Step number ${i + 1} of the plan`).join("\n");

  it.each([
    ["a command", command, "echo start &&", "rm -rf build", LONG.length],
    [
      "a diff",
      asking(permission({ toolKind: "edit", title: "Write to a.txt", content: diff })),
      "--- a.txt",
      "+ the end of it",
      diff.length,
    ],
    ["a plan", asking(plan(1, steps)), "1. Step number 1 of", "150. Step number 150 of the plan", steps.length],
  ] as const)(
    "%s: its beginning and its end, how much of it, where all of it is, and no always",
    (_name, session, head, tail, length) => {
      for (const style of STYLES) {
        const shown = noticeText(session, lastNotice(session), style);
        expect(shown).toContain(head);
        expect(shown).toContain(tail);
        const [, part = "", whole = ""] = /\[…+ (?:共 )?(\d+)[^\d]+(\d+)/.exec(shown) ?? [];
        expect([part, whole].map(Number)).toContain(length);
        expect(Math.min(Number(part), Number(whole))).toBeLessThan(length);
        expect(shown).toContain("/iflow_output --question q3 fix-login");
        expect(shown.length).toBeLessThan(3_600);
      }
      expect(first(session).options.filter(({ kind }) => kind === "allow_always")).toEqual([]);
      expect(first(session).options[0]?.kind).toBe("allow_once");
      const buttons = buttonsOf(session, lastNotice(session), EN);
      expect(buttons.at(-1)).toEqual({ label: "Show all", payload: `w:${session.id}:q3` });
      expect(parseShow(buttons.at(-1)?.payload ?? "")).toEqual({ sessionId: session.id, questionId: "q3" });
    },
  );

  it("what fits is whole, with neither a hint nor a button, and may be allowed always", () => {
    const session = asking(permission({ title: `ls -la${WHERE}`, content: "ls -la" }));
    expect(told(session)).toContain(
      "fix-login asks for permission\n```\nls -la\n```\n\n1: Allow\n2: Reject\n3: Always Allow\n\nReply",
    );
    expect(buttonsOf(session, lastNotice(session), EN)).toHaveLength(3);
  });

  it("a title that is too long, or has lines of its own, is read in the content", () => {
    const title = `Write to ${"x/".repeat(300)}a.txt`;
    const session = asking(permission({ toolKind: "edit", title, content: "+ x" }));
    expect(first(session).content?.text).toBe(`${title}\n+ x`);
    const lines = asking(permission({ toolKind: "other", title: "Look\nand delete", content: "" }));
    expect(told(lines)).toContain("Look\n```\nand delete\n```");
  });

  it("in safe mode no notice has the content, so nothing of it is allowed always", () => {
    const safe = play(working(), [permission({ toolKind: "edit", title: "Write .env", content: "+ A=1" })], {
      ...RULES,
      safeMode: true,
    }).session;
    expect(first(safe).options.map(({ kind }) => kind)).toEqual(["allow_once", "reject_once"]);
  });

  it("is kept by both ends, also where the record has no room", () => {
    const stored = parseSession(
      JSON.parse(
        JSON.stringify(
          encodeSession({ ...command, inbox: [], output: { text: "x".repeat(60_000), start: 0, end: 60_000 } }),
        ),
      ),
    );
    if (stored.kind !== "session") throw new Error(JSON.stringify(stored));
    expect(noticeText(stored.session, lastNotice(command), EN)).toContain("rm -rf build");
  });

  it("a secret at either cut is masked", () => {
    const secret = "sk-aB3dE5fG7hJ9kL2mN4pQ6rS8";
    for (let pad = 600; pad < 680; pad += 7) {
      const text = `${"x ".repeat(pad / 2)}${secret} ${"y ".repeat(2_000)}${secret} ${"z ".repeat(pad / 2)}`;
      const shown = told(asking(permission({ toolKind: "edit", title: "Write a", content: text })));
      expect(shown).not.toContain(secret.slice(3, 12));
    }
  });
});

it("[B2] more choices than a notice has are read by the same door", () => {
  const options = Array.from({ length: 20 }, (_, i) => `option ${i + 1}`);
  const shown = told(asking(questions(1, { text: "Which?", options })));
  expect(shown).toContain("12: option 12\n… and 8 more\n\nAll of it: /iflow_output --question q3 fix-login\n");
  const long = asking(questions(1, { text: "Which?", options: ["a", "b".repeat(200)] }));
  expect(told(long)).toContain("/iflow_output --question q3 fix-login");
  const parts = asking(questions(1, { text: "Which?", options }, { text: "Name?" }));
  expect(told(parts)).toContain("/iflow_output --question q3.1 fix-login");
  expect(told(parts)).not.toContain("--question q3.2 fix-login\n");
});

describe("[D4] in lists and labels", () => {
  it.each([
    ["a command", permission({ title: `npm test${WHERE} (run the tests)`, content: "npm test" }), "npm test"],
    ["a command of several lines", permission({ title: `cat <<E\nx\nE${WHERE}` }), "cat <<E"],
    [
      "a change",
      permission({ toolKind: "edit", title: "Write to a.txt", content: "Index: a.txt\n=====\n+ x" }),
      "Write to a.txt",
    ],
    ["a plan", plan(1, "# Plan\n\nMuch of it."), "# Plan …"],
    ["a question", questions(1, { text: "Which?\n\nOne, or two." }), "Which? …"],
  ] as const)("%s is named by its first line", (_name, request, line) => {
    const session = asking(request);
    expect(currentStep(session)).toBe(`Waiting for you: ${line}`);
    expect(session.child?.label).toBe(`iFlow fix-login · waiting for you: ${line}`);
    expect(waitJson(session)).toMatchObject({ text: line });
    expect(JSON.stringify([currentStep(session), session.child, waitJson(session), told(session)])).not.toContain(
      "current working directory",
    );
  });

  it("what the agent says that a command is for stands before it, and the command once", () => {
    const shown = told(asking(permission({ title: `npm test${WHERE} (run the tests)`, content: "npm test" })));
    expect(shown).toContain("asks for permission\nrun the tests\n```\nnpm test\n```\n");
    expect(shown.split("npm test")).toHaveLength(2);
  });

  it("a record of before is read: its content stands behind the first line", () => {
    const session = asking();
    const { content: _new, header: _note, ...question } = first(session);
    const text = `npm test${WHERE}\nIndex: a.txt\n+ x`;
    const old: Question = { ...question, text: { text, length: text.length } };
    const { phase } = session;
    const asks = phaseOf(session, "asking").asks.map((ask) => ({ ...ask, questions: [old] }));
    const before = { ...session, phase: { ...phaseOf(session, "asking"), asks } };
    expect(parseSession(JSON.parse(JSON.stringify(before))).kind).toBe("session");
    expect(currentStep(before)).toBe("Waiting for you: npm test");
    expect(noticeText(before, lastNotice(session), EN)).toContain("npm test\n```\nIndex: a.txt\n+ x\n```");
    expect(phase.kind).toBe("asking");
  });
});
