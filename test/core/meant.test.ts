/** Whether words in a chat are an answer, and to which question: what was told, when, in which message, and what was said since. */
import { describe, expect, test } from "vitest";
import { meantBy, REACTION_MS, type Words } from "../../src/core/meant.ts";
import type { Session } from "../../src/core/session.ts";
import { asking, idle, lastNotice, permission, play, questions, recovered, T0, type Happening } from "./build.ts";

const NOTICE = "100";

/** The notice of the last question stands in the chat. */
function told(
  session: Session,
  more: { readonly in?: string; readonly overtaken?: boolean; readonly at?: number } = {},
): Session {
  const { id } = lastNotice(session);
  const event: Happening = {
    type: "told",
    noticeId: id,
    part: "chat",
    messageId: more.in ?? NOTICE,
    arrived: true,
    overtaken: more.overtaken ?? false,
    ...(more.at === undefined ? {} : { at: more.at }),
  };
  return play(session, [event]).session;
}

const named = (session: Session, name: string): Session => ({ ...session, id: name, name });

function said(text: string, more: Partial<Words> = {}): Words {
  return { text, messageId: "101", writtenAt: T0 + 600_000, at: T0 + 600_000, inGroup: false, ...more };
}

const silence = (): boolean => false;
const meant = (words: Words, ...sessions: readonly Session[]) => meantBy(words, sessions, silence);
const OVERTAKEN: Happening = { type: "overtaken" };

describe("[A1] words without a quote", () => {
  const open = told(asking());

  test("are an answer while nothing else was said since the question was told", () => {
    expect(meant(said("2"), open)).toMatchObject({ kind: "answer", question: { id: "q3" } });
    expect(meant(said("Allow"), open)).toMatchObject({ kind: "answer" });
  });

  test("are none once something else was said", () => {
    const overtaken = play(open, [OVERTAKEN]).session;
    expect(meant(said("2"), overtaken)).toEqual({ kind: "nothing" });
    expect(meant(said("2", { repliesTo: NOTICE }), overtaken)).toMatchObject({ kind: "answer" });
  });

  test("are none where something was said while the notice was on its way", () => {
    expect(meant(said("2"), told(asking(), { overtaken: true }))).toEqual({ kind: "nothing" });
  });

  test("answer a question that is told after it", () => {
    const next = told(play(play(open, [OVERTAKEN]).session, [permission({ requestId: 1, title: "rm x" })]).session, {
      in: "104",
    });
    expect(meant(said("2", { messageId: "105" }), next)).toMatchObject({ kind: "unclear", waiting: [{}, {}] });
  });

  test("after a restart an overtaken question stays so; whether another one was is not known, but for the channel's own count", () => {
    const overtaken = play(open, [OVERTAKEN, recovered()]).session;
    expect(meant(said("2"), overtaken)).toEqual({ kind: "nothing" });
    const unsure = play(open, [recovered()]).session;
    expect(meant(said("2", { messageId: "102" }), unsure)).toEqual({ kind: "nothing" });
    expect(meant(said("2", { messageId: "101" }), unsure)).toMatchObject({ kind: "answer" });
    expect(meant(said("2", { messageId: "102", repliesTo: NOTICE }), unsure)).toMatchObject({ kind: "answer" });
  });

  test("are none in a group, and none where the question was never told", () => {
    expect(meant(said("2", { inGroup: true }), open)).toEqual({ kind: "nothing" });
    expect(meant(said("2"), asking())).toEqual({ kind: "nothing" });
  });

  test("a question of which a record of before knows no more than that it was told is answered by no bare word", () => {
    const { session } = play({ ...asking(), owed: [] }, [recovered()]);
    expect(meant(said("2"), session)).toEqual({ kind: "nothing" });
  });
});

describe("[A2] [H9] words that two sessions wait for", () => {
  const grant = named(told(asking()), "grant");
  const free = named(told(idle("Which colour?\n1. red\n2. blue"), { in: "99" }), "free");
  const other = named(
    told(asking(questions(7, { text: "Which?", options: ["left", "right"] })), { in: "98" }),
    "other",
  );

  test("are meant for none of them", () => {
    expect(meant(said("1"), grant, free)).toMatchObject({
      kind: "unclear",
      waiting: [{ session: grant }, { session: free }],
    });
    expect(meant(said("1"), grant, other)).toMatchObject({ kind: "unclear" });
    expect(meant(said("1"), grant, play(other, [OVERTAKEN]).session)).toMatchObject({ kind: "unclear" });
  });

  test("a session that was not asked for words, or has not told that it was, is no candidate", () => {
    expect(meant(said("1"), grant, named(idle("Done."), "done"))).toMatchObject({ kind: "answer" });
    expect(meant(said("1"), grant, named(idle("Which colour?"), "untold"))).toMatchObject({ kind: "answer" });
  });

  test("a quote says which", () => {
    expect(meant(said("1", { repliesTo: "98" }), grant, free, other)).toMatchObject({ kind: "answer", session: other });
    expect(meant(said("the red one", { repliesTo: "99" }), grant, free)).toEqual({ kind: "message", session: free });
  });

  test("for a session that only waits for words they go to the agent as ever", () => {
    expect(meant(said("1"), free)).toEqual({ kind: "nothing" });
  });
});

