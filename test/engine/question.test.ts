/**
 * What iFlow asks, and how it is answered: several questions, their parts, late and stale answers, deadlines, restarts.
 */
import { describe, expect, test } from "vitest";
import type { Question } from "../../src/core/session.ts";
import { voiceOf } from "../../src/core/voice.ts";
import { soundProblems } from "./invariants.ts";
import { AGENT, PERSON, World } from "./world.ts";

async function openOf(world: World, id: string): Promise<readonly Question[]> {
  const { phase } = await world.until(id, "asking");
  return phase.asks.flatMap((ask) => ask.questions).filter((question) => question.answer === undefined);
}

describe("[S4] questions", () => {
  test.each([
    ["2", "chose B"],
    ["b", "chose B"],
    ["something else", "chose something else"],
  ])("answer by number, option or free text: %s", async (words, said) => {
    const world = await World.start();
    const { session, flowId } = await world.launch("ask: Which? | A | B\nsay: chose {answer}");
    await world.until(session.id, "asking");
    const flow = world.flows.ledger.flows.get(flowId);
    expect(flow).toMatchObject({
      status: "waiting",
      currentStep: "Waiting for you: Which?",
      waitJson: { for: "answer", options: ["A", "B"] },
    });
    expect(await world.respond(session.id, words)).toMatchObject({ ok: true, value: { delivered: "now" } });
    await world.until(session.id, "idle");
    expect(await world.output(session.id)).toContain(said);
    expect(world.childrenOf(session.id)).toEqual(["t1 succeeded", "t1.1 succeeded"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("multi-select takes several, by number and by name", async () => {
    const world = await World.start();
    const { session } = await world.launch("ask*: Extras? | Tests | Docs | CI\nsay: chose {answer}");
    await world.until(session.id, "asking");
    await world.respond(session.id, "1, CI");
    await world.until(session.id, "idle");
    expect(await world.output(session.id)).toContain("chose Tests, CI");
  });

  test("parts of one request have ids, are kept as they come, and leave as one reply with the last", async () => {
    const world = await World.start();
    const { session } = await world.launch("two questions\nsay: got {answer}");
    const [database, extras] = await openOf(world, session.id);
    expect([database?.id, extras?.id]).toEqual([
      expect.stringMatching(/^q\d+\.1$/),
      expect.stringMatching(/^q\d+\.2$/),
    ]);
    expect(await world.respond(session.id, "SQLite")).toMatchObject({
      ok: false,
      refusal: { code: "question_ambiguous" },
    });
    expect((await world.respond(session.id, "SQLite", { questionId: database!.id })).ok).toBe(true);
    expect(world.agent.last.replies).toHaveLength(0);
    expect(world.flowOf(session.id).waitJson).toMatchObject({ id: extras!.id });
    expect((await world.respond(session.id, "Tests, Docs")).ok).toBe(true);
    await world.until(session.id, "idle");
    expect(world.agent.last.replies).toHaveLength(1);
    expect(await world.output(session.id)).toContain("got SQLite, Tests, Docs");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("the first valid answer wins; the second is told what happened instead", async () => {
    const world = await World.start();
    const { session } = await world.launch("ask: Which? | A | B\nsleep 5000");
    const [question] = await openOf(world, session.id);
    const both = await Promise.all(
      ["A", "B"].map((words) => world.respond(session.id, words, { questionId: question!.id })),
    );
    expect(both.map((result) => result.ok)).toEqual([true, false]);
    expect(both[1]).toMatchObject({ refusal: { code: "question_closed" } });
    await world.quiet();
    expect(world.agent.last.replies).toHaveLength(1);
  });

  test("an invalid choice is refused, and the question stays open", async () => {
    const world = await World.start();
    const { session } = await world.launch("write a.txt: x");
    const [question] = await openOf(world, session.id);
    const refused = await world.respond(session.id, "maybe tomorrow");
    expect(refused).toMatchObject({ ok: false, refusal: { code: "invalid_choice" } });
    expect(await openOf(world, session.id)).toHaveLength(1);
    expect((await world.respond(session.id, "x", { questionId: question!.id, option: "1" })).ok).toBe(true);
  });

  test("two requests at once are answered in either order", async () => {
    const world = await World.start();
    const { session } = await world.launch("write2 a.txt b.txt\nsay: both");
    const [a, b] = await openOf(world, session.id);
    expect(await world.respond(session.id, "Allow")).toMatchObject({
      ok: false,
      refusal: { code: "question_ambiguous" },
    });
    await world.respond(session.id, "Allow", { questionId: b!.id });
    expect(world.session(session.id).phase.kind).toBe("asking");
    await world.respond(session.id, "Reject", { questionId: a!.id });
    await world.until(session.id, "idle");
    expect([...world.agent.files.keys()]).toEqual(["/w/b.txt"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a turn that ends in a question waits for its answer, with a child that says so", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: done.\nend-question: Shall I also write tests?");
    const idle = await world.until(session.id, "idle");
    expect(idle.phase.expects).toBe("answer");
    expect(world.childrenOf(session.id)).toEqual(["t1 succeeded", "t1.1 queued"]);
    await world.quiet();
    expect(world.delivery.texts().at(-1)).toMatch(/^asks .*Shall I also write tests\?$/);
    await world.respond(session.id, "say: yes");
    await world.until(session.id, "idle");
    expect(world.childrenOf(session.id)).toEqual(["t1 succeeded", "t1.1 cancelled", "t2 succeeded"]);
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("[K4] deadlines of questions", () => {
  const rules = { questionTimeoutMs: 60_000 };

  test("a question that nobody answers is denied, and the turn goes on", async () => {
    const world = await World.start({ rules });
    const { session } = await world.launch("ask: Which? | A | B\nsay: went on");
    await world.until(session.id, "asking");
    await world.clock.advance(59_000);
    expect(world.session(session.id).phase.kind).toBe("asking");
    await world.clock.advance(2_000);
    await world.until(session.id, "idle");
    expect(world.agent.last.replies[0]?.reply).toMatchObject({
      kind: "answers",
      answers: [{ text: expect.stringContaining("no answer") }],
    });
    expect(await world.output(session.id)).toContain("went on");
    await world.quiet();
    expect(world.delivery.texts().filter((text) => text.startsWith("denied"))).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a permission is denied as cancelled, and the file is not written, also not by a late answer", async () => {
    const world = await World.start({ rules });
    const { session } = await world.launch("write a.txt: x\nsay: went on");
    const [question] = await openOf(world, session.id);
    await world.clock.advance(61_000);
    expect(await world.respond(session.id, "Allow", { questionId: question!.id })).toMatchObject({
      ok: false,
      refusal: { code: "question_closed" },
    });
    await world.until(session.id, "idle");
    expect(world.agent.last.replies).toEqual([{ requestId: 0, reply: { kind: "cancelled" } }]);
    expect(world.agent.files.size).toBe(0);
  });

  test("without a process the session becomes interrupted, and ends as failed after 7 days", async () => {
    const world = await World.start({ rules });
    const { session } = await world.launch("ask: Which? | A | B");
    await world.until(session.id, "asking");
    await world.crash();
    await world.clock.advance(61_000);
    expect(world.session(session.id).phase.kind).toBe("interrupted");
    expect(world.childrenOf(session.id).filter((child) => child.endsWith("queued"))).toEqual([]);
    for (let day = 0; day <= 7; day += 1) await world.pass(86_400_000);
    expect(world.flowOf(session.id).status).toBe("failed");
  });

  test("[S5] a deadline that passed while no gateway ran holds one more hour, and that is said once", async () => {
    const world = await World.start({ rules });
    const { session } = await world.launch("ask: Which? | A | B\nsay: chose {answer}");
    await world.until(session.id, "asking");
    world.kill();
    await world.clock.advance(10 * 3_600_000);
    await world.boot();
    await world.quiet();
    expect(world.delivery.texts().filter((text) => text.includes("deadline_held"))).toHaveLength(1);
    await world.clock.advance(20 * 60_000);
    await world.crash();
    await world.clock.advance(30 * 60_000);
    expect(world.session(session.id).phase.kind).toBe("asking");
    expect(world.delivery.texts().filter((text) => text.includes("deadline_held"))).toHaveLength(1);
    await world.clock.advance(11 * 60_000);
    expect(world.session(session.id).phase.kind).toBe("interrupted");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S5] a deadline that had not passed stays where it is", async () => {
    const world = await World.start({ rules });
    const { session } = await world.launch("ask: Which? | A | B");
    await world.until(session.id, "asking");
    await world.clock.advance(50_000);
    await world.crash();
    await world.clock.advance(12_000);
    expect(world.session(session.id).phase.kind).toBe("interrupted");
  });
});

describe("[S5] questions over restarts", () => {
  test.each([
    ["kill -9", "crash"],
    ["a stop", "restart"],
  ] as const)(
    "after %s the question is open without a process, and its answer goes on by a load",
    async (_name, how) => {
      const world = await World.start();
      const { session } = await world.launch("say: before\nask: Which? | A | B\nsay: chose {answer}");
      const [question] = await openOf(world, session.id);
      await world[how]();
      const [again] = await openOf(world, session.id);
      expect(again?.id).toBe(question?.id);
      expect(world.agent.live).toHaveLength(0);
      expect(world.flowOf(session.id).status).toBe("waiting");
      expect(world.childrenOf(session.id).at(-1)).toMatch(/queued$/);
      expect(await world.respond(session.id, "A")).toMatchObject({ ok: true, value: { delivered: "resumed" } });
      await world.until(session.id, "idle");
      expect(world.agent.last.openedWith[0]?.load).toBe("acp-1");
      const prompt = world.promptsOf(session.id).at(-1) ?? "";
      expect(prompt).toContain("Which?");
      expect(prompt).toContain("Answer: A");
      expect(await soundProblems(world)).toEqual([]);
    },
  );

  test("answers to some parts survive; the last one completes them", async () => {
    const world = await World.start();
    const { session } = await world.launch("two questions\nsay: got {answer}");
    const [database, extras] = await openOf(world, session.id);
    await world.respond(session.id, "SQLite", { questionId: database!.id });
    await world.crash();
    expect((await openOf(world, session.id)).map((q) => q.id)).toEqual([extras!.id]);
    expect(await world.respond(session.id, "1", { questionId: database!.id })).toMatchObject({
      ok: false,
      refusal: { code: "question_closed" },
    });
    await world.respond(session.id, "CI", { questionId: extras!.id });
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id).at(-1)).toMatch(/SQLite[\s\S]*CI/);
  });

  test("an allow after the restart holds once, for the identical request only", async () => {
    const world = await World.start();
    const { session } = await world.launch("write a.txt: same words");
    await openOf(world, session.id);
    await world.crash();
    expect((await world.respond(session.id, "Allow")).ok).toBe(true);
    // The loaded agent does again what it was about to do.
    await world.until(session.id, "idle");
    expect(world.agent.files.get("/w/a.txt")).toBe("same words\n");
    expect(world.agent.last.replies).toMatchObject([{ reply: { kind: "selected" } }]);
    await world.respond(session.id, "write a.txt: other words");
    expect(await openOf(world, session.id)).toHaveLength(1);
    await world.respond(session.id, "Reject");
    await world.until(session.id, "idle");
    expect(world.agent.files.get("/w/a.txt")).toBe("same words\n");
  });

  test("[O5] it can be killed while it waits without a process", async () => {
    const world = await World.start();
    const { session } = await world.launch("ask: Which? | A | B");
    await world.until(session.id, "asking");
    await world.crash();
    expect((await world.sessions.kill(PERSON, session.id)).ok).toBe(true);
    await world.quiet();
    expect(world.flowOf(session.id).status).toBe("cancelled");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a message with interrupt withdraws a question of a process that is gone", async () => {
    const world = await World.start();
    const { session } = await world.launch("ask: Which? | A | B");
    await world.until(session.id, "asking");
    await world.crash();
    expect(await world.respond(session.id, "say: never mind", { interrupt: true })).toMatchObject({
      ok: true,
      value: { delivered: "resumed" },
    });
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id).at(-1)).toBe("say: never mind");
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("questions that were settled before anybody could be told", () => {
  test("[H15] are told in one notice, also when there were several, and after a kill", async () => {
    const world = await World.start({ voice: voiceOf({ language: "en", safeMode: false }) });
    const { session } = await world.launch("ask: First? | A | B\nask: Second? | C | D\nask: Third? | E | F\nsay: done");
    await world.until(session.id, "asking");
    await world.quiet();
    // From now on the chat takes nothing.
    world.delivery.fail("send", { kind: "later", reason: "the network is down" }, 1_000);
    await world.respond(session.id, "A", {}, AGENT);
    await world.until(session.id, "asking");
    await world.respond(session.id, "C", {}, AGENT);
    await world.until(session.id, "asking");
    await world.crash();
    await world.clock.advance(1_000);
    await world.respond(session.id, "E", {}, AGENT);
    await world.quiet();
    world.delivery.heal();
    await world.clock.advance(120_000);
    const texts = world.delivery.texts();
    expect(texts.filter((text) => text.startsWith("🔔"))).toHaveLength(2);
    expect(texts.filter((text) => text.includes("had asked"))).toEqual([
      expect.stringMatching(/had asked \(Second\? · Third\?\); that is settled meanwhile/),
    ]);
    expect(await soundProblems(world)).toEqual([]);
  });
});
