/**
 * The next start: everything is found, one bad record stops nobody, nothing is sent unasked, and it is quick.
 */
import { describe, expect, test } from "vitest";
import type { JournalLine } from "../../src/ports.ts";
import { soundProblems } from "./invariants.ts";
import { inPhase, letStart, LIVE_PHASES } from "./phases.ts";
import { PERSON, World } from "./world.ts";

const AFTER = {
  queued: "queued",
  starting: "starting",
  working: "interrupted",
  asking: "asking",
  idle: "idle",
  interrupted: "interrupted",
} as const;

describe("[S5] after kill -9", () => {
  test.each(LIVE_PHASES)("while %s", async (kind) => {
    const world = await World.start({ maxSessions: 2 });
    const { id } = await inPhase(world, kind);
    await world.quiet();
    const prompts = world.promptsOf(id);
    await world.crash();
    await world.quiet();
    const after = world.session(id).phase.kind;
    if (kind === "queued" || kind === "starting") expect(["queued", "starting", "working", "idle"]).toContain(after);
    else expect(after).toBe(AFTER[kind]);
    if (kind !== "queued") expect(world.promptsOf(id)).toEqual(prompts);
    letStart(world);
    await world.crash();
    await world.clock.advance(5_000);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("the turn that ran is told with what is known: turn, tool calls, files, last words", async () => {
    const world = await World.start();
    const script = "write a.txt: x\nread b.txt\nsay: I am about to rename it\nhang";
    const { id } = (await world.launch(script, { permissionMode: "auto" })).session;
    await world.until(id, "working");
    await world.clock.advance(1_000);
    await world.crash();
    const { phase } = await world.until(id, "interrupted");
    expect(phase.cause).toMatchObject({
      code: "gateway_restarted",
      message: expect.stringMatching(/turn 1.*2 tool calls.*a\.txt.*about to rename it/),
    });
    expect(world.session(id).counters.workingMs).toBeLessThan(2_000);
  });

  test("[H7] what was done since the last commit counts, and the command that ran is named", async () => {
    const world = await World.start();
    const { id } = (await world.launch("say: I test it\nwrite a.txt: x\nhang", { permissionMode: "auto" })).session;
    await world.until(id, "working");
    await world.clock.advance(5_000);
    const tool = { kind: "tool", toolCallId: "c9", toolKind: "execute", title: "npm test" } as const;
    world.agent.last.emit({ ...tool, status: "pending" }, { ...tool, status: "in_progress" });
    await world.quiet();
    // Before the next checkpoint: the flow does not know of it.
    expect(world.flowOf(id).stateJson).toMatchObject({ counters: { toolCalls: 1 } });
    await world.crash();
    const { phase } = await world.until(id, "interrupted");
    expect(phase.cause.message).toMatch(/after 2 tool calls\. It was running: npm test\..*a\.txt.*I test it/);
    expect(world.session(id).counters.toolCalls).toBe(2);
    expect(world.delivery.texts().at(-1)).toContain("It was running: npm test.");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("the time without a gateway is not working time", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "working");
    world.kill();
    await world.clock.jump(5 * 3_600_000);
    await world.boot();
    await world.until(id, "interrupted");
    expect(world.session(id).counters.workingMs).toBeLessThan(60_000);
  });

  test("children that stand for nothing any more end, also those that the record does not know", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "working");
    const { flowId } = world.flowOf(id);
    world.kill();
    world.flows.ledger.startChild(PERSON.owner.sessionKey, {
      flowId,
      runId: `iflow:${flowId}:t0.9`,
      label: "stray",
      as: "queued",
    });
    await world.boot();
    await world.clock.advance(1_000);
    expect(world.flows.ledger.activeChildren(flowId)).toEqual([]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("run ids are never used twice, whatever is restarted how often", async () => {
    const world = await World.start();
    const { session } = await world.launch("ask: Which? | A | B\nsay: x", {});
    await world.until(session.id, "asking");
    for (let n = 0; n < 4; n += 1) {
      await world.crash();
      await world.clock.advance(1_000);
    }
    await world.respond(session.id, "A");
    await world.until(session.id, "idle");
    const runIds = world.childRecords(session.id).map((child) => child.runId);
    expect(new Set(runIds).size).toBe(runIds.length);
    expect(world.childrenOf(session.id).filter((child) => /running|queued/.test(child))).toEqual([]);
    expect(world.childrenOf(session.id).at(-1)).toBe("t2 succeeded");
  });

  test("the process of before is ended by pid and start time before anything else is started", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "working");
    const { identity } = world.agent.last;
    await world.crash();
    expect(world.agent.reaped).toContainEqual({ sessionId: id, identity });
  });

  test("parked sessions cost no look at processes", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    await world.clock.advance(20_000);
    world.agent.reaped.length = 0;
    await world.crash();
    await world.clock.advance(1_000);
    expect(world.agent.reaped).toEqual([]);
    expect(world.session(id).phase.kind).toBe("idle");
  });

  test("the buffer is filled again from the journal", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "working", "long 20\nhang");
    // Before the first checkpoint.
    await world.crash();
    const { output } = world.session(id);
    expect(output.text).toContain("Line 20 of 20");
    expect([output.start, output.end]).toEqual([0, output.text.length]);
    await world.clock.advance(1_000);
    expect(world.flowOf(id).stateJson).toMatchObject({ output: { end: output.end } });
  });
});