describe("[A3] a quote", () => {
  test("of another message answers nothing", () => {
    expect(meant(said("2", { repliesTo: "77" }), told(asking()))).toEqual({ kind: "nothing" });
  });

  test("of a question that is over answers no other one", () => {
    const answered: Happening = {
      type: "answered",
      questionId: "q3",
      answer: { optionIds: ["proceed_once"], by: { kind: "person", door: "reply" }, at: T0 },
    };
    const next = told(play(told(asking()), [answered, permission({ requestId: 1, title: "rm x" })]).session, {
      in: "104",
    });
    expect(meant(said("2", { repliesTo: NOTICE, messageId: "105" }), next)).toMatchObject({
      kind: "late",
      closed: { id: "q3", answer: "Allow" },
    });
    expect(meant(said("what was that?", { repliesTo: NOTICE }), next)).toEqual({ kind: "nothing" });
    expect(meant(said("2", { repliesTo: "104" }), next)).toMatchObject({
      kind: "answer",
      question: { text: { text: "rm x" } },
    });
  });

  test("[H13] may say behind a no why it is one; without a quote such words are the agent's", () => {
    const waiting = told(asking());
    expect(meant(said("2 use the helper", { repliesTo: NOTICE }), waiting)).toMatchObject({ kind: "answer" });
    expect(meant(said("no, use the helper", { repliesTo: NOTICE }), waiting)).toMatchObject({ kind: "answer" });
    expect(meant(said("yes, use the helper", { repliesTo: NOTICE }), waiting)).toEqual({ kind: "nothing" });
    expect(meant(said("no, use the helper"), waiting)).toEqual({ kind: "nothing" });
  });

  test("with other words than a choice goes to the agent", () => {
    expect(meant(said("why?", { repliesTo: NOTICE }), told(asking()))).toEqual({ kind: "nothing" });
  });
});

describe("[A4] the same again within moments", () => {
  const answered: Happening = {
    type: "answered",
    questionId: "q3",
    answer: { optionIds: ["proceed_once"], by: { kind: "person", door: "reply" }, at: T0 },
    at: T0 + 60_000,
  };
  const before = play(told(asking()), [answered, permission({ requestId: 1, title: "rm x" })]).session;
  const again = (more: Partial<Words>): Words => said("2", { at: T0 + 61_000, writtenAt: T0 + 61_000, ...more });

  test("does not reach a question that was told after it was written", () => {
    const next = told(before, { in: "104", at: T0 + 60_500 });
    expect(meant(again({ messageId: "103" }), next)).toMatchObject({ kind: "late" });
    expect(meant(again({ messageId: "103", at: T0 + 90_000, writtenAt: T0 + 90_000 }), next)).toEqual({
      kind: "nothing",
    });
    expect(meant(again({ messageId: "uuid", writtenAt: T0 + 60_400 }), next)).toMatchObject({ kind: "late" });
  });

  test("nor one that nobody can have read", () => {
    const next = told(before, { in: "104", at: T0 + 60_500 });
    expect(meant(again({ messageId: "105" }), next)).toMatchObject({ kind: "late", closed: { id: "q3" } });
    const later = T0 + 60_500 + REACTION_MS;
    expect(meant(again({ messageId: "105", at: later, writtenAt: later }), next)).toMatchObject({ kind: "answer" });
  });

  test("is for the agent, where it spoke since", () => {
    const next = told(before, { in: "104", at: T0 + 60_500 });
    expect(meantBy(again({ messageId: "103" }), [next], () => true)).toEqual({ kind: "nothing" });
  });
});

test("[H9] several numbers choose where several may be chosen, and nowhere else", () => {
  const parts = (multiSelect: boolean): Session =>
    told(asking(questions(7, { text: "Files?", options: ["x", "y", "z"], multiSelect })));
  expect(meant(said("1, 3"), parts(true))).toMatchObject({ kind: "answer" });
  expect(meant(said("1 3", { repliesTo: NOTICE }), parts(true))).toMatchObject({ kind: "answer" });
  expect(meant(said("1, 4"), parts(true))).toEqual({ kind: "nothing" });
  expect(meant(said("1, 3"), parts(false))).toEqual({ kind: "nothing" });
});
