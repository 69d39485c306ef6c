import { describe, expect, test } from "vitest";
import { agentIdOf, isGroupSession, mainSessionKey, routeOf, routeParam } from "../../src/host/chat-route.ts";

describe("a chat is the same route from every door", () => {
  const topic = { channel: "telegram", to: "telegram:-1002", accountId: "default", threadId: 7 };

  test.each([
    ["a tool", { channel: "telegram", to: "telegram:-1002:topic:7", accountId: "default", threadId: 7 }],
    ["a command", { channel: "telegram", to: "telegram:-1002", accountId: "default", threadId: 7 }],
    [
      "a woken agent's tool",
      { channel: "telegram", to: "telegram:-1002:topic:7", accountId: "default", threadId: "7" },
    ],
  ])("%s", (_door, facts) => expect(routeOf(facts)).toEqual(topic));

  test("ids that are too long for a number, or none, stay text", () => {
    expect(routeOf({ channel: "slack", to: "channel:C1", threadId: "1712345.678900" })?.threadId).toBe(
      "1712345.678900",
    );
    expect(routeOf({ channel: "discord", to: "channel:1", threadId: "1234567890123456789" })?.threadId).toBe(
      "1234567890123456789",
    );
  });

  test("another topic's number in the target is left alone", () => {
    expect(routeOf({ channel: "telegram", to: "telegram:-1:topic:7", threadId: 77 })?.to).toBe("telegram:-1:topic:7");
  });

  test.each([
    ["a web chat", { channel: "webchat", to: "agent:main:main" }],
    ["no channel", { to: "telegram:42" }],
    ["no target", { channel: "telegram" }],
    ["empty words", { channel: "", to: "" }],
  ])("%s has no route", (_name, facts) => expect(routeOf(facts)).toBeUndefined());
});

describe("a route as a parameter", () => {
  test.each([
    ["telegram|telegram:42", { channel: "telegram", to: "telegram:42" }],
    ["telegram|work|telegram:42", { channel: "telegram", accountId: "work", to: "telegram:42" }],
    [
      { channel: "telegram", to: "telegram:-1:topic:5", threadId: "5" },
      { channel: "telegram", to: "telegram:-1", threadId: 5 },
    ],
  ])("%j", (value, route) => expect(routeParam(value)).toEqual(route));

  test.each([
    5,
    null,
    undefined,
    "telegram",
    "a|b|c|d",
    {},
    { channel: 4, to: "x" },
    { channel: "webchat", to: "agent:main:main" },
  ])("%j is none", (value) => expect(routeParam(value)).toBeUndefined());
});

test.each([
  ["agent:main:main", false],
  ["agent:main:telegram:direct:42", false],
  ["agent:main:telegram:group:-1001", true],
  ["agent:main:telegram:group:-1002:topic:7", true],
  ["agent:main:discord:channel:9", true],
  ["global", false],
  ["agent:group:main", false],
])("%s is a group: %s", (sessionKey, group) => expect(isGroupSession(sessionKey)).toBe(group));

test("an agent's main session follows the host's configuration", () => {
  expect(mainSessionKey({}, "main")).toBe("agent:main:main");
  expect(mainSessionKey({ session: { mainKey: "work" } }, "ops")).toBe("agent:ops:work");
  expect(mainSessionKey({ session: { scope: "global" } }, "ops")).toBe("global");
  expect(agentIdOf("agent:ops:work")).toBe("ops");
  expect(agentIdOf("global")).toBeUndefined();
});
