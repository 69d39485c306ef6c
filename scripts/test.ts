/**
 * `npm test [vitest's arguments]`: runs vitest, and says as the very last line how many tests passed, failed and were skipped.
 * The exit code is vitest's own, and 1 when the report is missing (a run that was cut off must not look green).
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "./tool.ts";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
}

async function readReport(file: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Report;
  } catch {
    // Absent or cut off: vitest died, and that is what is said below.
    return undefined;
  }
}

const folder = await mkdtemp(join(tmpdir(), "iflow-plugin-test-"));
try {
  const file = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const { code } = await runTool("vitest", ["run", ...reporters, ...process.argv.slice(2)], { shown: true });
  const report = await readReport(file);
  process.exitCode = report ? code : 1;
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = report ?? {};
  const skipped = numPendingTests + numTodoTests;
  const counts = `${numPassedTests} passed, ${numFailedTests} failed, ${skipped} skipped`;
  const cause = report
    ? code !== 0 && numFailedTests === 0
      ? " (vitest failed outside a test)"
      : ""
    : " (vitest wrote no report)";
  process.stdout.write(`${counts}${cause}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
