/**
 * The gateway is killed before and after every single call that it makes, in recovery too. Whatever the moment: nothing is
 * sent twice, no word is lost that was heard, nothing stays stuck, every notice comes, at most one twice.
 */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { AGENT, PERSON, World, type WorldOptions } from "./world.ts";
import { wordProblems } from "./words.ts";

const OPTIONS: WorldOptions = { rules: { outputMode: "minimal" }, maxSessions: 1 };

interface Story {
  readonly name: string;
  /** Goes as far as it can; a dead gateway answers nothing any more. */
  readonly tell: (world: World) => Promise<void>;
}

const STORIES: readonly Story[] = [
  {
    name: "[S4] [S5] a question, an answer, a follow-up",
    tell: async (world) => {
      const { session } = await world.launch("say: <1>\nask: Which? | A | B\nsay: <2>", {}, AGENT);
      await world.until(session.id, "asking");
      await world.respond(session.id, "A", {}, AGENT);
      await world.until(session.id, "idle");
      await world.respond(session.id, "say: <3>");
      await world.until(session.id, "idle");
    },
  },
  {
    name: "[S7] [S5] messages in line, an interrupt, a park and a load",
    tell: async (world) => {
      const { session } = await world.launch("say: <1>\nhang");
      await world.until(session.id, "working");
      await world.respond(session.id, "say: <2>");
      await world.respond(session.id, "say: <3>", { interrupt: true });
      await world.until(session.id, "idle");
      await world.clock.advance(16_000);
      await world.respond(session.id, "say: <4>");
      await world.until(session.id, "idle");
    },
  },
  {
    name: "[K2] [S5] a plan, approved and carried out",
    tell: async (world) => {
      const { session } = await world.launch("say: <1>\nplan: write it\nwrite a.txt: <x>\nsay: <2>", {
        permissionMode: "plan",
        singleTurn: true,
      });
      await world.until(session.id, "asking");
      await world.respond(session.id, "approve-auto");
      await world.until(session.id, "ended");
      await world.respond(session.id, "say: <3>");
    },
  },
  {
    name: "[S1] [O5] [S5] three for one slot, and a kill",
    tell: async (world) => {
      const ids: string[] = [];
      for (const n of [1, 2, 3])
        ids.push((await world.launch(`say: <${n}>\nsleep 500`, { singleTurn: true })).session.id);
      await world.sessions.kill(PERSON, ids[0]!);
      for (const id of ids) await world.until(id, "ended");
    },
  },
];

/** As a person would: answers what is open, and says continue to what was interrupted, until everything rests. */
async function carryOn(world: World): Promise<void> {
  for (let round = 0; round < 12; round += 1) {
    await world.clock.advance(3_000);
    const open = world.roster.sessions().filter(({ phase }) => phase.kind !== "ended" && phase.kind !== "idle");
    if (open.length === 0) return;
    for (const { id, phase } of open) {
      if (phase.kind === "asking") await world.respond(id, "1");
      if (phase.kind === "interrupted") await world.respond(id, `say: <goes on ${id} ${round}>`);
      if (phase.kind === "working") await world.respond(id, `say: <instead ${id} ${round}>`, { interrupt: true });
    }
  }
  throw new Error(`not at rest: ${JSON.stringify(world.roster.sessions().map((session) => session.phase))}`);
}

/** Of the messages in the one chat; a wake of the agent may come again, it is at least once. */
function repeatedNotices(world: World): readonly string[] {
  const counts = new Map<string, number>();
  for (const { intentId: intent } of world.delivery.messages) counts.set(intent, (counts.get(intent) ?? 0) + 1);
  return [...counts].flatMap(([intent, times]) => (times > 1 ? Array.from({ length: times - 1 }, () => intent) : []));
}

async function expectWhole(world: World, kills: number): Promise<void> {
  await carryOn(world);
  expect(await soundProblems(world)).toEqual([]);
  expect(wordProblems(world)).toEqual([]);
  expect(repeatedNotices(world).length).toBeLessThanOrEqual(kills);
}

async function callsOf(tell: Story["tell"]): Promise<number> {
  const world = await World.start(OPTIONS);
  await tell(world);
  await world.clock.advance(3_000);
  return world.life.trace.length;
}

async function killedAt(story: Story, atCall: number, when: "before" | "after"): Promise<World> {
  const world = await World.start({ ...OPTIONS, death: { atCall, when } });
  const told = story.tell(world).catch((error: unknown) => {
    if (!world.life.dead) throw error;
  });
  await Promise.race([told.then(() => world.clock.advance(5_000)), world.life.died]);
  await world.quiet();
  world.kill();
  return world;
}

describe.each(STORIES)("$name", (story) => {
  test.each(["before", "after"] as const)("killed %s each of its calls", { timeout: 120_000 }, async (when) => {
    const calls = await callsOf(story.tell);
    expect(calls).toBeGreaterThan(40);
    for (let atCall = 1; atCall <= calls; atCall += 1) {
      const world = await killedAt(story, atCall, when);
      await world.boot();
      try {
        await expectWhole(world, 1);
      } catch (error) {
        throw new Error(`killed ${when} call ${atCall}: ${world.life.trace[atCall - 1] ?? ""}`, { cause: error });
      }
    }
  });

  test("killed in the story and again at each call of the recovery", { timeout: 120_000 }, async () => {
    const calls = await callsOf(story.tell);
    for (let atCall = 5; atCall <= calls; atCall += 9) {
      for (let again = 1; again <= 24; again += 1) {
        const world = await killedAt(story, atCall, "after");
        await world.boot({ death: { atCall: again, when: again % 2 === 0 ? "before" : "after" } });
        await Promise.race([world.clock.advance(5_000), world.life.died]);
        await world.quiet();
        world.kill();
        await world.boot();
        try {
          await expectWhole(world, 2);
        } catch (error) {
          throw new Error(`killed after call ${atCall}, and at call ${again} of the recovery`, { cause: error });
        }
      }
    }
  });
});
