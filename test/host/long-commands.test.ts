/** Commands that are longer than a message, and those that come with a picture: nothing runs in part, nothing is dropped unsaid. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { HostFacts } from "../../src/host/caller.ts";
import { listenToMessages } from "../../src/host/chat-messages.ts";
import { heldCommands } from "../../src/host/process-memory.ts";
import { registerCommands } from "../../src/host/register-commands.ts";
import { operations } from "../../src/operations/table.ts";
import { apiDouble, keptLog } from "./api-double.ts";

const host: HostFacts = {
  mainOwner: () => ({ sessionKey: "agent:main:main" }),
  workspaceDir: () => undefined,
  isOwner: async () => false,
};
const SIGNS = operations(() => undefined);
const sessionKey = "agent:main:main";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  heldCommands().clear();
  vi.useRealTimers();
});

/** One person in one chat of a channel, with what was run and what was said. */
function chat(channel = "telegram", id = "42") {
  const { api, registered } = apiDouble();
  const prompts: string[] = [];
  const told: string[] = [];
  const ask = async (_name: string, _caller: unknown, params: unknown) => {
    const { prompt, message } = params as { prompt?: string; message?: string };
    prompts.push(prompt ?? message ?? "");
    return { ok: true as const, reply: { text: "Launched.", json: {} } };
  };
  registerCommands(api, SIGNS, ask, host, async (_context, text) => void told.push(text));
  listenToMessages(
    api,
    host,
    async () => undefined,
    keptLog(),
    () => undefined,
    SIGNS,
  );
  const hook = registered.hooks.find(({ name }) => name === "reply_dispatch")?.handler as unknown as (
    event: unknown,
    context: unknown,
  ) => Promise<{ handled: boolean } | undefined>;
  const command = async (line: string, more = {}): Promise<{ text?: string; suppressReply?: boolean }> => {
    const [word = "", ...rest] = line.slice(1).split(" ");
    const handler = registered.commands.find(({ name }) => name === word)?.handler as unknown as (
      context: unknown,
    ) => Promise<{ text?: string; suppressReply?: boolean }>;
    const facts = { channel, to: `${channel}:${id}`, from: `${channel}:${id}`, accountId: "default", senderId: id };
    // As the host does, which leaves only so much of the arguments.
    const args = rest.join(" ").slice(0, 4_096);
    return handler({ ...facts, sessionKey, isAuthorizedSender: true, args, commandBody: line, config: {}, ...more });
  };
  const write = async (text: string, more: Record<string, unknown> = {}, images?: unknown) => {
    const said: string[] = [];
    const dispatcher = {
      sendFinalReply: (reply: { text: string }) => said.push(reply.text) > 0,
      waitForIdle: async () => undefined,
    };
    const ctx = { CommandAuthorized: true, BodyForCommands: text, SenderId: id, ChatType: "direct", Provider: channel };
    const event = {
      ctx: { ...ctx, OriginatingTo: `${channel}:${id}`, AccountId: "default", ...more },
      sessionKey,
      images,
    };
    const result = await hook(event, { dispatcher, recordProcessed: () => undefined, markIdle: () => undefined });
    return { handled: result?.handled === true, said };
  };
  return { prompts, told, command, write };
}

const words = (units: number): string =>
  "word "
    .repeat(units)
    .slice(0, units - 1)
    .concat("x");

