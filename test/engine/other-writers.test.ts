/**
 * Whoever else writes our flows and children: heard within about a second, in every phase, and never clobbered.
 */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { inPhase, letStart, LIVE_PHASES } from "./phases.ts";
import { World } from "./world.ts";

/** The promise: within a second. */
const HEARD_MS = 1_000;

describe("[S11] [S6] a flow that somebody ends ends its session, in every phase", () => {
  const ends = [
    ["cancels (flow cancel)", "cancelled", "killed"],
    ["requests the end", "cancelled", "killed"],
    ["finishes", "succeeded", "completed"],
    ["fails", "failed", "failed"],
    ["removes", undefined, "failed"],
  ] as const;
  const cases = LIVE_PHASES.flatMap((phase) =>
    ends.map(([what, status, outcome]) => [phase, what, status, outcome] as const),
  );

  test.each(cases)("%s: somebody %s", async (kind, what, status, outcome) => {
    const world = await World.start({ maxSessions: 2 });
    const { id } = await inPhase(world, kind);
    await world.clock.advance(HEARD_MS);
    const { flowId } = world.flowOf(id);
    const { otherWriter } = world.flows;
    if (what.startsWith("cancels")) otherWriter.cancelFlow(flowId, world.clock.now());
    if (what.startsWith("requests")) otherWriter.requestCancel(flowId, world.clock.now());
    if (what === "finishes") otherWriter.finish(flowId);
    if (what === "fails") otherWriter.fail(flowId, "no more");
    if (what === "removes") otherWriter.remove(flowId);
    await world.clock.advance(HEARD_MS);
    letStart(world);
    await world.clock.advance(HEARD_MS);
    expect(world.session(id).phase).toMatchObject({ kind: "ended", outcome });
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe(status);
    expect(world.agent.live.some((connection) => connection.spec.sessionId === id)).toBe(false);
    expect(world.delivery.texts().filter((text) => text.startsWith(outcome))).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("[S6] a child that somebody cancels is an order for the session", () => {
  test.each(["working", "asking"] as const)("while %s", async (kind) => {
    const world = await World.start();
    const { id } = await inPhase(world, kind);
    const active = world.childRecords(id).find((child) => child.status === "running" || child.status === "queued");
    world.flows.otherWriter.cancelChild(active?.runId ?? "");
    await world.clock.advance(HEARD_MS);
    expect(world.session(id).phase).toMatchObject({ kind: "ended", outcome: "killed" });
    expect(world.flowOf(id).status).toBe("cancelled");
    expect(world.agent.live).toHaveLength(0);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("while idle with a question", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle", "end-question: Go on?");
    world.flows.otherWriter.cancelChild(world.childRecords(id).at(-1)?.runId ?? "");
    await world.clock.advance(HEARD_MS);
    expect(world.flowOf(id).status).toBe("cancelled");
    expect(await soundProblems(world)).toEqual([]);
  });
});

test("[S6] a turn that speaks all the time leaves others seconds between two writes of its flow", async () => {
  const world = await World.start();
  const script = Array.from({ length: 200 }, (_, n) => `say: ${n}\nsleep 100`).join("\n");
  const { session } = await world.launch(script);
  await world.until(session.id, "working");
  await world.clock.advance(1_000);
  const before = world.flows.changes.length;
  await world.clock.advance(15_000);
  const written = world.flows.changes.length - before;
  expect(written).toBeGreaterThanOrEqual(4);
  expect(written).toBeLessThanOrEqual(5);
  // What is not in the flow yet is in the journal.
  world.kill();
  await world.boot();
  expect(await world.output(session.id)).toContain("150");
});

describe("[S11] a resume by somebody else", () => {
  test.each(["idle", "interrupted"] as const)(
    "continues an %s session with its text, or with a plain continue",
    async (kind) => {
      for (const [fields, words] of [
        [{ currentStep: "say: from CI" }, "say: from CI"],
        [{ stateJson: { respond: "say: from state" } }, "say: from state"],
        [{}, "continue"],
      ] as const) {
        const world = await World.start();
        const { id } = await inPhase(world, kind);
        await world.clock.advance(20_000);
        world.flows.otherWriter.resume(world.flowOf(id).flowId, fields);
        await world.clock.advance(HEARD_MS);
        await world.until(id, "idle");
        expect(world.promptsOf(id).at(-1)).toBe(words);
        expect(world.session(id).counters).toMatchObject({ autoResponds: 0 });
        expect(await soundProblems(world)).toEqual([]);
      }
    },
  );

  test("an open question is answered by it", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "asking");
    world.flows.otherWriter.resume(world.flowOf(id).flowId, { currentStep: "B", status: "running" });
    await world.clock.advance(HEARD_MS);
    await world.until(id, "idle");
    expect(await world.output(id)).toContain("chose B");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[K2] a permission only by exactly one of its options; else the wait is restored, and the words are shown", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "asking", "write a.txt: x\nsay: went on");
    const { flowId } = world.flowOf(id);
    for (const words of ["go ahead please", "continue", "y"]) {
      world.flows.otherWriter.resume(flowId, { currentStep: words });
      await world.clock.advance(HEARD_MS);
      expect(world.session(id).phase.kind).toBe("asking");
      expect(world.flowOf(id)).toMatchObject({ status: "waiting", waitJson: { for: "answer", kind: "permission" } });
    }
    expect(world.agent.files.size).toBe(0);
    expect(world.delivery.texts().filter((text) => text.includes("foreign_resume"))).toHaveLength(3);
    world.flows.otherWriter.resume(flowId, { currentStep: "Allow" });
    await world.clock.advance(HEARD_MS);
    await world.until(id, "idle");
    expect(world.agent.files.size).toBe(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("of several open questions none: the writer can't say which", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "asking", "two questions");
    world.flows.otherWriter.resume(world.flowOf(id).flowId, { currentStep: "SQLite" });
    await world.clock.advance(HEARD_MS);
    expect(world.session(id).phase.kind).toBe("asking");
    expect(world.flowOf(id).status).toBe("waiting");
    expect(await soundProblems(world)).toEqual([]);
  });

  test.each(["queued", "starting", "working"] as const)(
    "of a session that is %s changes nothing, and its record says so again",
    async (kind) => {
      const world = await World.start({ maxSessions: 2 });
      const { id } = await inPhase(world, kind);
      const before = world.session(id).phase;
      world.flows.otherWriter.resume(world.flowOf(id).flowId, {
        currentStep: "hurry",
        status: kind === "queued" ? "running" : "queued",
      });
      await world.clock.advance(HEARD_MS);
      expect(world.session(id).phase.kind).toBe(before.kind);
      expect(world.flowOf(id)).toMatchObject({ status: kind === "queued" ? "queued" : "running" });
      letStart(world);
    },
  );

  test("a wait that somebody sets on a working session is undone", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "working");
    world.flows.otherWriter.setWaiting(world.flowOf(id).flowId, { waitJson: { for: "me" } });
    await world.clock.advance(HEARD_MS);
    expect(world.flowOf(id)).toMatchObject({ status: "running" });
    expect(await soundProblems(world)).toEqual([]);
  });

  test("of an ended session: the flow is settled again, and the words begin a continuation", async () => {
    const world = await World.start();
    const { session, flowId } = await world.launch("say: result", { singleTurn: true, name: "job" });
    await world.until(session.id, "ended");
    await world.clock.advance(HEARD_MS);
    world.flows.otherWriter.resume(flowId, { currentStep: "say: and more" });
    await world.clock.advance(HEARD_MS);
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe("succeeded");
    const next = world.session(session.id).continuedBy ?? "";
    await world.until(next, "ended");
    expect(world.promptsOf(next)).toEqual(["say: and more"]);
    expect(world.session(next)).toMatchObject({ name: "job", launchedBy: { kind: "writer" } });
    expect(await soundProblems(world)).toEqual([]);
  });

  test("of a session that has left memory: settled again within minutes, its words begin a continuation", async () => {
    const world = await World.start();
    const { session, flowId } = await world.launch("say: result", { singleTurn: true, name: "job" });
    await world.until(session.id, "ended");
    await world.clock.advance(3_600_000 + 6 * 60_000);
    expect(world.roster.actor(session.id)).toBeUndefined();
    world.flows.otherWriter.resume(flowId, { stateJson: { respond: "say: and more" } });
    await world.clock.advance(6 * 60_000);
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe("succeeded");
    const next = world.session(session.id).continuedBy ?? "";
    await world.until(next, "ended");
    expect(world.promptsOf(next)).toEqual(["say: and more"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("of an ended session, while the store of its settling meets trouble: the words are heard once", async () => {
    for (const trouble of ["conflict", "not-stored"] as const) {
      const world = await World.start();
      const { session, flowId } = await world.launch("say: result", { singleTurn: true });
      await world.until(session.id, "ended");
      await world.clock.advance(3_600_000 + 6 * 60_000);
      world.flows.otherWriter.resume(flowId, { stateJson: { respond: "say: once" } });
      if (trouble === "conflict")
        world.flows.before({ on: "change", flowId }, () => world.flows.otherWriter.touch(flowId));
      else world.flows.fail({ on: "change", flowId }, { kind: "not-stored" }, 2);
      await world.clock.advance(6 * 60_000);
      world.flows.otherWriter.touch(flowId);
      await world.clock.advance(20_000);
      expect(world.agent.prompts.filter((prompt) => prompt.text.includes("say: once"))).toHaveLength(1);
      expect(await soundProblems(world)).toEqual([]);
    }
  });

  test("words that were heard stand in the flow while it can't be written: what is said next is heard, and they are not again", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    await world.clock.advance(5_000);
    const { flowId } = world.flowOf(id);
    world.flows.fail({ on: "change", flowId }, { kind: "not-stored" }, 6);
    world.flows.otherWriter.resume(flowId, { stateJson: { respond: "say: first" } });
    await world.clock.advance(HEARD_MS);
    world.flows.otherWriter.touch(flowId);
    await world.clock.advance(HEARD_MS);
    world.flows.otherWriter.resume(flowId, { currentStep: "say: second" });
    await world.clock.advance(30_000);
    expect(world.promptsOf(id).slice(1)).toEqual(["say: first", "say: second"]);
    expect(world.session(id).phase.kind).toBe("idle");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a plain resume after a touch that meant nothing is heard", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    await world.clock.advance(20_000);
    const { flowId } = world.flowOf(id);
    world.flows.otherWriter.touch(flowId);
    await world.clock.advance(HEARD_MS);
    world.flows.otherWriter.resume(flowId);
    await world.clock.advance(5_000);
    expect(world.promptsOf(id).at(-1)).toBe("continue");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("of an ended session, reopened again: words are heard once each time they are said", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one", { singleTurn: true });
    await world.until(session.id, "ended");
    const { flowId } = world.flowOf(session.id);
    const heard = () =>
      world.agent.prompts.filter(({ blocks }) => JSON.stringify(blocks).includes("say: again")).length;
    for (const [fields, times] of [
      [{ currentStep: "say: again" }, 1],
      [{}, 1],
      [{ currentStep: "say: again" }, 2],
    ] as const) {
      world.flows.otherWriter.resume(flowId, fields);
      await world.clock.advance(10_000);
      expect(world.flows.ledger.flows.get(flowId)?.status).toBe("succeeded");
      expect(heard()).toBe(times);
    }
    expect(await soundProblems(world)).toEqual([]);
  });

  test("of an ended session without words: it is only settled again", async () => {
    const world = await World.start();
    const { session, flowId } = await world.launch("say: a\nhang");
    await world.until(session.id, "working");
    world.flows.otherWriter.cancelFlow(flowId, world.clock.now());
    await world.clock.advance(HEARD_MS);
    world.flows.otherWriter.resume(flowId);
    await world.clock.advance(HEARD_MS);
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe("cancelled");
    expect(world.roster.sessions()).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("[S11] [S5] a writer that replaces our state destroys nothing", () => {
  test.each(LIVE_PHASES)("%s: restored at the next store, and said once", async (kind) => {
    const world = await World.start({ maxSessions: 2 });
    const { id } = await inPhase(world, kind);
    await world.clock.advance(HEARD_MS);
    const before = world.session(id);
    const { flowId, status } = world.flowOf(id);
    world.flows.ledger.patch(flowId, undefined, undefined, { stateJson: { mine: true }, status });
    world.roster.actor(id)?.touchIn(0);
    await world.clock.advance(HEARD_MS);
    expect(world.flowOf(id).stateJson).toMatchObject({ schema: "iflow.session.v1", id });
    expect(world.session(id)).toMatchObject({ phase: { kind: before.phase.kind }, turn: before.turn });
    expect(world.delivery.texts().filter((text) => text.includes("replaced the state"))).toHaveLength(1);
    letStart(world);
  });

  test("while no gateway ran: restored from the journal, and said once", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "asking");
    world.kill();
    world.flows.ledger.patch(world.flows.ledger.flows.keys().next().value ?? "", undefined, undefined, {
      stateJson: { mine: true },
    });
    await world.boot();
    await world.clock.advance(HEARD_MS);
    expect(world.session(id).phase.kind).toBe("asking");
    expect(world.flowOf(id).stateJson).toMatchObject({ schema: "iflow.session.v1", id });
    expect(world.delivery.texts().filter((text) => text.includes("replaced"))).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a touch that changes nothing is told to nobody", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "asking");
    await world.clock.advance(HEARD_MS);
    const { length } = world.delivery.messages;
    world.flows.otherWriter.touch(world.flowOf(id).flowId);
    await world.clock.advance(HEARD_MS);
    await world.respond(id, "A");
    await world.until(id, "idle");
    expect(world.delivery.messages.slice(length).map((message) => message.texts[0])).toEqual([
      expect.stringMatching(/^turn-finished/),
    ]);
  });
});
