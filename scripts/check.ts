/**
 * `npm run check`: everything that can be said of the project without running its tests.
 * Every step runs even when an earlier one failed, and a failed one shows what it printed.
 */
import { type ToolRun, runTool } from "./tool.ts";

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const CODE = [
  "index.ts",
  "src",
  "test",
  "scripts",
  "bench",
  "demo",
  "demo-agent",
  "oxlint.config.ts",
  "tsup.config.ts",
  "vitest.config.ts",
];
const INSPECTOR = ["check", "--no-openclaw", "--runtime", "--mock-sdk", "--allow-execute", "--author-facing"];
/** With the installed host; by itself it would fetch the latest. */
const CLAWHUB = ["--openclaw", "node_modules/openclaw", "--runtime", "--allow-execute"];

/** Later steps look at what `build` made. */
const STEPS: readonly Step[] = [
  { name: "format", command: "oxfmt", args: ["--check", "."] },
  { name: "lint", command: "oxlint", args: CODE },
  { name: "types", command: "tsc", args: ["-p", "."] },
  { name: "unused code", command: "knip", args: ["--no-progress"] },
  { name: "build", command: "tsup", args: ["--silent"] },
  { name: "third-party notices", command: process.execPath, args: ["scripts/notices.ts", "--check"] },
  { name: "icons", command: process.execPath, args: ["scripts/icons.ts", "--check"] },
  { name: "package", command: "publint", args: ["run", "--strict", "--pack", "npm"] },
  {
    name: "host's package rules",
    command: "plugin-inspector",
    args: [...INSPECTOR, "--out", "node_modules/.cache/inspector"],
  },
  {
    name: "ClawHub's package rules",
    command: "clawhub",
    args: ["package", "validate", ".", ...CLAWHUB, "--out", "node_modules/.cache/clawhub"],
  },
];

let failed = 0;
for (const { name, command, args } of STEPS) {
  const startedAt = performance.now();
  const { code, output }: ToolRun = await runTool(command, args);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${code === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)\n`);
  if (code === 0) continue;
  failed += 1;
  process.stdout.write(`\n$ ${[command, ...args].join(" ")}\n${output.trim()}\n\n`);
}
process.stdout.write(
  failed === 0 ? `check: all ${STEPS.length} steps passed\n` : `check: ${failed} of ${STEPS.length} steps failed\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
