/**
 * A crash run: scenarios side by side until enough lives were killed, and what came of them in numbers.
 * Owns: a temporary folder, the host's ledger processes, and the sum. Does not own: what a scenario does.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostKeeper } from "./host-keeper.ts";
import { POINTS } from "./kill-schedule.ts";
import { buildPrograms, type Programs } from "./programs.ts";
import { runScenario, StuckScenario, type ScenarioResult } from "./scenario.ts";

const POINTS_A_SCENARIO = 5;

export interface CrashRunOptions {
  readonly seed: number;
  readonly kills: number;
  readonly killsPerScenario: number;
  readonly sideBySide: number;
  /** Run this scenario alone, to see a violation again; `points` as it was printed with it. */
  readonly only?: number;
  readonly points?: readonly string[];
  /** How often a named point that no life has come to is tried in a scenario of its own. */
  readonly tries: number;
  /** Leave the folder for a look when there were violations. */
  readonly keep?: boolean;
  readonly say: (line: string) => void;
}

export interface CrashSum {
  readonly kills: number;
  readonly killsWithHost: number;
  readonly lives: number;
  readonly scenarios: number;
  readonly prompts: number;
  readonly notices: number;
  readonly repeatedNotices: number;
  readonly cancelledElsewhere: number;
  readonly slowestRecoveryMs: number;
  readonly namedPointsHit: number;
  readonly namedPoints: number;
  readonly neverHit: readonly string[];
  readonly tookMs: number;
  readonly violations: readonly string[];
}

export async function crashRun(options: CrashRunOptions): Promise<CrashSum> {
  const startedMs = performance.now();
  const dir = mkdtempSync(join(tmpdir(), "iflow-crash-"));
  const folder = programFolder(dir);
  const results: ScenarioResult[] = [];
  try {
    const programs = await buildPrograms(folder);
    const plan = new Plan(options, results);
    const workers = Array.from({ length: options.only === undefined ? options.sideBySide : 1 }, async (_, index) => {
      const own = join(dir, `w${index}`);
      mkdirSync(own);
      await work(own, programs, options, results, plan);
    });
    // One that breaks must not take the folder away from the others.
    for (const ended of await Promise.allSettled(workers)) if (ended.status === "rejected") throw ended.reason;
    return sumOf(results, performance.now() - startedMs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    const bad = results.some(({ violations }) => violations.length > 0);
    if (options.keep === true && bad) options.say(`the records are in ${dir}`);
    else rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

interface Planned {
  readonly scenario: number;
  readonly points?: readonly string[];
}

/** Which scenario comes next: those of the seed until there were enough kills, then named points that were not hit. */
class Plan {
  readonly #options: CrashRunOptions;
  readonly #results: readonly ScenarioResult[];
  readonly #tries = new Map<string, number>();
  #next: number;

  constructor(options: CrashRunOptions, results: readonly ScenarioResult[]) {
    this.#options = options;
    this.#results = results;
    this.#next = options.only ?? 1;
  }

  take(): Planned | undefined {
    const { only, kills, points } = this.#options;
    if (only !== undefined && this.#results.length > 0) return undefined;
    if (only !== undefined) return { scenario: only, ...(points === undefined ? {} : { points }) };
    const scenario = this.#next;
    this.#next += 1;
    if (killsOf(this.#results) < kills) return { scenario };
    const missing = this.#missing();
    return missing.length === 0 ? undefined : { scenario, points: missing };
  }

  #missing(): readonly string[] {
    const open = neverHit(this.#results).filter((point) => (this.#tries.get(point) ?? 0) < this.#options.tries);
    const chosen = open.slice(0, POINTS_A_SCENARIO);
    for (const point of chosen) this.#tries.set(point, (this.#tries.get(point) ?? 0) + 1);
    return chosen;
  }
}

function neverHit(results: readonly ScenarioResult[]): readonly string[] {
  const hit = new Set(results.flatMap(({ killedAt }) => killedAt));
  return POINTS.filter((point) => !hit.has(point));
}

/** Below node_modules, so that the programs find the host's package as any module of this repository does. */
function programFolder(dir: string): string {
  const folder = join(import.meta.dirname, "../../node_modules/.cache/crash", dir.split("-").at(-1) ?? "run");
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function work(
  dir: string,
  programs: Programs,
  { seed, killsPerScenario, say }: CrashRunOptions,
  results: ScenarioResult[],
  plan: Plan,
): Promise<void> {
  const host = new HostKeeper(programs.host, dir);
  await host.start();
  try {
    for (let planned = plan.take(); planned !== undefined; planned = plan.take()) {
      const order = { seed, ...planned, kills: killsPerScenario, host, lifeProgram: programs.life, dir };
      const result = await guarded(() => runScenario(order));
      results.push(result);
      say(lineOf(result, planned, killsOf(results)));
    }
  } finally {
    await host.stop();
  }
}

async function guarded(run: () => Promise<ScenarioResult>): Promise<ScenarioResult> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof StuckScenario) return error.result;
    throw error;
  }
}

function killsOf(results: readonly ScenarioResult[]): number {
  return results.reduce((sum, { killedAt }) => sum + killedAt.length, 0);
}

function lineOf({ scenario, killedAt, lives, violations }: ScenarioResult, { points }: Planned, kills: number): string {
  const at = points === undefined ? "" : ` --points ${points.join(",")}`;
  const head = `scenario ${scenario}${at}: ${killedAt.length} kills in ${lives} lives (${kills} so far)`;
  return [head, ...violations.map((violation) => `  VIOLATION ${violation}`)].join("\n");
}

function sumOf(results: readonly ScenarioResult[], tookMs: number): CrashSum {
  const total = (of: (result: ScenarioResult) => number): number =>
    results.reduce((sum, result) => sum + of(result), 0);
  const missed = neverHit(results);
  return {
    kills: killsOf(results),
    killsWithHost: total(({ withHost }) => withHost),
    lives: total(({ lives }) => lives),
    scenarios: results.length,
    prompts: total(({ prompts }) => prompts),
    notices: total(({ notices }) => notices),
    repeatedNotices: total(({ repeats }) => repeats),
    cancelledElsewhere: total(({ cancelledElsewhere }) => cancelledElsewhere),
    slowestRecoveryMs: Math.max(0, ...results.map(({ slowestRecoveryMs }) => slowestRecoveryMs)),
    namedPointsHit: POINTS.length - missed.length,
    namedPoints: POINTS.length,
    neverHit: missed,
    tookMs,
    violations: results.flatMap(({ scenario, violations }) => violations.map((one) => `scenario ${scenario}: ${one}`)),
  };
}
