/** Words without a command, and commands without an id: what they answer, what they never answer, and what people are told. */
import { describe, expect, test } from "vitest";
import type { Route } from "../../src/core/session.ts";
import { answerBareReply, type BareReply } from "../../src/operations/chat-answers.ts";
import { OperationsWorld, type Params } from "./operations-world.ts";

/** A session in the direct chat that asks, and whose notice stands there. */
async function askedDirectly(prompt: string, more: Params = {}): Promise<{ operations: OperationsWorld; id: string }> {
  const operations = await OperationsWorld.create();
  const { id } = await operations.launch(prompt, { name: "job", ...more });
  await toldOf(operations, id);
  return { operations, id };
}

/** Resolves when the open question of the session stands in its chat; with its id. */
async function toldOf(operations: OperationsWorld, id: string): Promise<string> {
  for (;;) {
    const { phase } = await operations.world.until(id, "asking");
    const ask = phase.asks.find(({ toldAt }) => toldAt !== undefined);
    if (ask !== undefined) return ask.questions[0]?.id ?? "";
    await operations.world.clock.advance(50);
  }
}

const bare = (operations: OperationsWorld, text: string, more: Partial<BareReply> = {}) =>
  answerBareReply(
    { ...operations.context, sessions: operations.world.sessions },
    { ...operations.me, door: "reply" },
    { text, repliesTo: undefined, ...more },
  );

const TWO = "write a.txt: 1\nwrite b.txt: 2\nsay: done";

describe("[A1] a bare answer", () => {
  test("says what was chosen, by its label", async () => {
    const asked = await askedDirectly("write a.txt: 1\nsay: done");
    await using operations = asked.operations;
    expect(await bare(operations, "1")).toBe("↩️ job: 1: Allow");
  });

  test("waits for the notice that it answers: a channel shows one before it says that it has it", async () => {
    await using operations = await OperationsWorld.create();
    const { delivery, clock } = operations.world;
    const asks = delivery.hold("send");
    let isOnItsWay = false;
    void asks.reached.then(() => (isOnItsWay = true));
    await operations.launch("write a.txt: 1\nsay: done", { name: "job" });
    while (!isOnItsWay) await clock.advance(50);
    const answer = bare(operations, "1");
    asks.release();
    expect(await answer).toBe("↩️ job: 1: Allow");
  });

  test.each([
    ["the gateway's agent", async (operations: OperationsWorld) => spoke(operations, operations.me.owner.sessionKey)],
    ["the agent, from a run of its own", async (operations: OperationsWorld) => spoke(operations, "agent:main:cron:1")],
    ["a person, about something else", (operations: OperationsWorld) => bare(operations, "and how is the weather?")],
  ] as const)("is none once somebody spoke since: %s; also after a restart", async (_who, speak) => {
    const asked = await askedDirectly("write a.txt: 1\nsay: done");
    await using operations = asked.operations;
    await speak(operations);
    expect(await bare(operations, "1")).toBeUndefined();
    await operations.world.crash();
    expect(await bare(operations, "1")).toBeUndefined();
    expect(operations.world.session(asked.id).phase.kind).toBe("asking");
    const { phase } = await operations.world.until(asked.id, "asking");
    expect(await bare(operations, "1", { repliesTo: phase.asks[0]?.toldIn })).toBe("↩️ job: 1: Allow");
  });

  test("is one where the agent spoke in another chat", async () => {
    const asked = await askedDirectly("write a.txt: 1\nsay: done");
    await using operations = asked.operations;
    const route: Route = { channel: "telegram", to: "telegram:77", accountId: "default" };
    operations.world.roster.talk.said({ kind: "channel", route, sessionKey: "agent:main:telegram:direct:77" });
    expect(await bare(operations, "1")).toBe("↩️ job: 1: Allow");
  });

  test("is none behind a result with numbers in it, nor behind a command that shows some", async () => {
    const asked = await askedDirectly("write a.txt: 1\nsay: done");
    await using operations = asked.operations;
    const { id } = await operations.launch("say: Done. I saw:\\n1. red\\n2. blue", { name: "list" });
    await operations.world.until(id, "idle");
    for (let i = 0; i < 20; i += 1) await operations.world.clock.advance(100);
    expect(await bare(operations, "1")).toBeUndefined();
    expect(operations.world.session(asked.id).phase.kind).toBe("asking");
  });

  test("is none while the notice is on its way, and something is said meanwhile", async () => {
    await using operations = await OperationsWorld.create();
    const notice = operations.world.delivery.hold("send");
    const { id } = await operations.launch("write a.txt: 1\nsay: done", { name: "job" });
    await operations.world.runUntil(notice.reached);
    await operations.world.until(id, "asking");
    spoke(operations, operations.me.owner.sessionKey);
    notice.release();
    await toldOf(operations, id);
    expect(await bare(operations, "1")).toBeUndefined();
  });
});