test("[C3] a command that fills its message runs once, with its rest, which starts no turn", async () => {
  const { command, write, prompts, told } = chat();
  const first = words(4_089);
  expect((await command(`/iflow ${first}`)).text).toMatch(/^⏳ \/iflow fills a message \(4096 characters here\)/);
  expect(await write("and the second part")).toEqual({ handled: true, said: [] });
  expect(await write("and the third")).toEqual({ handled: true, said: [] });
  expect(prompts).toEqual([]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(prompts).toEqual([`${first}and the second part\nand the third`]);
  expect(told).toEqual(["Launched."]);
  expect((await write("thanks")).handled).toBe(false);
});

test("[C3] without its rest it runs not at all, and that is said", async () => {
  const { command, prompts, told } = chat();
  await command(`/iflow_respond job ${words(4_000)}`);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(prompts).toEqual([]);
  expect(told).toEqual([expect.stringMatching(/^Nothing was started: \/iflow_respond filled a message/)]);
  const chinese = chat();
  expect((await chinese.command(`/iflow ${"修".repeat(4_080)}`)).text).toMatch(/^⏳ \/iflow 占满了一条消息/);
});

test("[C3] a client may cut at a paragraph: a command of half a message waits a moment, without a word", async () => {
  const { command, write, prompts, told } = chat();
  const first = words(3_000);
  expect(await command(`/iflow ${first}`)).toEqual({ suppressReply: true });
  expect((await write("the next paragraph")).handled).toBe(true);
  await vi.advanceTimersByTimeAsync(5_000);
  const alone = words(2_500);
  await command(`/iflow ${alone}`);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(prompts).toEqual([`${first}\nthe next paragraph`, alone]);
  expect(told).toEqual(["Launched.", "Launched."]);
});

test("[C3] neither another command nor somebody else continues it", async () => {
  const { command, write, prompts } = chat();
  await command(`/iflow ${words(4_089)}`);
  expect((await write("/status")).handled).toBe(false);
  expect((await write("hello", { SenderId: "43" })).handled).toBe(false);
  expect((await write("hello", { OriginatingTo: "telegram:-1001" })).handled).toBe(false);
  expect((await write("hello", { MessageThreadId: 7 })).handled).toBe(false);
  expect((await command("/iflow short")).text).toBe("Launched.");
  expect(prompts).toEqual(["short"]);
});

test("[C3] a refusal of the whole is said as well", async () => {
  const { command, told, prompts } = chat();
  await command(`/iflow --verbose ${words(2_500)}`);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told[0]).toMatch(/^Unknown option --verbose/);
  expect(prompts).toEqual([]);
});

test("[C3] on a channel whose messages hold more, all of it runs at once, whatever the host leaves of the arguments", async () => {
  const { command, prompts } = chat("webchat");
  const whole = `${words(9_000)}\n\ttail\u0007`;
  expect((await command(`/iflow ${whole}`)).text).toBe("Launched.");
  expect(prompts).toEqual([whole.replace("\u0007", "")]);
});

test("[C4] a command as the caption of a picture or a file starts nothing, and says why", async () => {
  const { write } = chat();
  const facts = [
    { MediaPath: "/state/media/in/1.png" },
    { MediaPaths: ["/state/media/in/1.png"], MediaTypes: ["image/png"] },
    { MediaUrl: "https://example.org/1.pdf" },
  ];
  for (const media of facts)
    expect(await write("/iflow Fix this layout", media)).toEqual({
      handled: true,
      said: [
        expect.stringMatching(/^Nothing was started: pictures and files that come with \/iflow are not passed on/),
      ],
    });
  expect((await write("/iflow_respond job see this", {}, [{ type: "image" }])).said[0]).toContain("/iflow_respond");
  expect((await write("/iflow 修复布局", { MediaPath: "/1.png" })).said[0]).toContain("图片和文件");
});

test("[C4] no other command, and no command without one, is touched", async () => {
  const { write } = chat();
  expect((await write("/iflow Fix this layout")).handled).toBe(false);
  expect((await write("/iflow Fix this", { MediaPaths: [] }, [])).handled).toBe(false);
  expect((await write("/iflow_kill job", { MediaPath: "/1.png" })).handled).toBe(false);
  expect((await write("/status", { MediaPath: "/1.png" })).handled).toBe(false);
  expect((await write("look at this", { MediaPath: "/1.png" })).handled).toBe(false);
});
