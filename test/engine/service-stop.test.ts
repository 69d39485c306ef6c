/**
 * The service stops: in every phase, under load, with an agent or a host that does not answer. Everything can be resumed.
 */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { inPhase, letStart, LIVE_PHASES } from "./phases.ts";
import { PERSON, World } from "./world.ts";

const AFTER = {
  queued: "queued",
  starting: "queued",
  working: "interrupted",
  asking: "asking",
  idle: "idle",
  interrupted: "interrupted",
} as const;
const FLOW = { queued: "queued", interrupted: "waiting", asking: "waiting", idle: "waiting" } as const;

describe("[S5] I6: a stop", () => {
  test.each(LIVE_PHASES)("while %s: no process, no active child, and a record that says what it is", async (kind) => {
    const world = await World.start({ maxSessions: 2 });
    const { id } = await inPhase(world, kind);
    await world.quiet();
    const prompts = world.promptsOf(id).length;
    const { flowId } = world.flowOf(id);
    await world.stop();
    expect(world.agent.live).toHaveLength(0);
    expect(world.flows.ledger.activeChildren(flowId)).toEqual([]);
    expect(world.flows.ledger.flows.get(flowId)).toMatchObject({
      status: FLOW[AFTER[kind]],
      stateJson: { phase: { kind: AFTER[kind] } },
    });
    letStart(world);
    await world.boot();
    if (AFTER[kind] === "queued") await world.until(id, "idle");
    else expect(world.session(id).phase.kind).toBe(AFTER[kind]);
    expect(world.promptsOf(id)).toHaveLength(AFTER[kind] === "queued" ? 1 : prompts);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("with 5 running turns: quick, told, and the next start shows 5 interrupted sessions that continue on request", async () => {
    const world = await World.start();
    const ids: string[] = [];
    for (let n = 1; n <= 5; n += 1) ids.push((await inPhase(world, "working", `say: job ${n}\nhang`)).id);
    const began = world.clock.now();
    await world.stop();
    expect(world.clock.now() - began).toBeLessThan(1_000);
    expect(world.delivery.texts().filter((text) => text.startsWith("interrupted"))).toHaveLength(5);
    await world.boot();
    await world.clock.advance(2_000);
    for (const id of ids)
      expect(world.session(id).phase).toMatchObject({ kind: "interrupted", cause: { code: "gateway_stopped" } });
    expect(world.delivery.texts().filter((text) => text.startsWith("interrupted"))).toHaveLength(5);
    for (const id of ids) await world.respond(id, `say: ${id} continued`);
    for (const id of ids) await world.until(id, "idle");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("under a flood of words nothing that was heard is lost", async () => {
    const world = await World.start();
    const { session } = await world.launch("burst 20000\nhang");
    await world.until(session.id, "working");
    await world.stop();
    await world.boot();
    expect((await world.output(session.id)).trim().split("\n")).toHaveLength(20_000);
    expect(world.session(session.id).output.end).toBe((await world.output(session.id)).length);
  });

  test("[S5] by restartPolicy continue interrupted turns go on by themselves, saying so, after a stop and after kill -9", async () => {
    for (const how of ["restart", "crash"] as const) {
      const world = await World.start({ rules: { afterRestart: "continue" } });
      const { id } = await inPhase(world, "working");
      await world[how]();
      await world.until(id, "idle");
      expect(world.promptsOf(id).at(-1)).toContain("The gateway was restarted");
      expect(world.agent.last.openedWith[0]?.load).toBe("acp-1");
      expect(await soundProblems(world)).toEqual([]);
      // Only what a restart interrupted.
      await world[how]();
      await world.clock.advance(3_000);
      expect(world.session(id).phase.kind).toBe("idle");
    }
  });

  test("an agent's own death is not continued by a restart", async () => {
    const world = await World.start({ rules: { afterRestart: "continue" } });
    const { id } = await inPhase(world, "interrupted");
    await world.restart();
    await world.clock.advance(3_000);
    expect(world.session(id).phase.kind).toBe("interrupted");
  });

  test("an agent that never stops does not hold up the gateway; it is reaped at the next start", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "working");
    const { last } = world.agent;
    last.stop = () => new Promise<never>(() => undefined);
    const began = world.clock.now();
    await world.stop();
    expect(world.clock.now() - began).toBeLessThan(5_000);
    expect(world.log.some((line) => line.startsWith("error") && line.includes("not everything was settled"))).toBe(
      true,
    );
    await world.boot();
    expect(
      world.agent.reaped.some((reaped) => reaped.sessionId === id && reaped.identity?.pid === last.identity.pid),
    ).toBe(true);
    expect(world.session(id).phase.kind).toBe("interrupted");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("processes that could not be ended are named", async () => {
    const world = await World.start();
    await inPhase(world, "working");
    world.agent.last.leftAfterStop = [4711];
    await world.stop();
    expect(world.log.some((line) => line.startsWith("error") && line.includes("4711"))).toBe(true);
  });

  test.each(["change", "list", "get"] as const)(
    "a host whose %s does not answer does not hold up the gateway",
    async (on) => {
      const world = await World.start();
      const { id } = await inPhase(world, "working");
      world.flows.hold({ on });
      if (on !== "change") await world.clock.advance(1_000);
      const began = world.clock.now();
      await world.stop();
      expect(world.clock.now() - began).toBeLessThan(5_000);
      await world.boot();
      await world.clock.advance(2_000);
      expect(world.session(id).phase.kind).toBe("interrupted");
      expect(await soundProblems(world)).toEqual([]);
    },
  );

  test("a chat that does not answer does not hold up the gateway; the notice comes after the next start", async () => {
    const world = await World.start();
    const held = world.delivery.hold("send");
    const { session } = await world.launch("say: a", { singleTurn: true });
    await held.reached;
    await world.until(session.id, "ended");
    const began = world.clock.now();
    await world.stop();
    expect(world.clock.now() - began).toBeLessThan(5_000);
    await world.boot();
    await world.clock.advance(1_000);
    expect(world.delivery.texts().filter((text) => text.startsWith("completed"))).toHaveLength(1);
  });

  test("in the tick of a signal children end as failed, which nobody takes for a cancel order", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "working");
    world.roster.settleChildren("The gateway was stopped (SIGUSR2)");
    expect(world.childrenOf(id)).toEqual(["t1 failed"]);
    world.flows.ledger.draining = true;
    await world.clock.advance(5_000);
    expect(world.session(id).phase.kind).toBe("working");
    // The gateway goes on after all.
    world.flows.ledger.draining = false;
    world.roster.spared();
    await world.clock.advance(1_500);
    expect(world.childrenOf(id)).toEqual(["t1 failed", "t1.1 running"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("what is asked for while it stops is refused or kept, and is never lost", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    const stopping = world.roster.stop();
    expect(await world.tryLaunch("say: too late")).toMatchObject({
      ok: false,
      refusal: { code: "storage_unavailable" },
    });
    const said = await Promise.race([world.respond(id, "say: kept"), world.clock.advance(5_000).then(() => undefined)]);
    await world.runUntil(stopping);
    await world.stop();
    await world.boot();
    await world.clock.advance(5_000);
    expect(world.promptsOf(id).includes("say: kept")).toBe(said?.ok ?? false);
  });

  test("before its prompt has left a job has not begun: the next start begins it, once", async () => {
    const world = await World.start();
    const ledger = Promise.withResolvers<void>();
    world.children.slow = () => ledger.promise;
    const { session } = await world.launch("say: the whole job");
    await world.quiet();
    expect(world.session(session.id).phase).toMatchObject({ kind: "working", prompt: "pending" });
    const stopping = world.roster.stop();
    await world.clock.advance(100);
    ledger.resolve();
    await world.runUntil(stopping);
    await world.stop();
    expect(world.promptsOf(session.id)).toEqual([]);
    world.children.slow = undefined;
    await world.boot();
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id)).toEqual(["say: the whole job"]);
    expect(world.delivery.texts().filter((text) => text.startsWith("interrupted"))).toEqual([]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S6] an agent that does not read its prompt holds up neither a kill nor a stop", async () => {
    for (const end of ["kill", "stop"] as const) {
      const world = await World.start();
      world.agent.beforePrompt = () => new Promise(() => undefined);
      const { session } = await world.launch("say: never read");
      await world.quiet();
      if (end === "kill") await world.sessions.kill(PERSON, session.id);
      else await world.runUntil(world.roster.stop());
      await world.clock.advance(1_000);
      expect(world.agent.live).toEqual([]);
      await world.stop();
    }
  });

  test("stopping twice is stopping once", async () => {
    const world = await World.start();
    await inPhase(world, "working");
    const both = [world.roster.stop(), world.roster.stop()];
    expect(both[0]).toBe(both[1]);
    await world.runUntil(Promise.all(both));
    await world.stop();
  });

  test("a stop in the middle of recovery leaves the rest for the next start", async () => {
    const world = await World.start({ maxSessions: 3 });
    const ids: string[] = [];
    for (let n = 1; n <= 20; n += 1) ids.push((await world.launch(`say: ${n}\nhang`)).session.id);
    world.kill();
    const slow = world.flows.hold({ on: "change" });
    void world.boot();
    await slow.reached;
    const stopping = world.roster.stop();
    slow.release();
    await world.runUntil(stopping);
    await world.stop();
    await world.boot();
    await world.clock.advance(2_000);
    expect(ids.map((id) => world.find(id)?.phase.kind).filter((kind) => kind === undefined)).toEqual([]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[O5] a kill right before a stop is a kill", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "working");
    const { flowId } = world.flowOf(id);
    void world.sessions.kill(PERSON, id);
    await world.stop();
    await world.boot();
    await world.clock.advance(2_000);
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe("cancelled");
    expect(await soundProblems(world)).toEqual([]);
  });
});
