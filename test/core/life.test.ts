import { describe, expect, it } from "vitest";
import type { Happening } from "./build.ts";
import {
  ALLOW,
  SLOT,
  STARTED,
  answered,
  asking,
  effectsOf,
  ended,
  exited,
  foreign,
  idle,
  interrupted,
  kill,
  lastNotice,
  launched,
  messageOf,
  messaged,
  notices,
  orphaned,
  parked,
  permission,
  phaseOf,
  plan,
  play,
  questionIds,
  questions,
  ready,
  recovered,
  startFailed,
  starting,
  text,
  working,
} from "./build.ts";

const LAUNCH: Happening = { type: "admitted" };

describe("slots and starts", () => {
  it("asks for a slot when its flow exists, a continuation ahead of launches", () => {
    expect(play(launched(), [LAUNCH]).effects).toEqual([{ do: "request-slot", ahead: false }]);
    const older = { id: "old", acpSessionId: "acp-0", autoResponds: 0 };
    const continued = launched({ continues: { ...older, isFork: false } });
    expect(play(continued, [LAUNCH]).effects).toEqual([{ do: "request-slot", ahead: true }]);
    const forked = launched({ continues: { ...older, isFork: true } });
    expect(play(forked, [LAUNCH]).effects).toEqual([{ do: "request-slot", ahead: false }]);
  });

  it("tells its place while it waits, and not after", () => {
    expect(lastNotice(play(launched(), [{ type: "placed", place: 3 }]).session)).toMatchObject({
      kind: "queued",
      data: { place: 3 },
    });
    expect(play(working(), [{ type: "placed", place: 3 }]).session.owed).toEqual(working().owed);
  });

  it("starts the agent on its slot, and sends the prompt when it is ready", () => {
    const { session, all } = play(launched(), [LAUNCH, SLOT, STARTED, ready()]);
    expect(session.phase).toMatchObject({ kind: "working", prompt: "pending" });
    expect(session.agent).toEqual({ kind: "ready", identity: { pid: 4711, startedAt: "100" } });
    expect(session.inbox).toEqual([]);
    expect(all.map((effect) => effect.do)).toEqual(["request-slot", "start-agent", "start-child", "send-prompt"]);
  });

  it.each([
    ["working", working()],
    ["asking", asking()],
    ["idle with a process", idle()],
    ["ended", ended()],
  ])("ignores a late slot when it is %s: releasing it would free the slot of a live process", (_name, session) => {
    expect(play(session, [SLOT])).toMatchObject({ session, effects: [] });
  });

  it("leaves the line when it is killed while it waits", () => {
    const { session, effects } = play(launched(), [LAUNCH, kill()]);
    expect(session.phase).toMatchObject({ kind: "ended", outcome: "killed" });
    expect(effectsOf(effects, "release-slot")).toHaveLength(1);
    expect(play(session, [SLOT]).effects).toEqual([]);
  });

  it("fails with its own cause when the start comes to nothing, and gives the slot back once", () => {
    const { session, all } = play(starting(), [startFailed("not_authenticated", "log in first"), exited()]);
    expect(session.phase).toMatchObject({ kind: "ended", outcome: "failed", cause: { code: "not_authenticated" } });
    expect(effectsOf(all, "release-slot")).toHaveLength(1);
    expect(lastNotice(session)).toMatchObject({
      kind: "failed",
      data: { code: "not_authenticated", text: "log in first" },
    });
  });

  it("asks how to go on when the agent has lost the history, before anything is sent", () => {
    const back = play(parked(), [messaged("And now the docs"), SLOT, STARTED, ready("lost", "acp-2")]);
    expect(phaseOf(back.session, "asking").asks[0]).toMatchObject({ kind: "fresh-start" });
    expect(effectsOf(back.effects, "send-prompt")).toEqual([]);
    expect(effectsOf(back.effects, "stop-agent")).toHaveLength(1);
    const gone = play(back.session, [exited(143)]).session;
    expect(gone.phase.kind).toBe("asking");
    const [id = ""] = questionIds(gone);
    const fresh = play(gone, [answered(id, { option: "fresh" })]);
    expect(fresh.reply).toEqual({ ok: true, value: "resumed" });
    expect(fresh.session).toMatchObject({ phase: { kind: "queued" }, inbox: [{ text: { text: "And now the docs" } }] });
    expect(fresh.session).not.toHaveProperty("acpSessionId");
    const stopped = play(gone, [answered(id, { option: "stop" })]).session;
    expect(stopped.phase).toMatchObject({ kind: "ended", outcome: "killed" });
  });

  it("keeps asking how to go on when somebody interrupts with a message", () => {
    const lost = play(parked(), [messaged("a"), SLOT, STARTED, ready("lost"), exited(143)]).session;
    const step = play(lost, [messaged("b", { interrupt: true })]);
    expect(step.reply).toEqual({ ok: true, value: "queued" });
    expect(step.session.phase.kind).toBe("asking");
    expect(step.session.inbox.map((m) => m.text.text)).toEqual(["b", "a"]);
  });

  it("does not ask about a history that never was: its first prompt had not left", () => {
    const pending = play(starting(), [ready()]).session;
    const again = play(pending, [recovered("no"), SLOT, STARTED, ready("lost", "acp-2")]).session;
    expect(again).toMatchObject({ phase: { kind: "working" }, acpSessionId: "acp-2" });
    const going = [recovered("yes"), messaged("continue"), SLOT, STARTED, ready("lost", "acp-2")];
    const silent = play(working(), going).session;
    expect(silent).toMatchObject({ phase: { kind: "working" }, acpSessionId: "acp-2" });
    expect(play(play(working(), [text("I begin.")]).session, going).session.phase.kind).toBe("asking");
  });
});

