/** Answers without a command: a pressed button and a bare reply, by whom they are taken, and what is written of them. */
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/core/caller.ts";
import type { Route } from "../../src/core/session.ts";
import { answerBareReply, answerPress, refusePress } from "../../src/operations/chat-answers.ts";
import { OperationsWorld } from "./operations-world.ts";

const GROUP: Route = { channel: "telegram", to: "telegram:-1001", accountId: "default" };
const WRITE = "write notes.txt: hello\nsay: done";
const ASK = "ask: Which way? | left | right\nsay: went {answer}";

interface Asked {
  readonly operations: OperationsWorld;
  readonly id: string;
  readonly questionId: string;
  readonly group: Caller;
}

/** Launched by 42 in a group, and asking. */
async function asking(prompt: string): Promise<Asked> {
  const operations = await OperationsWorld.create({ operators: ["7"] });
  const owner = { sessionKey: "agent:main:telegram:group:-1001", agentId: "main" };
  const group: Caller = { ...operations.me, owner, route: GROUP, inGroup: true };
  const { id } = await operations.json<{ id: string }>("launch", { prompt, name: "job" }, group);
  const { phase } = await operations.world.until(id, "asking");
  return { operations, id, questionId: phase.asks[0]?.questions[0]?.id ?? "", group };
}

const people = [
  { who: "the one who launched", senderId: "42", seesAll: false, grants: true },
  { who: "somebody else in the group", senderId: "99", seesAll: false, grants: false },
  { who: "nobody that is known", senderId: undefined, seesAll: false, grants: false },
  { who: "an operator", senderId: "7", seesAll: false, grants: true },
  { who: "the host's owner", senderId: "77", seesAll: true, grants: true },
];

describe.each(people)("[K1] [S4] $who", ({ senderId, seesAll, grants }) => {
  const speaker = (door: "button" | "reply", { group }: Asked): Caller => {
    const { senderId: _launcher, ...rest } = group;
    return { ...rest, door, seesAll, isPerson: true, ...(senderId === undefined ? {} : { senderId }) };
  };

  test(`presses a permission's button: ${grants ? "granted" : "refused"}, and audited`, async () => {
    const asked = await asking(WRITE);
    await using operations = asked.operations;
    const pressed = { sessionId: asked.id, questionId: asked.questionId, optionIndex: 1 };
    const outcome = await answerPress(operations.context, speaker("button", asked), pressed);
    expect(outcome.closed).toBe(grants);
    if (!grants)
      expect(outcome.text).toMatch(
        /^In a group, only the person who launched job, the host's owner or an operator may answer/,
      );
    expect((await operations.audit()).at(-1)).toEqual({
      at: expect.any(Number) as unknown,
      operation: "respond",
      door: "button",
      sessionKey: asked.group.owner.sessionKey,
      chat: "telegram|default|telegram:-1001",
      ...(senderId === undefined ? {} : { senderId }),
      person: true,
      params: { session: asked.id, question_id: asked.questionId, option: "2" },
      ...(grants ? { outcome: "ok", id: asked.id } : { outcome: "not_allowed", message: outcome.text }),
    });
  });

  test("answers a question of the group, as a reply to its notice", async () => {
    const asked = await asking(ASK);
    await using operations = asked.operations;
    await operations.world.until(asked.id, "asking");
    for (let i = 0; i < 20; i += 1) await operations.world.clock.advance(100);
    const notice = operations.world.delivery.messages.find(({ texts }) => texts[0]?.startsWith("asks"));
    const say = (text: string, repliesTo: string | undefined) =>
      answerBareReply(operations.context, speaker("reply", asked), { text, repliesTo });
    expect(await say("left", undefined)).toBeUndefined();
    expect(await say("I think left", notice?.id)).toBeUndefined();
    expect(await say("left", "another message")).toBeUndefined();
    expect(await say("left", notice?.id)).toBe("↩️ job: 1: left");
    await operations.world.until(asked.id, "idle");
    expect(await operations.world.output(asked.id)).toContain("went left");
    expect((await operations.audit()).at(-1)).toMatchObject({
      door: "reply",
      outcome: "ok",
      params: { message: "left" },
    });
  });
});

test.each(["restart", "crash"] as const)(
  "[S5] in a group the notice of before a %s is still replied to",
  async (how) => {
    const asked = await asking(ASK);
    await using operations = asked.operations;
    const { world } = operations;
    for (let i = 0; i < 20; i += 1) await world.clock.advance(100);
    const notice = world.delivery.messages.find(({ texts }) => texts[0]?.startsWith("asks"));
    await world[how]();
    const context = { ...operations.context, sessions: world.sessions };
    const say = (repliesTo: string | undefined) =>
      answerBareReply(context, { ...asked.group, door: "reply" }, { text: "left", repliesTo });
    expect(await say("another message")).toBeUndefined();
    expect(await say(notice?.id)).toBe("↩️ job: 1: left");
  },
);

