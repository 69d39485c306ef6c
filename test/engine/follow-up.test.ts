/**
 * What is said to a session that nobody asked for: taken now, queued, or resumed; stopping a turn; words of any length.
 */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { AGENT, PERSON, World } from "./world.ts";

describe("[S7] messages", () => {
  test("[O2] to a working session they wait, in order, newlines kept, and go on by themselves", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one\nsleep 1000");
    await world.until(session.id, "working");
    for (const words of ["say: two\nsay: still two", "say: three", "say: four"]) {
      expect(await world.respond(session.name, words)).toMatchObject({ ok: true, value: { delivered: "queued" } });
    }
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id)).toEqual([
      "say: one\nsleep 1000",
      "say: two\nsay: still two",
      "say: three",
      "say: four",
    ]);
    expect(world.childrenOf(session.id)).toEqual(["t1 succeeded", "t2 succeeded", "t3 succeeded", "t4 succeeded"]);
    expect(world.agent.connections).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S5] [S7] queued messages survive kill -9; the turn that ran waits for a person", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one\nhang");
    await world.until(session.id, "working");
    await world.respond(session.id, "say: two");
    await world.respond(session.id, "say: three");
    await world.crash();
    expect(world.session(session.id).phase.kind).toBe("interrupted");
    expect(world.session(session.id).inbox.map((m) => m.text.text)).toEqual(["say: two", "say: three"]);
    await world.respond(session.id, "say: four");
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id).slice(1)).toEqual(["say: two", "say: three", "say: four"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("the 21st waiting message is refused with what to do", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: busy\nhang");
    await world.until(session.id, "working");
    for (let n = 1; n <= 20; n += 1) expect((await world.respond(session.id, `say: ${n}`)).ok).toBe(true);
    const refused = await world.respond(session.id, "say: 21");
    expect(refused).toMatchObject({ ok: false, refusal: { code: "queue_full" } });
    expect(await soundProblems(world)).toEqual([]);
  });

  test("to a session that is queued or starting they follow its first turn", async () => {
    const world = await World.start({ maxSessions: 1 });
    const { session: first } = await world.launch("say: first\nsleep 500", { singleTurn: true });
    const { session: second } = await world.launch("say: second", { singleTurn: true });
    expect(await world.respond(second.id, "say: and more")).toMatchObject({ ok: true, value: { delivered: "queued" } });
    await world.until(first.id, "ended");
    await world.until(second.id, "ended");
    expect(world.promptsOf(second.id)).toEqual(["say: second", "say: and more"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S3] long words reach the agent whole, also in a queued message after kill -9", async () => {
    const world = await World.start();
    const long = `say: begins\n${"many words, 很多话. ".repeat(900)}the end`;
    const { session } = await world.launch(long);
    await world.until(session.id, "idle");
    await world.clock.advance(20_000);
    expect(world.promptsOf(session.id)).toEqual([long]);
    const longer = `${long} of the second`;
    world.agent.beforeOpen = () => new Promise<void>(() => undefined);
    await world.respond(session.id, longer);
    await world.until(session.id, "starting");
    world.kill();
    world.agent.beforeOpen = async () => undefined;
    await world.boot();
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id)).toEqual([long, longer]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("files go along with their message", async () => {
    const world = await World.start();
    const launched = await world.sessions.launch(PERSON, {
      ...world.order("say: with files"),
      files: ["/w/a.txt", "/w/b.png"],
    });
    await world.until(launched.ok ? launched.value.session.id : "", "idle");
    expect(world.agent.prompts[0]?.blocks).toEqual([
      { type: "text", text: "say: with files" },
      { type: "file", path: "/w/a.txt" },
      { type: "file", path: "/w/b.png" },
    ]);
  });
});

describe("[S7] [O2] interrupt", () => {
  test("stops the running turn, then the message is next, before those that waited", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one\nhang");
    await world.until(session.id, "working");
    await world.respond(session.id, "say: waited");
    expect(await world.respond(session.id, "say: now", { interrupt: true })).toMatchObject({
      ok: true,
      value: { delivered: "now" },
    });
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id)).toEqual(["say: one\nhang", "say: now", "say: waited"]);
    expect(world.childrenOf(session.id)).toEqual(["t1 cancelled", "t2 succeeded", "t3 succeeded"]);
    expect(world.agent.last.cancels).toBe(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("while it asks, the question is withdrawn and the request answered once", async () => {
    const world = await World.start();
    const { session } = await world.launch("ask: Which? | A | B\nsay: not reached {answer}");
    const asking = await world.until(session.id, "asking");
    const questionId = asking.phase.asks[0]?.questions[0]?.id ?? "";
    await world.respond(session.id, "say: other", { interrupt: true });
    await world.until(session.id, "idle");
    expect(world.agent.last.replies).toEqual([{ requestId: 0, reply: { kind: "cancelled" } }]);
    expect(await world.respond(session.id, "A", { questionId })).toMatchObject({
      ok: false,
      refusal: { code: "question_closed" },
    });
    expect(await world.output(session.id)).not.toContain("not reached");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a turn that does not end when it is cancelled loses its process after 10 s, and the message still comes", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: deaf\nhang");
    await world.until(session.id, "working");
    const deaf = world.agent.last;
    deaf.cancel = async () => undefined;
    await world.respond(session.id, "say: after", { interrupt: true });
    await world.clock.advance(9_000);
    expect(world.session(session.id).phase.kind).toBe("working");
    await world.until(session.id, "idle");
    expect(deaf.alive).toBe(false);
    expect(world.promptsOf(session.id)).toEqual(["say: deaf\nhang", "say: after"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("on an idle session it is a plain message", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one");
    await world.until(session.id, "idle");
    expect(await world.respond(session.id, "say: two", { interrupt: true })).toMatchObject({
      ok: true,
      value: { delivered: "now" },
    });
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id)).toEqual(["say: one", "say: two"]);
  });

  test.each([
    ["kill -9", "crash"],
    ["a stop", "restart"],
  ] as const)("[S5] an interrupt under way at %s goes on by itself with its message", async (_name, how) => {
    const world = await World.start();
    const { session } = await world.launch("say: deaf\nhang");
    await world.until(session.id, "working");
    world.agent.last.cancel = async () => undefined;
    await world.respond(session.id, "say: instead", { interrupt: true });
    await world[how]();
    await world.until(session.id, "idle");
    expect(world.promptsOf(session.id)).toEqual(["say: deaf\nhang", "say: instead"]);
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("[K3] the limit of automatic answers", () => {
  test("an agent may speak so often in a row, then a person must; one word of theirs starts the count anew", async () => {
    const world = await World.start({ rules: { maxAutoResponds: 2 } });
    const { session } = await world.launch("say: begin", {}, AGENT);
    for (const n of [1, 2]) {
      await world.until(session.id, "idle");
      expect((await world.respond(session.id, `say: automatic ${n}`, {}, AGENT)).ok).toBe(true);
    }
    await world.until(session.id, "idle");
    const refused = await world.respond(session.id, "say: automatic 3", {}, AGENT);
    expect(refused).toMatchObject({ ok: false, refusal: { code: "limit_reached" } });
    expect((await world.respond(session.id, "say: a person speaks")).ok).toBe(true);
    await world.until(session.id, "idle");
    expect((await world.respond(session.id, "say: automatic 4", {}, AGENT)).ok).toBe(true);
  });

  test("goes on over the flows of one conversation, until a person speaks", async () => {
    const world = await World.start({ rules: { maxAutoResponds: 1 } });
    const { session } = await world.launch("say: begin", { singleTurn: true }, AGENT);
    await world.until(session.id, "ended");
    const second = await world.respond(session.id, "say: automatic 1", {}, AGENT);
    const id = second.ok ? second.value.session.id : "";
    await world.until(id, "ended");
    expect(await world.respond(id, "say: automatic 2", {}, AGENT)).toMatchObject({
      refusal: { code: "limit_reached" },
    });
    expect(await world.sessions.fork(AGENT, world.session(id), "say: a branch")).toMatchObject({
      refusal: { code: "limit_reached" },
    });
    const third = await world.respond(id, "say: a person speaks");
    const last = third.ok ? third.value.session.id : "";
    await world.until(last, "ended");
    expect((await world.respond(last, "say: automatic 3", {}, AGENT)).ok).toBe(true);
  });

  test("who answered is decided from what the host saw, after the question was asked", async () => {
    const world = await World.start({ rules: { maxAutoResponds: 1 } });
    const { session } = await world.launch("ask: First? | A | B\nask: Second? | A | B\nsay: done", {}, AGENT);
    await world.until(session.id, "asking");
    const before = world.clock.now() - 1;
    await world.respond(session.id, "A", {}, { ...AGENT, personSeenAt: before });
    await world.until(session.id, "asking");
    expect(world.session(session.id).counters).toMatchObject({
      answeredByAgent: 1,
      answeredByPerson: 0,
      autoResponds: 1,
    });
    expect(await world.respond(session.id, "B", {}, { ...AGENT, personSeenAt: before })).toMatchObject({
      ok: false,
      refusal: { code: "limit_reached" },
    });
    await world.clock.advance(1_000);
    expect((await world.respond(session.id, "B", {}, { ...AGENT, personSeenAt: world.clock.now() })).ok).toBe(true);
    expect(world.session(session.id).counters).toMatchObject({ answeredByPerson: 1, autoResponds: 0 });
  });

  test("of two requests that are open, each counts from when it was made", async () => {
    const world = await World.start();
    const { session } = await world.launch("ask: First? | A | B", {}, AGENT);
    await world.until(session.id, "asking");
    await world.clock.advance(1_000);
    const personSeenAt = world.clock.now();
    await world.clock.advance(1_000);
    const text = "Second?";
    world.agent.last.emit({
      kind: "asked",
      request: { kind: "questions", requestId: 99, questions: [{ text, options: [], multiSelect: false }] },
    });
    await world.quiet();
    const asking = await world.until(session.id, "asking");
    const [first, second] = asking.phase.asks.map((ask) => ask.questions[0]?.id ?? "");
    await world.respond(session.id, "late words", { questionId: second ?? "" }, { ...AGENT, personSeenAt });
    expect(world.session(session.id).counters).toMatchObject({ answeredByAgent: 1, answeredByPerson: 0 });
    await world.respond(session.id, "A", { questionId: first ?? "" }, { ...AGENT, personSeenAt });
    expect(world.session(session.id).counters).toMatchObject({ answeredByAgent: 1, answeredByPerson: 1 });
  });

  test("at the limit the agent is not woken for a question; the person is told", async () => {
    const world = await World.start({ rules: { maxAutoResponds: 1 } });
    const { session } = await world.launch("ask: First? | A | B\nask: Second? | A | B", {}, AGENT);
    await world.until(session.id, "asking");
    await world.quiet();
    expect(world.delivery.wakes.filter((wake) => wake.text.includes("asks"))).toHaveLength(1);
    await world.respond(session.id, "A", {}, AGENT);
    await world.until(session.id, "asking");
    await world.quiet();
    expect(world.delivery.wakes.filter((wake) => wake.text.includes("asks"))).toHaveLength(1);
    expect(world.delivery.messages.filter(({ texts: [text = ""] }) => text.startsWith("asks"))).toHaveLength(2);
    expect(await soundProblems(world)).toEqual([]);
  });
});
