/**
 * Who may do what without asking, plans, and whose word counts.
 */
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/core/caller.ts";
import type { PermissionMode } from "../../src/core/session.ts";
import { soundProblems } from "./invariants.ts";
import { AGENT, PERSON, World } from "./world.ts";

const WORK = "read notes.txt\nwrite a.txt: x\nrun: echo hi\nsay: done";

async function askedFor(world: World, id: string): Promise<readonly string[]> {
  const titles: string[] = [];
  for (;;) {
    await world.quiet();
    const { phase } = world.session(id);
    if (phase.kind !== "asking") return titles;
    titles.push(phase.asks[0]?.subject?.title ?? phase.asks[0]?.kind ?? "");
    await world.respond(id, "Allow");
  }
}

describe("[K2] permission modes", () => {
  const modes: readonly [PermissionMode, string, readonly string[]][] = [
    ["auto", "yolo", []],
    ["selective", "default", ["Write to a.txt", "echo hi [current working directory /w]"]],
    ["manual", "default", ["Write to a.txt", "echo hi [current working directory /w]"]],
  ];
  test.each(modes)("%s is sent as %s and asks for %j", async (permissionMode, wire, asked) => {
    const world = await World.start();
    const { session } = await world.launch(WORK, { permissionMode });
    await world.until(session.id, permissionMode === "auto" ? "idle" : "asking");
    expect(await askedFor(world, session.id)).toEqual(asked);
    const disallowed = permissionMode === "auto" ? [] : ["task", "xml_escape"];
    expect(world.agent.connections[0]?.openedWith[0]).toMatchObject({ mode: wire, disallowedTools: disallowed });
    expect(await world.output(session.id)).toContain("done");
  });

  test.each([
    ["selective", "idle"],
    ["manual", "asking"],
  ] as const)("a request to read, should iFlow make one: %s leaves it %s", async (permissionMode, kind) => {
    const world = await World.start();
    const { session } = await world.launch("sleep 1000", { permissionMode });
    await world.until(session.id, "working");
    const options = [{ id: "proceed_once", label: "Allow", kind: "allow_once" }];
    const request = {
      kind: "permission",
      requestId: 5,
      toolCallId: "t",
      title: "notes.txt",
      toolKind: "read",
      content: "",
      options,
    } as const;
    const { last } = world.agent;
    const replies: unknown[] = [];
    last.reply = (requestId, reply) => (replies.push([requestId, reply]), "sent");
    last.emit({ kind: "asked", request });
    await world.until(session.id, kind);
    expect(replies).toEqual(kind === "idle" ? [[5, { kind: "selected", optionId: "proceed_once" }]] : []);
  });

  test("selective: allowed_tools are not asked for, and never sent to the agent", async () => {
    const world = await World.start();
    const { session } = await world.launch(WORK, { permissionMode: "selective", allowedTools: ["write_file"] });
    await world.until(session.id, "asking");
    expect(await askedFor(world, session.id)).toEqual(["echo hi [current working directory /w]"]);
    expect(JSON.stringify(world.agent.connections[0]?.openedWith[0])).not.toContain("write_file");
  });

  test("always allow holds for the session, over a restart, for its kind of thing only", async () => {
    const world = await World.start();
    const { session } = await world.launch("run: echo one\nrun: echo two\nsay: done", { permissionMode: "manual" });
    await world.until(session.id, "asking");
    await world.respond(session.id, "Always Allow echo");
    await world.until(session.id, "idle");
    await world.crash();
    await world.respond(session.id, "run: echo three\nrun: ls -l");
    const { phase } = await world.until(session.id, "asking");
    expect(phase.asks[0]?.subject?.title).toContain("ls -l");
    await world.respond(session.id, "Reject");
    await world.until(session.id, "idle");
    await world.respond(session.id, "run: echo four; rm -rf x");
    expect((await world.until(session.id, "asking")).phase.asks[0]?.subject?.title).toContain("rm -rf");
  });

  test.each([
    ["reject", "Reject"],
    ["no, in Chinese", "不"],
  ])("a file is not written after %s, and the agent hears cancelled", async (_name, words) => {
    const world = await World.start();
    const { session } = await world.launch("write a.txt: x");
    await world.until(session.id, "asking");
    await world.respond(session.id, words);
    await world.until(session.id, "idle");
    expect(world.agent.files.size).toBe(0);
    expect(world.agent.last.replies).toEqual([{ requestId: 0, reply: { kind: "cancelled" } }]);
    expect(await soundProblems(world)).toEqual([]);
  });
});

