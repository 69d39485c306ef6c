import { describe, expect, it } from "vitest";
import { currentStep, flowGoal, flowVerb, waitJson } from "../../src/core/flow-command.ts";
import { jsonBytes } from "../../src/core/state-json.ts";
import {
  CLOCK,
  DAY_MS,
  T0,
  asking,
  ended,
  idle,
  interrupted,
  kill,
  launched,
  parked,
  permission,
  phaseOf,
  play,
  questions,
  starting,
  text,
  tool,
  turnEnded,
  turnFailed,
  working,
} from "./build.ts";

const single = working({ settings: { singleTurn: true } });
const timedOut = play(working(), [{ ...CLOCK, at: T0 + DAY_MS }, turnEnded(1, "cancelled")]).session;

it.each([
  ["queued", launched(), "queue"],
  ["starting", starting(), "run"],
  ["working", working(), "run"],
  ["asking", asking(), "wait"],
  ["idle", idle(), "wait"],
  ["interrupted", interrupted(), "wait"],
  ["completed", play(single, [turnEnded(1)]).session, "finish"],
  ["failed", play(working(), [turnFailed(1)]).session, "fail"],
  ["timed out", timedOut, "fail"],
  ["killed", ended(), "cancel"],
] as const)("%s is stored by the verb of its phase", (_name, session, verb) => {
  expect(flowVerb(session)).toBe(verb);
});

describe("currentStep", () => {
  const busy = play(working(), [
    tool("c0", "completed"),
    tool("c1", "in_progress", { title: "npm  test" }),
    tool("c2", "pending", { title: "Shell" }),
  ]).session;

  it.each([
    [launched(), "Queued: waits for a free slot"],
    [
      play(parked(), [{ type: "message", message: phaseOf(working(), "working").message, interrupt: false }]).session,
      "Queued: goes on when a slot is free",
    ],
    [starting(), "Starting iFlow"],
    [working(), "Turn 1 · waiting for the model"],
    [busy, "Turn 1 · 3 tool calls · running npm test"],
    [asking(questions(1, { text: "Which DB?" })), "Waiting for you: Which DB?"],
    [idle("Done."), "Turn 1 finished: Done."],
    [idle("Which?"), "Waiting for you: Which?"],
    [interrupted(), "Interrupted: iFlow ended with code 137. Say continue to go on."],
    [play(single, [turnEnded(1)]).session, "Ended: completed"],
    [play(working(), [kill()]).session, "Stopped by a person (command)"],
  ])("%#", (session, step) => {
    expect(currentStep(session)).toBe(step);
  });

  it("is one line of at most 200 characters", () => {
    const step = currentStep(asking(questions(1, { text: `a\n\n${"b ".repeat(500)}` })));
    expect(step).not.toContain("\n");
    expect(step.length).toBeLessThanOrEqual(200);
  });
});

describe("waitJson", () => {
  it("is there in every waiting phase, and only there (decision 5)", () => {
    for (const session of [asking(), idle(), idle("Which?"), interrupted()]) expect(waitJson(session)).not.toBeNull();
    for (const session of [launched(), starting(), working(), ended()]) expect(waitJson(session)).toBeNull();
  });

  it("holds the question, its choices and the deadline", () => {
    const session = play(asking(), [permission({ requestId: 1 })]).session;
    expect(waitJson(session)).toMatchObject({
      for: "answer",
      id: "q3",
      kind: "permission",
      options: ["Allow", "Reject", "Always Allow"],
      more: ["q5"],
    });
  });

  it("stays small for any question", () => {
    const giant = asking(
      questions(1, {
        text: "?".repeat(100_000),
        options: Array.from({ length: 5_000 }, (_, i) => `${i} ${"x".repeat(500)}`),
      }),
    );
    expect(jsonBytes(waitJson(giant))).toBeLessThan(8_000);
    const parts = asking(questions(1, ...Array.from({ length: 2_000 }, (_, i) => ({ text: `${i}?` }))));
    expect(jsonBytes(waitJson(parts))).toBeLessThan(8_000);
  });
});

it("the goal is one line with name and prompt", () => {
  expect(flowGoal(launched({ prompt: "Fix\n the tests" }))).toBe("iFlow fix-login: Fix the tests");
  expect(flowGoal(launched({ prompt: "x".repeat(500) })).length).toBeLessThanOrEqual(120);
  expect(flowGoal(play(working(), [text("x")]).session)).toContain("fix-login");
});
