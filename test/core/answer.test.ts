import { describe, expect, it } from "vitest";
import type { Session } from "../../src/core/session.ts";
import {
  AGENT,
  ALLOW,
  CLOCK,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  REJECT,
  RULES,
  SLOT,
  STARTED,
  T0,
  answered,
  asking,
  effectsOf,
  ended,
  exited,
  idle,
  lastNotice,
  messaged,
  notices,
  orphaned,
  permission,
  phaseOf,
  plan,
  play,
  questionIds,
  questions,
  ready,
  said,
  text,
  working,
} from "./build.ts";

const TWO_PARTS = questions(
  5,
  { text: "Which DB?", options: ["Postgres", "SQLite"] },
  { text: "Its name?", options: [] },
);

describe("an answer to a live request", () => {
  it("leaves as the one reply, and the turn goes on in the same child", () => {
    const step = play(asking(), [answered("q3", { option: ALLOW.id })]);
    expect(step.reply).toEqual({ ok: true, value: "now" });
    expect(step.session.phase).toMatchObject({ kind: "working", prompt: "left" });
    expect(step.effects).toMatchObject([
      { do: "record-answer", id: "q3", text: "Allow", by: { kind: "person" } },
      { do: "reply", requestId: 0, reply: { kind: "selected", optionId: ALLOW.id } },
      { do: "activate-child", runId: "iflow:<flow>:t1.1" },
    ]);
    expect(step.session.child).toMatchObject({ as: "running" });
  });

  it("rejects with cancelled, whatever option of rejection was chosen (decision 15)", () => {
    const { effects } = play(asking(), [answered("q3", { option: REJECT.id })]);
    expect(effectsOf(effects, "reply")[0]?.reply).toEqual({ kind: "cancelled" });
  });

  it("does not take an option that was never offered for a grant", () => {
    const { effects } = play(asking(), [answered("q3", { option: "proceed_always_server" })]);
    expect(effectsOf(effects, "reply")[0]?.reply).toEqual({ kind: "cancelled" });
  });

  it("is accepted exactly once: the second is told what the first was", () => {
    const two = asking(TWO_PARTS);
    const first = play(two, [answered("q3.1", { option: "SQLite" })]);
    const second = play(first.session, [answered("q3.1", { option: "Postgres" })]);
    expect(second).toMatchObject({
      session: first.session,
      effects: [],
      reply: { ok: false, refusal: { code: "question_closed" } },
    });
    expect(second.reply).toMatchObject({
      refusal: { message: expect.stringContaining("already answered: SQLite") as string },
    });
  });

  it("is refused when the question is gone, with what is open now", () => {
    const done = play(asking(), [answered("q3", { option: ALLOW.id })]).session;
    for (const session of [done, working(), idle(), ended()]) {
      expect(play(session, [answered("q3", { option: ALLOW.id })])).toMatchObject({
        session,
        effects: [],
        reply: { ok: false, refusal: { code: "question_closed" } },
      });
    }
    expect(play(done, [answered("q3", { option: ALLOW.id })]).reply).toMatchObject({
      refusal: {
        message: expect.stringMatching(
          /^Question q3 of fix-login was already answered: \w+ \(by a person\)\. /,
        ) as string,
      },
    });
    const other = play(asking(), [answered("q99", { option: ALLOW.id })]).reply;
    expect(other).toMatchObject({
      refusal: { message: expect.stringContaining("has asked no question q99. Open now: q3.") as string },
    });
  });

  it("one that comes after the deadline is told of the denial; after an interrupt, that the question is gone", () => {
    const late = (session: Session): unknown => play(session, [answered("q3", { option: ALLOW.id })]).reply;
    const denied = play(asking(), [{ ...CLOCK, at: T0 + 2 * DAY_MS }]).session;
    expect(late(denied)).toMatchObject({
      refusal: {
        message: expect.stringContaining(
          "q3 of fix-login was denied, since nobody answered before its deadline",
        ) as string,
      },
    });
    const interrupted = play(asking(), [messaged("something else", { interrupt: true })]).session;
    expect(late(interrupted)).toMatchObject({
      refusal: {
        message: expect.stringContaining(
          "q3 of fix-login is not open any more (its turn was stopped or has ended)",
        ) as string,
      },
    });
  });

  it("waits for the last part, and leaves with it (decision 13)", () => {
    const first = play(asking(TWO_PARTS), [answered("q3.1", { option: "SQLite" })]);
    expect(first.session.phase.kind).toBe("asking");
    expect(effectsOf(first.effects, "reply")).toEqual([]);
    expect(first.reply).toEqual({ ok: true, value: "now" });
    const second = play(first.session, [answered("q3.2", { text: "app" })]);
    expect(effectsOf(second.effects, "reply")).toEqual([
      { do: "reply", requestId: 5, reply: { kind: "answers", answers: [{ optionIds: ["SQLite"] }, { text: "app" }] } },
    ]);
    expect(second.session.phase.kind).toBe("working");
  });

  it("works again only when no question is open", () => {
    const both = play(asking(), [permission({ requestId: 1 })]).session;
    const [first = "", second = ""] = questionIds(both);
    const one = play(both, [answered(second, { option: ALLOW.id })]);
    expect(effectsOf(one.effects, "reply")).toMatchObject([{ requestId: 1 }]);
    expect(one.session.phase.kind).toBe("asking");
    expect(play(one.session, [answered(first, { option: ALLOW.id })]).session.phase.kind).toBe("working");
  });

  it("stays in the session until iFlow's next frame (decision 14)", () => {
    const given = play(asking(), [answered("q3", { option: ALLOW.id })]).session;
    expect(given.unconfirmed).toMatchObject([{ questions: [{ answer: { optionIds: [ALLOW.id] } }] }]);
    expect(play(given, [text("ok")]).session.unconfirmed).toEqual([]);
  });

  it("survives the agent's death until the next one has read it: a handshake is no reading", () => {
    const dead = play(asking(), [answered("q3", { option: ALLOW.id }), exited(137)]).session;
    expect(dead.phase.kind).toBe("interrupted");
    const handshake = [
      said({ kind: "log", source: "frame", text: '{"jsonrpc":"2.0","id":1,"result":{}}' }),
      said({ kind: "commands", names: ["init"] }),
    ];
    const next = play(dead, [messaged("go on"), SLOT, STARTED, ...handshake, ready("loaded"), ...handshake]).session;
    expect(next.unconfirmed).toHaveLength(1);
    expect(play(next, [{ type: "prompt-left", turn: 2 }, text("ok")]).session.unconfirmed).toEqual([]);
  });

  it("sends several choices as a list", () => {
    const many = asking(questions(6, { text: "Which?", options: ["A", "B", "C"], multiSelect: true }));
    const { effects } = play(many, [answered("q3", { options: ["A", "C"] })]);
    expect(effectsOf(effects, "reply")[0]?.reply).toEqual({ kind: "answers", answers: [{ optionIds: ["A", "C"] }] });
  });
});

