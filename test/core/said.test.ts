import { describe, expect, it } from "vitest";
import {
  ALLOW,
  ALLOW_ALWAYS,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  REJECT,
  RULES,
  STOPPING,
  T0,
  answered,
  asking,
  effectsOf,
  ended,
  exited,
  idle,
  interrupted,
  messaged,
  notices,
  permission,
  phaseOf,
  plan,
  play,
  questionIds,
  questions,
  said,
  starting,
  text,
  tool,
  working,
} from "./build.ts";

describe("the output stream", () => {
  it("keeps words, tool calls and plans in order with absolute offsets", () => {
    const { session } = play(working(), [
      text("Let me look."),
      tool("c1", "pending", { title: "Shell", toolKind: "execute", toolName: "run_shell_command" }),
      tool("c1", "in_progress", { title: "npm test", toolKind: "execute" }),
      tool("c1", "failed", { output: "exit 1" }),
      said({ kind: "plan", entries: [{ text: "fix", status: "in_progress" }] }),
      said({ kind: "thought", text: "hidden" }),
    ]);
    expect(session.output.text).toBe("Let me look.\n▸ npm test\n\n✗ npm test: exit 1\n\n◐ fix\n");
    expect(session.output).toMatchObject({ start: 0, end: session.output.text.length });
    expect(session.counters).toMatchObject({ toolCalls: 1, chunks: 6 });
  });

  it("counts bytes, and the frames that were joined", () => {
    const { session } = play(working(), [said({ kind: "text", text: "修复" }, { chunks: 7 })]);
    expect(session.counters).toMatchObject({ bytes: 6, chunks: 7 });
  });

  it("still takes words after the end, so that its offsets stay those of the journal, and nothing else", () => {
    const session = ended();
    const after = play(session, [
      text("last words"),
      tool("c9", "completed", { files: ["/x"] }),
      permission({ requestId: 9 }),
    ]);
    expect(after.session).toEqual({
      ...session,
      output: { ...session.output, text: `${session.output.text}last words`, end: session.output.end + 10 },
    });
    expect(after.effects).toEqual([{ do: "reply", requestId: 9, reply: { kind: "cancelled" } }]);
  });

  it("remembers which files were edited, newest last, each once", () => {
    const files = ["/a", "/b", "/a"];
    const { session } = play(
      working(),
      files.map((file, i) => tool(`c${i}`, "completed", { files: [file] })),
    );
    expect(session.filesEdited).toEqual(["/b", "/a"]);
  });

  it("tells the progress of a running tool to the child task", () => {
    const { effects } = play(working(), [tool("c1", "in_progress", { title: "npm\n test" })]);
    expect(effects).toEqual([{ do: "tool-progress", runId: "iflow:<flow>:t1", name: "npm test" }]);
  });
});

describe("signs of life", () => {
  it("any frame restarts the clock, prints on stdout don't", () => {
    const at = T0 + MINUTE_MS;
    for (const event of [
      text("x"),
      said({ kind: "thought", text: "x" }),
      said({ kind: "log", source: "frame", text: "{}" }),
      said({ kind: "commands", names: [] }),
    ]) {
      expect(phaseOf(play(working(), [{ ...event, at }]).session, "working").lastSignAt).toBe(at);
    }
    const print = { ...said({ kind: "log", source: "stdout", text: "debug" }), at };
    expect(phaseOf(play(working(), [print]).session, "working").lastSignAt).toBe(
      phaseOf(working(), "working").lastSignAt,
    );
  });
});

