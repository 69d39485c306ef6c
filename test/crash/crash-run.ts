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

export interface CrashRunOptions {
  readonly seed: number;
  readonly kills: number;
  readonly killsPerScenario: number;
  readonly sideBySide: number;
  /** Run this scenario alone, to see a violation again. */
  readonly only?: number;
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
    let next = options.only ?? 1;
    const enough = (): boolean => (options.only === undefined ? killsOf(results) >= options.kills : results.length > 0);
    const workers = Array.from({ length: options.only === undefined ? options.sideBySide : 1 }, async (_, index) => {
      const own = join(dir, `w${index}`);
      mkdirSync(own);
      await work(own, programs, options, results, enough, () => next++);
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
  enough: () => boolean,
  next: () => number,
): Promise<void> {
  const host = new HostKeeper(programs.host, dir);
  await host.start();
  try {
    while (!enough()) {
      const scenario = next();
      const result = await guarded(() =>
        runScenario({ seed, scenario, kills: killsPerScenario, host, lifeProgram: programs.life, dir }),
      );
      results.push(result);
      say(lineOf(result, killsOf(results)));
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

function lineOf({ scenario, killedAt, lives, violations }: ScenarioResult, kills: number): string {
  const head = `scenario ${scenario}: ${killedAt.length} kills in ${lives} lives (${kills} so far)`;
  return [head, ...violations.map((violation) => `  VIOLATION ${violation}`)].join("\n");
}

function sumOf(results: readonly ScenarioResult[], tookMs: number): CrashSum {
  const total = (of: (result: ScenarioResult) => number): number =>
    results.reduce((sum, result) => sum + of(result), 0);
  const hit = new Set(results.flatMap(({ killedAt }) => killedAt));
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
    namedPointsHit: POINTS.filter((point) => hit.has(point)).length,
    namedPoints: POINTS.length,
    neverHit: POINTS.filter((point) => !hit.has(point)),
    tookMs,
    violations: results.flatMap(({ scenario, violations }) => violations.map((one) => `scenario ${scenario}: ${one}`)),
  };
}
