/**
 * Ended sessions leave memory after an hour and stay resumable; what is known by name is bounded; journals go by retention.
 */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { PERSON, World } from "./world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

async function ended(world: World, words = "say: result"): Promise<string> {
  const { session } = await world.launch(words, { singleTurn: true });
  await world.until(session.id, "ended");
  await world.quiet();
  return session.id;
}

/** Moves on without running every poll in between; the sweep runs every 5 minutes. */
async function wait(world: World, ms: number): Promise<void> {
  await world.clock.jump(ms);
  await world.clock.jump(5 * 60_000);
  await world.clock.advance(2_000);
}

describe("[S8] ended sessions", () => {
  test("leave memory after an hour, are still listed and read, and go on when asked", async () => {
    const world = await World.start();
    const id = await ended(world);
    await world.clock.advance(59 * 60_000);
    expect(world.roster.actor(id)).toBeDefined();
    await wait(world, 5 * 60_000);
    expect(world.roster.actor(id)).toBeUndefined();
    expect(world.sessions.all(PERSON).map((session) => session.id)).toEqual([id]);
    expect(world.roster.flowIdOf(id)).toBeDefined();
    expect(await world.output(id)).toBe("result");
    const going = await world.respond(id, "say: more");
    await world.until(going.ok ? going.value.session.id : "", "ended");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("after a restart old ones are known without being in memory", async () => {
    const world = await World.start();
    const id = await ended(world);
    world.kill();
    await world.clock.jump(2 * HOUR_MS);
    await world.boot();
    expect(world.roster.actor(id)).toBeUndefined();
    expect(world.session(id).phase).toMatchObject({ kind: "ended", outcome: "completed" });
  });

  test("past maxPersistedSessions the oldest are forgotten, but none that ended less than a day ago", async () => {
    const world = await World.start({ maxPersistedSessions: 3 });
    const ids = [];
    for (let n = 0; n < 6; n += 1) ids.push(await ended(world, `say: ${n}`));
    await wait(world, 2 * HOUR_MS);
    expect(world.sessions.all(PERSON)).toHaveLength(6);
    await wait(world, DAY_MS);
    ids.push(await ended(world, "say: new"));
    await wait(world, 2 * HOUR_MS);
    expect(
      world.sessions
        .all(PERSON)
        .map((session) => session.id)
        .toSorted(),
    ).toEqual(ids.slice(4).toSorted());
    expect(world.journals.files.size).toBe(7);
  });

  test("their journals go after 14 days, also of forgotten ones, and never under a live session", async () => {
    const world = await World.start({ maxPersistedSessions: 1, rules: { idleTimeoutMs: 100 * DAY_MS } });
    for (let n = 0; n < 3; n += 1) await ended(world, `say: ${n}`);
    const { session: live } = await world.launch("say: lives on");
    await world.until(live.id, "idle");
    await wait(world, 2 * DAY_MS);
    await ended(world, "say: later");
    await wait(world, 2 * HOUR_MS);
    expect(world.journals.files.size).toBe(5);
    await wait(world, 13 * DAY_MS);
    expect(world.journals.files.size).toBe(2);
    expect(world.journals.files.has(live.id)).toBe(true);
    await wait(world, 30 * DAY_MS);
    expect([...world.journals.files.keys()]).toEqual([live.id]);
    expect(world.session(live.id).phase.kind).toBe("idle");
  });

  test("a journal whose session ended long before this start goes at the start", async () => {
    const world = await World.start();
    await ended(world);
    world.kill();
    await world.clock.jump(15 * DAY_MS);
    await world.boot();
    expect(world.journals.files.size).toBe(0);
    expect(world.roster.sessions()).toEqual([]);
  });

  test("one whose journal can't be removed is tried again, and stops nothing", async () => {
    const world = await World.start();
    await ended(world);
    await wait(world, 2 * HOUR_MS);
    const { remove } = world.journals;
    world.journals.remove = () => Promise.reject(new Error("EBUSY"));
    await wait(world, 15 * DAY_MS);
    expect(world.log.some((line) => line.includes("EBUSY"))).toBe(true);
    world.journals.remove = (id) => remove.call(world.journals, id);
    await wait(world, HOUR_MS);
    expect(world.journals.files.size).toBe(0);
  });

  test("a session whose journal is gone says so", async () => {
    const world = await World.start();
    const id = await ended(world);
    await wait(world, 2 * HOUR_MS);
    world.journals.files.delete(id);
    expect(await world.sessions.output(PERSON, id, { lines: 5, full: false, since: undefined })).toMatchObject({
      ok: false,
      refusal: { code: "not_found" },
    });
  });

  test("a name that ended is free again; look-up prefers the live one", async () => {
    const world = await World.start();
    const { session: old } = await world.launch("say: old", { name: "job", singleTurn: true });
    await world.until(old.id, "ended");
    const { session: live } = await world.launch("say: live\nhang", { name: "job" });
    expect(live.name).toBe("job");
    const found = world.sessions.find(PERSON, "JOB");
    expect(found.ok && found.value.id).toBe(live.id);
    await world.sessions.kill(PERSON, "job");
    expect(await world.sessions.kill(PERSON, "job")).toMatchObject({ ok: false, refusal: { code: "wrong_phase" } });
  });

  test("an unknown name is answered with the nearest of the caller's own", async () => {
    const world = await World.start();
    await world.launch("fix the login tests");
    const unknown = world.sessions.find(PERSON, "fix-logn-tests");
    expect(unknown).toMatchObject({
      ok: false,
      refusal: { code: "not_found", message: expect.stringContaining("fix-login-tests") },
    });
  });
});
