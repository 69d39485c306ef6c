/** What each key of the configuration does: numbers, times, what is kept. The plugin is composed by them; agents are real. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AGENT } from "../engine/world.ts";
import { ComposedWorld } from "../composed-world.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe("how many", () => {
  test("[maxSessions] run at a time; the next waits, and runs when it is raised", async () => {
    await using world = await ComposedWorld.start({ maxSessions: 1 });
    const first = await world.launch("hang");
    await world.untilPhase(first, "working");
    const second = await world.call("launch", { prompt: "say: hi" });
    expect(second.json).toMatchObject({ status: "queued", queuePosition: 1 });
    world.edit({ maxSessions: 2 });
    await world.untilPhase(String(second.json["id"]), "idle");
  });

  test("[maxQueued] wait; the next is refused with how many there are", async () => {
    await using world = await ComposedWorld.start({ maxSessions: 1, maxQueued: 1 });
    await world.launch("hang");
    await world.launch("hang");
    expect(await world.call("launch", { prompt: "hang" })).toMatchObject({
      json: { refused: "queue_full" },
      text: expect.stringContaining("The only slot is busy and 1 session waits (maxQueued 1)") as unknown,
    });
  });

  test("[maxAutoResponds] answers of an agent are taken in a row; then a person is asked", async () => {
    await using world = await ComposedWorld.start({ maxAutoResponds: 1 });
    const agent = { ...world.me, ...AGENT };
    const id = await world.launch(["ask: One? | a | b", "ask: Two? | a | b"], {}, agent);
    await world.untilPhase(id, "asking");
    expect(await world.call("respond", { session: id, message: "1" }, agent)).toMatchObject({
      json: { success: true },
    });
    await world.untilTold(/^🔔[^]*Two\?/);
    const again = await world.call("respond", { session: id, message: "1" }, agent);
    expect(again).toMatchObject({
      json: { refused: "limit_reached" },
      text: expect.stringContaining("1 time") as unknown,
    });
    expect((await world.call("respond", { session: id, message: "1" })).json).toMatchObject({ success: true });
  });

  test("[maxPersistedSessions] ended ones stay known, once they are a day old", async () => {
    await using world = await ComposedWorld.start({ maxPersistedSessions: 1 });
    const ids: string[] = [];
    for (const name of ["one", "two", "three"]) {
      ids.push(await world.launch("say: done", { name, multi_turn_disabled: true }));
      await world.untilOver(ids.at(-1) ?? "");
    }
    const known = async (): Promise<readonly unknown[]> =>
      ((await world.call("sessions")).json as unknown as { name: string }[]).map(({ name }) => name);
    expect(await known()).toEqual(["three", "two", "one"]);
    await world.pass(DAY_MS + MINUTE_MS);
    await world.context.sessions.roster.sweep();
    await world.pass(DAY_MS);
    await world.context.sessions.roster.sweep();
    expect(await known()).toEqual(["three"]);
  });

  test("[outputBufferBytes] of the words stand in the record; the journal has all of them", async () => {
    await using world = await ComposedWorld.start({ outputBufferBytes: 4096 });
    const id = await world.launch("burst 5000");
    await world.untilPhase(id, "idle");
    expect(world.session(id).output).toMatchObject({
      start: expect.any(Number) as unknown,
      end: expect.any(Number) as unknown,
    });
    expect(Buffer.byteLength(world.session(id).output.text)).toBeLessThanOrEqual(4096);
    expect((await world.output(id)).length).toBeGreaterThan(20_000);
  });
});

describe("how long", () => {
  test("[iflowTimeout] the model may be silent", async () => {
    await using world = await ComposedWorld.start({ iflowTimeout: 5_000 });
    const id = await world.launch("hang");
    await world.untilPhase(id, "working");
    await world.untilSilent(id);
    await world.clock.advance(2_000);
    expect(world.session(id).phase.kind).toBe("working");
    await world.clock.advance(4_000);
    await world.until(() => (world.session(id).phase.kind === "working" ? undefined : true));
    expect((await world.call("sessions")).text).toMatch(/silent|no sign|said nothing/i);
  });

  test("[safetyNetIdleSeconds] until it is told once that nothing is heard", async () => {
    await using world = await ComposedWorld.start({ safetyNetIdleSeconds: 20 });
    const id = await world.launch("hang");
    await world.untilPhase(id, "working");
    await world.untilSilent(id);
    await world.clock.advance(10_000);
    expect(world.delivery.texts().join()).not.toContain("🕒");
    await world.clock.advance(30_000);
    await world.untilTold(/🕒/);
    await world.clock.advance(60_000);
    expect(world.delivery.texts().filter((text) => text.startsWith("🕒"))).toHaveLength(1);
    expect(world.session(id).phase.kind).toBe("working");
  });

  test("[toolTimeoutMinutes] a tool may run", async () => {
    await using world = await ComposedWorld.start({
      toolTimeoutMinutes: 1,
      iflowTimeout: 5_000,
      permissionMode: "auto",
    });
    const id = await world.launch("run: sleep 30");
    await world.until(() => (world.session(id).counters.toolCalls === 1 ? true : undefined));
    await world.untilSilent(id);
    await world.clock.advance(50_000);
    expect(world.session(id).phase.kind).toBe("working");
    await world.clock.advance(15_000);
    await world.until(() => (world.session(id).phase.kind === "working" ? undefined : true));
  });

  test("[idleTimeoutMinutes] an idle session waits for more", async () => {
    await using world = await ComposedWorld.start({ idleTimeoutMinutes: 10 });
    const id = await world.launch("say: done");
    await world.untilPhase(id, "idle");
    await world.pass(9 * MINUTE_MS);
    expect(world.session(id).phase.kind).toBe("idle");
    await world.pass(2 * MINUTE_MS);
    expect(await world.untilPhase(id, "ended")).toMatchObject({ phase: { outcome: "completed" } });
  });

  test("[keepAliveSeconds] [H14] the process of an idle session waits for a follow-up, which needs no new start; an edit holds at once", async () => {
    await using world = await ComposedWorld.start({ keepAliveSeconds: 90 });
    const id = await world.launch("say: done");
    await world.untilPhase(id, "idle");
    const pid = world.session(id).agent?.identity?.pid;
    await world.clock.advance(80_000);
    await world.call("respond", { session: id, message: "say: more" });
    await world.until(() =>
      world.session(id).turn === 2 && world.session(id).phase.kind === "idle" ? true : undefined,
    );
    expect(world.session(id).agent?.identity?.pid).toBe(pid);
    world.edit({ keepAliveSeconds: 5 });
    await world.clock.advance(6_000);
    await world.until(() => (world.session(id).agent === undefined ? true : undefined));
    expect(world.session(id).phase.kind).toBe("idle");
  });

  test("[questionTimeoutMinutes] a question is open; then it is denied, and that is said", async () => {
    await using world = await ComposedWorld.start({ questionTimeoutMinutes: 10, permissionMode: "manual" });
    const id = await world.launch(["write a.txt: hello", "say: went on"]);
    await world.untilPhase(id, "asking");
    await world.pass(11 * MINUTE_MS);
    await world.untilTold(/⌛/);
    await world.untilPhase(id, "idle");
    expect(await readdir(join(world.folder, "workspace"))).toEqual([]);
  });

  test("[journalRetentionDays] the journal of an ended session is kept", async () => {
    await using world = await ComposedWorld.start({ journalRetentionDays: 2 });
    const id = await world.launch("say: done", { multi_turn_disabled: true });
    await world.untilOver(id);
    await world.pass(DAY_MS);
    await world.context.sessions.roster.sweep();
    expect(await world.journal(id)).toContain("done");
    await world.pass(1.1 * DAY_MS);
    await world.context.sessions.roster.sweep();
    expect(await world.journal(id)).toBe("");
  });
});

describe("what is kept of the words", () => {
  const secret = `sk-proj-${"aB3dE5fG7hJ9kL2mN4pQ6rS8"}`;

  test.each([
    { journal: "full", kept: true },
    { journal: "redacted", kept: false },
  ])("[journal] $journal", async ({ journal, kept }) => {
    await using world = await ComposedWorld.start({ journal });
    const id = await world.launch(`say: it is ${secret}\\n`);
    await world.untilPhase(id, "idle");
    await world.call("kill", { session: id });
    expect((await world.journal(id)).includes(secret)).toBe(kept);
  });

  test.each([true, false])("[safeMode] %s: in files, in output and in chats", async (safeMode) => {
    await using world = await ComposedWorld.start({ safeMode });
    const id = await world.launch(["say: it is " + secret + "\\n", "say: ```\\nDB_HOST=example\\n```\\n"]);
    await world.untilPhase(id, "idle");
    const told = await world.untilTold(/✅/);
    expect(told.includes("DB_HOST")).toBe(!safeMode);
    expect(told).not.toContain(secret);
    expect((await world.output(id)).includes(secret)).toBe(!safeMode);
    await world.call("kill", { session: id });
    expect((await world.journal(id)).includes(secret)).toBe(!safeMode);
  });

  test.each([true, false])(
    "[safeMode] %s: what waits is sent as it was written; over a restart only when it is off",
    async (safeMode) => {
      await using world = await ComposedWorld.start({ safeMode, maxSessions: 1 });
      const log = join(world.folder, "prompts.jsonl");
      const agent = { env: { DEMO_AGENT_LOG: log } };
      world.edit({ safeMode, maxSessions: 1, agent });
      const whole = await world.launch(`${"# words\n".repeat(400)}say: now ${secret}`);
      await world.untilPhase(whole, "idle");
      expect(await readFile(log, "utf8")).toContain(`now ${secret}`);
      const first = await world.launch("hang");
      await world.untilPhase(first, "working");
      const long = `${"# words\n".repeat(400)}say: with ${secret}`;
      const ids = [await world.launch(long), await world.launch(`say: short ${secret}`)];
      await world.restart();
      for (const id of ids) await world.untilPhase(id, "idle");
      const later = (await readFile(log, "utf8")).split("\n").slice(2).join("\n");
      expect(later.split(secret)).toHaveLength(safeMode ? 1 : 3);
      expect(later.includes("a secret may have been masked")).toBe(safeMode);
    },
  );

  test.each([
    { restartPolicy: "ask", phase: "interrupted" },
    { restartPolicy: "continue", phase: "idle" },
  ] as const)(
    "[restartPolicy] $restartPolicy: after a restart a session that worked is $phase",
    async ({ restartPolicy, phase }) => {
      await using world = await ComposedWorld.start({ restartPolicy });
      const id = await world.launch(["say: begun", "hang", "say: more"]);
      await world.until(async () => ((await world.output(id)).includes("begun") ? true : undefined));
      await world.restart();
      await world.untilPhase(id, phase);
    },
  );
});
