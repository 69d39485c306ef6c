/**
 * What each phase waits for, and what happens when it does not come.
 */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { World } from "./world.ts";

const MINUTE_MS = 60_000;

describe("[S9] the watchdog knows what it waits for", () => {
  test("the model: after iflowTimeout without a frame the turn is stopped, and the session ends as timed out", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: begins\nhang", { timeoutMs: 5 * MINUTE_MS });
    await world.until(session.id, "working");
    await world.clock.advance(5 * MINUTE_MS - 1_000);
    expect(world.session(session.id).phase.kind).toBe("working");
    await world.clock.advance(2_000);
    expect(world.session(session.id).phase).toMatchObject({
      kind: "ended",
      outcome: "timed_out",
      cause: { code: "model_silent" },
    });
    expect(world.flowOf(session.id).status).toBe("failed");
    expect(world.childrenOf(session.id)).toEqual(["t1 timed_out"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("any frame restarts it", async () => {
    const world = await World.start();
    const { session } = await world.launch(
      ["sleep 200000", "say: alive", "sleep 200000", "think: alive", "sleep 200000", "say: done"].join("\n"),
      { timeoutMs: 5 * MINUTE_MS },
    );
    await world.until(session.id, "idle", 11 * MINUTE_MS);
    expect(await world.output(session.id)).toContain("done");
  });

  test("a tool: it may run for toolTimeoutMinutes, whatever iflowTimeout is", async () => {
    const world = await World.start({ rules: { toolTimeoutMs: 30 * MINUTE_MS } });
    const { session } = await world.launch("run: sleep 1200\nrun: sleep 2400", {
      permissionMode: "auto",
      timeoutMs: MINUTE_MS,
    });
    await world.until(session.id, "working");
    await world.clock.advance(21 * MINUTE_MS);
    expect(world.session(session.id).phase.kind).toBe("working");
    await world.clock.advance(30 * MINUTE_MS);
    expect(world.session(session.id).phase).toMatchObject({ outcome: "timed_out", cause: { code: "tool_timeout" } });
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a person: the time that they take counts neither against model nor tool", async () => {
    const world = await World.start({ rules: { toolTimeoutMs: 10 * MINUTE_MS } });
    const { session } = await world.launch("run: sleep 1\nsleep 30000\nsay: done", { timeoutMs: MINUTE_MS });
    await world.until(session.id, "asking");
    await world.clock.advance(60 * MINUTE_MS);
    await world.respond(session.id, "Allow");
    await world.until(session.id, "idle");
    expect(await world.output(session.id)).toContain("done");
    expect(world.session(session.id).counters.workingMs).toBeLessThan(2 * MINUTE_MS);
  });

  test("quiet for safetyNetIdleSeconds: said once, with what it is doing, and nothing else changes", async () => {
    const world = await World.start({ rules: { quietAfterMs: 10 * MINUTE_MS } });
    const { session } = await world.launch("run: sleep 3000", { permissionMode: "auto" });
    await world.until(session.id, "working");
    await world.clock.advance(40 * MINUTE_MS);
    const told = world.delivery.texts().filter((text) => text.startsWith("quiet"));
    expect(told).toEqual([expect.stringContaining("sleep 3000")]);
    expect(world.session(session.id).phase.kind).toBe("working");
  });

  test("a turn that neither ends nor hears: its process is stopped after 10 s more", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: begins\nhang", { timeoutMs: MINUTE_MS });
    await world.until(session.id, "working");
    world.agent.last.cancel = async () => undefined;
    await world.clock.advance(MINUTE_MS + 11_000);
    expect(world.session(session.id).phase).toMatchObject({ outcome: "timed_out" });
    expect(world.agent.live).toHaveLength(0);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S8] an idle session ends as completed, silently, without a second notice", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: result");
    await world.until(session.id, "idle");
    await world.clock.advance(30 * MINUTE_MS + 1_000);
    expect(world.session(session.id).phase).toMatchObject({ kind: "ended", outcome: "completed" });
    expect(world.flowOf(session.id).status).toBe("succeeded");
    expect(world.delivery.texts().filter((text) => text.includes("result"))).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[K4] a last question that nobody answers ends the session as completed, and that is said", async () => {
    const world = await World.start({ rules: { questionTimeoutMs: 90 * MINUTE_MS } });
    const { session } = await world.launch("end-question: Go on?");
    await world.until(session.id, "idle");
    await world.clock.advance(31 * MINUTE_MS);
    expect(world.session(session.id).phase.kind).toBe("idle");
    await world.clock.advance(60 * MINUTE_MS);
    expect(world.session(session.id).phase).toMatchObject({ outcome: "completed", cause: { code: "abandoned" } });
    expect(world.childrenOf(session.id)).toEqual(["t1 succeeded", "t1.1 cancelled"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[F2] a sleep of the machine counts for nobody: nothing fails or is denied at waking, all limits hold from there", async () => {
    const world = await World.start({ maxSessions: 5, rules: { questionTimeoutMs: 60 * MINUTE_MS } });
    const { session: idle } = await world.launch("say: idle");
    const { session: working } = await world.launch("say: works\nhang");
    const { session: tool } = await world.launch("say: runs\nhang");
    const { session: asking } = await world.launch("ask: Which? | A | B\nsay: went on");
    await world.until(idle.id, "idle");
    await world.until(working.id, "working");
    await world.until(tool.id, "working");
    await world.until(asking.id, "asking");
    const runs = world.agent.connections.find(({ spec }) => spec.sessionId === tool.id);
    runs?.emit({ kind: "tool", toolCallId: "c1", title: "npm test", toolKind: "execute", status: "in_progress" });
    const told = world.delivery.texts().length;
    await world.clock.jump(48 * 60 * MINUTE_MS);
    await world.clock.advance(2 * MINUTE_MS);
    const phases = () => [idle, working, tool, asking].map(({ id }) => world.session(id).phase.kind);
    expect(phases()).toEqual(["idle", "working", "working", "asking"]);
    const cards = world.delivery.texts().slice(told);
    expect(cards.filter((text) => !/^🟢 .* · 2m 0s$/u.test(text))).toEqual([]);
    expect(world.session(working.id).phase).toMatchObject({
      sinceAt: expect.closeTo(world.clock.now() - 2 * MINUTE_MS, -5),
    });
    await world.clock.advance(4 * MINUTE_MS);
    expect(world.session(working.id).phase).toMatchObject({ outcome: "timed_out", cause: { code: "model_silent" } });
    expect(world.session(working.id).counters.workingMs).toBeLessThan(10 * MINUTE_MS);
    await world.clock.advance(60 * MINUTE_MS);
    expect(phases()).toEqual(["ended", "ended", "working", "idle"]);
    await world.clock.advance(60 * MINUTE_MS);
    expect(world.session(tool.id).phase).toMatchObject({ outcome: "timed_out", cause: { code: "tool_timeout" } });
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[F2] also one in the middle of a turn that then goes on", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one\nsleep 5000\nsay: two");
    await world.until(session.id, "working");
    await world.clock.jump(8 * 60 * MINUTE_MS);
    await world.until(session.id, "idle");
    expect(world.session(session.id).counters.workingMs).toBeLessThan(MINUTE_MS);
  });

  test("[F2] a clock that is set back leaves no time in the future and no limit further away", async () => {
    const world = await World.start();
    const { session: working } = await world.launch("say: works\nhang");
    const { session: asking } = await world.launch("ask: Which? | A | B\nsay: went on");
    await world.until(working.id, "working");
    await world.until(asking.id, "asking");
    await world.clock.jump(-24 * 60 * MINUTE_MS);
    await world.clock.advance(MINUTE_MS);
    for (const { id } of [working, asking])
      expect(world.session(id).phase).toMatchObject({ sinceAt: expect.closeTo(world.clock.now() - MINUTE_MS, -5) });
    await world.clock.advance(5 * MINUTE_MS);
    expect(world.session(working.id).phase).toMatchObject({ cause: { code: "model_silent" } });
    expect(world.session(working.id).counters.workingMs).toBeGreaterThan(4 * MINUTE_MS);
    await world.clock.advance(24 * 60 * MINUTE_MS);
    expect(world.session(asking.id).phase.kind).not.toBe("asking");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a clock that is set back stops nothing", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one\nsleep 5000\nsay: two");
    await world.until(session.id, "working");
    await world.clock.jump(-3_600_000);
    await world.until(session.id, "idle");
    expect(world.session(session.id).counters.workingMs).toBeGreaterThanOrEqual(0);
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("[S2] a clean ledger", () => {
  test("running and waiting flows are mutated at least every 20 minutes, so the host's audit has nothing to say", async () => {
    const world = await World.start({ rules: { quietAfterMs: 600 * MINUTE_MS, toolTimeoutMs: 600 * MINUTE_MS } });
    const { session: asking } = await world.launch("ask: Which? | A | B");
    const { session: working } = await world.launch("run: sleep 9000", { permissionMode: "auto" });
    await world.until(asking.id, "asking");
    await world.until(working.id, "working");
    for (let minutes = 0; minutes < 120; minutes += 5) {
      await world.clock.advance(5 * MINUTE_MS);
      world.children.beat();
      for (const { id } of [asking, working])
        expect(world.clock.now() - world.flowOf(id).updatedAt).toBeLessThan(20 * MINUTE_MS);
    }
  });

  test("a restart touches every live flow", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: idle");
    await world.until(session.id, "idle");
    await world.clock.advance(14 * MINUTE_MS);
    await world.crash();
    await world.clock.advance(1_000);
    expect(world.clock.now() - world.flowOf(session.id).updatedAt).toBeLessThan(2_000);
  });

  test("many flows are touched one after another, at a restart and from then on", async () => {
    const world = await World.start({ maxSessions: 1, maxQueued: 100 });
    for (let n = 0; n < 60; n += 1) await world.launch(`ask: Is it ${n}? | yes | no`);
    await world.clock.advance(14 * MINUTE_MS);
    await world.crash();
    const oldestMs = (): number => {
      const ages = world.roster.sessions().map(({ id }) => world.clock.now() - world.flowOf(id).updatedAt);
      expect(ages).toHaveLength(60);
      return Math.max(...ages);
    };
    const most = async (steps: number): Promise<number> => {
      let largest = 0;
      for (let n = 0; n < steps; n += 1) {
        const since = world.flows.changes.length;
        await world.clock.advance(100);
        largest = Math.max(largest, world.flows.changes.length - since);
      }
      return largest;
    };
    expect(await most(30)).toBeLessThan(20);
    expect(oldestMs()).toBeLessThan(3_000);
    await world.clock.advance(15 * MINUTE_MS - 3_000);
    expect(await most(40)).toBeLessThan(20);
    expect(oldestMs()).toBeLessThan(5_000);
  });

  test("a child that the host lost to a sleep is replaced, with a run id of its own", async () => {
    const world = await World.start();
    const { session } = await world.launch("ask: Which? | A | B\nsay: chose {answer}");
    await world.until(session.id, "asking");
    await world.clock.jump(6 * MINUTE_MS);
    world.flows.ledger.sweep();
    await world.clock.advance(1_500);
    expect(world.childrenOf(session.id)).toEqual(["t1 succeeded", "t1.1 lost", "t1.2 queued"]);
    await world.respond(session.id, "B");
    await world.until(session.id, "idle");
    expect(world.childrenOf(session.id).at(-1)).toBe("t1.2 succeeded");
    expect(await soundProblems(world)).toEqual([]);
  });
});
