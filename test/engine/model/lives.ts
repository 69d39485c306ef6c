/**
 * Random lives of the whole engine: whatever people, agents, other writers, the host and faults do in whatever order.
 * Owns: what must hold after every command (safety), and at the end of a life (everything, and that nothing hangs).
 * Runs: MODEL_RUNS in all, half of them in each test file; a seed to look at again: MODEL_SEED and MODEL_PATH as printed;
 * with MODEL_SHRINK a failing life is made as short as possible.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { problemsOf, rest } from "../invariants.ts";
import { wordProblems } from "../words.ts";
import { PERSON, World } from "../world.ts";
import { commands } from "./actions.ts";
import { Play } from "./play.ts";

const FILES = 2;
const RUNS = Math.ceil(Number(process.env["MODEL_RUNS"] ?? 10_000) / FILES);
const SEED = Number(process.env["MODEL_SEED"] ?? 20_261_121);
const PATH = process.env["MODEL_PATH"];
const MS_A_RUN = 100;
const MAX_SESSIONS = 2;

/** After each command, also in the middle of things. */
function expectSafe({ world }: Play): void {
  expect(world.agent.live.length).toBeLessThanOrEqual(MAX_SESSIONS);
  expect(world.flows.ledger.largestStateBytes).toBeLessThanOrEqual(65_536);
  // What a dead gateway had in flight may still be under way.
  expect([...world.delivery.mostInFlight].filter(([, most]) => most > world.lives)).toEqual([]);
}

const asking = (world: World) => world.roster.sessions().filter(({ phase }) => phase.kind === "asking");

/** With faults off and time running every session ends, or waits for a person. */
async function expectLiveness(play: Play): Promise<void> {
  const { world } = play;
  const moving = () =>
    world.roster.sessions().filter(({ phase }) => ["queued", "starting", "working"].includes(phase.kind));
  // Housekeeping is due every 5 minutes.
  await world.clock.advance(2_000);
  await world.clock.jump(301_000);
  await world.clock.advance(5_000);
  for (let waited = 0; waited < 60 && moving().length > 0; waited += 1) {
    await world.clock.advance(10_000);
    // Who waits for a person holds a slot as long as its process lives, so others may wait for that person, too.
    if (waited % 10 === 9)
      for (const { id } of asking(world)) await world.sessions.kill({ ...PERSON, seesAll: true }, id);
  }
  // A clock that was set back makes deadlines as much later.
  for (let waited = 0; waited < 40 && moving().length > 0; waited += 1) {
    await world.clock.jump(600_000);
    await world.clock.advance(12_000);
  }
  expect(moving().map((session) => `${session.name} ${JSON.stringify(session.phase)}`)).toEqual([]);
}

function repeats(world: World): number {
  const intents = world.delivery.messages.map((message) => message.intentId).filter((intent) => /:n\d+$/.test(intent));
  return intents.length - new Set(intents).size;
}

async function expectWhole(play: Play): Promise<void> {
  const { world } = play;
  await play.awake();
  play.heal();
  world.roster.spared();
  await expectLiveness(play);
  await rest(world);
  expect(problemsOf(world)).toEqual([]);
  expect(wordProblems(world, play.mayLoseWords)).toEqual([]);
  expect(play.thrown).toEqual([]);
  expect(world.log.filter((line) => line.includes("could not be handled"))).toEqual([]);
  // One chat each for the two owners: one in flight at each end that was no orderly one; and whatever had no mark in the journal.
  const ends = play.mayLoseWords ? world.lives : world.killedAt.length;
  expect(repeats(world)).toBeLessThanOrEqual(2 * ends + world.journals.lostMarks);
  // A last life finds all of it again, and nobody is told anything twice.
  const told = world.delivery.messages.length;
  const before = world.roster.sessions().map(({ id, phase }) => `${id} ${phase.kind}`);
  await world.crash();
  await rest(world);
  expect(
    world.roster
      .sessions()
      .map(({ id, phase }) => `${id} ${phase.kind}`)
      .toSorted(),
  ).toEqual(before.toSorted());
  expect(world.delivery.messages.slice(told).map((message) => message.texts)).toEqual([]);
  expect(problemsOf(world)).toEqual([]);
}

/** `file`: each of the files plays lives of its own. */
export function testLives(file: number): void {
  const seed = SEED * FILES + file;
  test(`${RUNS} random lives (MODEL_SEED=${SEED})`, { timeout: 60_000 + RUNS * MS_A_RUN }, async () => {
    let sessions = 0;
    const property = fc.asyncProperty(commands(expectSafe), async (happenings) => {
      let play: Play | undefined;
      await fc.asyncModelRun(async () => {
        const world = await World.start({ maxSessions: MAX_SESSIONS, maxQueued: 4, rules: { outputMode: "minimal" } });
        play = new Play(world);
        return { model: {}, real: play };
      }, happenings);
      if (play === undefined) throw new Error("the life did not begin");
      await expectWhole(play);
      sessions += play.world.roster.sessions().length;
    });
    const result = await fc.check(property, {
      numRuns: RUNS,
      seed,
      endOnFailure: process.env["MODEL_SHRINK"] === undefined,
      ...(PATH === undefined ? {} : { path: PATH }),
    });
    if (result.failed)
      throw new Error(
        `MODEL_SEED=${SEED}, MODEL_PATH=${result.counterexamplePath}\n${fc.defaultReportMessage(result)}`,
        {
          cause: result.errorInstance,
        },
      );
    // Lives in which nothing is launched would show nothing.
    if (PATH === undefined) expect(sessions).toBeGreaterThan(RUNS * 2);
  });
}
