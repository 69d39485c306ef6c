/** What people read who typed a command, and what tools and programs get. */
import { expect, test } from "vitest";
import type { OperationName } from "../../src/operations/operation.ts";
import { OperationsWorld, type Params } from "./operations-world.ts";

const ID = /\[s\w+\]|TaskFlow|\/workspace/;

async function said(world: OperationsWorld, name: OperationName, params: Params, caller = world.me): Promise<string> {
  const answered = await world.call(name, params, caller);
  return answered.ok ? answered.reply.text : answered.message;
}

test("[D6] a command's reply has name and mode first, and no ids or paths; a tool's has them", async () => {
  await using world = await OperationsWorld.create({}, { maxSessions: 1 });
  const tool = { ...world.me, door: "tool", isPerson: false } as const;
  const launched = await said(world, "launch", { prompt: "say: a\nhang", name: "job" });
  expect(launched).toBe("↩️ job launched · permissions: manual\nYou will be told when it asks, finishes or fails.");
  expect(await said(world, "launch", { prompt: "hang", name: "second" })).toMatch(
    /^⏳ second waits in line \(place 1\) · permissions: manual\n.*\/iflow_kill second/,
  );
  expect(await said(world, "launch", { prompt: "hang", name: "third" }, tool)).toMatch(/third \[s\w+\][^]*TaskFlow/);
  for (const [name, params] of [
    ["respond", { session: "job", message: "more" }],
    ["fg", { session: "job" }],
    ["kill", { session: "job" }],
    ["resume", { session: "job" }],
  ] as const) {
    const text = await said(world, name, params);
    expect(text, name).toContain("job");
    expect(text, name).not.toMatch(ID);
  }
});

test("[D6] a Chinese session answers commands in Chinese", async () => {
  await using world = await OperationsWorld.create();
  expect(await said(world, "launch", { prompt: "修复登录测试", name: "修复" })).toMatch(
    /^↩️ 修复 已启动 · 权限模式：manual\n/,
  );
  await world.world.until("修复", "idle").catch(() => undefined);
  expect(await said(world, "kill", { session: "修复" })).toMatch(/^(?:✅|⛔) 修复 已/u);
  expect(await said(world, "resume", { session: "修复" })).toBe("↩️ 修复 继续进行");
});

test("[H13] an answer that leaves another question open says so", async () => {
  await using world = await OperationsWorld.create();
  const { id } = await world.launch("two questions", { name: "two" });
  await world.world.until(id, "asking");
  const [row] = await world.json<readonly { readonly question: readonly { readonly id: string }[] }[]>("sessions");
  const [first = "", second = ""] = row?.question.map((question) => question.id) ?? [];
  expect(await said(world, "respond", { session: id, question_id: first, message: "SQLite" })).toBe(
    `↩️ two: your answer was passed on: SQLite\nStill open: ${second}`,
  );
});

test("[H13] a fork has a name of its own", async () => {
  await using world = await OperationsWorld.create();
  const { id } = await world.launch("say: one", { name: "origin", multi_turn_disabled: true });
  await world.world.until(id, "ended");
  expect(await world.json("resume", { session: id, fork: true })).toMatchObject({ name: "origin-fork", forkOf: id });
});