describe("[S5] records that are not as they should be", () => {
  async function three() {
    const world = await World.start();
    const ids: string[] = [];
    for (const n of [1, 2, 3]) ids.push((await inPhase(world, "asking", `ask: Question ${n}? | A | B`)).id);
    const bad = ids[1]!;
    const { flowId } = world.flowOf(bad);
    world.kill();
    const good = async () => {
      await world.boot();
      await world.clock.advance(1_000);
      expect([ids[0]!, ids[2]!].map((id) => world.session(id).phase.kind)).toEqual(["asking", "asking"]);
    };
    const state = (stateJson: unknown) => world.flows.ledger.patch(flowId, undefined, undefined, { stateJson });
    const flow = () => world.flows.ledger.flows.get(flowId);
    return { world, bad, flowId, good, state, flow };
  }
  const withoutCommits = (lines: readonly JournalLine[]) => lines.filter((line) => line.t !== "commit");

  test("of a newer version: reported and left exactly as it is", async () => {
    const { world, bad, good, state, flow } = await three();
    state({ schema: "iflow.session.v2", anything: 1 });
    const before = flow();
    await good();
    expect(world.find(bad)).toBeUndefined();
    expect(flow()).toEqual(before);
    expect(world.log.some((line) => line.startsWith("warn") && line.includes("iflow.session.v2"))).toBe(true);
  });

  test("of a session that ended while its journal could not be written: the same end at each start, told by nobody twice", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle", "say: done");
    await world.clock.advance(5_000);
    const { flowId } = world.flowOf(id);
    world.journals.failing = "the disk is full";
    await world.sessions.kill(PERSON, id);
    await world.quiet();
    const told = world.delivery.messages.length;
    world.kill();
    world.journals.failing = undefined;
    await world.boot();
    world.flows.ledger.patch(flowId, undefined, undefined, { stateJson: { mine: true } });
    await world.crash();
    await world.clock.advance(2_000);
    expect(world.session(id)).toMatchObject({ phase: { kind: "ended", outcome: "completed" }, owed: [] });
    expect(world.delivery.messages.slice(told).map((message) => message.texts)).toEqual([]);
  });

  test("broken, with a journal: restored from it", async () => {
    const { world, bad, good, state } = await three();
    state({ schema: "iflow.session.v1", id: bad, phase: { kind: "dancing" } });
    await good();
    expect(world.session(bad).phase.kind).toBe("asking");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("broken, and its journal has no commit: ended, since nobody can carry it on, and told", async () => {
    const { world, bad, good, state, flow } = await three();
    world.journals.files.set(bad, [...withoutCommits(world.journals.files.get(bad) ?? [])]);
    state({ schema: "iflow.session.v1", id: bad, phase: { kind: "dancing" } });
    await good();
    expect(world.session(bad).phase).toMatchObject({ kind: "ended", outcome: "failed" });
    expect(flow()?.status).toBe("failed");
  });

  test("its journal can't be read: reported, its file stays", async () => {
    const { world, bad, good, flow } = await three();
    const { open } = world.journals;
    world.journals.open = (id) => (id === bad ? Promise.reject(new Error("EIO")) : open.call(world.journals, id));
    const before = flow();
    await good();
    expect(world.find(bad)).toBeUndefined();
    expect(flow()).toEqual(before);
    expect(world.journals.files.has(bad)).toBe(true);
    expect(world.log.some((line) => line.includes("EIO"))).toBe(true);
  });

  test("its flow is gone: over, told once", async () => {
    const { world, bad, good, flowId } = await three();
    world.flows.otherWriter.remove(flowId);
    await good();
    expect(world.session(bad).phase).toMatchObject({ kind: "ended", outcome: "failed" });
    expect(world.delivery.texts().filter((text) => text.startsWith("failed"))).toHaveLength(1);
  });

  test("killed between the header and the flow: the empty journal goes, nobody is told", async () => {
    const world = await World.start();
    const held = world.flows.hold({ on: "create" });
    void world.launch("say: a");
    await held.reached;
    world.kill();
    await world.boot();
    await world.clock.advance(1_000);
    expect(world.journals.files.size).toBe(0);
    expect(world.delivery.messages).toHaveLength(0);
  });

  test("killed between the flow and its line in the journal: found by its state, and carried on", async () => {
    const world = await World.start();
    const { write } = world.journals;
    world.journals.write = async (id, lines) => {
      if (lines.some((line) => line.t === "flow")) world.life.die();
      return world.life.dead ? new Promise<never>(() => undefined) : write.call(world.journals, id, lines);
    };
    void world.launch("say: found");
    await world.life.died;
    world.kill();
    await world.boot();
    const [found] = world.roster.sessions();
    await world.until(found?.id ?? "", "idle");
    expect(world.agent.prompts).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("flows of other controllers and owners are not looked at", async () => {
    const { world, good } = await three();
    const { flowId } = world.flows.ledger.createFlow(PERSON.owner.sessionKey, "somebody/else", {
      goal: "theirs",
      route: undefined,
      stateJson: { id: "x" },
    });
    const before = world.flows.ledger.flows.get(flowId);
    await good();
    expect(world.flows.ledger.flows.get(flowId)).toEqual(before);
  });
});

describe("[S5] 500 sessions", () => {
  test("come back, and go on in their order", { timeout: 60_000 }, async () => {
    const world = await World.start({ maxSessions: 5, maxQueued: 1_000 });
    const ids: string[] = [];
    for (let n = 0; n < 500; n += 1) {
      const caller = { ...PERSON, owner: { sessionKey: `agent:main:owner${n % 7}` } };
      ids.push(
        (await world.launch(n < 5 ? `say: ${n}\nhang` : `say: ${n}\nsleep 100`, { singleTurn: true }, caller)).session
          .id,
      );
    }
    await world.quiet();
    await world.crash();
    expect(world.roster.sessions()).toHaveLength(500);
    expect(ids.slice(0, 5).map((id) => world.session(id).phase.kind)).toEqual(ids.slice(0, 5).map(() => "interrupted"));
    await world.clock.advance(1_000);
    const order = world.agent.connections.slice(5).map((connection) => ids.indexOf(connection.spec.sessionId));
    expect(order.length).toBeGreaterThan(10);
    expect(order).toEqual(order.map((_, index) => index + 5));
  });

  test("the cost grows with their number, not with its square", { timeout: 60_000 }, async () => {
    const costs: number[] = [];
    for (const count of [100, 400]) {
      const world = await World.start({ maxSessions: 1, maxQueued: 1_000 });
      for (let n = 0; n < count; n += 1) await world.launch(`say: ${n}\nhang`);
      await world.crash();
      costs.push(world.life.trace.length / count);
    }
    expect(costs[1]! / costs[0]!).toBeLessThan(1.2);
  });
});