test("[H13] why a permission was rejected reaches iFlow as the next message, once its turn has ended", async () => {
  const world = await World.start();
  const { session } = await world.launch("write a.txt: x\nsay: without it");
  await world.until(session.id, "asking");
  await world.respond(session.id, "2 use the existing helper");
  await world.until(session.id, "idle");
  const output = await world.output(session.id);
  expect(output).toMatch(
    /: Reject: use the existing helper\n[^]*without it[^]*👤 I rejected ".*a\.txt.*": use the existing/u,
  );
  expect(world.agent.files.size).toBe(0);
  expect(await soundProblems(world)).toEqual([]);
});

describe("[S4] [K2] plans", () => {
  const PLAN = "say: looking\nplan: 1. write the file\nwrite a.txt: planned\nsay: carried out";

  test("plan mode runs no shell and no sub-agents; approved, the session is loaded again in manual mode and carries it out", async () => {
    const world = await World.start();
    const { session } = await world.launch(PLAN, { permissionMode: "plan" });
    const { phase } = await world.until(session.id, "asking");
    expect(phase.asks[0]).toMatchObject({ kind: "plan", questions: [{ text: { text: "1. write the file" } }] });
    expect(world.agent.connections[0]?.openedWith[0]).toMatchObject({
      mode: "plan",
      disallowedTools: ["run_shell_command", "task", "xml_escape"],
    });
    expect(await world.respond(session.id, "A")).toMatchObject({ ok: true, value: { delivered: "now" } });
    // Manual mode: the change is asked for.
    const again = await world.until(session.id, "asking");
    expect(again.phase.asks[0]?.subject?.title).toBe("Write to a.txt");
    expect(world.agent.connections[1]?.openedWith[0]).toMatchObject({
      mode: "default",
      disallowedTools: ["task", "xml_escape"],
      load: "acp-1",
    });
    expect(world.promptsOf(session.id)[1]).toContain("Carry it out");
    await world.respond(session.id, "Allow");
    await world.until(session.id, "idle");
    expect(world.agent.files.get("/w/a.txt")).toBe("planned\n");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("approved without asking: auto mode", async () => {
    const world = await World.start();
    const { session } = await world.launch(PLAN, { permissionMode: "plan", singleTurn: true });
    await world.until(session.id, "asking");
    await world.respond(session.id, "approve-auto");
    await world.until(session.id, "ended");
    expect(world.agent.last.openedWith[0]).toMatchObject({ mode: "yolo" });
    expect(world.agent.files.get("/w/a.txt")).toBe("planned\n");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("rejected with words: they reach iFlow, and it stays in plan mode", async () => {
    const world = await World.start();
    const { session } = await world.launch(PLAN, { permissionMode: "plan" });
    await world.until(session.id, "asking");
    await world.respond(session.id, "first the tests, please");
    await world.until(session.id, "idle");
    expect(world.agent.last.replies[0]?.reply).toEqual({
      kind: "plan",
      approved: false,
      reason: "first the tests, please",
    });
    expect(world.session(session.id).settings.permissionMode).toBe("plan");
    expect(world.agent.files.size).toBe(0);
  });

  test("approved after a kill: loaded in the approved mode", async () => {
    const world = await World.start();
    const { session } = await world.launch(PLAN, { permissionMode: "plan" });
    await world.until(session.id, "asking");
    await world.crash();
    await world.respond(session.id, "approve-auto");
    await world.until(session.id, "idle");
    expect(world.agent.last.openedWith[0]).toMatchObject({ mode: "yolo", load: "acp-1" });
    expect(world.agent.files.get("/w/a.txt")).toBe("planned\n");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("approved, and then the turn is cut off by a message: that message is next, in the approved mode", async () => {
    const world = await World.start();
    const { session } = await world.launch("plan: do it\nhang", { permissionMode: "plan" });
    await world.until(session.id, "asking");
    const { last } = world.agent;
    last.reply = () => "sent";
    await world.respond(session.id, "1");
    await world.respond(session.id, "say: something else", { interrupt: true });
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id).slice(1)).toEqual(["say: something else"]);
    expect(world.agent.last.openedWith[0]?.mode).toBe("default");
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("[K1] authority", () => {
  const STRANGER: Caller = {
    ...PERSON,
    owner: { sessionKey: "agent:main:telegram:direct:77" },
    route: { channel: "telegram", to: "telegram:77" },
    senderId: "77",
  };
  const OPERATOR: Caller = { ...STRANGER, door: "rpc", owner: { sessionKey: "agent:main:main" }, seesAll: true };

  test("others are told nothing, not even that there is such a session", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: secret-word\nhang", { name: "secret-name" });
    await world.until(session.id, "working");
    const answers = [
      await world.respond(session.id, "x", {}, STRANGER),
      await world.sessions.kill(STRANGER, session.id),
      await world.sessions.output(STRANGER, "secret-name", { lines: 5, full: false, since: undefined }),
      await world.sessions.foreground(STRANGER, "secret-nam", 5),
      await world.sessions.background(STRANGER, session.id),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({ ok: false, refusal: { code: "not_found" } });
      if (!answer.ok)
        expect(answer.refusal.message).toMatch(
          /^No iFlow session is called "[^"]*"\. You have no iFlow sessions yet\.$/,
        );
    }
    expect(world.sessions.all(STRANGER)).toEqual([]);
    expect(await world.sessions.killAll(STRANGER)).toEqual([]);
    expect(world.session(session.id).phase.kind).toBe("working");
  });

  test("the host's owner and operators see and steer all, but kill --all means their own", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: a\nhang");
    await world.until(session.id, "working");
    expect(world.sessions.all(OPERATOR)).toHaveLength(1);
    expect(await world.sessions.killAll(OPERATOR)).toEqual([]);
    expect((await world.sessions.kill(OPERATOR, session.name)).ok).toBe(true);
  });

  test("of two with the same name a caller means their own, an operator's id means exactly one", async () => {
    const world = await World.start();
    const { session: mine } = await world.launch("say: mine\nhang", { name: "same" });
    const { session: theirs } = await world.launch("say: theirs\nhang", { name: "same" }, STRANGER);
    expect(theirs.name).toBe("same");
    const found = world.sessions.find(PERSON, "same");
    expect(found.ok && found.value.id).toBe(mine.id);
    const other = world.sessions.find(OPERATOR, theirs.id);
    expect(other.ok && other.value.id).toBe(theirs.id);
  });

  test("[K1] in a group only who launched, the host's owner or an operator grants; anybody answers a question", async () => {
    const group = { sessionKey: "agent:main:telegram:group:-1" };
    const launcher: Caller = { ...PERSON, owner: group, inGroup: true, senderId: "42" };
    const member: Caller = { ...launcher, senderId: "43" };
    const world = await World.start();
    const { session } = await world.launch("ask: Which? | A | B\nwrite a.txt: x\nplan: p", {}, launcher);
    await world.until(session.id, "asking");
    expect((await world.respond(session.id, "A", {}, member)).ok).toBe(true);
    await world.quiet();
    for (const words of ["Allow", "Reject"]) {
      expect(await world.respond(session.id, words, {}, member)).toMatchObject({
        ok: false,
        refusal: { code: "not_allowed" },
      });
    }
    expect((await world.respond(session.id, "Allow", {}, launcher)).ok).toBe(true);
    await world.quiet();
    expect(await world.respond(session.id, "1", {}, member)).toMatchObject({
      ok: false,
      refusal: { code: "not_allowed" },
    });
    expect((await world.respond(session.id, "Reject", {}, { ...member, seesAll: true })).ok).toBe(true);
  });

  test("a session that a tool launched in a group is granted by no member, but by an operator", async () => {
    const group = { sessionKey: "agent:main:telegram:group:-1" };
    const tool: Caller = {
      door: "tool",
      owner: group,
      inGroup: true,
      isPerson: false,
      seesAll: false,
      personSeenAt: Number.MAX_SAFE_INTEGER,
    };
    const world = await World.start();
    const { session } = await world.launch("write a.txt: x", {}, tool);
    await world.until(session.id, "asking");
    expect(await world.respond(session.id, "Allow", {}, tool)).toMatchObject({
      ok: false,
      refusal: { code: "not_allowed" },
    });
    expect(await world.respond(session.id, "Allow", {}, { ...PERSON, owner: group, inGroup: true })).toMatchObject({
      ok: false,
      refusal: { code: "not_allowed" },
    });
    expect((await world.respond(session.id, "Allow", {}, OPERATOR)).ok).toBe(true);
  });

  test("an agent's answer in a direct chat counts as its own", async () => {
    const world = await World.start();
    const { session } = await world.launch("write a.txt: x\nsay: ok", {}, AGENT);
    await world.until(session.id, "asking");
    expect((await world.respond(session.id, "Allow", {}, AGENT)).ok).toBe(true);
    expect(world.session(session.id).counters).toMatchObject({ answeredByAgent: 1 });
  });
});