test("[K1] a press by somebody whom the channel does not let steer the bot answers nothing, and is audited", async () => {
  const asked = await asking(WRITE);
  await using operations = asked.operations;
  const pressed = { sessionId: asked.id, questionId: asked.questionId, optionIndex: 1 };
  const stranger: Caller = { ...asked.group, door: "button", senderId: "99" };
  expect(await refusePress(operations.context, stranger, pressed)).toEqual({
    text: "You are not authorised to answer iFlow here.",
    closed: false,
  });
  expect(operations.world.session(asked.id).phase.kind).toBe("asking");
  expect((await operations.audit()).at(-1)).toMatchObject({
    door: "button",
    senderId: "99",
    outcome: "not_allowed",
    params: { session: asked.id, question_id: asked.questionId, option: "2" },
  });
});

test("[D6] a press leaves of its notice who asked what and what was chosen; of several parts only the last one does", async () => {
  const one = await asking(ASK);
  await using single = one.operations;
  const button = { ...one.group, door: "button" } as const;
  expect(
    await answerPress(single.context, button, { sessionId: one.id, questionId: one.questionId, optionIndex: 1 }),
  ).toEqual({
    text: expect.stringMatching(/^🔔 job asks\n.+\n\n↩️ 2: right \(answered here\)$/u) as unknown,
    closed: true,
    whole: true,
  });
  const more = await asking("two questions\nhang");
  await using several = more.operations;
  const { phase } = await several.world.until(more.id, "asking");
  const [first = "", second = ""] = phase.asks.flatMap(({ questions }) => questions.map(({ id }) => id));
  const press = (questionId: string) =>
    answerPress(several.context, { ...more.group, door: "button" }, { sessionId: more.id, questionId, optionIndex: 0 });
  expect(await press(first)).toEqual({
    text: expect.stringContaining(`Still open: ${second}`) as unknown,
    closed: false,
  });
  expect(await press(second)).toMatchObject({ closed: true, whole: true });
});

test("a button of a question that is over goes, with what became of it", async () => {
  const asked = await asking(ASK);
  await using operations = asked.operations;
  await operations.json("respond", { session: "job", message: "2" }, asked.group);
  const pressed = { sessionId: asked.id, questionId: asked.questionId, optionIndex: 0 };
  const outcome = await answerPress(operations.context, { ...asked.group, door: "button" }, pressed);
  expect(outcome).toEqual({
    closed: true,
    text: expect.stringMatching(/^Question q\d+ of job was already answered: right \(by a person\)\. /) as unknown,
  });
  expect(await answerPress(operations.context, asked.group, { ...pressed, sessionId: "none" })).toMatchObject({
    closed: true,
  });
});

test.each([
  ["拒绝", "Reject"],
  ["批准，执行时不再询问", "Approve and carry out without asking"],
])("[N9] a bare reply with the words that a Chinese notice shows: %s", async (words, label) => {
  await using operations = await OperationsWorld.create({ language: "zh" });
  const { id } = await operations.launch("plan: do it\nsay: done", { permission_mode: "plan" });
  const { phase } = await operations.world.until(id, "asking");
  const questionId = phase.asks[0]?.questions[0]?.id ?? "";
  const speaker: Caller = { ...operations.me, door: "reply" };
  const reply = { text: words, repliesTo: undefined };
  expect(await answerBareReply(operations.context, speaker, reply)).toMatch(new RegExp(`^↩️ plan-do-say: .*${words}$`));
  expect(operations.world.session(id).closed).toContainEqual(
    expect.objectContaining({ id: questionId, answer: label }),
  );
});

test("a bare reply answers in a chat that was given in other words than the channel's own", async () => {
  await using operations = await OperationsWorld.create();
  const configured: Caller = { ...operations.me, door: "rpc", route: { channel: "telegram", to: "42" } };
  const { id } = await operations.json<{ id: string }>("launch", { prompt: ASK }, configured);
  await operations.world.until(id, "asking");
  const speaker: Caller = { ...operations.me, door: "reply" };
  const elsewhere: Caller = { ...speaker, route: { channel: "telegram", to: "telegram:42", accountId: "second" } };
  const reply = { text: "1", repliesTo: undefined };
  expect(await answerBareReply(operations.context, elsewhere, reply)).toBeUndefined();
  expect(await answerBareReply(operations.context, speaker, reply)).toMatch(/: 1: left$/);
  expect(operations.world.session(id).route).toEqual(configured.route);
});