/** As the host tells of it: the channel's words for the chat, and the session of whoever spoke. */
function spoke({ world }: OperationsWorld, sessionKey: string): void {
  world.roster.talk.said({ kind: "channel", route: { channel: "telegram", to: "42" }, sessionKey });
}

describe("[A4] twice within moments", () => {
  test("a bare number answers one question", async () => {
    const asked = await askedDirectly(TWO);
    await using operations = asked.operations;
    // Sent twice within moments, and joined by the channel.
    expect(await bare(operations, "1\n1")).toBe("↩️ job: 1: Allow");
    expect(await bare(operations, "1")).toMatch(/^↩️ job: already answered: Allow\. Nothing else was answered\.$/);
    await toldOf(operations, asked.id);
    expect(await bare(operations, "1")).toMatch(/already answered/);
    await operations.world.clock.advance(2_000);
    expect(await bare(operations, "1")).toBe("↩️ job: 1: Allow");
  });

  test("a command without an id answers one question, and is told what is asked since", async () => {
    const asked = await askedDirectly(TWO);
    await using operations = asked.operations;
    const respond = () => operations.call("respond", { session: "job", message: "1" });
    expect(await respond()).toMatchObject({ ok: true });
    await operations.world.until(asked.id, "asking");
    const before = await respond();
    expect(before).toMatchObject({ ok: false, code: "question_ambiguous" });
    const questionId = await toldOf(operations, asked.id);
    await operations.world.clock.advance(3_000);
    expect(await respond()).toEqual({
      ok: false,
      code: "question_ambiguous",
      message: expect.stringMatching(
        new RegExp(
          `^Question q\\d+ of job was already answered: Allow \\(by a person\\)\\. This is asked since, so nothing was answered:\\n${questionId}: .*b\\.txt.*\\nAnswer it: /iflow_respond --question ${questionId} job <number>$`,
        ),
      ) as unknown,
    });
    const named = { session: "job", message: "1", question_id: questionId };
    expect(await operations.call("respond", named)).toMatchObject({ ok: true });
    expect(await operations.call("respond", named)).toMatchObject({
      ok: false,
      code: "question_closed",
      message: expect.stringContaining(`Question ${questionId} of job was already answered: Allow`) as unknown,
    });
  });

  test("another answer by command counts, once the question was told", async () => {
    const asked = await askedDirectly(TWO);
    await using operations = asked.operations;
    await operations.json("respond", { session: "job", message: "1" });
    await toldOf(operations, asked.id);
    await operations.world.clock.advance(2_000);
    expect(await operations.call("respond", { session: "job", message: "2" })).toMatchObject({ ok: true });
  });
});

