/** What a launch answers, and to which chats it may send what its session says. */
import { describe, expect, test } from "vitest";
import { OperationsWorld } from "./operations-world.ts";

test("[C1] the reply to a launch names the mode", async () => {
  await using world = await OperationsWorld.create({ permissionMode: "selective" });
  const replies = await Promise.all([
    world.call("launch", { prompt: "say: one" }),
    world.call("launch", { prompt: "say: two", permission_mode: "plan" }),
  ]);
  const texts = replies.map((answered) => (answered.ok ? answered.reply.text : answered.message));
  expect(texts[0]).toContain("permissions: selective");
  expect(texts[1]).toContain("permissions: plan");
});

test("[E1] lists and statistics say of which session the last notice reached nobody", async () => {
  await using world = await OperationsWorld.create();
  world.world.delivery.fail("send", { kind: "refused", reason: "answered 403 of chat -1001" });
  const { id } = await world.launch("ask: Which? | A | B\nsay: done", { name: "lonely" });
  await world.launch("say: done", { name: "fine" });
  await world.world.until(id, "asking");
  await world.world.quiet();
  const rows = await world.json<readonly { readonly name: string; readonly undelivered?: number }[]>("sessions");
  expect(rows.map(({ name, undelivered }) => [name, undelivered])).toContainEqual(["lonely", 1]);
  expect(rows.map(({ name, undelivered }) => [name, undelivered])).toContainEqual(["fine", undefined]);
  const [list, stats] = await Promise.all([world.call("sessions"), world.call("stats")]);
  expect(list).toMatchObject({ reply: { text: expect.stringMatching(/lonely .* not delivered/) as string } });
  expect(stats).toMatchObject({
    reply: { text: expect.stringMatching(/not delivered to anybody: .*lonely/) as string },
  });
  expect(JSON.stringify([list, stats])).not.toContain("-1001");
});

describe("[E3] the chat of a launch", () => {
  const config = { fallbackChannel: "slack|C1", agentChannels: { "/srv/app": "telegram|-100500" } };

  test.each<[string, string, object]>([
    ["its own, as it is written", "telegram|telegram:42", { route: { to: "telegram:42" } }],
    ["its own, without the channel's name in it", "telegram|default|42", { route: { to: "telegram:42" } }],
    ["the fallback", "slack|C1", { route: { channel: "slack", to: "C1" }, home: { route: { to: "telegram:42" } } }],
    ["that of a directory", "telegram|-100500", { route: { to: "-100500" }, home: { route: { to: "telegram:42" } } }],
  ])("%s is taken: %s", async (_which, route, expected) => {
    await using world = await OperationsWorld.create(config);
    const { id } = await world.launch("say: one", { route });
    expect(world.world.session(id)).toMatchObject(expected);
    expect(world.world.session(id).isForeignRoute).toBeUndefined();
  });

  test("any other is refused, unless the caller sees everything", async () => {
    await using world = await OperationsWorld.create({ ...config, operators: ["7"] });
    const params = { prompt: "say: one", route: "telegram|-100999" };
    for (const caller of [world.me, { ...world.me, door: "tool" as const, isPerson: false }]) {
      const answered = await world.call("launch", params, caller);
      expect(answered).toMatchObject({ ok: false, code: "not_allowed" });
      expect(answered).toMatchObject({ message: expect.stringContaining('"telegram|-100999" is neither') as string });
    }
    expect(world.world.roster.sessions()).toEqual([]);
    const { id } = await world.json<{ id: string }>("launch", params, { ...world.me, senderId: "7" });
    expect(world.world.session(id)).toMatchObject({ isForeignRoute: true, home: { route: { to: "telegram:42" } } });
  });

  test("who reads in a chat that is not the launcher's answers a question, and grants nothing", async () => {
    await using world = await OperationsWorld.create();
    const owner = { ...world.me, senderId: "1", seesAll: true };
    const prompt = "ask: Which? | A | B\nwrite a.txt: x";
    const { id } = await world.json<{ id: string }>("launch", { prompt, route: "telegram|telegram:77" }, owner);
    const there = {
      ...world.me,
      owner: { sessionKey: "agent:main:main" },
      route: { channel: "telegram", to: "telegram:77" },
      senderId: "77",
    };
    await world.world.until(id, "asking");
    expect(await world.verdict("respond", { session: id, message: "1" }, there)).toBe("taken");
    await world.world.clock.advance(1_000);
    const asking = await world.world.until(id, "asking");
    expect(asking.phase.asks[0]?.kind).toBe("permission");
    const answer = { session: id, question_id: asking.phase.asks[0]?.questions[0]?.id, option: "1", message: "1" };
    expect(await world.verdict("respond", answer, there)).toBe("not_allowed");
    expect(await world.verdict("respond", answer, owner)).toBe("taken");
  });

  test("[D5] launched in a web chat it goes to the configured chat and to the web chat", async () => {
    await using world = await OperationsWorld.create(config);
    const { route: _none, ...me } = world.me;
    const web = { ...me, inWebChat: true as const };
    const { id } = await world.json<{ id: string }>("launch", { prompt: "say: one" }, web);
    expect(world.world.session(id)).toMatchObject({ home: {} });
    expect(world.world.session(id).route).toBeUndefined();
    const { id: run } = await world.json<{ id: string }>("launch", { prompt: "say: two" }, me);
    expect(world.world.session(run).home).toBeUndefined();
  });
});