describe("an answer without a live request (decisions 9, 12, 14)", () => {
  it("goes through the queue and becomes the next prompt, with the whole of a person's words", () => {
    const long = "because ".repeat(1_000);
    const step = play(orphaned(questions(6, { text: "Why?" })), [answered("q3", { text: long })]);
    expect(step.reply).toEqual({ ok: true, value: "resumed" });
    expect(step.session.phase).toMatchObject({ kind: "queued", reason: "continue" });
    expect(effectsOf(step.effects, "request-slot")).toEqual([{ do: "request-slot", ahead: true }]);
    expect(effectsOf(step.effects, "reply")).toEqual([]);
    expect(step.session.inbox[0]?.text.text).toContain(long.trim());
    expect(step.session.inbox[0]?.text.text).toContain("Why?");
    const next = play(step.session, [SLOT, STARTED, ready("loaded")]);
    expect(effectsOf(next.effects, "send-prompt")).toMatchObject([{ turn: 2 }]);
    expect(effectsOf(next.effects, "end-child")).toMatchObject([{ runId: "iflow:<flow>:t1.2", outcome: "cancelled" }]);
  });

  it("leaves a grant for the identical request, a rejection none", () => {
    expect(play(orphaned(), [answered("q3", { option: ALLOW.id })]).session.grants).toMatchObject([{ span: "once" }]);
    expect(play(orphaned(), [answered("q3", { option: REJECT.id })]).session.grants).toEqual([]);
  });

  it("waits for the other open questions", () => {
    const both = play(asking(), [
      permission({ requestId: 1 }),
      { type: "recovered", promptLeft: "yes", outputEnd: 0 },
    ]).session;
    const [first = "", second = ""] = questionIds(both);
    const one = play(both, [answered(first, { option: ALLOW.id })]);
    expect(one.reply).toEqual({ ok: true, value: "queued" });
    expect(one.session.phase.kind).toBe("asking");
    const two = play(one.session, [answered(second, { option: REJECT.id })]);
    expect(two.session.phase.kind).toBe("queued");
    expect(two.session.inbox).toHaveLength(2);
  });

  it("carries out a plan in its approved mode", () => {
    const { session } = play(orphaned(plan(1, "1. Write"), { settings: { permissionMode: "plan" } }), [
      answered("q3", { option: "approve" }),
    ]);
    expect(session.settings.permissionMode).toBe("manual");
    expect(session).not.toHaveProperty("approvedPlan");
  });
});

