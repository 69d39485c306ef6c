/** A press of a button, on channels whose contexts differ. */
import { expect, test } from "vitest";
import type { HostFacts } from "../../src/host/caller.ts";
import { registerButtons, type ButtonPress, type PressReply } from "../../src/host/interactive.ts";
import { apiDouble, keptLog } from "./api-double.ts";

const host: HostFacts = {
  mainOwner: () => ({ sessionKey: "agent:main:main" }),
  workspaceDir: () => undefined,
  isOwner: async ({ senderId }) => senderId === "77",
};

async function press(channel: string, context: Record<string, unknown>, reply: PressReply | Error) {
  const { api, registered } = apiDouble();
  const log = keptLog();
  const taken: ButtonPress[] = [];
  registerButtons(
    api,
    host,
    async (one) => {
      taken.push(one);
      if (reply instanceof Error) throw reply;
      return reply;
    },
    log,
  );
  const shown: unknown[] = [];
  const respond = {
    reply: async (message: unknown) => void shown.push(["reply", message]),
    editMessage: async (message: unknown) => void shown.push(["edit", message]),
    clearButtons: async () => void shown.push(["clear"]),
    ...(context["respond"] as object | undefined),
  };
  const handler = registered.buttons.find((one) => one.channel === channel)?.handler as unknown as (
    context: unknown,
  ) => Promise<unknown>;
  const result = await handler({ ...context, respond });
  return { result, taken, shown, log };
}

const telegram = {
  accountId: "default",
  conversationId: "-1002:topic:7",
  senderId: "42",
  threadId: 7,
  isGroup: true,
  auth: { isAuthorizedSender: true },
  callback: { messageId: 1013, chatId: "-1002", messageText: "Go on?", payload: "s1:q1:2" },
};

test("an authorised press reaches the callback; a closed question loses its buttons and keeps its words", async () => {
  const { result, taken, shown } = await press("telegram", telegram, { text: "✅ No", closed: true });
  expect(result).toEqual({ handled: true });
  expect(taken[0]).toMatchObject({
    isAuthorised: true,
    payload: "s1:q1:2",
    senderId: "42",
    inGroup: true,
    messageId: "1013",
    route: { channel: "telegram", to: "telegram:-1002", accountId: "default", threadId: 7 },
  });
  expect(await taken[0]?.isOwner()).toBe(false);
  expect(shown).toEqual([["edit", { text: "Go on?\n\n✅ No" }]]);
});

test("[D6] an answered question loses its instructions, and what it showed in a code block", async () => {
  const messageText =
    "🔔 job asks for permission\nEdit a.txt\n-old\n+new\n\n1: Allow\n2: Reject\n\nReply with the number";
  const context = { ...telegram, callback: { ...telegram.callback, messageText } };
  const over = await press("telegram", context, { text: "Over since.", closed: true });
  expect(over.shown).toEqual([["edit", { text: "🔔 job asks for permission\nEdit a.txt\n\nOver since." }]]);
  const whole = await press("telegram", context, {
    text: "🔔 job asks\nEdit\n\n↩️ 1: Allow",
    closed: true,
    whole: true,
  });
  expect(whole.shown).toEqual([["edit", { text: "🔔 job asks\nEdit\n\n↩️ 1: Allow" }]]);
});

test("an answer that is refused is told to the person alone, and the buttons stay", async () => {
  const { shown } = await press("telegram", telegram, {
    text: "Only the person who launched may answer.",
    closed: false,
  });
  expect(shown).toEqual([["reply", { text: "Only the person who launched may answer.", ephemeral: true }]]);
});

test.each([{ auth: { isAuthorizedSender: false } }, { auth: {} }, { auth: undefined }])(
  "an unauthorised press (%j) says so, and its refusal is for the person alone",
  async (auth) => {
    const { taken, shown } = await press("telegram", { ...telegram, ...auth }, { text: "Not you.", closed: false });
    expect(taken).toMatchObject([{ isAuthorised: false, senderId: "42" }]);
    expect(shown).toEqual([["reply", { text: "Not you.", ephemeral: true }]]);
  },
);

test("a channel that can't edit loses only its buttons", async () => {
  const discord = {
    channel: "discord",
    conversationId: "channel:9",
    senderId: "77",
    auth: { isAuthorizedSender: true },
    interaction: { payload: "p", messageId: "m1" },
    respond: { editMessage: undefined },
  };
  const { taken, shown } = await press("discord", discord, { text: "done", closed: true });
  expect(taken[0]).toMatchObject({ payload: "p", messageId: "m1", inGroup: false });
  expect(await taken[0]?.isOwner()).toBe(true);
  expect(shown).toEqual([["clear"]]);
});

test("a failure is logged, and the host hears that it was handled", async () => {
  const { result, log } = await press("telegram", telegram, new Error("chat is gone"));
  expect(result).toEqual({ handled: true });
  expect(log.lines).toEqual(["warn: a button press on telegram could not be shown: chat is gone"]);
});
