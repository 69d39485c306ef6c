/**
 * `npm run test:model [-- --runs 10000] [--seed N]`: the random lives with a new seed each time, which is printed, so that every
 * run looks elsewhere; `npm test` plays the same ones each time.
 */
import { parseArgs } from "node:util";
import { runTool } from "../../../scripts/tool.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "10000" }, seed: { type: "string" } } });
const seed = values.seed ?? String(Math.floor(Date.now() / 1000) % 1_000_000);
process.stdout.write(`seed ${seed} (the same again: npm run test:model -- --seed ${seed})\n`);
Object.assign(process.env, { MODEL_RUNS: values.runs, MODEL_SEED: seed });
const { code } = await runTool("vitest", ["run", "--project", "unit", "test/engine/model"], { shown: true });
process.exitCode = code;