describe("kill (decision 10)", () => {
  it.each([
    ["starting", starting()],
    ["working", working()],
    ["asking", asking()],
    ["idle, expecting an answer", idle("Which database?")],
    ["interrupted", interrupted()],
    ["queued", launched()],
  ])("%s: killed, told once, the flow ends cancelled", (_name, session) => {
    const step = play(session, [kill()]);
    expect(step.reply).toEqual({ ok: true, value: "now" });
    expect(step.session.phase).toMatchObject({
      kind: "ended",
      outcome: "killed",
      cause: { code: "stopped_by_person" },
    });
    expect(effectsOf(step.effects, "end-flow-cancelled")).toHaveLength(1);
    expect(notices(step.session, "killed")).toHaveLength(1);
    expect(step.session).not.toHaveProperty("child");
  });

  it("closes an idle session that expects nothing as completed, without a second notice", () => {
    const before = idle();
    const { session, effects } = play(before, [kill()]);
    expect(session.phase).toMatchObject({ kind: "ended", outcome: "completed" });
    expect(session.owed).toEqual(before.owed);
    expect(effectsOf(effects, "stop-agent")).toHaveLength(1);
  });

  it("refuses to kill what has ended", () => {
    const session = ended();
    expect(play(session, [kill()])).toMatchObject({ session, reply: { ok: false, refusal: { code: "wrong_phase" } } });
  });

  it("answers open requests by stopping the turn before the process", () => {
    expect(play(asking(), [kill()]).effects.map((e) => e.do)).toEqual([
      "cancel-turn",
      "end-child",
      "end-flow-cancelled",
      "stop-agent",
    ]);
  });

  it("says how many waiting messages were not sent", () => {
    const { session } = play(working(), [messaged("a"), messaged("b"), kill()]);
    expect(lastNotice(session)).toMatchObject({ kind: "killed", data: { unsent: 2 } });
    expect(session.inbox).toEqual([]);
  });

  it("keeps the slot until the process is gone", () => {
    const killed = play(working(), [kill()]);
    expect(killed.session.agent).toMatchObject({ kind: "stopping" });
    expect(effectsOf(killed.effects, "release-slot")).toEqual([]);
    expect(play(killed.session, [exited(143)])).toMatchObject({ effects: [{ do: "release-slot" }] });
  });
});