describe("what iFlow asks", () => {
  it("waits for a person: asking, with its question, a notice and a queued child", () => {
    const { session, effects } = play(working(), [permission({ content: "+ new line" })]);
    const { asks } = phaseOf(session, "asking");
    expect(asks).toMatchObject([{ requestId: 0, kind: "permission", questions: [{ id: "q3", freeText: false }] }]);
    expect(asks[0]?.questions[0]?.text.text).toBe("git status");
    expect(asks[0]?.questions[0]?.content?.text).toContain("+ new line");
    expect(asks[0]?.deadlineAt).toBe((asks[0]?.askedAt ?? 0) + DAY_MS);
    expect(effects.map((e) => e.do)).toEqual(["record-question", "end-child", "start-child"]);
    expect(session.child).toMatchObject({ runId: "iflow:<flow>:t1.1", as: "queued" });
    expect(notices(session, "asks")).toMatchObject([{ data: { questionIds: ["q3"] } }]);
    expect(session.counters.questionsAsked).toBe(1);
  });

  it("holds several open requests side by side (decision 13)", () => {
    const { session, effects } = play(asking(), [permission({ requestId: 1, toolCallId: "c2" })]);
    expect(questionIds(session)).toHaveLength(2);
    expect(effectsOf(effects, "start-child")).toEqual([]);
  });

  it("numbers the parts of one request", () => {
    const session = asking(questions(5, { text: "DB?", options: ["A"] }, { text: "Name?" }));
    expect(questionIds(session)).toEqual(["q3.1", "q3.2"]);
    expect(questionIds(asking(questions(5, { text: "DB?" })))).toEqual(["q3"]);
  });

  it("answers a request without questions at once", () => {
    const { session, effects } = play(working(), [questions(5)]);
    expect(session.phase.kind).toBe("working");
    expect(effects).toEqual([{ do: "reply", requestId: 5, reply: { kind: "answers", answers: [] } }]);
  });

  it("does not ask twice under one request id", () => {
    const session = asking();
    expect(play(session, [permission()])).toMatchObject({ effects: [] });
    expect(questionIds(play(session, [permission()]).session)).toEqual(questionIds(session));
  });

  it("answers past 16 open requests with cancelled", () => {
    const many = Array.from({ length: 17 }, (_, i) => permission({ requestId: i }));
    const { session, effects } = play(working(), many);
    expect(questionIds(session)).toHaveLength(16);
    expect(effects).toEqual([{ do: "reply", requestId: 16, reply: { kind: "cancelled" } }]);
  });

  it.each([
    ["starting", starting()],
    ["idle", idle()],
    ["interrupted", interrupted()],
    ["ended", ended()],
    ["a turn that is being stopped", play(working(), [messaged("x", { interrupt: true })]).session],
    ["asking, its process told to end", play(asking(), [STOPPING]).session],
    ["asking, its process gone", play(asking(), [STOPPING, exited(143)]).session],
  ])("%s: cancelled, since nobody could answer", (_name, session) => {
    const { effects, session: after } = play(session, [permission({ requestId: 77 })]);
    expect(effectsOf(effects, "reply")).toEqual([{ do: "reply", requestId: 77, reply: { kind: "cancelled" } }]);
    expect(after.phase.kind).toBe(session.phase.kind);
  });
});

