/** Long lists: what a person has to see first stands first, for people and for programs. */
import { expect, test } from "vitest";
import { OperationsWorld } from "./operations-world.ts";

interface Row {
  readonly name: string;
  readonly status: string;
}

test("[D3] among 80 sessions those that wait for somebody stand first, then what works, and the rest is counted", async () => {
  await using operations = await OperationsWorld.create({}, { maxSessions: 3, maxQueued: 200 });
  await operations.launch("ask: Which port? | 80 | 81", { name: "the-question" });
  await operations.world.clock.advance(2_000);
  await operations.launch("hang", { name: "the-worker" });
  await operations.world.clock.advance(2_000);
  for (let number = 0; number < 80; number += 1) {
    const { id } = await operations.launch("hang", { name: `job-${number}` });
    if (number < 70) await operations.json("kill", { session: id });
    await operations.world.clock.advance(10);
  }
  const rows = await operations.json<readonly Row[]>("sessions");
  expect(rows.slice(0, 2).map(({ status }) => status)).toEqual(["asking", "working"]);
  expect(rows.at(-1)?.status).toBe("killed");
  const ended = rows.filter(({ status }) => status === "killed").map(({ name }) => name);
  expect(ended[0]).toBe("job-69");
  const listed = await operations.call("sessions");
  const text = listed.ok ? listed.reply.text : listed.message;
  expect(text.split("\n")[0]).toMatch(/^🔔 the-question /);
  expect(text).toMatch(/\n… and 52 more: 52 killed\.$/);
});
