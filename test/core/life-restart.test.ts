import { describe, expect, it } from "vitest";
import { nextDeadline } from "../../src/core/deadline.ts";
import {
  DAY_MS,
  HOUR_MS,
  RULES,
  SLOT,
  STARTED,
  STOPPING,
  T0,
  asking,
  effectsOf,
  ended,
  exited,
  idle,
  interrupted,
  lastNotice,
  launched,
  notices,
  parked,
  phaseOf,
  play,
  questionIds,
  ready,
  recovered,
  starting,
  text,
  tool,
  turnEnded,
  working,
} from "./build.ts";

describe("the service stops (decision 15)", () => {
  it("puts a start back in line", () => {
    const { session, effects } = play(starting(), [STOPPING]);
    expect(session.phase).toMatchObject({ kind: "queued", reason: "launch" });
    expect(effectsOf(effects, "stop-agent")).toHaveLength(1);
  });

  it("interrupts a running turn", () => {
    const { session } = play(working(), [STOPPING, exited(143)]);
    expect(session.phase).toMatchObject({ kind: "interrupted", cause: { code: "gateway_stopped" } });
    expect(session).not.toHaveProperty("agent");
  });

  it("puts a turn whose prompt has not left back in line, and lets it leave no more", () => {
    const pending = play(starting(), [ready()]).session;
    const { session, effects } = play(pending, [STOPPING]);
    expect(session.phase).toMatchObject({ kind: "queued", reason: "launch" });
    expect(session.inbox).toEqual(launched().inbox);
    expect(effects.map((effect) => effect.do)).toEqual(["end-child", "stop-agent"]);
    expect(play(session, [{ type: "prompt-left", turn: 1 }])).toMatchObject({
      session: { phase: { kind: "queued" } },
      reply: { ok: false },
    });
  });

  it("keeps a question open and unanswered, also when its process is gone", () => {
    const { session, all } = play(asking(), [STOPPING, turnEnded(9, "cancelled"), exited(143)]);
    expect(questionIds(session)).toEqual(questionIds(asking()));
    expect(effectsOf(all, "reply")).toEqual([]);
    expect(notices(session, "interrupted")).toEqual([]);
  });

  it("ends every child", () => {
    for (const session of [working(), asking(), idle("Which?")]) {
      expect(effectsOf(play(session, [STOPPING]).effects, "end-child")).toHaveLength(1);
    }
  });

  it("leaves waiting sessions as they are", () => {
    for (const session of [launched(), parked(), interrupted(), ended()])
      expect(play(session, [STOPPING]).session.phase).toEqual(session.phase);
  });
});

describe("recovery (decisions 2, 12)", () => {
  it("puts queued and starting back in line, in their order", () => {
    expect(play(launched(), [recovered("no")]).effects).toEqual([{ do: "request-slot", ahead: false }]);
    const { session, effects } = play(starting(), [recovered("no")]);
    expect(session.phase).toMatchObject({ kind: "queued", reason: "launch" });
    expect(session).not.toHaveProperty("agent");
    expect(effects).toEqual([{ do: "request-slot", ahead: false }]);
  });

  it("interrupts a start whose prompt had left after all", () => {
    const { session, effects } = play(starting(), [recovered("yes")]);
    expect(session).toMatchObject({
      phase: { kind: "interrupted", cause: { code: "gateway_restarted" } },
      turn: 1,
      inbox: [],
    });
    expect(effectsOf(effects, "request-slot")).toEqual([]);
  });

  it("interrupts a running turn and says what is known of it", () => {
    const busy = play(working(), [
      tool("c1", "in_progress", { title: "Edit" }),
      tool("c1", "completed", { files: ["/work/app/a.ts"] }),
      text("Now b.ts"),
    ]).session;
    const { session, effects } = play(busy, [recovered("yes", 500)]);
    const { cause } = phaseOf(session, "interrupted");
    expect(cause.message).toContain("turn 1, after 1 tool call.");
    expect(cause.message).toContain("/work/app/a.ts");
    expect(cause.message).toContain("Now b.ts");
    expect(effects).toEqual([
      { do: "end-child", runId: "iflow:<flow>:t1", outcome: "failed", error: "The gateway was restarted" },
    ]);
    expect(session.output).toEqual({ text: "", start: 500, end: 500 });
  });

  it("begins a turn again whose prompt never left, in a turn of its own number", () => {
    const { session, effects } = play(play(starting(), [ready()]).session, [recovered("no"), SLOT, STARTED, ready()]);
    expect(effectsOf(effects, "send-prompt")).toMatchObject([
      { turn: 2, message: { text: { text: "Fix the login tests" } } },
    ]);
    expect(session.child?.runId).toBe("iflow:<flow>:t2");
    expect(session.counters.turns).toBe(1);
  });

  it("goes on by itself after a gateway restart where the rules say so", () => {
    const { session, effects } = play(working(), [recovered("yes")], { ...RULES, afterRestart: "continue" });
    expect(session.phase).toMatchObject({ kind: "queued", reason: "continue" });
    expect(session.inbox).toHaveLength(1);
    expect(effectsOf(effects, "request-slot")).toEqual([{ do: "request-slot", ahead: true }]);
    expect(notices(session, "interrupted")).toHaveLength(1);
  });

  it("keeps a question open with a stand-in of a new run id, and no slot", () => {
    const { session, effects } = play(asking(), [recovered()]);
    expect(questionIds(session)).toEqual(questionIds(asking()));
    expect(session).not.toHaveProperty("agent");
    expect(effects.map((e) => e.do)).toEqual(["end-child", "start-child"]);
    expect(session.child).toMatchObject({ runId: "iflow:<flow>:t1.2", as: "queued" });
  });

  it("holds a deadline that passed for one hour more, and says so once", () => {
    const late = T0 + 3 * DAY_MS;
    for (const session of [asking(), play(idle("Which?"), [STOPPING]).session]) {
      const first = play(session, [{ ...recovered(), at: late }]).session;
      expect(nextDeadline(first, RULES)).toBe(late + HOUR_MS);
      expect(lastNotice(first)).toMatchObject({ kind: "warning", data: { code: "deadline_held" } });
      const again = play(first, [{ ...recovered(), at: late + 10 * 60_000 }]).session;
      expect(nextDeadline(again, RULES)).toBe(late + HOUR_MS);
      expect(again.owed).toEqual(first.owed);
      expect(play(again, [{ type: "clock", at: late + HOUR_MS }]).session.phase.kind).not.toBe(session.phase.kind);
    }
  });

  it("leaves a deadline alone that has not passed", () => {
    const session = play(asking(), [{ ...recovered(), at: T0 + HOUR_MS }]).session;
    expect(nextDeadline(session, RULES)).toBe(nextDeadline(asking(), RULES));
    expect(notices(session, "warning")).toEqual([]);
  });

  it("gives an idle session its hour without a word", () => {
    const session = play(parked(), [{ ...recovered(), at: T0 + DAY_MS }]).session;
    expect(notices(session, "warning")).toEqual([]);
    expect(nextDeadline(session, RULES)).toBe(T0 + DAY_MS + HOUR_MS);
  });

  it("changes nothing of an ended session, but ends its flow again where that may be missing", () => {
    const session = ended();
    const step = play(session, [recovered()]);
    expect(step.session).toEqual(session);
    expect(step.effects).toEqual([{ do: "end-flow-cancelled" }]);
    expect(step.session).not.toBe(session);
  });
});
