import { describe, expect, it } from "vitest";
import {
  AGENT,
  ALLOW,
  CLOCK,
  HOUR_MS,
  MINUTE_MS,
  PARK,
  RULES,
  SLOT,
  STARTED,
  STOPPING,
  T0,
  answered,
  asking,
  effectsOf,
  exited,
  idle,
  interrupted,
  lastNotice,
  launched,
  messaged,
  notices,
  permission,
  phaseOf,
  plan,
  play,
  questionIds,
  ready,
  starting,
  text,
  tool,
  turnEnded,
  turnFailed,
  working,
} from "./build.ts";

describe("the end of a turn", () => {
  it("becomes idle with its result, and the session goes on waiting (decision 10)", () => {
    const { session, effects } = play(working(), [text("All 14 tests pass."), turnEnded(1)]);
    expect(session.phase).toMatchObject({ kind: "idle", expects: "nothing", preview: "All 14 tests pass." });
    expect(lastNotice(session)).toMatchObject({
      kind: "turn-finished",
      data: { text: "All 14 tests pass.", turn: 1, durationMs: 2_000 },
    });
    expect(effects).toEqual([{ do: "end-child", runId: "iflow:<flow>:t1", outcome: "succeeded" }]);
  });

  it("asks when its last words are a question, with a queued child in its place (decision 4)", () => {
    const { session, effects } = play(working(), [text("Which database do you want?"), turnEnded(1)]);
    expect(session.phase).toMatchObject({ kind: "idle", expects: "answer" });
    expect(lastNotice(session)).toMatchObject({ kind: "asks", data: { text: "Which database do you want?" } });
    expect(effects).toMatchObject([
      { do: "end-child", runId: "iflow:<flow>:t1" },
      {
        do: "start-child",
        child: { runId: "iflow:<flow>:t1.1", as: "queued", label: expect.stringContaining("Which database") as string },
      },
    ]);
  });

  it("keeps the last words when a tool call ends the turn", () => {
    const { session } = play(working(), [
      text("Done. I update the list."),
      tool("c1", "in_progress", { title: "Plan" }),
      tool("c1", "completed"),
      turnEnded(1),
    ]);
    expect(lastNotice(session).data.text).toBe("Done. I update the list.");
  });

  it.each(["max_tokens", "refusal", "max_turn_requests", "unknown"] as const)("says why it stopped: %s", (reason) => {
    expect(lastNotice(play(working(), [text("Half"), turnEnded(1, reason)]).session).data).toMatchObject({
      text: "Half",
      code: reason,
    });
    const once = play(working({ settings: { singleTurn: true } }), [text("Half"), turnEnded(1, reason)]).session;
    expect(lastNotice(once)).toMatchObject({ kind: "completed", data: { text: "Half", code: reason } });
  });

  it("ends a single-turn session, unless messages wait", () => {
    const once = working({ settings: { singleTurn: true } });
    expect(play(once, [text("Done?"), turnEnded(1)]).session.phase).toMatchObject({
      kind: "ended",
      outcome: "completed",
    });
    const more = play(once, [messaged("and the docs"), turnEnded(1)]).session;
    expect(more).toMatchObject({ turn: 2, phase: { kind: "working" } });
    expect(play(more, [turnEnded(2)]).session.phase.kind).toBe("ended");
  });

  it("begins the next turn with the message that waits, and tells the result on the way", () => {
    const { session, effects } = play(working({ by: AGENT }), [messaged("and the docs"), text("Done."), turnEnded(1)]);
    expect(session).toMatchObject({
      turn: 2,
      inbox: [],
      phase: { kind: "working", message: { text: { text: "and the docs" } } },
    });
    expect(effects.map((e) => e.do)).toEqual(["end-child", "start-child", "send-prompt"]);
    expect(lastNotice(session)).toMatchObject({ kind: "turn-finished", parts: ["chat"] });
    expect(session.lastWords).toBe("");
  });

  it("ignores the end of another turn", () => {
    const session = play(idle(), [messaged("more")]).session;
    expect(play(session, [turnEnded(1)]).session.phase.kind).toBe("working");
    expect(play(session, [turnFailed(1)]).session.phase.kind).toBe("working");
  });

  it("answers a request that is still open when its turn ends (I4)", () => {
    const { session, effects } = play(asking(), [turnEnded(1)]);
    expect(session.phase.kind).toBe("idle");
    expect(effectsOf(effects, "reply")).toEqual([{ do: "reply", requestId: 0, reply: { kind: "cancelled" } }]);
  });

  it("fails with what iFlow answered", () => {
    const { session } = play(working(), [turnFailed(1, "Internal Error: HTTP 500")]);
    expect(session.phase).toMatchObject({
      kind: "ended",
      outcome: "failed",
      cause: { code: "agent_error", message: "Internal Error: HTTP 500" },
    });
    expect(lastNotice(session)).toMatchObject({ kind: "failed", data: { code: "agent_error" } });
  });

  it("counts the time while iFlow works, not the time of a person (decision 1)", () => {
    const asked = play(working(), [{ ...permission(), at: T0 + MINUTE_MS }]).session;
    const answeredLate = play(asked, [{ ...answered("q3", { option: "proceed_once" }), at: T0 + 5 * HOUR_MS }]).session;
    const done = play(answeredLate, [{ ...turnEnded(1), at: T0 + 5 * HOUR_MS + MINUTE_MS }]).session;
    const startedAt = phaseOf(working(), "working").sinceAt;
    expect(done.counters.workingMs).toBe(T0 + MINUTE_MS - startedAt + MINUTE_MS);
  });
});

