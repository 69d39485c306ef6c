/** The configuration is edited while sessions live: slots, deadlines and notices follow, nobody is interrupted. */
import { expect, test } from "vitest";
import type { Engine } from "../../src/engine/context.ts";
import { World } from "./world.ts";

/** As the composition does it: the engine's rules and bounds are read whenever they are needed. */
function edit(world: World, change: Partial<Pick<Engine, "rules" | "bounds">>): void {
  Object.assign(world.roster.engine, change);
}

test("[S1] more slots are granted to those who wait, fewer are taken from nobody", async () => {
  const world = await World.start({ maxSessions: 1 });
  const first = (await world.launch("hang")).session.id;
  const second = (await world.launch("hang")).session.id;
  await world.until(first, "working");
  expect(world.session(second).phase.kind).toBe("queued");
  edit(world, { bounds: { ...world.roster.engine.bounds, maxSessions: 2 } });
  await world.until(second, "working");
  edit(world, { bounds: { ...world.roster.engine.bounds, maxSessions: 1 } });
  await world.clock.advance(2_000);
  expect([first, second].map((id) => world.session(id).phase.kind)).toEqual(["working", "working"]);
  expect(world.roster.admission.full(0)).toBe(false);
  await world.stop();
});

test("[S8] a deadline that is moved holds for sessions that wait already", async () => {
  const world = await World.start({ rules: { idleTimeoutMs: 3_600_000 } });
  const { id } = (await world.launch("say: done")).session;
  await world.until(id, "idle");
  edit(world, { rules: { ...world.roster.engine.rules, idleTimeoutMs: 5_000 } });
  await world.until(id, "ended", 10_000);
  expect(world.session(id).phase).toMatchObject({ outcome: "completed" });
  await world.stop();
});
