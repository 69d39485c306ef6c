/**
 * The ledger answers badly: conflicts at every store, answers that are lost, nothing written, reads that fail.
 */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { AGENT, PERSON, World } from "./world.ts";

const STORY = "say: begins\nask: Which? | A | B\nwrite a.txt: {answer}\nsay: done";

/** A whole conversation with answers; ends idle. */
async function tell(world: World): Promise<string> {
  const { session } = await world.launch(STORY);
  await world.until(session.id, "asking");
  await world.respond(session.id, "A");
  await world.until(session.id, "asking");
  await world.respond(session.id, "Allow");
  await world.until(session.id, "idle");
  await world.respond(session.id, "say: more");
  await world.clock.advance(100);
  await world.until(session.id, "idle");
  return session.id;
}

async function expectTold(world: World, id: string): Promise<void> {
  expect(world.promptsOf(id)).toEqual([STORY, "say: more"]);
  expect(world.agent.files.get("/w/a.txt")).toBe("A\n");
  expect(await world.output(id)).toMatch(/begins[\s\S]*done[\s\S]*more/);
  expect(await soundProblems(world)).toEqual([]);
}

async function storesOfTheStory(): Promise<number> {
  const world = await World.start();
  await tell(world);
  return world.flows.changes.length;
}

const COUNT = await storesOfTheStory();
const each = Array.from({ length: COUNT }, (_, index) => index + 1);

/** Makes the n-th change of the world's flows meet this. */
function atChange(world: World, n: number, act: (flowId: string) => void): void {
  let seen = 0;
  const { change } = world.flows;
  world.flows.change = (owner, flowId, revision, what) => {
    seen += 1;
    if (seen === n) act(flowId);
    return change.call(world.flows, owner, flowId, revision, what);
  };
}