describe("an approved plan (decision 16)", () => {
  const approved = play(asking(plan(4, "1. Write it"), { settings: { permissionMode: "plan" } }), [
    answered("q3", { option: "approve" }),
  ]).session;

  it("is carried out after a load in the approved mode", () => {
    expect(approved.settings.permissionMode).toBe("manual");
    const { session, effects } = play(approved, [turnEnded(1)]);
    expect(session.phase).toMatchObject({ kind: "queued", reason: "continue" });
    expect(session.inbox[0]?.text.text).toContain("plan is approved");
    expect(effectsOf(effects, "stop-agent")).toHaveLength(1);
    expect(effectsOf(effects, "request-slot")).toEqual([]);
    const next = play(session, [exited(143), SLOT, STARTED, ready("loaded")]);
    expect(effectsOf(next.all, "request-slot")).toEqual([{ do: "request-slot", ahead: true }]);
    expect(effectsOf(next.effects, "send-prompt")).toMatchObject([{ turn: 2 }]);
    expect(next.session).not.toHaveProperty("approvedPlan");
  });

  it("is approved for work without questions by the second option", () => {
    const auto = play(asking(plan(4, "1."), { settings: { permissionMode: "plan" } }), [
      answered("q3", { option: "approve-auto" }),
    ]).session;
    expect(auto.settings.permissionMode).toBe("auto");
  });

  it("does not push ahead of a message that cut the turn off", () => {
    const { session } = play(approved, [messaged("no, stop", { interrupt: true }), turnEnded(1, "cancelled")]);
    expect(session.inbox.map((m) => m.text.text)).toEqual(["no, stop"]);
    expect(session.phase.kind).toBe("queued");
  });

  it("is not carried out when it was rejected", () => {
    const { session } = play(asking(plan(4, "1."), { settings: { permissionMode: "plan" } }), [
      answered("q3", { text: "too risky" }),
      turnEnded(1),
    ]);
    expect(session.phase.kind).toBe("idle");
    expect(session.settings.permissionMode).toBe("plan");
  });
});

