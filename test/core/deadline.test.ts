import { describe, expect, it } from "vitest";
import { nextDeadline } from "../../src/core/deadline.ts";
import type { Session } from "../../src/core/session.ts";
import {
  CLOCK,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  RULES,
  T0,
  answered,
  asking,
  effectsOf,
  ended,
  exited,
  idle,
  interrupted,
  lastNotice,
  launched,
  messaged,
  notices,
  parked,
  permission,
  phaseOf,
  play,
  starting,
  text,
  tool,
  turnEnded,
  working,
} from "./build.ts";

const due = (session: Session): number => nextDeadline(session, RULES) ?? Number.NaN;
const atDue = (session: Session) => play(session, [{ ...CLOCK, at: due(session) }]);

describe("nextDeadline", () => {
  it("is nothing where nothing can become due", () => {
    for (const session of [launched(), starting(), ended()]) expect(nextDeadline(session, RULES)).toBeUndefined();
  });

  it("working: the model's silence", () => {
    expect(due(working())).toBe(phaseOf(working(), "working").lastSignAt + 5 * MINUTE_MS);
  });

  it("working with a running tool: first quiet, then the tool's time (decision 1)", () => {
    const session = play(working(), [tool("c1", "in_progress")]).session;
    const { lastSignAt } = phaseOf(session, "working");
    expect(due(session)).toBe(lastSignAt + RULES.quietAfterMs);
    const quiet = atDue(session).session;
    expect(due(quiet)).toBe(lastSignAt + RULES.toolTimeoutMs);
  });

  it("a call that never got past pending does not hold the model's time", () => {
    const session = play(working(), [tool("c1", "pending", { title: "Ask Question" })]).session;
    expect(due(session)).toBe(phaseOf(session, "working").lastSignAt + 5 * MINUTE_MS);
  });

  it("the time of a person does not end a tool beside the question, nor the model", () => {
    const session = play(working(), [
      tool("c1", "in_progress"),
      permission({ toolCallId: "c2" }),
      { ...answered("q3", { option: "proceed_once" }), at: T0 + 20 * HOUR_MS },
    ]).session;
    expect(due(session)).toBeGreaterThan(T0 + 20 * HOUR_MS);
    const done = play(session, [tool("c1", "completed")]).session;
    expect(due(done)).toBe(phaseOf(done, "working").lastSignAt + 5 * MINUTE_MS);
  });

  it("asking: the earliest question", () => {
    const session = play(asking(), [{ ...permission({ requestId: 1 }), at: T0 + HOUR_MS }]).session;
    expect(due(session)).toBe(Math.min(...phaseOf(session, "asking").asks.map((ask) => ask.deadlineAt)));
  });

  it("idle: the process first, then the session", () => {
    const { sinceAt } = phaseOf(idle(), "idle");
    expect(due(idle())).toBe(sinceAt + RULES.keepAliveMs);
    expect(due(parked())).toBe(sinceAt + RULES.idleTimeoutMs);
    expect(due(parked("Which?"))).toBe(sinceAt + RULES.questionTimeoutMs);
  });

  it("interrupted: 7 days", () => {
    expect(due(interrupted())).toBe(phaseOf(interrupted(), "interrupted").sinceAt + 7 * DAY_MS);
  });
});

describe("when the time has come", () => {
  it("nothing happens before", () => {
    for (const session of [working(), asking(), idle(), parked(), interrupted()]) {
      expect(play(session, [{ ...CLOCK, at: due(session) - 1 }])).toMatchObject({ session, effects: [] });
    }
  });

  it("a silent model: the turn is stopped, then the session has timed out", () => {
    const stopped = atDue(working());
    expect(stopped.effects).toEqual([{ do: "cancel-turn" }]);
    const { session } = play(stopped.session, [turnEnded(1, "cancelled")]);
    expect(session.phase).toMatchObject({ kind: "ended", outcome: "timed_out", cause: { code: "model_silent" } });
    expect(lastNotice(session)).toMatchObject({ kind: "failed", data: { code: "model_silent" } });
  });

  it("a turn that does not stop: its process is ended after 10 s, and asked again should it not go", () => {
    const stopping = atDue(working()).session;
    expect(due(stopping)).toBe(due(working()) + 10_000);
    const forced = atDue(stopping);
    expect(effectsOf(forced.effects, "stop-agent")).toHaveLength(1);
    expect(due(forced.session)).toBe(due(stopping) + 10_000);
    expect(atDue(forced.session).effects).toEqual([]);
    expect(play(forced.session, [exited(143)]).session.phase).toMatchObject({ kind: "ended", outcome: "timed_out" });
  });

  it("a turn that was interrupted and does not stop: goes on with the message", () => {
    const stopping = play(working(), [messaged("now!", { interrupt: true })]).session;
    const forced = atDue(stopping).session;
    expect(play(forced, [exited(143)]).session).toMatchObject({
      phase: { kind: "queued" },
      inbox: [{ text: { text: "now!" } }],
    });
  });

  it("a tool that runs for too long", () => {
    const session = atDue(play(working(), [tool("c1", "in_progress", { title: "sleep" })]).session).session;
    const stopped = atDue(session);
    expect(stopped.effects).toEqual([{ do: "cancel-turn" }]);
    // Its last frame comes before the turn's end; what was waited for stays known.
    const over = play(stopped.session, [tool("c1", "failed"), turnEnded(1, "cancelled")]).session;
    expect(over.phase).toMatchObject({
      cause: {
        code: "tool_timeout",
        message: "sleep ran longer than toolTimeoutMinutes, and the turn was stopped",
      },
    });
  });

  it("quiet for long: told once a silence, with what it is doing", () => {
    const busy = play(working(), [tool("c1", "in_progress", { title: "npm test" })]).session;
    const quiet = atDue(busy).session;
    expect(notices(quiet, "quiet")).toMatchObject([
      { data: { code: "running_tool", text: "npm test", durationMs: RULES.quietAfterMs } },
    ]);
    const again = play(quiet, [{ ...text("…"), at: T0 + HOUR_MS }]).session;
    expect(notices(atDue(again).session, "quiet")).toHaveLength(2);
    const patient = { ...RULES, quietAfterMs: MINUTE_MS };
    const model = play(working(), [{ ...CLOCK, at: T0 + 2 * MINUTE_MS }], patient).session;
    expect(lastNotice(model)).toMatchObject({ kind: "quiet", data: { code: "waiting_for_model" } });
  });

  it("an idle process is parked, an idle session completes without a word", () => {
    const parking = atDue(idle());
    // First it is looked whether something still runs beside it.
    expect(parking.effects).toEqual([{ do: "look-behind" }]);
    const looked = play(parking.session, [{ type: "looked-behind", commands: [] }]);
    expect(looked.effects).toEqual([{ do: "stop-agent" }]);
    const { session } = atDue(parked());
    expect(session.phase).toMatchObject({ kind: "ended", outcome: "completed" });
    expect(session.owed).toEqual(parked().owed);
  });

  it("a question at the end of a turn that nobody answers completes the session, and says so", () => {
    const { session } = atDue(parked("Which?"));
    expect(session.phase).toMatchObject({ kind: "ended", outcome: "completed", cause: { code: "abandoned" } });
    expect(lastNotice(session)).toMatchObject({ kind: "completed", data: { code: "abandoned" } });
  });

  it("an interrupted session that nobody continues fails", () => {
    expect(atDue(interrupted()).session.phase).toMatchObject({
      kind: "ended",
      outcome: "failed",
      cause: { code: "abandoned" },
    });
  });
});
