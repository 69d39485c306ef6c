/** [K7] The audit log: who did what from where with which outcome; redacted, cut, for the owner's eyes only. */
import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { OperationsWorld } from "./operations-world.ts";

const KEY = "sk-proj-9fK2mQ7xLr4TzV8bNc3WyHd6JpAs1Ge5";

test("[K7] launch, answer, kill and denial each leave a line; reading leaves one only when refused", async () => {
  await using operations = await OperationsWorld.create();
  const { id } = await operations.launch("ask: Which? | A | B\nsay: {answer}", { name: "job" });
  await operations.world.until(id, "asking");
  await operations.json("output", { session: id });
  await operations.json("sessions");
  await operations.json("stats");
  await operations.json(
    "respond",
    { session: "job", message: "A" },
    { ...operations.me, door: "tool", isPerson: false },
  );
  await operations.world.until(id, "idle");
  await operations.json("kill", { session: "job" });
  await operations.call("output", { session: "nobody's" });
  await operations.call("launch", { prompt: "x", workdir: "/etc" });

  const chat = "telegram|default|telegram:42";
  const who = { door: "command", chat, sessionKey: operations.me.owner.sessionKey, senderId: "42", person: true };
  expect(await operations.audit()).toEqual([
    expect.objectContaining({ ...who, operation: "launch", outcome: "ok", id, at: expect.any(Number) as unknown }),
    expect.objectContaining({ ...who, operation: "respond", door: "tool", person: false, outcome: "ok", id }),
    expect.objectContaining({ ...who, operation: "kill", outcome: "ok", id, params: { session: "job" } }),
    expect.objectContaining({ ...who, operation: "output", outcome: "not_found" }),
    expect.objectContaining({ ...who, operation: "launch", outcome: "directory_not_allowed" }),
  ]);
});

test("[K7] what no operation did leaves a line too: a writer's answer, a cancel elsewhere, a deadline, a call that was no call", async () => {
  await using operations = await OperationsWorld.create();
  const { world } = operations;
  const asked = await operations.launch("ask: Which? | A | B\nhang", { name: "asked" });
  const late = await operations.launch("ask: Which? | A | B\nhang", { name: "late" });
  for (const { id } of [asked, late]) await world.until(id, "asking");
  await operations.call("kill", { session: 7 });
  const { flowId } = world.flowOf(asked.id);
  world.flows.otherWriter.resume(flowId, { currentStep: "A" });
  await world.clock.advance(2_000);
  world.flows.otherWriter.cancelFlow(flowId, world.clock.now());
  await world.clock.advance(2_000);
  await world.clock.advance(25 * 60 * 60_000);
  const last = await operations.launch("hang", { name: "last" });
  await operations.json("kill", { all: true });

  const elsewhere = { door: "taskflow", person: false, chat: "telegram|default|telegram:42" };
  const [, , ...lines] = await operations.audit();
  expect(lines).toEqual([
    expect.objectContaining({ operation: "kill", outcome: "invalid_params", params: {} }),
    expect.objectContaining({ ...elsewhere, operation: "respond", outcome: "ok", id: asked.id }),
    expect.objectContaining({
      ...elsewhere,
      operation: "kill",
      outcome: "ok",
      id: asked.id,
      params: { flow: "cancelled" },
    }),
    expect.objectContaining({ door: "plugin", operation: "respond", outcome: "deadline_passed", id: late.id }),
    expect.objectContaining({ operation: "launch", outcome: "ok", id: last.id }),
    expect.objectContaining({ operation: "kill", outcome: "ok", ids: [last.id] }),
  ]);
});

test("[K7] secrets are masked and long words cut, in lists and refusals too", async () => {
  await using operations = await OperationsWorld.create();
  await operations.launch(`Use OPENAI_API_KEY=${KEY} ${"x".repeat(5_000)}`, {
    system_prompt: `token: ${KEY}`,
    allowed_tools: [`Bash(${KEY})`],
  });
  await operations.call("respond", { session: `api_key=${KEY}`, message: "x" });
  const lines = await operations.audit();
  expect(lines).toHaveLength(2);
  const written = JSON.stringify(lines);
  expect(written).not.toContain(KEY);
  expect(written).toContain("[redacted]");
  expect(written.length).toBeLessThan(2_500);
});

test("[K7] a line stays one line, whatever people type", async () => {
  await using operations = await OperationsWorld.create();
  await operations.call("respond", { session: 'a\n{"operation":"kill"}\u2028', message: "\n\r\n" });
  expect(await operations.audit()).toHaveLength(1);
});

test("[K6] [K7] the log is readable by its owner only", async () => {
  await using operations = await OperationsWorld.create();
  await operations.launch("hang");
  expect((await stat(operations.auditFile)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(operations.auditFile))).mode & 0o777).toBe(0o700);
});

test("[K7] many at once are whole lines, in order", async () => {
  await using operations = await OperationsWorld.create();
  await Promise.all(Array.from({ length: 50 }, (_, i) => operations.call("output", { session: `s-${i}` })));
  const lines = await operations.audit();
  expect(lines).toHaveLength(50);
});

test("[K7] a log that can't be written is said, and stops no operation", async () => {
  await using operations = await OperationsWorld.create();
  await mkdir(dirname(dirname(operations.auditFile)), { recursive: true });
  await writeFile(dirname(operations.auditFile), "a file where the folder should be");
  expect(await operations.verdict("launch", { prompt: "hang" })).toBe("taken");
  expect(operations.world.log.join("\n")).toContain("the audit log could not be written");
});