describe("who answered (decision 24)", () => {
  it("counts people and agents apart", () => {
    expect(play(asking(), [answered("q3", { option: ALLOW.id })]).session.counters).toMatchObject({
      answeredByPerson: 1,
      answeredByAgent: 0,
    });
    expect(play(asking(), [answered("q3", { option: ALLOW.id }, AGENT)]).session.counters).toMatchObject({
      answeredByPerson: 0,
      answeredByAgent: 1,
      autoResponds: 1,
    });
  });

  it("refuses an agent past the limit, and the question stays open", () => {
    const session = asking();
    const spent = { ...session, counters: { ...session.counters, autoResponds: RULES.maxAutoResponds } };
    expect(play(spent, [answered("q3", { option: ALLOW.id }, AGENT)])).toMatchObject({
      session: spent,
      effects: [],
      reply: { ok: false, refusal: { code: "limit_reached" } },
    });
    expect(play(spent, [answered("q3", { option: ALLOW.id })]).session.counters.autoResponds).toBe(0);
  });
});

describe("a question past its deadline (decision 15)", () => {
  const late = T0 + DAY_MS + HOUR_MS;

  it("permission: cancelled, told, and the turn goes on", () => {
    const { session, effects } = play(asking(), [{ ...CLOCK, at: late }]);
    expect(effectsOf(effects, "reply")).toEqual([{ do: "reply", requestId: 0, reply: { kind: "cancelled" } }]);
    expect(session.phase.kind).toBe("working");
    expect(lastNotice(session)).toMatchObject({
      kind: "denied",
      data: { code: "deadline_passed", questionIds: ["q3"] },
    });
    expect(session.counters.denied).toBe(1);
  });

  it("plan: not approved, with the reason", () => {
    const { effects } = play(asking(plan(1, "1.")), [{ ...CLOCK, at: late }]);
    expect(effectsOf(effects, "reply")[0]?.reply).toMatchObject({
      kind: "plan",
      approved: false,
      reason: expect.stringContaining("no answer") as string,
    });
  });

  it("questions: the given parts as given, the open ones as not answered", () => {
    const { effects } = play(asking(TWO_PARTS), [answered("q3.1", { option: "SQLite" }), { ...CLOCK, at: late }]);
    const reply = effectsOf(effects, "reply")[0]?.reply;
    expect(reply).toMatchObject({
      kind: "answers",
      answers: [{ optionIds: ["SQLite"] }, { text: expect.stringContaining("(no answer: ") as string }],
    });
  });

  it("denies only those whose time has come", () => {
    const later = { ...permission({ requestId: 1 }), at: T0 + 2 * HOUR_MS };
    const both = play(asking(), [later]).session;
    const { session, effects } = play(both, [{ ...CLOCK, at: T0 + DAY_MS + MINUTE_MS }]);
    expect(effectsOf(effects, "reply")).toMatchObject([{ requestId: 0 }]);
    expect(phaseOf(session, "asking").asks).toHaveLength(1);
  });

  it("without a process: interrupted, its stand-in ended", () => {
    const { session, effects } = play(orphaned(), [{ ...CLOCK, at: late }]);
    expect(session.phase).toMatchObject({ kind: "interrupted", cause: { code: "abandoned" } });
    expect(effectsOf(effects, "end-child")).toMatchObject([{ outcome: "cancelled" }]);
    expect(effectsOf(effects, "reply")).toEqual([]);
    expect(notices(session, "denied")).toHaveLength(1);
    expect(lastNotice(session)).toMatchObject({ kind: "interrupted", data: { code: "abandoned" } });
  });

  it("without a process: parts that were answered go along when somebody continues", () => {
    const half = play(orphaned(TWO_PARTS), [answered("q3.1", { option: "SQLite" }), { ...CLOCK, at: late }]).session;
    expect(half.phase.kind).toBe("interrupted");
    const again = play(half, [messaged("go on"), SLOT, STARTED, ready("loaded")]).session;
    expect(again.unconfirmed).toMatchObject([{ questions: [{ answer: { optionIds: ["SQLite"] } }, { id: "q3.2" }] }]);
  });

  it("without a process, but another question was answered: goes on with that answer", () => {
    const both = play(asking(), [
      { ...permission({ requestId: 1 }), at: T0 + HOUR_MS },
      { type: "recovered", promptLeft: "yes", outputEnd: 0 },
    ]).session;
    const [first = ""] = questionIds(both);
    const { session } = play(both, [answered(first, { option: ALLOW.id }), { ...CLOCK, at: T0 + 2 * DAY_MS }]);
    expect(session.phase.kind).toBe("queued");
    expect(session.inbox).toHaveLength(1);
  });

  it("how to go on without the history: ends, told once", () => {
    const asked = play(orphaned(), [answered("q3", { option: ALLOW.id }), SLOT, STARTED, ready("lost")]).session;
    expect(phaseOf(asked, "asking").asks[0]?.kind).toBe("fresh-start");
    const { session } = play(asked, [{ ...CLOCK, at: T0 + 3 * DAY_MS }]);
    expect(session.phase).toMatchObject({ kind: "ended", outcome: "completed", cause: { code: "abandoned" } });
    expect(notices(session, "denied")).toHaveLength(1);
    expect(notices(session, "completed")).toEqual([]);
  });
});

describe("[H13] a permission that is rejected with a reason", () => {
  const NO = { id: "q3", answer: { optionIds: [REJECT.id], text: "use the existing helper" } };

  it("is cancelled at once, and the reason is the next message of whoever said so", () => {
    const rejected = play(asking(), [answered(NO.id, { option: REJECT.id, text: NO.answer.text })]);
    expect(effectsOf(rejected.effects, "reply")[0]?.reply).toEqual({ kind: "cancelled" });
    expect(effectsOf(rejected.effects, "record-answer")).toMatchObject([{ text: "Reject: use the existing helper" }]);
    expect(rejected.session.inbox).toMatchObject([
      { by: { kind: "person" }, text: { text: expect.stringMatching(/^I rejected ".+": use the existing helper$/) } },
    ]);
    expect(rejected.session.grants).toEqual([]);
  });

  it("goes with the late answer where iFlow does not wait any more, and is no second message", () => {
    const late = play(orphaned(), [answered(NO.id, { option: REJECT.id, text: NO.answer.text })]);
    expect(late.session.inbox).toMatchObject([{ text: { text: expect.stringContaining("Answer: Reject: use the") } }]);
    expect(late.session.inbox).toHaveLength(1);
  });
});
