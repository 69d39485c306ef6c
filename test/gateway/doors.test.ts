/**
 * The doors in a real gateway, on stub operations: what the host registers, and who it says calls.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gateway } from "./harness/gateway.ts";
import { RpcClient } from "./harness/rpc-client.ts";
import {
  DIRECT,
  GROUP,
  MAIN,
  PLUGIN,
  TOPIC,
  doorsWorld,
  inGroup,
  inTopic,
  person,
  strangerInGroup,
  type DoorsWorld,
} from "./probe/doors-world.ts";
import { stubSigns } from "./probe/stub-operations.ts";

const undo = new AsyncDisposableStack();
let gateway: Gateway;
let seen: DoorsWorld["seen"];
let lastCall: DoorsWorld["lastCall"];

beforeAll(async () => {
  const world = await doorsWorld();
  undo.defer(async () => world.dispose());
  ({ gateway, seen, lastCall } = world);
});

afterAll(async () => undo.disposeAsync());

describe("what the host registers", () => {
  test("nine tools, nine commands, nine RPC methods, one service, no diagnostics", async () => {
    const { stdout, stderr } = await gateway.cli(["plugins", "inspect", PLUGIN, "--runtime", "--json"]);
    const inspected = JSON.parse(stdout.slice(stdout.indexOf("{"))) as Record<string, unknown>;
    expect({ ...inspected, stderr }).toMatchObject({ diagnostics: [] });
    const { tools, commands, gatewayMethods, services } = inspected as Record<
      string,
      readonly { names?: readonly string[] }[]
    >;
    expect(tools?.flatMap((tool) => tool.names ?? [])).toEqual(stubSigns.map((sign) => sign.tool));
    expect(commands).toEqual(stubSigns.map((sign) => sign.command));
    expect(gatewayMethods).toEqual(stubSigns.map((sign) => sign.rpc));
    expect(services).toEqual([PLUGIN]);
  });
});

describe("the tool door", () => {
  test("an agent's turn calls by itself, with its chat and its sender, as an agent", async () => {
    gateway.telegram.say(person, 'CALL iflow_launch {"prompt":"from a turn"}');
    await gateway.telegram.heard(42, /after tool: launch for agent:main:main: from a turn/);
    const { caller, atMs } = await lastCall("from a turn");
    expect(caller).toMatchObject({
      door: "tool",
      owner: MAIN,
      route: DIRECT,
      senderId: "42",
      seesAll: false,
      isPerson: false,
      inGroup: false,
      workspaceDir: gateway.workspace,
    });
    expect(atMs - (caller.personSeenAt ?? 0)).toBeGreaterThan(0);
    expect(atMs - (caller.personSeenAt ?? 0)).toBeLessThan(20_000);
  });

  test("a deferred tool is reached through the catalogue", async () => {
    gateway.telegram.say(inTopic, 'CALL iflow_kill {"session":"topic-kill"}');
    await gateway.telegram.heard(-1002, /kill for agent:main:telegram:group:-1002:topic:7: topic-kill/);
    expect((await lastCall("topic-kill")).caller).toMatchObject({ route: TOPIC, inGroup: true, seesAll: false });
    const [turn] = gateway.model.turns.filter(({ lastText }) => lastText.includes("topic-kill"));
    expect(turn?.tools.filter((name) => name.startsWith("iflow_")).toSorted()).toEqual([
      "iflow_launch",
      "iflow_output",
      "iflow_respond",
    ]);
  });

  test("over HTTP it is the operator's, and refusals keep their words", async () => {
    const ok = await gateway.tool(
      "iflow_launch",
      { prompt: "http" },
      {
        sessionKey: "agent:main:telegram:group:-1001",
        chat: { channel: "telegram", to: "telegram:-1001:topic:7", accountId: "default", threadId: "7" },
      },
    );
    expect(ok).toMatchObject({
      status: 200,
      text: "launch for agent:main:telegram:group:-1001: http",
      details: { iflow: { id: "s1", status: "starting" } },
    });
    expect((await lastCall("http")).caller).toMatchObject({
      seesAll: true,
      isPerson: false,
      inGroup: true,
      route: { ...GROUP, threadId: 7 },
    });
    expect(await gateway.tool("iflow_kill", { session: "refuse:not_found" })).toMatchObject({
      status: 400,
      error: "Refused because you said refuse:not_found.",
    });
    expect(await gateway.tool("iflow_kill", { session: "refuse:not_allowed" })).toMatchObject({ status: 403 });
  });
});

describe("the command door", () => {
  test.each([
    { where: "a direct chat", chat: person, route: DIRECT, sessionKey: "agent:main:main", group: false },
    { where: "a group", chat: inGroup, route: GROUP, sessionKey: "agent:main:telegram:group:-1001", group: true },
    {
      where: "a topic",
      chat: inTopic,
      route: TOPIC,
      sessionKey: "agent:main:telegram:group:-1002:topic:7",
      group: true,
    },
  ])("in $where it is the person's, with the same chat as the tool's", async ({ chat, route, sessionKey, group }) => {
    gateway.telegram.say(chat, `/iflow fix it in ${chat.chatId}`);
    await gateway.telegram.heard(chat.chatId, new RegExp(`launch for ${sessionKey}: fix it in`));
    expect((await lastCall(`fix it in ${chat.chatId}`)).caller).toMatchObject({
      door: "command",
      owner: { sessionKey, agentId: "main" },
      route,
      senderId: "42",
      seesAll: false,
      isPerson: true,
      inGroup: group,
      workspaceDir: gateway.workspace,
    });
  });

  test("the host's owner sees every session", async () => {
    gateway.telegram.say({ chatId: -1001, from: 77 }, "/iflow by the owner");
    await gateway.telegram.heard(-1001, /launch for .*: by the owner/);
    expect((await lastCall("by the owner")).caller).toMatchObject({ senderId: "77", seesAll: true, inGroup: true });
  });

  test("a stranger is refused by the host; usage is a reply", async () => {
    gateway.telegram.say(strangerInGroup, "/iflow_kill stranger-kill");
    await gateway.telegram.heard(-1001, /not authorized/);
    expect((await seen()).calls.some(({ params }) => JSON.stringify(params).includes("stranger-kill"))).toBe(false);
    gateway.telegram.say(person, "/iflow_stats usage");
    await gateway.telegram.heard(42, /Usage: \/iflow stats/);
  });

  test("in a web chat an administrator sees all, and there is no route", async () => {
    const rpc = await gateway.rpc();
    expect(await rpc.chat("agent:main:w1", "/iflow_output from-web")).toMatchObject({
      text: "output for agent:main:w1: from-web",
    });
    const { caller } = await lastCall("from-web");
    expect(caller).toMatchObject({
      door: "command",
      owner: { sessionKey: "agent:main:w1" },
      seesAll: true,
      isPerson: true,
      inGroup: false,
    });
    expect(caller.route).toBeUndefined();
  });
});

describe("the RPC door", () => {
  test("answers JSON, for the main session or the one that is named", async () => {
    const rpc = await gateway.rpc();
    expect(await rpc.call("iflow.launch", { prompt: "rpc-1" })).toEqual({
      id: "s1",
      status: "starting",
      error: null,
      word: "rpc-1",
    });
    expect((await lastCall("rpc-1")).caller).toMatchObject({ door: "rpc", owner: MAIN, seesAll: true, isPerson: true });
    await rpc.call("iflow.output", {
      session: "rpc-2",
      lines: 3,
      sessionKey: "agent:main:telegram:group:-1001",
      route: "telegram|default|telegram:-1001",
    });
    const { caller, params } = await lastCall("rpc-2");
    expect(caller).toMatchObject({
      owner: { sessionKey: "agent:main:telegram:group:-1001", agentId: "main" },
      route: GROUP,
    });
    expect(params).toEqual({ session: "rpc-2", lines: 3 });
    await rpc.call("iflow.launch", { prompt: "rpc-3", route: "telegram|telegram:42" });
    expect(await lastCall("rpc-3")).toMatchObject({
      params: { prompt: "rpc-3", route: "telegram|telegram:42" },
      caller: { route: { channel: "telegram", to: "telegram:42" } },
    });
  });

  test("refusals are a code and a sentence", async () => {
    const rpc = await gateway.rpc();
    expect(await rpc.refused("iflow.kill", { session: "refuse:not_found" })).toEqual({
      code: "not_found",
      message: "Refused because you said refuse:not_found.",
    });
    expect(await rpc.refused("iflow.fg", { session: "x", route: 5 })).toMatchObject({ code: "invalid_params" });
  });

  test("reading needs the read scope, steering the write scope", async () => {
    const reader = await RpcClient.connect({
      port: gateway.port,
      token: gateway.token,
      env: gateway.env,
      scopes: ["operator.read"],
    });
    try {
      expect(await reader.call("iflow.sessions", { session: "read" })).toMatchObject({ word: "read" });
      expect((await reader.refused("iflow.kill", { session: "read-kill" })).message).toMatch(/operator\.write/);
    } finally {
      await reader.close();
    }
  });
});

describe("the CLI door", () => {
  test("a subcommand runs, reaches the gateway, and sets the exit code", async () => {
    const good = await gateway.cli(["iflow", "ping", "hello", "--loud"]);
    expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining('"WORD":"HELLO"') as string });
    const writes = await gateway.cli(["iflow", "ping", "write"]);
    expect(writes).toMatchObject({ code: 0, stdout: expect.stringContaining("s1") as string });
    expect((await gateway.cli(["iflow", "ping", "fail"])).code).toBe(3);
  });
});
