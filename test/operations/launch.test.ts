/** What a launch answers, and to which chats it may send what its session says. */
import { expect, test } from "vitest";
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
