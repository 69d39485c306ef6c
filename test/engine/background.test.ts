/**
 * What a turn left running ("start the dev server"): its process stays while it runs, and its end is told.
 */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { PERSON, World } from "./world.ts";

const MINUTE_MS = 60_000;
const SERVER = "node server.js --port 3000";

async function serving(world: World, settings = {}): Promise<string> {
  const { session } = await world.launch("say: it runs at http://localhost:3000", { name: "dev", ...settings });
  await world.until(session.id, "idle");
  world.agent.last.leftRunning = [SERVER];
  return session.id;
}

const told = (world: World, code: string) => world.delivery.texts().filter((text) => text.includes(code));

describe("a command that a turn left running", () => {
  test("[F3] keeps the process of its session, which is said once; it ends with the session, and that is said", async () => {
    const world = await World.start();
    const id = await serving(world);
    await world.clock.advance(29 * MINUTE_MS);
    expect(world.session(id).agent?.kind).toBe("ready");
    expect(told(world, "background")).toEqual([`warning dev background_kept ${SERVER}`]);
    await world.clock.advance(2 * MINUTE_MS);
    expect(world.session(id)).toMatchObject({ phase: { kind: "ended", outcome: "completed" } });
    expect(world.session(id).agent).toBeUndefined();
    expect(told(world, "background_ended")).toEqual([`warning dev background_ended ${SERVER}`]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[F3] that ends by itself keeps nothing any more", async () => {
    const world = await World.start();
    const id = await serving(world);
    await world.clock.advance(MINUTE_MS);
    world.agent.last.leftRunning = [];
    await world.clock.advance(MINUTE_MS);
    expect(world.session(id).agent).toBeUndefined();
    expect(world.session(id).phase.kind).toBe("idle");
    expect(told(world, "background_ended")).toEqual([]);
  });

  test("[F3] makes room for a launch that waits, and it is said what ended with it", async () => {
    const world = await World.start({ maxSessions: 1 });
    const id = await serving(world);
    await world.clock.advance(MINUTE_MS);
    const { session: next } = await world.launch("say: next\nhang");
    await world.until(next.id, "working");
    expect(world.session(id)).toMatchObject({ phase: { kind: "idle" } });
    expect(told(world, "background_ended")).toEqual([`warning dev background_ended ${SERVER}`]);
  });

  test("[F3] a follow-up finds it running", async () => {
    const world = await World.start();
    const id = await serving(world);
    await world.clock.advance(5 * MINUTE_MS);
    await world.respond(id, "say: still here");
    await world.until(id, "idle");
    expect(world.agent.connections).toHaveLength(1);
    expect(told(world, "background_ended")).toEqual([]);
  });

  test.each(["a stop of the gateway", "kill -9", "a crash of iFlow"])(
    "[F3] %s ends it, and that is said",
    async (how) => {
      const world = await World.start();
      const id = await serving(world);
      await world.clock.advance(MINUTE_MS);
      if (how === "a crash of iFlow") world.agent.last.crash("1");
      else if (how === "kill -9") await world.crash();
      else await world.restart();
      await world.clock.advance(2_000);
      expect(told(world, "background_ended")).toEqual([`warning dev background_ended ${SERVER}`]);
      await world.crash();
      await world.clock.advance(2_000);
      expect(told(world, "background_ended")).toHaveLength(1);
      expect(world.session(id).phase.kind).toBe("idle");
    },
  );

  test("[F3] of a session that ends with its first turn is named at its end; whoever stops one knows", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: it runs\nsleep 1000", { name: "once", singleTurn: true });
    await world.until(session.id, "working");
    world.agent.last.leftRunning = [SERVER];
    await world.until(session.id, "ended");
    await world.quiet();
    expect(told(world, "background_ended")).toEqual([`warning once background_ended ${SERVER}`]);
    const id = await serving(world);
    await world.sessions.kill(PERSON, id);
    const { session: works } = await world.launch("say: works\nhang", { name: "works" });
    await world.until(works.id, "working");
    world.agent.last.leftRunning = [SERVER];
    await world.sessions.kill(PERSON, works.id);
    await world.quiet();
    expect(told(world, "works background_ended")).toEqual([]);
  });
});
