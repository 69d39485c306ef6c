/** The short version of `npm run test:crash`: the real plugin on the host's real ledger, killed at named points. */
import { expect, test } from "vitest";
import { crashRun } from "./crash-run.ts";
import { POINTS } from "./kill-schedule.ts";

const SEED = 20_261_121;
const WITHIN_MS = 600_000;

test(
  "[S5] killed with -9 at 25 points, also during recovery: nothing lost, nothing sent twice, nothing left running",
  { timeout: WITHIN_MS },
  async () => {
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const sum = await crashRun({ seed: SEED, kills: 25, killsPerScenario: 9, sideBySide: 2, tries: 0, say });
    expect(sum.violations, lines.join("\n")).toEqual([]);
    expect(sum.kills).toBeGreaterThanOrEqual(25);
    expect(sum.prompts).toBeGreaterThan(10);
    expect(sum.notices).toBeGreaterThan(sum.prompts);
    process.stdout.write(
      `${sum.kills} kills (${sum.killsWithHost} with the host) in ${sum.lives} lives, 0 violations\n`,
    );
  },
);

test("every named point belongs to a stage, and is named once", () => {
  expect(new Set(POINTS).size).toBe(POINTS.length);
  for (const point of POINTS)
    expect(point).toMatch(/^(?:recovery|running|stopping)\/[a-z-]+\.[a-z-]+(?:\.(?:before|during|after))?$/);
});