describe(`[S5] I7: trouble at each of the ${COUNT} stores of a conversation`, () => {
  test.each(each)("store %i meets a conflict", async (n) => {
    const world = await World.start();
    atChange(world, n, (flowId) => world.flows.otherWriter.touch(flowId));
    await expectTold(world, await tell(world));
    expect(world.flows.changes.some(({ outcome }) => outcome === "conflict")).toBe(true);
  });

  test.each(each)("store %i: the answer is lost, and it was written", async (n) => {
    const world = await World.start();
    atChange(world, n, (flowId) => world.flows.fail({ on: "change", flowId }, { kind: "unknown", written: true }));
    await expectTold(world, await tell(world));
    expect(world.delivery.texts().filter((text) => text.includes("replaced"))).toEqual([]);
  });

  test.each(each)("store %i: the answer is lost, and it was not written", async (n) => {
    const world = await World.start();
    atChange(world, n, (flowId) => world.flows.fail({ on: "change", flowId }, { kind: "unknown", written: false }));
    const id = await tell(world);
    await world.clock.advance(6_000);
    await expectTold(world, id);
  });

  test.each(each)("store %i: the answer is lost, and somebody wrote after us", async (n) => {
    const world = await World.start();
    atChange(world, n, (flowId) => {
      world.flows.fail({ on: "change", flowId }, { kind: "unknown", written: true });
      world.flows.before({ on: "get", flowId }, () => world.flows.otherWriter.touch(flowId));
    });
    const id = await tell(world);
    await expectTold(world, id);
    expect(world.delivery.texts().filter((text) => text.includes("replaced"))).toEqual([]);
  });

  test.each(each)("store %i: nothing is written, and the reread fails as well", async (n) => {
    const world = await World.start();
    atChange(world, n, (flowId) => {
      world.flows.fail({ on: "change", flowId }, { kind: "unknown", written: false });
      world.flows.fail({ on: "get", flowId }, { kind: "unknown", written: false });
    });
    const id = await tell(world);
    await world.clock.advance(6_000);
    await expectTold(world, id);
  });

  test.each(each)("store %i: not stored; work goes on, and it is stored later", async (n) => {
    const world = await World.start();
    atChange(world, n, (flowId) => world.flows.fail({ on: "change", flowId }, { kind: "not-stored" }));
    const id = await tell(world);
    await world.clock.advance(6_000);
    await expectTold(world, id);
    expect(world.log.some((line) => line.startsWith("error") && line.includes("could not be stored"))).toBe(true);
  });

  test.each(each)("store %i is slow: nothing of it leaves before it is there (I2)", async (n) => {
    const world = await World.start();
    const left = () => ({
      prompts: world.agent.prompts.length,
      agents: world.agent.connections.length,
      replies: world.agent.connections.flatMap((connection) => connection.replies).length,
      stops: world.agent.connections.filter((connection) => connection.stops > 0).length,
      children: [...world.flows.ledger.children.values()].map(({ runId, status }) => `${runId} ${status}`),
      messages: world.delivery.messages.length,
    });
    const waits: (() => Promise<void>)[] = [];
    atChange(world, n, (flowId) => {
      const slow = world.flows.hold({ on: "change", flowId });
      const before = left();
      waits.push(async () => {
        await slow.reached;
        await world.quiet();
        expect(left()).toEqual(before);
        slow.release();
      });
    });
    const told = tell(world);
    // A conversation that ends earlier has no such store.
    while ((await Promise.race([told, world.quiet().then(() => undefined)])) === undefined) await waits.shift()?.();
    await expectTold(world, await told);
  });

  test.each(each)("store %i: somebody cancels right before it", async (n) => {
    const world = await World.start();
    const died = Promise.withResolvers<void>();
    atChange(world, n, (flowId) => {
      world.flows.otherWriter.cancelFlow(flowId, world.clock.now());
      died.resolve();
    });
    const { session } = await world.launch(STORY);
    const id = session.id;
    for (const words of ["A", "Allow", "say: more", "say: even more"]) {
      await world.clock.advance(2_000);
      if (world.session(id).phase.kind === "ended") break;
      await world.respond(id, words);
    }
    await world.clock.advance(2_000);
    expect(world.session(id).phase).toMatchObject({ kind: "ended", outcome: "killed" });
    expect(world.flowOf(id).status).toBe("cancelled");
    expect(world.agent.live).toHaveLength(0);
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("[S6] a kill whose record is in trouble", () => {
  const faults = [
    { kind: "not-stored" },
    { kind: "unknown", written: true },
    { kind: "unknown", written: false },
  ] as const;
  const calls = [{ on: "change", verb: "run" }, { on: "change", verb: "request-cancel" }, { on: "cancel" }] as const;
  const cases = calls.flatMap((call) => faults.map((fault) => [call, fault] as const));

  test.each(cases)("%j fails with %j: both records are cancelled in the end", async (call, fault) => {
    const world = await World.start();
    const { session } = await world.launch("say: a\nhang");
    await world.until(session.id, "working");
    world.flows.fail(call, fault);
    await world.sessions.kill(PERSON, session.id);
    await world.clock.advance(12_000);
    expect(world.flowOf(session.id).status).toBe("cancelled");
    expect(world.childrenOf(session.id)).toEqual(["t1 cancelled"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test.each(cases)(
    "%j fails with %j, and then the gateway is killed: the next start settles it",
    async (call, fault) => {
      const world = await World.start();
      const { session } = await world.launch("say: a\nhang");
      await world.until(session.id, "working");
      world.flows.fail(call, fault, 100);
      // By the agent: whoever gives a command reads its reply.
      await world.sessions.kill(AGENT, session.id);
      await world.quiet();
      await world.crash();
      await world.clock.advance(12_000);
      expect(world.flowOf(session.id).status).toBe("cancelled");
      expect(world.delivery.texts().filter((text) => text.startsWith("killed"))).toHaveLength(1);
      expect(await soundProblems(world)).toEqual([]);
    },
  );

  test.each(["kill", "finish"] as const)(
    "the host says that a flow is gone which is there (%s): its end is stored when it is seen",
    async (how) => {
      const world = await World.start();
      const { session } = await world.launch(how === "kill" ? "say: a\nhang" : "say: a\nsleep 3000", {
        singleTurn: true,
      });
      await world.until(session.id, "working");
      for (const on of ["change", "get", "cancel"] as const) world.flows.fail({ on }, { kind: "gone" }, 3);
      if (how === "kill") await world.sessions.kill(PERSON, session.id);
      await world.until(session.id, "ended");
      await world.clock.advance(20_000);
      expect(world.flowOf(session.id).status).toBe(how === "kill" ? "cancelled" : "succeeded");
      expect(await soundProblems(world)).toEqual([]);
    },
  );

  test("an end that could not be stored before a kill -9 is stored at the next start", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: a", { singleTurn: true });
    world.flows.fail({ on: "change", verb: "finish" }, { kind: "not-stored" }, 100);
    await world.until(session.id, "ended");
    await world.crash();
    await world.clock.advance(2_000);
    expect(world.flowOf(session.id).status).toBe("succeeded");
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("[S1] a launch whose record is in trouble", () => {
  test("not stored: refused with the reason, nothing is left behind", async () => {
    const world = await World.start();
    world.flows.fail({ on: "create" }, { kind: "not-stored" });
    expect(await world.tryLaunch("say: a")).toMatchObject({
      ok: false,
      refusal: { code: "storage_unavailable", message: expect.stringContaining("disk is full") },
    });
    expect(world.journals.files.size).toBe(0);
    expect(world.flows.ledger.flows.size).toBe(0);
  });

  test("the answer is lost, and the flow is there: launched", async () => {
    const world = await World.start();
    world.flows.fail({ on: "create" }, { kind: "unknown", written: true });
    const { session } = await world.launch("say: a");
    await world.until(session.id, "idle");
    expect(world.flows.ledger.flows.size).toBe(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("the answer is lost, and there is no flow: refused", async () => {
    const world = await World.start();
    world.flows.fail({ on: "create" }, { kind: "unknown", written: false });
    expect(await world.tryLaunch("say: a")).toMatchObject({ ok: false, refusal: { code: "storage_unavailable" } });
    expect(world.journals.files.size).toBe(0);
  });

  test("nobody can tell: refused, and should the flow turn up at the next start it is ended, not run", async () => {
    const world = await World.start();
    world.flows.fail({ on: "create" }, { kind: "unknown", written: true });
    world.flows.fail({ on: "list" }, { kind: "unknown", written: false }, 100);
    const refused = await world.runUntil(world.tryLaunch("say: never run"));
    expect(refused).toMatchObject({ ok: false, refusal: { code: "storage_unavailable" } });
    await world.crash();
    await world.clock.advance(5_000);
    expect([...world.flows.ledger.flows.values()].map((flow) => flow.status)).toEqual(["cancelled"]);
    expect(world.agent.prompts).toHaveLength(0);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("the journal fails after the flow was made: refused, and the flow is cancelled", async () => {
    const world = await World.start();
    world.flows.before({ on: "create" }, () => (world.journals.failing = "the disk is full"));
    expect(await world.tryLaunch("say: a")).toMatchObject({ ok: false, refusal: { code: "storage_unavailable" } });
    expect([...world.flows.ledger.flows.values()].map((flow) => flow.status)).toEqual(["cancelled"]);
    world.journals.failing = undefined;
    await world.crash();
    await world.clock.advance(2_000);
    expect(world.agent.prompts).toHaveLength(0);
  });
});

describe("reads that fail", () => {
  test("[S5] a flow that can't be read at the start is left as it is, and found by the next", async () => {
    const world = await World.start();
    const { session, flowId } = await world.launch("ask: Which? | A | B");
    await world.until(session.id, "asking");
    world.kill();
    world.flows.fail({ on: "get", flowId }, { kind: "unknown", written: false }, 100);
    await world.boot();
    expect(world.find(session.id)).toBeUndefined();
    expect(world.log.some((line) => line.includes("tried again at the next start"))).toBe(true);
    await world.crash();
    expect(world.session(session.id).phase.kind).toBe("asking");
  });

  test("a poll that the host can't answer proves nothing", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: a\nhang");
    await world.until(session.id, "working");
    world.flows.fail({ on: "list" }, { kind: "unknown", written: false }, 5);
    world.children.unreadable = true;
    await world.clock.advance(10_000);
    expect(world.session(session.id).phase.kind).toBe("working");
  });

  test.each([
    { ledger: "a slow ledger", takesMs: 800, children: ["t1 succeeded"] },
    { ledger: "a ledger that hangs for long", takesMs: 20_000, children: [] },
  ])("[S2] $ledger: a turn has its child before it begins, within a second", async ({ takesMs, children }) => {
    const world = await World.start();
    world.children.slow = () => new Promise<void>((resolve) => void world.clock.after(takesMs, resolve));
    const { session } = await world.launch("say: result", { singleTurn: true });
    await world.until(session.id, "ended");
    await world.clock.advance(30_000);
    expect(world.agent.prompts).toHaveLength(1);
    expect(world.childrenOf(session.id)).toEqual(children);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a child that the host refuses stops nothing", async () => {
    for (const refusedBy of ["flow", "now", "host"] as const) {
      const world = await World.start();
      world.children.refuse = { ok: false, refusedBy, reason: "not now" };
      const id = await tell(world);
      await expectTold(world, id);
      // A host that takes none says so at its start.
      expect(world.log.some((line) => line.includes("no child task (not now)"))).toBe(refusedBy === "now");
    }
  });
});
