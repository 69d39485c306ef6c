/**
 * `npm run test:crash [-- --kills 200] [--seed N] [--only SCENARIO [--points ...]] [--keep]`: the plugin on the host's real ledger, real journals
 * and real agent processes, killed with SIGKILL at named points again and again. Exit code 0 only without a violation.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { crashRun } from "./crash-run.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string" },
    only: { type: "string" },
    points: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});
const seed = values.seed === undefined ? Math.floor(Date.now() / 1000) % 1_000_000 : Number(values.seed);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`seed ${seed} (the same again: npm run test:crash -- --seed ${seed})`);
const sum = await crashRun({
  seed,
  kills: Number(values.kills),
  killsPerScenario: 10,
  sideBySide: Math.min(4, Math.max(2, availableParallelism() - 1)),
  tries: 3,
  ...(values.only === undefined ? {} : { only: Number(values.only) }),
  ...(values.points === undefined ? {} : { points: values.points.split(",") }),
  keep: values.keep,
  say,
});
const { violations, neverHit, tookMs, slowestRecoveryMs, ...counts } = sum;
say("");
for (const [name, count] of Object.entries(counts)) say(`${name.padEnd(20)} ${count}`);
say(`${"slowestRecovery".padEnd(20)} ${slowestRecoveryMs.toFixed(0)} ms`);
say(`${"took".padEnd(20)} ${(tookMs / 1000).toFixed(0)} s`);
if (neverHit.length > 0) say(`not hit this time: ${neverHit.join(", ")}`);
for (const violation of violations) say(`VIOLATION ${violation}`);
say(`${sum.kills} kills, ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
