/**
 * The agent dies, or never comes up: in every phase.
 */
import { describe, expect, test } from "vitest";
import { IflowError, type ErrorCode } from "../../src/core/errors.ts";
import { soundProblems } from "./invariants.ts";
import { AGENT, PERSON, World } from "./world.ts";

describe("[S10] an agent that dies", () => {
  test("mid-turn: interrupted, with exit code and the last lines of stderr; nothing is sent again unasked", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: begins\nstderr 20\ncrash 137");
    const { phase } = await world.until(session.id, "interrupted");
    expect(phase.cause).toMatchObject({ code: "agent_exited" });
    expect(phase.cause.message).toMatch(/137[\s\S]*eeeee/);
    await world.clock.advance(60_000);
    expect(world.agent.prompts).toHaveLength(1);
    expect(world.flowOf(session.id)).toMatchObject({ status: "waiting", waitJson: { for: "continue" } });
    expect(world.childrenOf(session.id)).toEqual(["t1 failed"]);
    await world.respond(session.id, "say: goes on");
    await world.until(session.id, "idle");
    expect(world.agent.last.openedWith[0]?.load).toBe("acp-1");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("while it asks: interrupted, the question is closed", async () => {
    const world = await World.start();
    const { session } = await world.launch("ask: Which? | A | B");
    const { phase } = await world.until(session.id, "asking");
    const questionId = phase.asks[0]?.questions[0]?.id ?? "";
    world.agent.last.crash("SIGKILL");
    await world.until(session.id, "interrupted");
    expect(await world.respond(session.id, "A", { questionId })).toMatchObject({
      ok: false,
      refusal: { code: "question_closed" },
    });
    expect(world.childrenOf(session.id).filter((child) => /queued|running/.test(child))).toEqual([]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("right after an answer: the answer is not lost, it opens the next prompt", async () => {
    const world = await World.start();
    const { session } = await world.launch("ask: Which? | A | B\nsay: chose {answer}");
    await world.until(session.id, "asking");
    const { last } = world.agent;
    last.emit = () => undefined;
    await world.respond(session.id, "B");
    await world.quiet();
    delete (last as { emit?: unknown }).emit;
    last.crash("SIGKILL");
    await world.until(session.id, "interrupted");
    await world.crash();
    await world.respond(session.id, "say: continue");
    await world.until(session.id, "idle");
    expect(world.agent.prompts.at(-1)?.text).toMatch(/Which\?[\s\S]*Answer: B[\s\S]*say: continue$/);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("while idle: nothing is said, the next message starts another", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one");
    await world.until(session.id, "idle");
    world.agent.last.crash("1");
    await world.quiet();
    expect(world.session(session.id)).toMatchObject({ phase: { kind: "idle" } });
    expect(world.roster.admission.running).toBe(0);
    expect(await world.respond(session.id, "say: two")).toMatchObject({ ok: true, value: { delivered: "resumed" } });
    await world.until(session.id, "idle");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("in the tick in which it became ready: the message waits, unsent", async () => {
    const world = await World.start();
    world.agent.beforeOpen = async () => {
      await Promise.resolve();
      queueMicrotask(() => queueMicrotask(() => world.agent.last.crash("1")));
    };
    const { session } = await world.launch("say: only once");
    await world.quiet();
    world.agent.beforeOpen = async () => undefined;
    const { kind } = world.session(session.id).phase;
    expect(["interrupted", "ended"]).toContain(kind);
    await world.respond(session.id, "say: second");
    await world.clock.advance(5_000);
    expect(world.agent.prompts.filter((prompt) => prompt.text.includes("only once")).length).toBeLessThanOrEqual(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("of a session with messages in line: they wait for a person, too", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one\nhang");
    await world.until(session.id, "working");
    await world.respond(session.id, "say: two");
    world.agent.last.crash("1");
    await world.until(session.id, "interrupted");
    await world.clock.advance(10_000);
    expect(world.promptsOf(session.id)).toHaveLength(1);
    await world.respond(session.id, "say: three");
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id).slice(1)).toEqual(["say: two", "say: three"]);
  });

  test("says its last words before its end: none is lost", async () => {
    const world = await World.start();
    const { session } = await world.launch("burst 2000\ncrash 1");
    await world.until(session.id, "interrupted");
    const output = await world.output(session.id);
    expect(output.trim().split("\n")).toHaveLength(2_000);
  });

  test("a model error ends the turn's session as failed, with the cause", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: tries\nfail: HTTP error! status: 429");
    const { phase } = await world.until(session.id, "ended");
    expect(phase).toMatchObject({
      outcome: "failed",
      cause: { code: "agent_error", message: expect.stringContaining("429") },
    });
    await world.quiet();
    expect(world.delivery.texts().at(-1)).toContain("429");
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("[S10] an agent that does not come up", () => {
  const failures: readonly [ErrorCode, string][] = [
    ["agent_missing", "agent_missing"],
    ["agent_start_failed", "agent_start_failed"],
    ["agent_handshake_timeout", "agent_handshake"],
    ["agent_session_timeout", "agent_handshake"],
    ["agent_not_authenticated", "not_authenticated"],
    ["agent_too_old", "agent_too_old"],
    ["agent_refused", "agent_error"],
    ["agent_exited", "agent_exited"],
  ];

  test.each(failures)("%s: failed, with that cause; slot and process are gone", async (code, cause) => {
    const world = await World.start({ maxSessions: 1 });
    const failure = new IflowError(code, `It went wrong (${code}).`);
    if (code === "agent_missing" || code === "agent_start_failed") world.agent.failStart = failure;
    else world.agent.failOpen = failure;
    const { session } = await world.launch("say: never", {}, AGENT);
    const { phase } = await world.until(session.id, "ended");
    expect(phase).toMatchObject({ outcome: "failed", cause: { code: cause, message: `It went wrong (${code}).` } });
    expect(world.agent.live).toHaveLength(0);
    expect(world.flowOf(session.id).status).toBe("failed");
    await world.quiet();
    expect(world.delivery.texts().filter((text) => text.startsWith("failed"))).toEqual([
      expect.stringContaining("It went wrong"),
    ]);
    expect(world.delivery.wakes.map((wake) => wake.text)).toEqual([expect.stringContaining("wake failed")]);
    const { session: next } = await world.launch("say: fits");
    await world.until(next.id, "idle");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("something unforeseen, too", async () => {
    const world = await World.start();
    world.agent.reap = () => Promise.reject(new Error("no process table"));
    const { session } = await world.launch("say: never");
    expect((await world.until(session.id, "ended")).phase).toMatchObject({
      outcome: "failed",
      cause: { message: "no process table" },
    });
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[O5] killed while it starts: no process stays, and nothing was sent", async () => {
    const world = await World.start();
    const held = Promise.withResolvers<void>();
    world.agent.beforeStart = () => held.promise;
    const { session } = await world.launch("say: never");
    await world.until(session.id, "starting");
    await world.sessions.kill(PERSON, session.id);
    held.resolve();
    await world.quiet();
    expect(world.agent.live).toHaveLength(0);
    expect(world.agent.prompts).toHaveLength(0);
    expect(world.flowOf(session.id).status).toBe("cancelled");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[O5] killed in the handshake", async () => {
    const world = await World.start();
    const held = Promise.withResolvers<void>();
    world.agent.beforeOpen = () => held.promise;
    const { session } = await world.launch("say: never");
    await world.until(session.id, "starting");
    await world.sessions.kill(PERSON, session.id);
    held.resolve();
    await world.quiet();
    expect(world.agent.live).toHaveLength(0);
    expect(world.agent.prompts).toHaveLength(0);
    expect(await soundProblems(world)).toEqual([]);
  });
});
