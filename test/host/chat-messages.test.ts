/** Which messages count as a person's, and that a failure never swallows one. */
import { beforeEach, expect, test } from "vitest";
import type { HostFacts } from "../../src/host/caller.ts";
import { listenToMessages, type PlainMessage, type TakeMessage } from "../../src/host/chat-messages.ts";
import { personSeenAt } from "../../src/host/process-memory.ts";
import { apiDouble, keptLog } from "./api-double.ts";

const host: HostFacts = {
  mainOwner: () => ({ sessionKey: "agent:main:main" }),
  workspaceDir: () => undefined,
  isOwner: async () => false,
};
let sessions = 0;
let sessionKey = "";

beforeEach(() => {
  sessions += 1;
  sessionKey = `agent:main:chat-${sessions}`;
});

const authorised = {
  CommandAuthorized: true,
  BodyForCommands: "2",
  SenderId: "42",
  ChatType: "direct",
  Provider: "telegram",
  OriginatingTo: "telegram:42",
  AccountId: "default",
};

async function dispatch(ctx: Record<string, unknown>, take: TakeMessage) {
  const { api, registered } = apiDouble();
  const log = keptLog();
  listenToMessages(api, host, take, log);
  const sent: string[] = [];
  const dispatcher = {
    sendFinalReply: ({ text }: { text: string }) => sent.push(text) > 0,
    waitForIdle: async () => undefined,
  };
  const marks: string[] = [];
  const context = {
    dispatcher,
    recordProcessed: (outcome: string) => marks.push(outcome),
    markIdle: (reason: string) => marks.push(reason),
  };
  const hook = registered.hooks.find(({ name }) => name === "reply_dispatch")?.handler as unknown as (
    event: unknown,
    context: unknown,
  ) => Promise<unknown>;
  const result = await hook({ ctx, sessionKey }, context);
  return { result, sent, marks, log };
}

test("an answer is replied to, and the agent gets no turn", async () => {
  const seen: PlainMessage[] = [];
  const { result, sent, marks } = await dispatch(authorised, async (message) => {
    seen.push(message);
    return "taken";
  });
  expect(result).toEqual({ handled: true, queuedFinal: true, counts: { tool: 0, block: 0, final: 1 } });
  expect([sent, marks]).toEqual([["taken"], ["completed", "iflow_answer"]]);
  expect(seen[0]).toMatchObject({
    sessionKey,
    text: "2",
    senderId: "42",
    inGroup: false,
    route: { channel: "telegram", to: "telegram:42", accountId: "default" },
  });
  expect(personSeenAt(sessionKey)).toBeGreaterThan(0);
});

test("what is no answer goes on to the agent, and was still a person's word", async () => {
  const { result, sent } = await dispatch(authorised, async () => undefined);
  expect([result, sent]).toEqual([undefined, []]);
  expect(personSeenAt(sessionKey)).toBeGreaterThan(0);
});

test.each([
  ["a stranger", { ...authorised, CommandAuthorized: false }],
  ["a bot", { ...authorised, SenderIsBot: true }],
  ["another agent", { ...authorised, InputProvenance: { kind: "inter_session" } }],
  ["the system", { ...authorised, InputProvenance: { kind: "internal_system" } }],
])("%s is nobody's voice", async (_name, ctx) => {
  const { result } = await dispatch(ctx, async () => "taken");
  expect(result).toBeUndefined();
  expect(personSeenAt(sessionKey)).toBeUndefined();
});

test("a command is not an answer", async () => {
  expect((await dispatch({ ...authorised, BodyForCommands: "/status" }, async () => "taken")).result).toBeUndefined();
});

test("a failure leaves the message to the agent and says so", async () => {
  const { result, log } = await dispatch(authorised, async () => {
    throw new Error("no engine");
  });
  expect(result).toBeUndefined();
  expect(log.lines).toEqual(["warn: a message was not looked at for an answer to iFlow: no engine"]);
});
