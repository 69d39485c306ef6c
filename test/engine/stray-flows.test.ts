/**
 * The flow is the truth: what becomes of sessions whose journals were deleted, emptied or damaged while no gateway ran.
 */
import { describe, expect, test } from "vitest";
import { CONTROLLER_ID, type Session } from "../../src/core/session.ts";
import { soundProblems } from "./invariants.ts";
import { inPhase } from "./phases.ts";
import { PERSON, World } from "./world.ts";

/** The lines of prompts went with the journals. */
async function problems(world: World): Promise<readonly string[]> {
  return (await soundProblems(world)).filter((problem) => !problem.includes("was sent without a line"));
}

const AFTER = {
  asking: "asking",
  idle: "idle",
  working: "interrupted",
  interrupted: "interrupted",
  queued: "interrupted",
} as const;

describe("the plugin's folder was deleted", () => {
  test.each(Object.keys(AFTER) as (keyof typeof AFTER)[])(
    "[F9] a session that was %s is found by its flow",
    async (kind) => {
      const world = await World.start({ maxSessions: 2 });
      const { id } = await inPhase(world, kind);
      await world.clock.advance(5_000);
      const { name } = world.session(id);
      const prompts = world.promptsOf(id);
      world.kill();
      world.journals.files.clear();
      await world.boot();
      await world.clock.advance(5_000);
      expect(world.session(id)).toMatchObject({
        name,
        owner: PERSON.owner,
        route: PERSON.route,
        phase: { kind: AFTER[kind] },
      });
      expect(world.promptsOf(id)).toEqual(prompts);
      expect(world.delivery.texts().filter((text) => text.includes(`${name} rights_unknown`))).toHaveLength(1);
      // From now on it has a journal again, and nothing is said twice.
      const told = world.delivery.texts().length;
      await world.crash();
      await world.clock.advance(5_000);
      expect(world.session(id).phase.kind).toBe(AFTER[kind]);
      expect(
        world.delivery
          .texts()
          .slice(told)
          .filter((text) => text.includes(name)),
      ).toEqual([]);
      await world.respond(id, kind === "asking" ? "1" : "say: on it goes");
      await world.until(id, "idle");
      expect(await problems(world)).toEqual([]);
    },
  );

  test("[F9] what it may do is believed of no record alone: it asks for everything from now on", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: a", { permissionMode: "auto", allowedTools: ["shell"] });
    await world.until(session.id, "idle");
    await world.clock.advance(20_000);
    world.kill();
    world.journals.files.clear();
    await world.boot();
    expect(await world.output(session.id)).toContain("a");
    expect(world.session(session.id).settings).toMatchObject({ permissionMode: "manual", allowedTools: [] });
    await world.respond(session.id, "write a.txt: x");
    await world.until(session.id, "asking");
  });
});

describe("one journal is not what it was", () => {
  async function damaged(change: (world: World, id: string) => void) {
    const world = await World.start();
    const { id } = await inPhase(world, "asking");
    const other = await inPhase(world, "idle");
    await world.clock.advance(5_000);
    const { flowId } = world.flowOf(id);
    world.kill();
    change(world, id);
    await world.boot();
    await world.clock.advance(5_000);
    expect(world.session(other.id).phase.kind).toBe("idle");
    return { world, id, flow: () => world.flows.ledger.flows.get(flowId) };
  }

  test("[F9] emptied: carried on from the flow, and what was there is kept aside", async () => {
    const { world, id } = await damaged(({ journals }, session) => journals.files.set(session, []));
    expect(world.session(id).phase.kind).toBe("asking");
    expect(world.journals.aside.has(id)).toBe(true);
    expect(await problems(world)).toEqual([]);
  });

  test("[F9] its first line is gone: carried on, with the rights of its last commit", async () => {
    const { world, id } = await damaged(({ journals }, session) => journals.files.get(session)?.shift());
    expect(world.session(id).phase.kind).toBe("asking");
    expect(world.journals.aside.size).toBe(0);
    expect(world.delivery.texts().some((text) => text.includes("rights_unknown"))).toBe(false);
    await world.respond(id, "1");
    await world.until(id, "idle");
  });

  test.each(["deleted", "without a commit"])(
    "[F9] its record is broken and its journal %s: ended aloud",
    async (how) => {
      const { world, id, flow } = await damaged(({ journals, flows }, session) => {
        const lines = journals.files.get(session) ?? [];
        if (how === "deleted") journals.files.delete(session);
        else journals.files.set(session, lines.slice(0, 2));
        const [broken] = [...flows.ledger.flows.values()].filter(
          ({ stateJson }) => (stateJson as Session).id === session,
        );
        flows.ledger.patch(broken?.flowId ?? "", undefined, undefined, {
          stateJson: { schema: "iflow.session.v1", id: 7 },
        });
      });
      expect(flow()).toMatchObject({ status: "failed" });
      const text = world.delivery.texts().at(-1);
      expect(text).toMatch(/^failed .* storage Neither its TaskFlow record nor its journal can be read/);
      if (how !== "deleted") expect(world.session(id)).toMatchObject({ route: PERSON.route, phase: { kind: "ended" } });
      const told = world.delivery.texts().length;
      await world.crash();
      await world.clock.advance(5_000);
      expect(world.delivery.texts().slice(told)).toEqual([]);
      expect(await problems(world)).toEqual([]);
    },
  );

  test("[F9] flows of others, and of a newer version, are left as they are", async () => {
    const world = await World.start();
    const { ledger } = world.flows;
    const theirs = ledger.createFlow(PERSON.owner.sessionKey, "somebody/else", {
      goal: "theirs",
      route: undefined,
      stateJson: { id: "x" },
    });
    const newer = ledger.createFlow(PERSON.owner.sessionKey, CONTROLLER_ID, {
      goal: "iFlow newer: do it",
      route: undefined,
      stateJson: { schema: "iflow.session.v2" },
    });
    await world.crash();
    for (const flow of [theirs, newer]) expect(ledger.flows.get(flow.flowId)).toEqual(flow);
    expect(world.roster.sessions()).toEqual([]);
  });

  test("[F9] a flow that says it is somebody else's session becomes no session", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    await world.clock.advance(5_000);
    const state = world.flowOf(id).stateJson as Session;
    world.flows.ledger.createFlow("agent:main:stranger", CONTROLLER_ID, {
      goal: "copy",
      route: undefined,
      stateJson: { ...state, owner: { sessionKey: "agent:main:stranger" } },
    });
    await world.crash();
    expect(world.roster.sessions()).toHaveLength(1);
    expect(world.session(id).owner).toEqual(PERSON.owner);
  });
});
