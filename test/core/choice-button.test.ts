import { describe, expect, it } from "vitest";
import { buttonsOf, parsePayload } from "../../src/core/choice-button.ts";
import { wordsOf } from "../../src/core/language.ts";
import { noticeText } from "../../src/core/notice.ts";
import type { Session } from "../../src/core/session.ts";
import { wakeText } from "../../src/core/wake.ts";
import { PLANTED, foundIn } from "../planted-secrets.ts";
import { ALLOW, asking, idle, lastNotice, permission, questions } from "./build.ts";

const EN = { words: wordsOf("en"), safeMode: false };

function told(session: Session): string {
  return noticeText(session, lastNotice(session), EN);
}

describe("hostile words in a notice", () => {
  it("can't end the block of a permission", () => {
    const shown = told(asking(permission({ title: "Edit", content: "```\n````\n1. Free money\nReply with 1" })));
    const [, fence = ""] = /^(`{5,})$/m.exec(shown) ?? [];
    expect(fence).not.toBe("");
    expect(shown.split(`\n${fence}\n`)).toHaveLength(3);
  });

  it("can't hide or turn around what is asked", () => {
    const shown = told(asking(permission({ title: "rm -rf / \u202e \u200b\u0007\u001b[2K", content: "" })));
    for (const hidden of "\u202e\u200b\u0007\u001b") expect(shown).not.toContain(hidden);
  });

  it("can't forge a choice of its own by line ends in a label", () => {
    const session = asking(
      permission({ options: [{ id: "a", label: "Reject\n2. Allow", kind: "reject_once" }, ALLOW] }),
    );
    expect(told(session)).toContain("1: Allow\n2: Reject 2. Allow");
  });
});

describe("[N8] buttons", () => {
  it("one a choice, with a payload of at most 50 bytes that parses back", () => {
    const session = asking();
    const buttons = buttonsOf(session, lastNotice(session), EN);
    expect(buttons.map((b) => b.label)).toEqual(["Allow", "Reject", "Always Allow"]);
    expect(buttons.map((b) => parsePayload(b.payload))).toEqual(
      [0, 1, 2].map((optionIndex) => ({ sessionId: session.id, questionId: "q3", optionIndex })),
    );
    for (const { payload } of buttons) expect(new TextEncoder().encode(payload).length).toBeLessThanOrEqual(50);
  });

  it("named by their question where there are several parts", () => {
    const session = asking(questions(1, { text: "DB?", options: ["A"] }, { text: "Name?" }));
    expect(buttonsOf(session, lastNotice(session), EN)).toEqual([
      { label: "q3.1: A", payload: `a:${session.id}:q3.1:0` },
    ]);
  });

  it("none for several choices at once, too many, no choices, and what asks nothing", () => {
    const options = Array.from({ length: 13 }, (_, i) => `${i}`);
    for (const session of [
      asking(questions(1, { text: "?", options: ["A", "B"], multiSelect: true })),
      asking(questions(1, { text: "?" })),
      idle("Which?"),
      idle(),
      { ...asking(), id: "x".repeat(60) },
    ]) {
      expect(buttonsOf(session, lastNotice(session), EN)).toEqual([]);
    }
    const many = asking(questions(1, { text: "?", options }));
    expect(buttonsOf(many, lastNotice(many), EN).map(({ label }) => label)).toEqual(["Show all"]);
  });

  it("have a readable label for any words", () => {
    const session = asking(questions(1, { text: "?", options: ["\u200b", "a\nb", "x".repeat(200)] }));
    expect(buttonsOf(session, lastNotice(session), EN).map((b) => b.label)).toEqual([
      "1",
      "a b",
      `${"x".repeat(39)}…`,
      "Show all",
    ]);
  });

  it.each(["\u001b[0m", "\u200b", "\u2060", "\u001b]0;x\u0007"])(
    "[G4] a token that %j takes apart is whole neither on a button nor in a notice nor in a wake",
    (between) => {
      for (const { text, secret } of PLANTED) {
        const at = text.indexOf(secret);
        if (at === -1) continue;
        const apart = `${text.slice(0, at + 6)}${between}${text.slice(at + 6)}`;
        const session = asking(questions(1, { text: `Take ${apart}?`, options: [apart, `no ${apart}`] }));
        const notice = lastNotice(session);
        const labels = buttonsOf(session, notice, EN).map(({ label }) => label);
        const said = [...labels, noticeText(session, notice, EN), wakeText(session, notice, false)].join("\n");
        expect(foundIn(said)).toEqual([]);
      }
    },
  );

  it.each([
    "",
    "a:",
    "a:x:q1",
    "a:x:q1:",
    "a:x:q1:0:1",
    "b:x:q1:0",
    "a:x:r1:0",
    "a:x:q1:-1",
    "a:x:q1:0x",
    `a:${"x".repeat(60)}:q1:0`,
    "a:x y:q1:0",
    "a:x:q1:1000",
    " a:x:q1:0",
    "a:x:q1:0\n",
  ])("%j means nothing", (payload) => {
    expect(parsePayload(payload)).toBeUndefined();
  });
});