describe("interrupting with a message", () => {
  it("stops the turn, then carries out the message first", () => {
    const stopped = play(working(), [messaged("later"), messaged("now!", { interrupt: true })]);
    expect(stopped.effects).toEqual([{ do: "cancel-turn" }]);
    expect(stopped.session.phase).toMatchObject({ kind: "working", stopping: { why: "interrupt" } });
    const next = play(stopped.session, [turnEnded(1, "cancelled")]).session;
    expect(next).toMatchObject({ turn: 2, phase: { kind: "working", message: { text: { text: "now!" } } } });
    expect(next.inbox.map((m) => m.text.text)).toEqual(["later"]);
    expect(notices(next, "turn-finished")).toEqual([]);
  });

  it("goes through the queue when the process has to be stopped, so that no prompt meets a dying agent", () => {
    const patience = play(working(), [messaged("now!", { interrupt: true }), { ...CLOCK, at: T0 + MINUTE_MS }]);
    expect(effectsOf(patience.effects, "stop-agent")).toHaveLength(1);
    const ended = play(patience.session, [turnEnded(1, "cancelled")]);
    expect(ended.session).toMatchObject({ phase: { kind: "queued" }, inbox: [{ text: { text: "now!" } }] });
    expect(effectsOf(ended.effects, "send-prompt")).toEqual([]);
    expect(play(ended.session, [exited(143)]).effects).toEqual([
      { do: "release-slot" },
      { do: "request-slot", ahead: true },
    ]);
  });

  it("withdraws open questions with the turn", () => {
    const { session, effects } = play(asking(), [messaged("stop that", { interrupt: true })]);
    expect(session.phase).toMatchObject({ kind: "working", stopping: { why: "interrupt" } });
    expect(effects.map((e) => e.do)).toContain("cancel-turn");
    expect(play(session, [answered("q3", { option: "proceed_once" })]).reply).toMatchObject({
      ok: false,
      refusal: { code: "question_closed" },
    });
  });

  it("rescues a turn that was being stopped for its silence", () => {
    const silent = play(working(), [{ ...CLOCK, at: T0 + HOUR_MS }]).session;
    expect(silent.phase).toMatchObject({ stopping: { why: "model_silent" } });
    const rescued = play(silent, [messaged("are you there?", { interrupt: true }), turnEnded(1, "cancelled")]).session;
    expect(rescued.phase).toMatchObject({ kind: "working", message: { text: { text: "are you there?" } } });
  });

  it("replaces a question that waits without a process", () => {
    const orphan = play(asking(), [STOPPING, exited(143)]).session;
    const step = play(orphan, [messaged("do something else", { interrupt: true })]);
    expect(step.reply).toEqual({ ok: true, value: "resumed" });
    expect(step.session.phase.kind).toBe("queued");
    expect(step.effects).toContainEqual({ do: "request-slot", ahead: true });
  });
});

describe("the agent's death (decision 11)", () => {
  it("mid-turn: interrupted, with the exit code and the tail of stderr", () => {
    const { session } = play(working(), [exited(137, "heap out of memory")]);
    expect(phaseOf(session, "interrupted").cause).toEqual({
      code: "agent_exited",
      message: "iFlow ended with code 137.\nIts last lines:\nheap out of memory",
    });
    expect(lastNotice(session)).toMatchObject({ kind: "interrupted", data: { code: "agent_exited" } });
  });

  it("while a person is asked: interrupted", () => {
    expect(play(asking(), [exited(1)]).session.phase.kind).toBe("interrupted");
  });

  it("before its prompt left: the message waits again", () => {
    const { session } = play(starting(), [ready(), exited(1)]);
    expect(session).toMatchObject({
      phase: { kind: "interrupted" },
      inbox: [{ text: { text: "Fix the login tests" } }],
      counters: { turns: 0 },
    });
    const next = play(session, [messaged("continue"), SLOT, STARTED, ready()]);
    expect(effectsOf(next.effects, "send-prompt")).toMatchObject([
      { message: { text: { text: "Fix the login tests" } } },
    ]);
  });

  it("before it was ready: failed", () => {
    expect(play(starting(), [exited(127)]).session.phase).toMatchObject({ kind: "ended", outcome: "failed" });
  });

  it("idle: nothing, the session is parked", () => {
    const { session, effects } = play(idle(), [PARK, exited(143)]);
    expect(session.phase).toEqual(idle().phase);
    expect(effects).toEqual([{ do: "release-slot" }]);
  });

  it("goes on when somebody says so", () => {
    const step = play(interrupted(), [messaged("continue")]);
    expect(step.reply).toEqual({ ok: true, value: "resumed" });
    expect(step.session.phase).toMatchObject({ kind: "queued", reason: "continue" });
  });
});