describe("the policy (decision 16)", () => {
  const asked = (
    mode: "auto" | "selective" | "manual" | "plan",
    event = permission(),
    allowedTools: readonly string[] = [],
  ) => play(working({ settings: { permissionMode: mode, allowedTools } }), [event]);

  it.each([
    ["auto", permission(), "working"],
    ["manual", permission(), "asking"],
    ["plan", permission(), "asking"],
    ["selective", permission(), "asking"],
    ["selective", permission({ toolKind: "read" }), "working"],
    ["selective", permission({ toolKind: "search" }), "working"],
    ["selective", permission({ toolKind: "fetch" }), "asking"],
    ["manual", permission({ toolKind: "read" }), "asking"],
  ] as const)("%s", (mode, event, kind) => {
    const { session, effects } = asked(mode, event);
    expect(session.phase.kind).toBe(kind);
    expect(effectsOf(effects, "reply")).toEqual(
      kind === "working" ? [{ do: "reply", requestId: 0, reply: { kind: "selected", optionId: ALLOW.id } }] : [],
    );
  });

  it("takes the tool's name from the pending frame of the same call", () => {
    const rules = { permissionMode: "selective", allowedTools: ["write_file"] } as const;
    const named = play(working({ settings: rules }), [
      tool("call_1", "pending", { toolName: "write_file", toolKind: "edit", title: "Write File" }),
      permission({ toolKind: "edit" }),
    ]);
    expect(named.session.phase.kind).toBe("working");
    expect(asked("selective", permission({ toolKind: "edit" }), ["write_file"]).session.phase.kind).toBe("asking");
    expect(
      asked("selective", permission({ toolKind: "edit", toolName: "write_file" }), ["write_file"]).session.phase.kind,
    ).toBe("working");
  });

  it("waits for a person where the agent offers nothing to allow", () => {
    expect(asked("auto", permission({ options: [REJECT] })).session.phase.kind).toBe("asking");
  });

  it("applies an always-allow to later requests of its kind, in this session", () => {
    const allowed = play(asking(), [answered("q3", { option: ALLOW_ALWAYS.id })]);
    expect(effectsOf(allowed.effects, "reply")[0]?.reply).toEqual({ kind: "selected", optionId: ALLOW.id });
    const again = play(allowed.session, [
      permission({ requestId: 1, title: "git log [current working directory /work/app]" }, "other"),
    ]);
    expect(again.session.phase.kind).toBe("working");
    expect(effectsOf(again.effects, "reply")).toHaveLength(1);
    expect(play(allowed.session, [permission({ requestId: 1, title: "rm -rf build" })]).session.phase.kind).toBe(
      "asking",
    );
  });

  it("uses a one-time grant once, for the identical request only (decision 14)", () => {
    const orphan = play(asking(), [STOPPING, exited(143)]).session;
    const granted = play(orphan, [answered("q3", { option: ALLOW.id })]).session;
    expect(granted.grants).toMatchObject([{ span: "once" }]);
    const back = { ...working(), grants: granted.grants };
    expect(play(back, [permission({ requestId: 4 }, "other digest")]).session.phase.kind).toBe("asking");
    const used = play(back, [permission({ requestId: 4 })]);
    expect(used.session).toMatchObject({ phase: { kind: "working" }, grants: [] });
    expect(play(used.session, [permission({ requestId: 5 })]).session.phase.kind).toBe("asking");
  });
});

describe("open tool calls", () => {
  it("forgets those that ended, keeps names and titles of those that run", () => {
    const session = play(working(), [
      tool("c1", "pending", { toolName: "write_file", title: "Write File" }),
      tool("c1", "in_progress", { title: "Write to a.txt" }),
      tool("c2", "in_progress", { title: "npm test" }),
      tool("c2", "completed"),
    ]).session;
    expect(phaseOf(session, "working").openTools).toMatchObject([
      { toolCallId: "c1", title: "Write to a.txt", toolName: "write_file", status: "in_progress" },
    ]);
  });

  it("keeps at most 32, running ones before pending ones", () => {
    const events = [tool("run", "in_progress"), ...Array.from({ length: 60 }, (_, i) => tool(`p${i}`, "pending"))];
    const { openTools } = phaseOf(play(working(), events).session, "working");
    expect(openTools).toHaveLength(32);
    expect(openTools.map((t) => t.toolCallId)).toContain("run");
    expect(openTools.at(-1)?.toolCallId).toBe("p59");
  });

  it("does not count the time of a person against a tool that runs beside the question", () => {
    const events = [
      tool("c1", "in_progress"),
      { ...permission({ toolCallId: "c2" }), at: T0 + MINUTE_MS },
      { ...answered("q3", { option: ALLOW.id }), at: T0 + 5 * HOUR_MS },
    ];
    const { openTools } = phaseOf(play(working(), events).session, "working");
    const ranMs = T0 + 5 * HOUR_MS - (openTools[0]?.sinceAt ?? 0);
    expect(ranMs).toBeLessThanOrEqual(MINUTE_MS);
    expect(ranMs).toBeGreaterThan(0);
  });
});

it("plans and permissions keep long texts under their journal key", () => {
  const long = "x".repeat(5_000);
  const request = { kind: "plan" as const, requestId: 1, plan: long };
  const session = play(working(), [said({ kind: "asked", request }, { textKey: "k1" })], RULES).session;
  expect(phaseOf(session, "asking").asks[0]?.questions[0]?.text).toMatchObject({ length: 5_000, key: "k1" });
  expect(questionIds(asking(plan(1, "short")))).toEqual(["q3"]);
});