describe("another writer of the flow (decision 8)", () => {
  const both = questions(3, { text: "Which?", options: ["A", "B"] }, { text: "And?", options: ["C"] });

  it.each([
    ["finished", "completed"],
    ["failed", "failed"],
    ["cancelled", "killed"],
  ] as const)("%s ends the session in any phase", (change, outcome) => {
    for (const session of [launched(), starting(), working(), asking(), idle(), parked(), interrupted(), orphaned()]) {
      const after = play(session, [foreign(change)]).session;
      expect(after.phase).toMatchObject({ kind: "ended", outcome, cause: { code: "stopped_elsewhere" } });
    }
    expect(play(ended(), [foreign(change)]).session).toEqual(ended());
  });

  it("grants a permission only for exactly one of its options", () => {
    for (const words of ["Allow", "allow", "1", "proceed_once"]) {
      const { effects } = play(asking(), [foreign({ resumed: words })]);
      expect(effectsOf(effects, "reply")).toEqual([
        { do: "reply", requestId: 0, reply: { kind: "selected", optionId: ALLOW.id } },
      ]);
    }
    for (const words of ["yes", "allow it", "Allow all", "ok", "", undefined, "go on", " "]) {
      const { session, effects } = play(asking(), [foreign({ resumed: words })]);
      expect(session.phase.kind).toBe("asking");
      expect(effectsOf(effects, "reply")).toEqual([]);
      expect(lastNotice(session)).toMatchObject({
        kind: "warning",
        data: { code: "foreign_resume", text: words ?? "" },
      });
    }
  });

  it("does not approve a plan with free words", () => {
    expect(play(asking(plan(1, "1. Write")), [foreign({ resumed: "looks good" })]).session.phase.kind).toBe("asking");
    const approved = play(asking(plan(1, "1. Write")), [foreign({ resumed: "approve" })]);
    expect(effectsOf(approved.effects, "reply")[0]?.reply).toMatchObject({ kind: "plan", approved: true });
  });

  it("answers one open question with free words, several only by their own doors", () => {
    const one = play(asking(questions(2, { text: "Which DB?", options: ["Postgres"] })), [
      foreign({ resumed: "SQLite please" }),
    ]);
    expect(effectsOf(one.effects, "reply")[0]?.reply).toEqual({
      kind: "answers",
      answers: [{ text: "SQLite please" }],
    });
    expect(play(asking(both), [foreign({ resumed: "A" })]).session.phase.kind).toBe("asking");
  });

  it("cannot be made to grant by an option without words", () => {
    const blank = permission({ options: [{ id: " ", label: " ", kind: "allow_once" }] });
    expect(play(asking(blank), [foreign({ resumed: "   " })]).session.phase.kind).toBe("asking");
  });

  it("goes on from idle and interrupted, also without words", () => {
    expect(play(idle(), [foreign({ resumed: "Now the docs" })]).session).toMatchObject({
      phase: { kind: "working", message: { text: { text: "Now the docs" } } },
    });
    for (const session of [parked(), interrupted()]) {
      const { session: after, effects } = play(session, [foreign({ resumed: undefined })]);
      expect(after).toMatchObject({
        phase: { kind: "queued", reason: "continue" },
        inbox: [{ text: { text: "continue" } }],
      });
      expect(effectsOf(effects, "request-slot")).toEqual([{ do: "request-slot", ahead: true }]);
    }
  });

  it("changes nothing of a session that works or waits for a slot", () => {
    for (const session of [launched(), starting(), working()]) {
      expect(play(session, [foreign({ resumed: "hello" })])).toMatchObject({ session, effects: [] });
    }
  });

  it("tells when its words could not be taken", () => {
    const full = { ...interrupted(), inbox: Array.from({ length: 20 }, (_, i) => messageOf(`m${i}`)) };
    expect(lastNotice(play(full, [foreign({ resumed: "more" })]).session)).toMatchObject({ kind: "warning" });
  });
});