describe("prompts leave at most once (I8)", () => {
  it("a prompt that could not be journalled waits for somebody to say continue", () => {
    const cause = { code: "storage" as const, message: "disk full" };
    const { session } = play(starting(), [ready(), { type: "prompt-failed", turn: 1, cause }]);
    expect(session).toMatchObject({
      phase: { kind: "interrupted", cause },
      inbox: [{ text: { text: "Fix the login tests" } }],
    });
    expect(play(session, [{ type: "prompt-failed", turn: 1, cause }]).session).toBe(session);
  });

  it("the list of commands does not prove that the prompt left, words do", () => {
    const fresh = play(starting(), [ready()]).session;
    const commands = play(fresh, [{ type: "said", event: { kind: "commands", names: ["init"] }, chunks: 1 }]).session;
    expect(phaseOf(commands, "working").prompt).toBe("pending");
    expect(phaseOf(play(fresh, [text("hi")]).session, "working").prompt).toBe("left");
    expect(phaseOf(play(fresh, [{ type: "prompt-left", turn: 1 }]).session, "working").prompt).toBe("left");
    expect(phaseOf(play(fresh, [{ type: "prompt-left", turn: 2 }]).session, "working").prompt).toBe("pending");
  });
});

describe("messages wait in order", () => {
  it("is refused past 20", () => {
    const many = Array.from({ length: 20 }, (_, i) => messaged(`m${i}`));
    const full = play(working(), many);
    expect(full.reply).toEqual({ ok: true, value: "queued" });
    expect(play(full.session, [messaged("m20")])).toMatchObject({
      session: full.session,
      reply: { ok: false, refusal: { code: "queue_full" } },
    });
  });

  it.each([
    ["queued", launched(), "queued"],
    ["starting", starting(), "queued"],
    ["working", working(), "queued"],
    ["asking", asking(), "queued"],
    ["idle with a process", idle(), "now"],
    ["idle without one", play(idle(), [PARK, exited(143)]).session, "resumed"],
    ["interrupted", interrupted(), "resumed"],
  ] as const)("%s takes it", (_name, session, taken) => {
    expect(play(session, [messaged("hello")]).reply).toEqual({ ok: true, value: taken });
  });

  it("an agent may answer so often in a row, then a person must (decision 24)", () => {
    let session = idle("Which?", { by: AGENT });
    for (let i = 0; i < RULES.maxAutoResponds; i += 1) {
      const step = play(session, [messaged(`a${i}`, { by: AGENT })]);
      expect(step.reply?.ok).toBe(true);
      session = step.session;
    }
    const refused = play(session, [messaged("once more", { by: AGENT })]);
    expect(refused).toMatchObject({ session, reply: { ok: false, refusal: { code: "limit_reached" } } });
    const person = play(session, [messaged("me")]).session;
    expect(person.counters.autoResponds).toBe(0);
    expect(play(person, [messaged("again", { by: AGENT })]).reply?.ok).toBe(true);
  });
});

it("[D6] the time of a turn is its own, without the turns before it and without waiting for people", () => {
  const first = play(working(), [text("One."), { ...turnEnded(1), at: T0 + 60_000 }]).session;
  const second = play(first, [{ ...messaged("Again"), at: T0 + 100_000 }]).session;
  const asked = play(second, [{ ...permission(), at: T0 + 103_000 }]).session;
  const answer = answered(questionIds(asked)[0] ?? "", { option: ALLOW.id });
  const { session } = play(asked, [
    { ...answer, at: T0 + 500_000 },
    { ...turnEnded(2), at: T0 + 507_000 },
  ]);
  expect(lastNotice(session)).toMatchObject({ kind: "turn-finished", data: { turn: 2, durationMs: 10_000 } });
});

it.each([
  ["used up its calls, and nothing was said after the last one", 3, false, "may_be_cut"],
  ["used up its calls, and said its result", 3, true, undefined],
  ["has calls left", 1, false, undefined],
] as const)("[H11] with max_turns 3, a turn that %s", (_what, calls, speaks, code) => {
  const start = working();
  const limited = { ...start, settings: { ...start.settings, maxTurns: 3 } };
  const steps = Array.from({ length: calls }, (_, index) => [
    tool(`c${index}`, "in_progress", { title: "npm test", toolKind: "execute" }),
    tool(`c${index}`, "completed", { output: "ok" }),
  ]).flat();
  const { session } = play(limited, [text("Now."), ...steps, ...(speaks ? [text("Done.")] : []), turnEnded(1)]);
  expect(lastNotice(session)).toMatchObject({ kind: "turn-finished" });
  expect(lastNotice(session).data.code).toBe(code);
});
