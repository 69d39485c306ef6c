/** The host loads the plugin several times in one process; each copy of the module must reach the one that runs. */
import { expect, test } from "vitest";
import * as first from "../../src/host/process-memory.ts";

const secondCopy = "../../src/host/process-memory.ts?second-copy";
const second = (await import(secondCopy)) as typeof first;

const caller = {
  door: "tool",
  owner: { sessionKey: "agent:main:main" },
  seesAll: false,
  isPerson: false,
  inGroup: false,
} as const;
const answers =
  (text: string): first.AskOperation =>
  async () => ({ ok: true, reply: { text, json: {} } });

test("the copies are not one module", () => {
  expect(second.announceRunning).not.toBe(first.announceRunning);
});

test("a call in one copy is answered by the instance that another announced", async () => {
  expect(await second.askRunning("stats", caller, {})).toMatchObject({ ok: false, code: "not_available" });
  const withdraw = first.announceRunning(answers("one"));
  expect(await second.askRunning("stats", caller, {})).toMatchObject({ ok: true, reply: { text: "one" } });
  withdraw();
  expect(await second.askRunning("stats", caller, {})).toMatchObject({ code: "not_available" });
});

test("a newer instance takes over, and the older one's end does not silence it", async () => {
  const oldOne = first.announceRunning(answers("old"));
  const newOne = second.announceRunning(answers("new"));
  oldOne();
  expect(await first.askRunning("stats", caller, {})).toMatchObject({ reply: { text: "new" } });
  newOne();
  expect(await first.askRunning("stats", caller, {})).toMatchObject({ code: "not_available" });
});

test("who spoke is shared, newest kept, and bounded", () => {
  first.rememberPerson("agent:main:early", 1);
  for (let at = 2; at <= 2_001; at += 1) first.rememberPerson(`agent:main:s${at}`, at);
  expect(second.personSeenAt("agent:main:early")).toBeUndefined();
  expect(second.personSeenAt("agent:main:s2001")).toBe(2_001);
  second.rememberPerson("agent:main:s2001", 9_999);
  expect(first.personSeenAt("agent:main:s2001")).toBe(9_999);
});
