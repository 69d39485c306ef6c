/**
 * One conversation over several processes and flows: loads, lost history, prefaces, continuations, forks.
 */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { AGENT, PERSON, World } from "./world.ts";

async function parked(world: World, id: string): Promise<void> {
  await world.until(id, "idle");
  await world.clock.advance(16_000);
}

describe("a load", () => {
  test("[O9] [K2] gets all settings again, and the system prompt, which iFlow loses, opens the first prompt", async () => {
    const world = await World.start();
    const systemPrompt = `You are terse. ${"Very terse. ".repeat(300)}`;
    const { session } = await world.launch("say: one", {
      systemPrompt,
      model: "glm-5",
      maxTurns: 7,
      permissionMode: "selective",
    });
    await parked(world, session.id);
    await world.crash();
    await world.respond(session.id, "say: two");
    await parked(world, session.id);
    const [first, second] = world.agent.connections.map((connection) => connection.openedWith[0]);
    expect(first).toMatchObject({ load: undefined, systemPrompt, model: "glm-5", maxTurns: 7, mode: "default" });
    expect(second).toMatchObject({ load: "acp-1", systemPrompt, model: "glm-5", maxTurns: 7, mode: "default" });
    const blocks = world.agent.prompts[1]?.blocks ?? [];
    expect(blocks).toHaveLength(2);
    expect(blocks[0]).toMatchObject({ type: "text", text: expect.stringContaining(systemPrompt) });
    expect(blocks[1]).toEqual({ type: "text", text: "say: two" });
    // Only the first prompt after the load.
    await world.respond(session.id, "say: three");
    await world.until(session.id, "idle");
    await world.respond(session.id, "say: four");
    await world.until(session.id, "idle");
    expect(world.agent.prompts[3]?.blocks).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("[S7] history that iFlow no longer has", () => {
  async function forgotten(world: World) {
    const { session } = await world.launch("say: the first words\nwrite a.txt: x", { permissionMode: "auto" });
    await parked(world, session.id);
    world.agent.forget("acp-1");
    await world.respond(session.id, "say: more");
    const { phase } = await world.until(session.id, "asking");
    return { id: session.id, question: phase.asks[0]?.questions[0] };
  }

  test("the person is told before anything is sent; a fresh start gets the journal's summary", async () => {
    const world = await World.start();
    const { id, question } = await forgotten(world);
    expect(question).toMatchObject({ kind: "fresh-start", options: [{ id: "fresh" }, { id: "stop" }] });
    expect(world.promptsOf(id)).toHaveLength(1);
    expect(world.agent.live).toHaveLength(0);
    expect(await world.respond(id, "1")).toMatchObject({ ok: true, value: { delivered: "resumed" } });
    await world.until(id, "idle");
    const { blocks } = world.agent.prompts.at(-1)!;
    expect(blocks[0]).toMatchObject({
      text: expect.stringMatching(
        /Summary[\s\S]*It began with: say: the first words[\s\S]*\/w\/a\.txt[\s\S]*the first words/,
      ),
    });
    expect(blocks[1]).toEqual({ type: "text", text: "say: more" });
    expect(world.session(id).acpSessionId).not.toBe("acp-1");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("stop ends it", async () => {
    const world = await World.start();
    const { id } = await forgotten(world);
    await world.respond(id, "Stop");
    await world.quiet();
    expect(world.flowOf(id).status).toBe("cancelled");
    expect(world.promptsOf(id)).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("the question survives a kill, and an interrupting message does not skip it", async () => {
    const world = await World.start();
    const { id } = await forgotten(world);
    await world.crash();
    await world.respond(id, "say: quick", { interrupt: true });
    await world.clock.advance(5_000);
    expect(world.session(id).phase.kind).toBe("asking");
    expect(world.promptsOf(id)).toHaveLength(1);
    await world.respond(id, "Start fresh with a summary");
    await world.until(id, "idle");
    expect(world.promptsOf(id).slice(1).toSorted()).toEqual(["say: more", "say: quick"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a first prompt that never left has no history to lose: nobody is asked", async () => {
    const world = await World.start();
    world.journals.failing = undefined;
    const { session } = await world.launch("say: first");
    // Dies between the handshake and the prompt.
    await world.until(session.id, "idle");
    const other = await World.start({
      death: { atCall: world.life.trace.lastIndexOf("connection.prompt") + 1, when: "before" },
    });
    void other.launch("say: first");
    await other.runUntil(other.life.died);
    other.kill();
    await other.boot();
    await other.quiet();
    const [left] = other.roster.sessions();
    expect(left?.phase.kind).toBe("interrupted");
    await other.respond(left!.id, "say: again");
    await other.until(left!.id, "idle");
    expect(await soundProblems(other)).toEqual([]);
  });
});

describe("[O2] [O9] an ended session goes on in a new flow", () => {
  async function ended(world: World, caller = PERSON) {
    const { session, flowId } = await world.launch(
      "say: the result\nwrite a.txt: x",
      { singleTurn: true, permissionMode: "auto", name: "job" },
      caller,
    );
    await world.until(session.id, "ended");
    return { id: session.id, flowId };
  }

  test("with the same context, settings, name and route; the old flow stays as it ended; old ids resolve to the newest", async () => {
    const world = await World.start();
    const { id, flowId } = await ended(world);
    const going = await world.respond("job", "say: and more");
    expect(going).toMatchObject({ ok: true, value: { delivered: "resumed" } });
    const next = going.ok ? going.value : undefined;
    expect(next?.flowId).not.toBe(flowId);
    await world.until(next!.session.id, "ended");
    const session = world.session(next!.session.id);
    expect(session).toMatchObject({
      name: "job",
      continues: id,
      settings: { singleTurn: true, permissionMode: "auto" },
      route: PERSON.route,
    });
    expect(world.session(id).continuedBy).toBe(session.id);
    expect(world.agent.last.openedWith[0]?.load).toBe("acp-1");
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe("succeeded");
    const third = await world.respond(id, "say: third");
    expect(third.ok && third.value.session.continues).toBe(session.id);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("the link survives restarts, also of a session that had left memory", async () => {
    const world = await World.start();
    const { id } = await ended(world);
    await world.clock.advance(3_600_000 + 6 * 60_000);
    expect(world.roster.actor(id)).toBeUndefined();
    const going = await world.respond(id, "say: and more");
    const next = going.ok ? going.value.session.id : "";
    await world.until(next, "ended");
    await world.crash();
    const found = world.sessions.find(PERSON, id);
    expect(found.ok && found.value.id).toBe(next);
  });

  test("of two who go on at once, the second speaks to the session of the first", async () => {
    const world = await World.start();
    const { id } = await ended(world);
    const both = await Promise.all(["say: one more", "say: two more"].map((words) => world.respond(id, words)));
    const ids = both.map((result) => (result.ok ? result.value.session.id : ""));
    expect(ids[0]).not.toBe("");
    expect(ids[1]).toBe(ids[0]);
    await world.until(ids[0]!, "ended");
    expect(world.promptsOf(ids[0]!)).toEqual(["say: one more", "say: two more"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("without its history in iFlow it asks, and a fresh start begins with the first session's words", async () => {
    const world = await World.start();
    const { id } = await ended(world);
    world.agent.forget("acp-1");
    const going = await world.respond(id, "say: and more");
    const next = going.ok ? going.value.session.id : "";
    await world.until(next, "asking");
    await world.respond(next, "1");
    await world.until(next, "ended");
    expect(world.agent.prompts.at(-1)?.blocks[0]).toMatchObject({
      text: expect.stringMatching(/It began with: say: the result[\s\S]*the result/),
    });
    expect(await soundProblems(world)).toEqual([]);
  });

  test.each(["killed", "failed"] as const)("a %s one as well", async (how) => {
    const world = await World.start();
    const { session } = await world.launch(how === "failed" ? "say: a\nfail: model error" : "say: a\nhang");
    await world.until(session.id, how === "failed" ? "ended" : "working");
    if (how === "killed") await world.sessions.kill(PERSON, session.id);
    await world.quiet();
    const going = await world.respond(session.id, "say: again");
    await world.until(going.ok ? going.value.session.id : "", "idle");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("it keeps its owner, whoever goes on with it", async () => {
    const world = await World.start();
    const { id } = await ended(world);
    const operator = { ...PERSON, owner: { sessionKey: "agent:main:main" }, door: "rpc" as const, seesAll: true };
    const going = await world.respond(id, "say: more", {}, operator);
    expect(going.ok && going.value.session.owner).toEqual(PERSON.owner);
  });
});

describe("[O9] fork", () => {
  test("[S1] is a launch to the line: behind those who wait, and refused where it is full", async () => {
    const world = await World.start({ maxSessions: 1, maxQueued: 2 });
    const { session } = await world.launch("hang");
    const waiting = await world.launch("say: waits");
    const forked = await world.sessions.fork(PERSON, world.session(session.id), "say: branch");
    expect(forked).toMatchObject({ ok: true, value: { place: 2 } });
    expect(world.roster.admission.placeOf(waiting.session.id)).toBe(1);
    expect(await world.sessions.fork(PERSON, world.session(session.id), "say: branch")).toMatchObject({
      refusal: { code: "queue_full" },
    });
  });

  test("a copy of the history goes on by itself, and the original is never loaded", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: origin", { name: "tree" });
    await parked(world, session.id);
    const before = JSON.stringify(world.session(session.id));
    const forked = await world.sessions.fork(AGENT, world.session(session.id), "recall");
    expect(forked).toMatchObject({ ok: true, value: { history: "copied" } });
    const id = forked.ok ? forked.value.session.id : "";
    await world.until(id, "idle");
    expect(await world.output(id)).toContain("say: origin");
    expect(world.agent.connections.map((connection) => connection.openedWith[0]?.load)).toEqual([undefined, "acp-2"]);
    expect(world.session(id)).toMatchObject({ name: "tree-fork", continues: session.id });
    expect(JSON.stringify(world.session(session.id))).toBe(before);
    const found = world.sessions.find(PERSON, session.id);
    expect(found.ok && found.value.id).toBe(session.id);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("where no copy can be made it begins with a summary", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: origin words");
    await parked(world, session.id);
    world.agent.forget("acp-1");
    const forked = await world.sessions.fork(PERSON, world.session(session.id), "say: branch");
    expect(forked).toMatchObject({ ok: true, value: { history: "summary" } });
    const id = forked.ok ? forked.value.session.id : "";
    await world.until(id, "idle");
    expect(world.agent.prompts.at(-1)?.blocks[0]).toMatchObject({
      text: expect.stringMatching(/It began with: say: origin words/),
    });
    expect(await soundProblems(world)).toEqual([]);
  });

  test("of a session that works: the original works on", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: origin\nhang");
    await world.until(session.id, "working");
    const forked = await world.sessions.fork(PERSON, world.session(session.id), "say: branch");
    await world.until(forked.ok ? forked.value.session.id : "", "idle");
    expect(world.session(session.id).phase.kind).toBe("working");
  });
});
