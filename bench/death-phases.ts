/**
 * How soon our connection knows that its agent is dead, in each phase of a session, and how soon nothing of it runs any more.
 * Real agents, ended with SIGKILL, side by side over both transports.
 */
import { below, gone } from "../test/agent/leftovers.ts";
import { DemoWorld, say, SESSION } from "../test/agent/demo-world.ts";
import { Listener } from "../test/agent/listener.ts";
import type { AgentConnection } from "../src/ports.ts";
import { median, ms, percentile } from "./numbers.ts";

export interface PhaseDeaths {
  readonly phase: string;
  readonly transport: "stdio" | "websocket";
  readonly rounds: number;
  readonly known: number;
  readonly knownP50Ms: number;
  readonly knownMaxMs: number;
  readonly goneMaxMs: number;
}

interface Dying {
  readonly connection: AgentConnection;
  readonly heard: Listener;
}

const forever = new AbortController().signal;
const GONE_WITHIN_MS = 10_000;

/** The handshake stops where the agent does not answer any more. */
async function opening(world: DemoWorld, silent: string, framesSeen: number): Promise<Dying> {
  const connection = await world.start(world.launcher({}, `silent=${silent}`));
  const heard = new Listener(connection);
  connection.open(SESSION, forever).catch(() => undefined);
  await heard.until(() => heard.events.length >= framesSeen);
  return { connection, heard };
}

async function inTurn(
  world: DemoWorld,
  script: string,
  mode: "default" | "yolo",
  begun: (heard: Listener) => boolean,
): Promise<Dying> {
  const { connection, heard } = await world.open({ mode });
  await connection.prompt(1, say(script));
  await heard.until(begun);
  return { connection, heard };
}

const PHASES: readonly (readonly [string, (world: DemoWorld) => Promise<Dying>])[] = [
  [
    "spawned",
    async (world) => {
      const connection = await world.start();
      return { connection, heard: new Listener(connection) };
    },
  ],
  ["ready", (world) => opening(world, "initialize", 1)],
  ["initialised", (world) => opening(world, "session/new", 2)],
  ["prompting", (world) => inTurn(world, "say: x\nhang", "yolo", (heard) => heard.text.includes("x"))],
  ["permission open", (world) => inTurn(world, "write a.txt: x", "default", (heard) => heard.asked.length > 0)],
  [
    "tool running",
    (world) =>
      inTurn(world, "run: sleep 301 & sleep 302", "yolo", (heard) =>
        heard.of("tool").some(({ status }) => status === "in_progress"),
      ),
  ],
];

export async function deathPhases(rounds: number): Promise<readonly PhaseDeaths[]> {
  const found: PhaseDeaths[] = [];
  for (const [phase, reach] of PHASES) {
    for (const transport of ["stdio", "websocket"] as const) {
      const known: number[] = [];
      const left: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await using world = await DemoWorld.create({ transport });
        const { connection, heard } = await reach(world);
        const { pid } = connection.identity ?? { pid: 0 };
        const shells = await below(pid);
        const killedMs = performance.now();
        process.kill(pid, "SIGKILL");
        await heard.exit();
        known.push(performance.now() - killedMs);
        await gone([], shells, GONE_WITHIN_MS);
        left.push(performance.now() - killedMs);
      }
      found.push({
        phase,
        transport,
        rounds,
        known: known.length,
        knownP50Ms: median(known),
        knownMaxMs: percentile(known, 1),
        goneMaxMs: percentile(left, 1),
      });
    }
  }
  return found;
}

export const PHASE_HEADING = [
  "killed with -9 while it was",
  "over",
  "known",
  "p50 ms",
  "max ms",
  "nothing left, max ms",
];

export function phaseRow(deaths: PhaseDeaths): readonly string[] {
  const { phase, transport, known, rounds, knownP50Ms, knownMaxMs, goneMaxMs } = deaths;
  return [phase, transport, `${known} of ${rounds}`, ms(knownP50Ms), ms(knownMaxMs), ms(goneMaxMs)];
}