describe("[A9] [H8] an answer when nothing is asked", () => {
  const settled = async (): Promise<{ operations: OperationsWorld; id: string }> => {
    const asked = await askedDirectly("write a.txt: 1\nsay: done");
    await asked.operations.json("respond", { session: "job", message: "1" });
    await asked.operations.world.until(asked.id, "idle");
    return asked;
  };

  test.each(["2", "３", "Allow", "reject", "yes"])(
    "%s becomes no prompt; it is said what was answered",
    async (words) => {
      const asked = await settled();
      await using operations = asked.operations;
      expect(await operations.call("respond", { session: "job", message: words })).toEqual({
        ok: false,
        code: "question_closed",
        message: expect.stringMatching(
          /^Question q\d+ of job was already answered: Allow \(by a person\)\. job is idle and asks nothing now, so nothing was sent\. To send it as a message: \/iflow_respond --message job /,
        ) as unknown,
      });
      expect(operations.world.promptsOf(asked.id)).toHaveLength(1);
    },
  );

  test.each(["2 more tests, please", "continue", "left"])("%s is a message as ever", async (words) => {
    const asked = await settled();
    await using operations = asked.operations;
    expect(await operations.call("respond", { session: "job", message: words })).toMatchObject({ ok: true });
  });

  test("it is sent when that is meant", async () => {
    const asked = await settled();
    await using operations = asked.operations;
    const parsed = operations.door("respond").parseCommand("--message job 2");
    if (parsed.ok !== "params") throw new Error("not read");
    expect(await operations.call("respond", parsed.params)).toMatchObject({ ok: true });
  });

  test("a number does not revive a session that was stopped", async () => {
    const asked = await askedDirectly("write a.txt: 1\nsay: done");
    await using operations = asked.operations;
    await operations.json("kill", { session: "job" });
    const before = operations.world.roster.sessions().length;
    for (const message of ["2", "Allow"])
      expect(await operations.call("respond", { session: "job", message })).toMatchObject({
        ok: false,
        code: "question_closed",
        message: expect.stringMatching(
          /^Question q\d+ of job is not open any more .*job has ended \(killed\) and asks nothing now, so nothing was sent\./,
        ) as unknown,
      });
    expect(operations.world.roster.sessions()).toHaveLength(before);
    expect(await operations.call("resume", { session: "job", prompt: "2" })).toMatchObject({ ok: true });
  });

  test("a session that waits for words takes a number", async () => {
    await using operations = await OperationsWorld.create();
    const { id } = await operations.launch("say: Which colour?\\n1. red\\n2. blue\\nReply with the number?", {
      name: "free",
    });
    await operations.world.until(id, "idle");
    expect(await operations.call("respond", { session: "free", message: "2" })).toMatchObject({ ok: true });
  });
});

describe("[A2] [H9] several that wait in one chat", () => {
  test("a number is asked back, with each answer ready to be sent", async () => {
    const first = await askedDirectly("write a.txt: 1\nsay: done", { name: "login" });
    await using operations = first.operations;
    const second = await operations.launch("ask: Which region? | eu | us\nsay: {answer}", { name: "deploy" });
    await toldOf(operations, second.id);
    const third = await operations.launch("say: Which colour?\\n1. red\\n2. blue\\nReply with the number?", {
      name: "paint",
    });
    await operations.world.until(third.id, "idle");
    for (let i = 0; i < 20; i += 1) await operations.world.clock.advance(100);
    const told = (await bare(operations, "2")) ?? "";
    expect(told.split("\n\n").toSorted()).toEqual([
      expect.stringMatching(/^Which one\? Nothing was answered yet\.$/),
      expect.stringMatching(/^🔔 deploy asks: Which region\?\n1: eu\n2: us\n\/iflow_respond deploy 2$/u),
      expect.stringMatching(
        /^🔔 login asks for permission: .*a\.txt.*\n1: Allow\n2: Reject\n3: Allow All Edits\n\/iflow_respond login 2$/u,
      ),
      expect.stringMatching(/^🔔 paint waits for your answer: .*Reply with the number\?\n\/iflow_respond paint 2$/u),
    ]);
    await operations.world.clock.advance(2_000);
    expect(await operations.call("respond", { session: "login", message: "2" })).toMatchObject({ ok: true });
  });

  test("questions of one session are named by their ids", async () => {
    const asked = await askedDirectly("two questions");
    await using operations = asked.operations;
    const told = await bare(operations, "1");
    expect(told).toMatch(/\/iflow_respond --question q\d+(?:\.1)? job 1/);
    expect(told).toMatch(/\/iflow_respond --question q\d+(?:\.2)? job /);
  });

  test("a quote of the notice that asked for words takes any", async () => {
    await using operations = await OperationsWorld.create();
    const { id } = await operations.launch("say: Which colour?", { name: "paint" });
    for (let i = 0; i < 60; i += 1) await operations.world.clock.advance(100);
    const { phase } = await operations.world.until(id, "idle");
    expect(await bare(operations, "say: red, I think", { repliesTo: phase.toldIn })).toBe(
      "↩️ paint: your words were passed on.",
    );
    expect(operations.world.promptsOf(id)).toContain("say: red, I think");
  });
});
