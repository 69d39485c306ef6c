/** A message that the host keeps is out when the host says so, and only that one. */
import { expect, test } from "vitest";
import { SentMessages } from "../../src/host/sent-messages.ts";
import { apiDouble } from "./api-double.ts";

const ROUTE = { channel: "telegram", to: "telegram:-1002", threadId: 7 };

function world() {
  const { api, registered } = apiDouble();
  const sent = new SentMessages();
  sent.listen(api);
  const [hook] = registered.hooks;
  const say = hook?.handler as unknown as (event: unknown, context: unknown) => void;
  const host = (to: string, content: string, success = true, channelId = "telegram"): void =>
    say({ to, content, success }, { channelId });
  return { sent, host };
}

async function isOut(out: Promise<void>): Promise<boolean> {
  return Promise.race([out.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);
}

test.each(["telegram:-1002:topic:7", "telegram:-1002", "-1002"])("the host's %s is the chat", async (to) => {
  const { sent, host } = world();
  const { out } = sent.watch(ROUTE, "✅ job completed · 2s\n\n**Done.**");
  host(to, "✅ job completed · 2s\n\nDone.");
  expect(await isOut(out)).toBe(true);
});

test("another chat, another message, another channel or a failed try is not it", async () => {
  const { sent, host } = world();
  const { out, forget } = sent.watch(ROUTE, "✅ job completed\n\nDone.");
  host("telegram:-1003", "✅ job completed\n\nDone.");
  host("telegram:-1002", "✅ job-2 completed\n\nDone.");
  host("telegram:-1002", "✅ job completed\n\nDone.", false);
  host("telegram:-1002", "✅ job completed\n\nDone.", true, "discord");
  expect(await isOut(out)).toBe(false);
  forget();
  expect(await isOut(out)).toBe(true);
});
