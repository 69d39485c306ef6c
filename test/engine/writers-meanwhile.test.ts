/** Whoever else writes our flows while no gateway runs: heard at the next start, once. */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { inPhase } from "./phases.ts";
import { World } from "./world.ts";

const HEARD_MS = 1_000;

describe("[S11] while no gateway ran", () => {
  const writers = [
    ["resumed with words", "idle", "say: meanwhile"],
    ["answered", "asking", "B"],
  ] as const;
  test.each(writers)("%s: heard at the next start (%s)", async (_name, kind, words) => {
    const world = await World.start();
    const { id } = await inPhase(world, kind);
    await world.clock.advance(20_000);
    const { flowId } = world.flowOf(id);
    world.kill();
    world.flows.otherWriter.resume(flowId, { currentStep: words });
    await world.boot();
    await world.until(id, "idle");
    expect(world.promptsOf(id).at(-1)).toContain(words);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("words that were heard before the kill, and whose record could not be written since, are not heard again", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    await world.clock.advance(5_000);
    const { flowId } = world.flowOf(id);
    world.flows.fail({ on: "change", flowId }, { kind: "not-stored" }, 1_000);
    world.flows.otherWriter.resume(flowId, { stateJson: { respond: "say: once" } });
    await world.clock.advance(10_000);
    expect(world.promptsOf(id).filter((text) => text === "say: once")).toHaveLength(1);
    await world.crash();
    await world.clock.advance(10_000);
    expect(world.session(id).phase.kind).toBe("idle");
    expect(world.promptsOf(id).filter((text) => text === "say: once")).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("resumed with a state of their own: the words are taken, our state is restored", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "interrupted");
    const { flowId } = world.flowOf(id);
    world.kill();
    world.flows.otherWriter.resume(flowId, { stateJson: { respond: "say: their words" } });
    await world.boot();
    await world.until(id, "idle");
    expect(world.promptsOf(id).at(-1)).toBe("say: their words");
    expect(await soundProblems(world)).toEqual([]);
  });

  test.each([
    ["cancelled", "killed"],
    ["cancel requested", "killed"],
    ["finished", "completed"],
    ["failed", "failed"],
    ["removed", "failed"],
  ] as const)(
    "%s: the session is over at the next start, told once, its process gone, its child ended",
    async (what, outcome) => {
      const world = await World.start();
      const { id } = await inPhase(world, "working");
      const { flowId } = world.flowOf(id);
      world.life.die();
      // Its process has outlived the gateway.
      const orphan = await world.agent.start({ sessionId: id, workdir: "/w" }, new AbortController().signal);
      world.kill();
      const { otherWriter } = world.flows;
      if (what === "cancelled") otherWriter.cancelFlow(flowId, world.clock.now());
      if (what === "cancel requested") otherWriter.requestCancel(flowId, world.clock.now());
      if (what === "finished") otherWriter.finish(flowId);
      if (what === "failed") otherWriter.fail(flowId);
      if (what === "removed") otherWriter.remove(flowId);
      await world.boot();
      await world.clock.advance(HEARD_MS);
      expect(world.session(id).phase).toMatchObject({ kind: "ended", outcome });
      expect(world.agent.live).toEqual([]);
      expect(orphan).toMatchObject({ alive: false });
      expect(world.delivery.texts().filter((text) => text.startsWith(outcome))).toHaveLength(1);
      expect(await soundProblems(world)).toEqual([]);
      await world.crash();
      await world.clock.advance(HEARD_MS);
      expect(world.delivery.texts().filter((text) => text.startsWith(outcome))).toHaveLength(1);
    },
  );
});
