/**
 * Brings a session into any phase, for tests that must hold in each of them.
 */
import type { PhaseKind, Session } from "../../src/core/session.ts";
import type { World } from "./world.ts";

export type LivePhase = Exclude<PhaseKind, "ended">;

export const LIVE_PHASES: readonly LivePhase[] = ["queued", "starting", "working", "asking", "idle", "interrupted"];

/** Of the world's slots one must be free; for `queued` all are taken. Idle: expects nothing, its process still lives. */
export async function inPhase(world: World, kind: LivePhase, script?: string): Promise<Session> {
  switch (kind) {
    case "queued": {
      await fillSlots(world);
      return (await world.launch(script ?? "say: queued")).session;
    }
    case "starting": {
      world.agent.beforeOpen = () => new Promise<void>(() => undefined);
      const { session } = await world.launch(script ?? "say: starting");
      return world.until(session.id, "starting");
    }
    case "working": {
      const { session } = await world.launch(script ?? "say: working\nhang");
      return world.until(session.id, "working");
    }
    case "asking": {
      const { session } = await world.launch(script ?? "say: asking\nask: Which? | A | B\nsay: chose {answer}");
      return world.until(session.id, "asking");
    }
    case "idle": {
      const { session } = await world.launch(script ?? "say: idle");
      return world.until(session.id, "idle");
    }
    case "interrupted": {
      const { session } = await world.launch(script ?? "say: interrupted\ncrash 1");
      return world.until(session.id, "interrupted");
    }
  }
}

/** Sessions that hold every slot. They are recognised by their name. */
async function fillSlots(world: World): Promise<void> {
  const { maxSessions } = world.roster.engine.bounds;
  while (world.roster.admission.running < maxSessions) {
    const { session } = await world.launch("say: fills\nhang", { name: "filler" });
    await world.until(session.id, "working");
  }
}

/** The agents that were held back in their handshake may go on, those to come are not held. */
export function letStart(world: World): void {
  world.agent.beforeOpen = async () => undefined;
}
