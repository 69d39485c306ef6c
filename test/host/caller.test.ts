/** Who calls is decided from host facts alone (decisions 24 to 26). */
import { describe, expect, test } from "vitest";
import { chatCaller, commandCaller, rpcCaller, toolCaller, type HostFacts } from "../../src/host/caller.ts";
import { rememberPerson } from "../../src/host/process-memory.ts";
import type { CommandContext, GatewayCall, ToolContext } from "../../src/host/sdk.ts";

const host: HostFacts = {
  mainOwner: (agentId = "main") => ({ sessionKey: `agent:${agentId}:main`, agentId }),
  workspaceDir: (agentId) => (agentId === "main" ? "/spaces/main" : undefined),
  isOwner: async ({ senderId }) => senderId === "77",
};

const inTopic = { channel: "telegram", to: "telegram:-1002:topic:7", accountId: "default", threadId: 7 };

describe("a tool call", () => {
  test("is never a person, not even the owner's; the owner sees all", () => {
    const context: ToolContext = {
      sessionKey: "agent:main:web-1",
      agentId: "main",
      senderIsOwner: true,
      requesterSenderId: "control-ui",
    };
    expect(toolCaller(context, host)).toEqual({
      door: "tool",
      owner: { sessionKey: "agent:main:web-1", agentId: "main" },
      inWebChat: true,
      senderId: "control-ui",
      seesAll: true,
      isPerson: false,
      inGroup: false,
      workspaceDir: "/spaces/main",
    });
  });

  test("a woken agent in a group has no sender, and is not the owner", () => {
    const context: ToolContext = {
      sessionKey: "agent:main:telegram:group:-1002:topic:7",
      agentId: "main",
      deliveryContext: inTopic,
      senderIsOwner: false,
    };
    const caller = toolCaller(context, host);
    expect(caller).toMatchObject({
      inGroup: true,
      seesAll: false,
      isPerson: false,
      route: { to: "telegram:-1002", threadId: 7 },
    });
    expect("senderId" in caller).toBe(false);
    expect("personSeenAt" in caller).toBe(false);
  });

  test("carries when an authorised person last spoke in its session", () => {
    rememberPerson("agent:main:seen", 1_234);
    expect(toolCaller({ sessionKey: "agent:main:seen" }, host).personSeenAt).toBe(1_234);
    expect(toolCaller({ sessionKey: "agent:main:other" }, host).personSeenAt).toBeUndefined();
  });

  test("without a session it is the agent's main one; the turn's own workspace wins", () => {
    expect(toolCaller({ agentId: "ops", workspaceDir: "/tmp/ws" }, host)).toMatchObject({
      owner: { sessionKey: "agent:ops:main", agentId: "ops" },
      workspaceDir: "/tmp/ws",
    });
  });
});

describe("a command", () => {
  const base = { isAuthorizedSender: true, commandBody: "/iflow x", config: {} };

  function command(facts: Partial<CommandContext>): CommandContext {
    return { ...base, channel: "telegram", ...facts } as CommandContext;
  }

  test("is a person's; an owner by the host's rule sees all", async () => {
    const facts = {
      sessionKey: "agent:main:main",
      agentId: "main",
      from: "telegram:77",
      to: "telegram:77",
      accountId: "default",
    };
    expect(await commandCaller(command({ ...facts, senderId: "77" }), host)).toMatchObject({
      isPerson: true,
      seesAll: true,
      inGroup: false,
    });
    expect(await commandCaller(command({ ...facts, senderId: "42" }), host)).toMatchObject({
      isPerson: true,
      seesAll: false,
      senderId: "42",
    });
  });

  test("in a web chat only an administrator's connection sees all", async () => {
    const facts = { channel: "webchat", sessionKey: "agent:main:main", from: "control-ui", to: "agent:main:main" };
    expect(await commandCaller(command({ ...facts, gatewayClientScopes: ["operator.admin"] }), host)).toMatchObject({
      seesAll: true,
    });
    const writer = await commandCaller(command({ ...facts, gatewayClientScopes: ["operator.write"] }), host);
    expect(writer.seesAll).toBe(false);
    expect(writer.route).toBeUndefined();
  });

  test("in a group, also where the session key does not say so", async () => {
    const caller = await commandCaller(
      command({ sessionKey: "global", from: "telegram:group:-1001", to: "telegram:-1001", senderId: "42" }),
      host,
    );
    expect(caller).toMatchObject({ inGroup: true, owner: { sessionKey: "global" } });
  });
});

describe("an RPC", () => {
  function rpc(params: Record<string, unknown>): GatewayCall {
    return { params, client: { connect: { client: { id: "cli" } } } } as unknown as GatewayCall;
  }

  test("belongs to the main session, or to the one named; the name is not a parameter of the operation", () => {
    expect(rpcCaller(rpc({ prompt: "x" }), host)).toMatchObject({
      params: { prompt: "x" },
      caller: { door: "rpc", owner: { sessionKey: "agent:main:main" }, senderId: "cli", seesAll: true, isPerson: true },
    });
    const named = rpcCaller(rpc({ session: "s", sessionKey: "agent:ops:w1", route: "telegram|telegram:42" }), host);
    expect(named.caller).toMatchObject({
      owner: { sessionKey: "agent:ops:w1", agentId: "ops" },
      route: { channel: "telegram", to: "telegram:42" },
    });
    expect(named.params).not.toHaveProperty("sessionKey");
    expect(named.caller.workspaceDir).toBeUndefined();
  });

  test("an empty or wrong session key is the main session", () => {
    expect(rpcCaller(rpc({ sessionKey: "" }), host).caller.owner.sessionKey).toBe("agent:main:main");
    expect(rpcCaller(rpc({ sessionKey: 5 }), host).caller.owner.sessionKey).toBe("agent:main:main");
  });
});

test("a button is a person's, for the owner of the session that asked", () => {
  const owner = { sessionKey: "agent:main:telegram:group:-1" };
  expect(chatCaller("button", owner, { route: undefined, senderId: "42", inGroup: true, isOwner: false })).toEqual({
    door: "button",
    owner,
    senderId: "42",
    seesAll: false,
    isPerson: true,
    inGroup: true,
  });
});
