/**
 * People in a real gateway, on stub operations: plain messages, notices with buttons, cards, wakes, and a restart between them.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Route } from "../../src/core/session.ts";
import type { Handover } from "../../src/ports.ts";
import type { Gateway } from "./harness/gateway.ts";
import {
  DIRECT,
  GROUP,
  MAIN,
  TOPIC,
  doorsWorld,
  inGroup,
  inTopic,
  person,
  strangerInGroup,
  type DoorsWorld,
} from "./probe/doors-world.ts";

const undo = new AsyncDisposableStack();
let gateway: Gateway;
let seen: DoorsWorld["seen"];
let hatch: DoorsWorld["hatch"];
let lastCall: DoorsWorld["lastCall"];

beforeAll(async () => {
  const world = await doorsWorld();
  undo.defer(async () => world.dispose());
  ({ gateway, seen, hatch, lastCall } = world);
});

afterAll(async () => undo.disposeAsync());

describe("plain messages", () => {
  test("an authorised person's answer is taken without a model turn; others go on to the agent", async () => {
    const turns = gateway.model.turns.length;
    gateway.telegram.say(person, "ANSWER blue");
    await gateway.telegram.heard(42, /taken: ANSWER blue/);
    expect(gateway.model.turns).toHaveLength(turns);
    expect((await seen()).messages.at(-1)).toEqual({
      sessionKey: "agent:main:main",
      text: "ANSWER blue",
      senderId: "42",
      messageId: expect.stringMatching(/^\d+$/) as unknown,
      writtenAt: expect.any(Number) as unknown,
      route: DIRECT,
      inGroup: false,
      isOwner: false,
    });
    gateway.telegram.say(strangerInGroup, "ANSWER stranger");
    await gateway.telegram.heard(-1001, /ANSWER stranger/);
    expect(gateway.telegram.transcript(-1001)).not.toContain("taken: ANSWER stranger");
    expect((await seen()).messages.some(({ text }) => text.includes("stranger"))).toBe(false);
  });

  test("a reply in a group names the message that it answers; a web chat counts as well", async () => {
    const asked = await hatch<Handover>({
      do: "send",
      message: { intentId: "q1", owner: MAIN, route: GROUP, text: "Which one?" },
    });
    const question = await gateway.telegram.heard(-1001, /Which one\?/);
    expect(asked).toEqual({ kind: "accepted", messageId: String(question.messageId) });
    gateway.telegram.say(inGroup, "ANSWER this", question);
    await gateway.telegram.heard(-1001, /taken: ANSWER this/);
    expect((await seen()).messages.at(-1)).toMatchObject({
      replyToId: String(question.messageId),
      inGroup: true,
      route: GROUP,
    });
    const rpc = await gateway.rpc();
    expect((await rpc.chat("agent:main:w1", "ANSWER web")).text).toBe("taken: ANSWER web");
    expect((await seen()).messages.at(-1)).toMatchObject({
      sessionKey: "agent:main:w1",
      isOwner: true,
      inGroup: false,
    });
  });
});

describe("the ways out", () => {
  const buttons = [
    { label: "Yes", payload: "s1:q1:1" },
    { label: "No", payload: "s1:q1:2" },
  ];

  test.each([
    { where: "a direct chat", chat: person, route: DIRECT },
    { where: "a topic", chat: inTopic, route: TOPIC },
  ])("a question with buttons in $where is answered by a press, once its buttons are gone", async ({ chat, route }) => {
    const sent = await hatch<Handover>({
      do: "send",
      message: { intentId: "q2", owner: MAIN, route, text: `Go on in ${chat.chatId}?`, buttons },
    });
    const message = await gateway.telegram.heard(chat.chatId, new RegExp(`Go on in ${chat.chatId}`));
    expect(sent).toEqual({ kind: "accepted", messageId: String(message.messageId) });
    expect(message.threadId).toBe(route.threadId);
    gateway.telegram.press(chat, message, "No");
    await expect.poll(() => message.texts.at(-1)).toContain("chosen: s1:q1:2");
    expect(message.buttons).toEqual([]);
    expect((await seen()).presses.at(-1)).toEqual({
      isAuthorised: true,
      payload: "s1:q1:2",
      senderId: "42",
      route,
      inGroup: chat.chatId < 0,
      isOwner: false,
    });
  });

  test("a press by a stranger in an open group says that it is one, and the buttons stay", async () => {
    await hatch<Handover>({
      do: "send",
      message: { intentId: "q3", owner: MAIN, route: GROUP, text: "Delete it?", buttons },
    });
    const message = await gateway.telegram.heard(-1001, /Delete it\?/);
    gateway.telegram.press(strangerInGroup, message, "Yes");
    await gateway.telegram.heard(-1001, /not for you, 99/);
    expect((await seen()).presses.at(-1)).toMatchObject({ isAuthorised: false, senderId: "99", inGroup: true });
    expect(message.buttons).not.toEqual([]);
  });

  test("a card is edited in place; an unknown one is refused", async () => {
    const sent = await hatch<Handover>({
      do: "send",
      message: { intentId: "p1", owner: MAIN, route: TOPIC, text: "Turn 1 · 1 tool call" },
    });
    const card = await gateway.telegram.heard(-1002, /Turn 1 · 1 tool call/);
    const messageId = sent.kind === "accepted" ? (sent.messageId ?? "") : "";
    expect(await hatch({ do: "edit", route: TOPIC, messageId, text: "Turn 1 · 9 tool calls" })).toEqual({
      kind: "accepted",
      messageId,
    });
    expect(card.texts).toEqual(["Turn 1 · 1 tool call", "Turn 1 · 9 tool calls"]);
    gateway.telegram.fail("editMessageText", 1, 400);
    expect(await hatch({ do: "edit", route: TOPIC, messageId, text: "Turn 1 · 10 tool calls" })).toMatchObject({
      kind: "refused",
    });
  });

  test("a web chat is told in its session; a session that never was is refused", async () => {
    const rpc = await gateway.rpc();
    await rpc.chat("agent:main:w2", "hello");
    const heard = rpc.next(
      ({ event, payload }) => event === "chat" && JSON.stringify(payload).includes("🔔 web notice"),
    );
    expect(
      await hatch({
        do: "send",
        message: { intentId: "w1", owner: { sessionKey: "agent:main:w2" }, route: undefined, text: "🔔 web notice" },
      }),
    ).toMatchObject({ kind: "accepted" });
    expect((await heard).payload["sessionKey"]).toBe("agent:main:w2");
    expect(
      await hatch({
        do: "send",
        message: { intentId: "w2", owner: { sessionKey: "agent:main:nobody" }, route: undefined, text: "x" },
      }),
    ).toMatchObject({ kind: "refused" });
  });

  test("[N5] what nobody took is ours to repeat, what may have arrived is not, what is refused is said", async () => {
    const send = async (text: string): Promise<Handover> =>
      hatch<Handover>({ do: "send", message: { intentId: text, owner: MAIN, route: DIRECT, text } });
    gateway.telegram.fail("sendMessage", 1, 403);
    expect(await send("forbidden")).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("403") as string,
    });
    gateway.telegram.fail("sendMessage", 3, 429, 1);
    expect(await send("too many")).toMatchObject({ kind: "later", afterMs: 1_000 });
    gateway.telegram.fail("sendMessage", 1, 502);
    expect(await send("bad gateway")).toMatchObject({ kind: "unknown" });
    await gateway.telegram.goDown();
    const gone = await send("nobody listens");
    await gateway.telegram.comeBack();
    expect(gone).toMatchObject({ kind: "later" });
    const nowhere: Route = { channel: "discord", to: "channel:1" };
    expect(
      await hatch({ do: "send", message: { intentId: "h2", owner: MAIN, route: nowhere, text: "x" } }),
    ).toMatchObject({ kind: "refused" });
    expect(await hatch({ do: "limits", routes: [DIRECT, nowhere, null] })).toEqual([
      [3_800, true],
      [3_800, true],
      [3_800, false],
    ]);
  });

  test.each([
    {
      where: "a topic",
      chatId: -1002,
      route: TOPIC,
      owner: { sessionKey: "agent:main:telegram:group:-1002:topic:7", agentId: "main" },
    },
    { where: "a direct chat of the main session", chatId: 42, route: DIRECT, owner: MAIN },
  ])("a woken agent answers in $where, and is not a person", async ({ chatId, route, owner }) => {
    const wake = { intentId: `wake-${chatId}`, owner, route, text: `CALL iflow_output {"session":"woken-${chatId}"}` };
    expect(await hatch({ do: "wake", message: wake })).toEqual({ kind: "accepted" });
    const reply = await gateway.telegram.heard(chatId, new RegExp(`output for ${owner.sessionKey}: woken-${chatId}`));
    expect(reply.threadId).toBe(route.threadId);
    const { caller } = await lastCall(`woken-${chatId}`);
    expect(caller).toMatchObject({ door: "tool", route, seesAll: false, isPerson: false });
    expect(caller.senderId).toBeUndefined();
  });

  test("a woken agent of a web chat stays in it", async () => {
    const turns = gateway.model.turns.length;
    const sent = gateway.telegram.messages.length;
    await hatch({
      do: "wake",
      message: {
        intentId: "wake-web",
        owner: { sessionKey: "agent:main:w2", agentId: "main" },
        route: undefined,
        text: "WOKEN in the web chat",
      },
    });
    await expect
      .poll(() => gateway.model.turns.slice(turns).some(({ lastText }) => lastText.includes("WOKEN in the web chat")))
      .toBe(true);
    expect(gateway.telegram.messages).toHaveLength(sent);
  });
});

describe("the service's life", () => {
  test("buttons outlive a restart; the signal settles before the host drains; a stop is quick", async () => {
    await hatch<Handover>({
      do: "send",
      message: {
        intentId: "r1",
        owner: MAIN,
        route: DIRECT,
        text: "After a restart?",
        buttons: [{ label: "Yes", payload: "after:restart" }],
      },
    });
    const message = await gateway.telegram.heard(42, /After a restart\?/);
    expect((await seen()).life).toEqual([`start in ${gateway.stateDir}`]);
    const { tookMs } = await gateway.stop();
    expect(tookMs).toBeLessThan(30_000);
    expect(gateway.log()).toMatch(/doors settle SIGTERM[\s\S]*doors stopped/);
    await gateway.start();
    gateway.telegram.press(person, message, "Yes");
    await expect.poll(() => message.texts.at(-1)).toContain("chosen: after:restart");
  });

  test("a restart by signal settles first, then stops and starts the service anew", async () => {
    const starts = (): number => gateway.log().split("doors started").length;
    const before = starts();
    gateway.process.signal("SIGUSR2");
    await expect.poll(starts).toBe(before + 1);
    expect(gateway.log()).toMatch(/doors settle SIGUSR2[\s\S]*doors stopped[\s\S]*doors started/);
    await expect
      .poll(async () => (await gateway.tool("iflow_stats", { session: "again" })).text)
      .toContain("stats for");
  });
});
