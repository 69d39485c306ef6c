/** What operations take and give: good and bad parameters in both spellings, and answers of exactly the promised shapes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/core/caller.ts";
import type { OperationName } from "../../src/operations/operation.ts";
import { OperationsWorld, type Params } from "./operations-world.ts";

const bad: readonly (readonly [OperationName, unknown, string])[] = [
  ["launch", {}, "Parameter prompt of iflow_launch: required, but missing."],
  ["launch", { prompt: "x", maxTurn: 1 }, 'has no parameter "maxTurn". Did you mean max_turns? It takes: prompt, name'],
  [
    "launch",
    { prompt: "x", maxTurns: 1, max_turns: 2 },
    "was given maxTurns and max_turns, which are the same parameter",
  ],
  ["launch", { prompt: "" }, "prompt"],
  ["launch", { prompt: 7 }, "prompt"],
  ["launch", { prompt: "x".repeat(200_001) }, "prompt"],
  ["launch", { prompt: null }, "prompt"],
  ["launch", { prompt: "x", timeout: 10 }, "timeout"],
  ["launch", { prompt: "x", timeout: "60000" }, "timeout"],
  [
    "launch",
    { prompt: "x", maxTurns: 0 },
    "Parameter maxTurns of iflow_launch: must be integer greater or equal to 1, got 0.",
  ],
  ["launch", { prompt: "x", max_turns: 1.5 }, "max_turns"],
  ["launch", { prompt: "x", permissionMode: "yolo" }, "must be one of auto, selective, manual, plan"],
  ["launch", { prompt: "x", session_policy: "old" }, "must be one of auto, new, reuse"],
  [
    "launch",
    { prompt: "x", allowedTools: "Bash" },
    'Parameter allowedTools of iflow_launch: must be array, got "Bash".',
  ],
  ["launch", { prompt: "x", files: [""] }, "files.0"],
  ["launch", { prompt: "x", route: "telegram" }, "has another form"],
  ["launch", { prompt: "x", fork_session: true }, "needs resume_session_id"],
  ["launch", { prompt: "x", colour: 1 }, 'has no parameter "colour". It takes: prompt, name'],
  ["launch", JSON.parse('{"prompt":"x","__proto__":{"a":1}}'), "has no parameter"],
  ["launch", "x", "takes an object of parameters"],
  ["launch", ["x"], "takes an object of parameters"],
  ["launch", null, "takes an object of parameters"],
  ["respond", { session: "a" }, "message"],
  ["respond", { message: "a" }, "session"],
  ["respond", { session: "a", message: "b", interrupt: "yes" }, "interrupt"],
  ["fg", {}, "session"],
  ["fg", { session: "a", lines: 0 }, "lines"],
  ["bg", { session: "" }, "session"],
  ["kill", {}, "Give either a session (name or id), or all"],
  ["kill", { session: "a", all: true }, "Give either a session (name or id), or all"],
  ["kill", { all: 1 }, "all"],
  ["output", { session: "a", since: -1 }, "since"],
  ["output", { session: "a", lines: Number.NaN }, "lines"],
  ["output", { session: "a", lines: "many" }, 'Parameter lines of iflow_output: must be integer, got "many".'],
  ["sessions", { filter: "lost" }, "must be one of all, queued"],
  ["stats", { of: "me" }, "has no parameter"],
  ["resume", { session: "" }, "session"],
  ["resume", { session: "a", fork: "yes" }, "fork"],
];

describe("bad parameters are refused in words that name them", () => {
  test("[O1] [O2] [O3] [O4] [O5] [O6] [O7] [O8] [O9] all of them, before anything is begun", async () => {
    await using operations = await OperationsWorld.create();
    for (const [name, params, words] of bad) {
      // As a program calls: a command without its session means one.
      const answered = await operations.call(name, params, { ...operations.me, door: "rpc" });
      expect(answered, `${name} ${JSON.stringify(params)?.slice(0, 80)}`).toMatchObject({
        ok: false,
        code: "invalid_params",
        message: expect.stringContaining(words) as unknown,
      });
    }
    expect(operations.world.roster.sessions()).toEqual([]);
  });

  test("[O3] [O4] by RPC, fg and bg need the chat that is meant", async () => {
    await using operations = await OperationsWorld.create();
    await operations.launch("hang", { name: "job" });
    const { route: _none, ...rest } = operations.me;
    for (const name of ["fg", "bg"] as const)
      expect(await operations.call(name, { session: "job" }, { ...rest, door: "rpc" })).toMatchObject({
        code: "invalid_params",
        message: expect.stringContaining("route (channel|account|target)") as unknown,
      });
  });

  test("whatever is sent, an answer or a refusal comes, and nobody's session is touched", async () => {
    await using operations = await OperationsWorld.create();
    const { id } = await operations.launch("hang", { name: "mine" });
    await operations.world.until(id, "working");
    const before = JSON.stringify(operations.world.session(id).settings);
    const { route: _mine, ...nobody } = operations.me;
    const stranger = { ...nobody, owner: { sessionKey: "agent:main:other", agentId: "main" } };
    for (const { name, params } of operations.doors) {
      const keys = [...Object.keys(params.properties), "maxTurns", "constructor", "__proto__", "", "sessionKey"];
      const words = fc.oneof(
        fc.constantFrom("mine", id, "all", "\0", "../..", "$(x)", "-1"),
        fc.string(),
        fc.double(),
        fc.anything(),
      );
      const anyParams = fc.oneof(fc.dictionary(fc.constantFrom(...keys), words), fc.anything());
      for (const raw of fc.sample(anyParams, 150)) {
        const answered = await operations.call(name, raw, stranger);
        if (!answered.ok) expect(answered.message.length, answered.message).toBeLessThan(1_000);
        else expect(JSON.stringify(answered.reply.json)).not.toContain(`"id":"${id}"`);
      }
    }
    expect(operations.world.session(id)).toMatchObject({ phase: { kind: "working" }, inbox: [] });
    expect(JSON.stringify(operations.world.session(id).settings)).toBe(before);
    expect(operations.world.promptsOf(id)).toEqual(["hang"]);
  });

  test("a bad value is quoted, but cut", async () => {
    await using operations = await OperationsWorld.create();
    const answered = await operations.call("sessions", { filter: "x".repeat(10_000) });
    if (answered.ok) throw new Error("taken");
    expect(answered.message).toContain("xxx");
    expect(answered.message.length).toBeLessThan(400);
  });

  test("an unknown session is refused by each, with the nearest name", async () => {
    await using operations = await OperationsWorld.create();
    await operations.launch("hang", { name: "fix-auth" });
    for (const name of ["respond", "fg", "bg", "kill", "output", "resume"] as const) {
      const params = { session: "fix-aut", ...(name === "respond" ? { message: "x" } : {}) };
      const answered = await operations.call(name, params);
      expect(answered, name).toMatchObject({
        code: "not_found",
        message: 'No iFlow session is called "fix-aut". Did you mean fix-auth?',
      });
    }
  });
});

test("[O1] both spellings mean the same settings", async () => {
  await using operations = await OperationsWorld.create();
  const snake = {
    timeout: 5_000,
    model: "m1",
    max_turns: 3,
    system_prompt: "Be short.",
    allowed_tools: ["Read"],
    multi_turn_disabled: true,
    permission_mode: "selective",
  };
  const camel = {
    timeout: 5_000,
    model: "m1",
    maxTurns: 3,
    systemPrompt: "Be short.",
    allowedTools: ["Read"],
    multiTurnDisabled: true,
    permissionMode: "selective",
    name: null,
  };
  const settings = [];
  for (const more of [snake, camel]) {
    const { id } = await operations.launch("hang", more);
    const { systemPrompt, ...others } = operations.world.session(id).settings;
    settings.push({ ...others, systemPrompt: systemPrompt?.text });
  }
  expect(settings[0]).toEqual(settings[1]);
  expect(settings[0]).toMatchObject({
    model: "m1",
    maxTurns: 3,
    timeoutMs: 5_000,
    singleTurn: true,
    permissionMode: "selective",
    allowedTools: ["Read"],
    systemPrompt: "Be short.",
  });
});

describe("answers have exactly the promised fields", () => {
  const text = expect.any(String) as unknown;
  const count = expect.any(Number) as unknown;

  test("[O1] [S1] launch: at once, with its place when it waits; refused past the line's end", async () => {
    await using operations = await OperationsWorld.create({}, { maxSessions: 1, maxQueued: 1 });
    const { workspace } = operations;
    expect(await operations.launch("hang", { name: "one" })).toEqual({
      id: text,
      name: "one",
      status: "starting",
      workdir: workspace,
      flowId: text,
    });
    expect(await operations.launch("hang", { name: "two" })).toEqual({
      id: text,
      name: "two",
      status: "queued",
      workdir: workspace,
      flowId: text,
      queuePosition: 1,
    });
    expect(await operations.verdict("launch", { prompt: "hang" })).toBe("queue_full");
  });

  test("[O7] sessions, by state", async () => {
    await using operations = await OperationsWorld.create();
    const { id, flowId } = await operations.launch("ask: Which? | A | B\nsay: {answer}", { name: "asks" });
    await operations.world.until(id, "asking");
    const [row, ...others] = await operations.json<Params[]>("sessions", { filter: "asking" });
    expect(others).toEqual([]);
    expect(row).toEqual({
      id,
      name: "asks",
      status: "asking",
      workdir: operations.workspace,
      prompt: "ask: Which? | A | B\nsay: {answer}",
      startedAt: count,
      completedAt: null,
      durationMs: count,
      turnCount: 1,
      toolCalls: count,
      flowId,
      permissionMode: "manual",
      question: [{ id: text, kind: "question", text: "Which?", options: ["A", "B"], marks: "numbers" }],
    });
    for (const [filter, found] of [
      ["all", 1],
      ["active", 1],
      ["idle", 0],
      ["killed", 0],
    ] as const)
      expect(await operations.json<Params[]>("sessions", { filter }), filter).toHaveLength(found);
    await operations.json("kill", { session: id });
    expect(await operations.json("sessions", { filter: "killed" })).toMatchObject([
      { id, status: "killed", completedAt: count, error: text },
    ]);
    expect(await operations.json<Params[]>("sessions", { filter: "active" })).toEqual([]);
  });

  test("[O2] respond says how it was delivered", async () => {
    await using operations = await OperationsWorld.create();
    const { id, flowId } = await operations.launch("ask: Which? | A | B\nsay: chose {answer}", { name: "talk" });
    await operations.world.until(id, "asking");
    const answer = { success: true, id, name: "talk", flowId };
    expect(await operations.verdict("respond", { session: "talk", message: "A", questionId: "q99" })).toBe(
      "question_closed",
    );
    expect(await operations.json("respond", { session: "talk", message: "b", option: "2" })).toEqual({
      ...answer,
      delivered: "now",
    });
    await operations.world.until(id, "idle");
    expect(await operations.world.output(id)).toContain("chose B");
    await operations.json("respond", { session: "talk", message: "hang" });
    await operations.world.until(id, "working");
    expect(await operations.json("respond", { session: id, message: "say: later" })).toEqual({
      ...answer,
      delivered: "queued",
    });
    await operations.json("kill", { session: "talk" });
    const resumed = await operations.json("respond", { session: id, message: "say: again" });
    expect(resumed).toEqual({ success: true, id: text, name: "talk", flowId: text, delivered: "resumed" });
    expect(resumed["flowId"]).not.toBe(flowId);
  });

  test("[O6] output says which part it gives; [O3] fg what this chat had not seen; [O4] bg whom it left", async () => {
    await using operations = await OperationsWorld.create();
    const { id } = await operations.launch("say: first words\nsay: second words", { name: "talk" });
    await operations.world.until(id, "idle");
    const whole = await operations.json<{ output: string; endOffset: number }>("output", { session: id, full: true });
    const known = { id, name: "talk", status: "idle" };
    expect(whole).toEqual({ ...known, startOffset: 0, endOffset: whole.output.length, truncated: false, output: text });
    expect(whole.output).toContain("second words");
    const part = await operations.json<{ output: string }>("output", { session: id, since: 6 });
    expect(part).toMatchObject({ startOffset: 6, endOffset: whole.endOffset, truncated: true });
    expect(part.output).toBe(whole.output.slice(6));

    const seen = await operations.json("fg", { session: id });
    expect(seen).toEqual({
      ...known,
      startOffset: 0,
      endOffset: whole.endOffset,
      following: true,
      output: whole.output,
    });
    expect(await operations.json("fg", { session: id })).toMatchObject({ startOffset: whole.endOffset, output: "" });
    expect(await operations.json("bg")).toEqual({ success: true, sessions: [{ id, name: "talk" }] });
    expect(await operations.json("bg")).toEqual({ success: true, sessions: [] });
    await operations.json("kill", { session: id });
    expect(await operations.json("fg", { session: id })).toMatchObject({ following: false, status: "completed" });
  });

  test("[O5] kill: one, all of the caller's own, and none", async () => {
    await using operations = await OperationsWorld.create();
    const one = await operations.launch("hang", { name: "one" });
    const two = await operations.launch("hang", { name: "two" });
    await operations.world.until(one.id, "working");
    expect(await operations.json("kill", { session: "one" })).toEqual({
      success: true,
      id: one.id,
      name: "one",
      status: "killed",
    });
    const stranger = { ...operations.me, owner: { sessionKey: "agent:main:other", agentId: "main" }, seesAll: true };
    expect(await operations.json("kill", { all: true }, stranger)).toEqual({ success: true, sessions: [] });
    expect(await operations.json("kill", { all: true })).toEqual({
      success: true,
      sessions: [{ id: two.id, name: "two", status: "killed" }],
    });
  });

  test("[O8] stats", async () => {
    await using operations = await OperationsWorld.create();
    expect(await operations.json("stats")).toMatchObject({ total: 0, averageDurationMs: 0, longest: null });
    const { id } = await operations.launch("ask: Which? | A\nsay: x", { name: "talk" });
    await operations.world.until(id, "asking");
    await operations.json("respond", { session: id, message: "A" });
    await operations.world.until(id, "idle");
    expect(await operations.json("stats")).toEqual({
      total: 1,
      byStatus: expect.objectContaining({ idle: 1, working: 0, failed: 0 }) as unknown,
      workingMs: count,
      averageDurationMs: count,
      turns: 1,
      toolCalls: count,
      longest: { id, name: "talk", durationMs: count },
      questions: { asked: 1, byPerson: 1, byAgent: 0, denied: 0 },
      queue: { running: count, waiting: 0, maxSessions: 5, maxQueued: 20 },
      deliveries: expect.objectContaining({ accepted: count, refused: 0, noRoute: 0, waiting: count }) as unknown,
    });
  });

  test("[O9] resume: the list, the same session, a fork, and nothing to resume", async () => {
    await using operations = await OperationsWorld.create();
    const { id, flowId } = await operations.launch("say: hello", { name: "talk" });
    await operations.world.until(id, "idle");
    const row = { id, name: "talk", status: "idle", workdir: operations.workspace };
    expect(await operations.json("resume")).toEqual([row]);
    expect(await operations.json("resume", { session: "talk", prompt: "hang" })).toEqual({
      success: true,
      id,
      name: "talk",
      flowId,
      status: text,
    });
    await operations.world.until(id, "working");
    expect(await operations.verdict("resume", { session: "talk" })).toBe("wrong_phase");
    const fork = await operations.json("resume", { session: "talk", prompt: "say: hi", fork: true });
    expect(fork).toMatchObject({
      success: true,
      forkOf: id,
      history: expect.stringMatching(/^(copied|summary)$/) as unknown,
    });
    expect(fork["flowId"]).not.toBe(flowId);
  });

  test("[O1] [O9] a launch that names a session, or reuses its directory's last, goes on with it", async () => {
    await using operations = await OperationsWorld.create();
    expect(await operations.verdict("launch", { prompt: "x", sessionPolicy: "reuse" })).toBe("not_found");
    const { id } = await operations.launch("say: hello", { name: "talk" });
    await operations.world.until(id, "idle");
    expect(await operations.launch("say: more", { session_policy: "reuse" })).toMatchObject({ id, name: "talk" });
    await operations.world.until(id, "idle");
    expect(await operations.launch("say: more", { resumeSessionId: "talk" })).toMatchObject({ id, name: "talk" });
    await operations.world.until(id, "idle");
    const same = { name: "talk", workdir: ".", permission_mode: "manual", allowed_tools: [], files: [] };
    expect(await operations.launch("say: more", { session_policy: "reuse", ...same })).toMatchObject({ id });
    await operations.world.until(id, "idle");
    expect(
      await operations.call("launch", { prompt: "x", resume_session_id: id, permissionMode: "auto", files: ["a"] }),
    ).toMatchObject({
      code: "invalid_params",
      message:
        "talk goes on with its own settings; permission_mode, files can't be changed. Leave them out, or launch a new session (session_policy new).",
    });
    expect(operations.world.session(id).settings.permissionMode).toBe("manual");
    expect(operations.world.roster.sessions()).toHaveLength(1);
  });

  test("[O1] of a session that goes on, another chat is refused, its own is not; a long system prompt is compared whole", async () => {
    await using operations = await OperationsWorld.create({ fallbackChannel: "slack|C1" });
    const settings = { route: "slack|C1", system_prompt: `${"long ".repeat(1_000)}1` };
    const { id } = await operations.launch("say: hello", { name: "talk", ...settings });
    await operations.world.until(id, "idle");
    const again = { prompt: "say: more", resume_session_id: id };
    expect(await operations.json("launch", { ...again, ...settings })).toMatchObject({ id });
    await operations.world.until(id, "idle");
    for (const route of ["slack|C2", "no route"])
      expect(await operations.call("launch", { ...again, route })).toMatchObject({
        message: expect.stringContaining("its own settings; route can't be changed") as string,
      });
    const other = { ...again, system_prompt: `${"long ".repeat(1_000)}2` };
    expect(await operations.verdict("launch", other)).toBe("invalid_params");
    const elsewhere: Caller = { ...operations.me, door: "rpc", route: { channel: "slack", to: "C3" } };
    expect(await operations.verdict("launch", again, elsewhere)).toBe("invalid_params");
  });
});
