/** How a question is shown: in its notice, in lists and labels, and that whoever grants can read all of it. */
import { describe, expect, it } from "vitest";
import { currentStep, waitJson } from "../../src/core/flow-command.ts";
import { wordsOf } from "../../src/core/language.ts";
import { noticeText } from "../../src/core/notice.ts";
import type { Session } from "../../src/core/session.ts";
import { idle, lastNotice } from "./build.ts";

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
    const [, first] = /^Turn 1 finished: (\S+) /.exec(currentStep(idle(before.join(" ")))) ?? [];
    expect(before.join(" ").split(" ")).toContain(first);
  });
});
