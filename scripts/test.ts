/**
 * `npm test [vitest's arguments]`: runs vitest, and says as the very last line how many tests passed, failed and were skipped.
 * Where CI is set, files of the gateway suite that failed run once more, each from its beginning with a gateway of its own
 * (a shared machine may stall one for seconds), and are named: what fails twice is broken. No other test has a second go.
 * The exit code is vitest's own, and 1 when the report is missing (a run that was cut off must not look green).
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { ROOT, runTool } from "./tool.ts";

const WITH_A_GATEWAY = [join("test", "gateway") + sep, join("test", "demo") + sep];

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly FileReport[];
}

interface FileReport {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

interface Run {
  readonly code: number;
  readonly report: Report | undefined;
}

async function runTests(folder: string, args: readonly string[]): Promise<Run> {
  const file = join(folder, "report.json");
  await rm(file, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const { code } = await runTool("vitest", ["run", ...reporters, ...args], { shown: true });
  try {
    return { code, report: JSON.parse(await readFile(file, "utf8")) as Report };
  } catch {
    // Absent or cut off: vitest died, and that is what is said below.
    return { code: code === 0 ? 1 : code, report: undefined };
  }
}

const nameOf = ({ name }: FileReport): string => relative(ROOT, name);
const failedFiles = (report: Report): readonly FileReport[] =>
  report.testResults.filter(({ status }) => status === "failed");

/** The files that may have a second go: none when anything else failed as well. */
function secondGo({ report }: Run): readonly FileReport[] {
  if (process.env["CI"] === undefined || report === undefined) return [];
  const failed = failedFiles(report);
  return failed.every((file) => WITH_A_GATEWAY.some((folder) => nameOf(file).startsWith(folder))) ? failed : [];
}

/** How many tests of these files ended so. */
const count = (files: readonly FileReport[], status: string): number =>
  files.flatMap(({ assertionResults }) => assertionResults).filter((test) => test.status === status).length;

function sayEnd(
  { code, report }: Run,
  again: { readonly files: readonly FileReport[]; readonly run: Run } | undefined,
) {
  const replaced = again?.files ?? [];
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = report ?? {};
  const second = again?.run.report;
  const passed = numPassedTests - count(replaced, "passed") + (second?.numPassedTests ?? 0);
  const failed = again === undefined ? numFailedTests : (second?.numFailedTests ?? count(replaced, "failed"));
  const skipped = numPendingTests + numTodoTests - count(replaced, "skipped") + (second?.numPendingTests ?? 0);
  if (replaced.length > 0) process.stdout.write(`Ran twice: ${replaced.map(nameOf).join(", ")}\n`);
  const last = again?.run ?? { code, report };
  process.exitCode = last.code;
  const cause = last.report
    ? last.code !== 0 && failed === 0
      ? " (vitest failed outside a test)"
      : ""
    : " (vitest wrote no report)";
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped${cause}\n`);
}

const folder = await mkdtemp(join(tmpdir(), "iflow-plugin-test-"));
try {
  const first = await runTests(folder, process.argv.slice(2));
  const files = secondGo(first);
  const again = files.length === 0 ? undefined : { files, run: await runTests(folder, files.map(nameOf)) };
  sayEnd(first, again);
} finally {
  await rm(folder, { recursive: true, force: true });
}
