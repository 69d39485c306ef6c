/**
 * `npm test [vitest's arguments]`: runs vitest, and says as the very last line how many tests passed, failed and were skipped.
 * Where CI is set, files with real processes that failed run once more, each from its beginning with processes of its own
 * (a shared machine may stall one for seconds), and are named: what fails twice is broken. No other test has a second go.
 * The exit code is vitest's own, and 1 when the report is missing (a run that was cut off must not look green).
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { ROOT, runTool } from "./tool.ts";

/** Folders in which tests start some. */
const WITH_PROCESSES = [
  "agent",
  "config-keys",
  "contract",
  "crash",
  "demo",
  "gateway",
  "journal",
  "operations",
  "package",
].map((room) => join("test", room) + sep);

interface Report {
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

/** The files that may have a second go: none when anything else failed as well. */
function secondGo({ report }: Run): readonly FileReport[] {
  if (process.env["CI"] === undefined || report === undefined) return [];
  const failed = report.testResults.filter(({ status }) => status === "failed");
  return failed.every((file) => WITH_PROCESSES.some((folder) => nameOf(file).startsWith(folder))) ? failed : [];
}

function sayEnd({ code, report }: Run, files: readonly FileReport[]): void {
  const statuses = files.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const [passed = 0, failed = 0] = ["passed", "failed"].map(
    (status) => statuses.filter((one) => one === status).length,
  );
  const outside = code !== 0 && failed === 0 ? " (vitest failed outside a test)" : "";
  const cause = report === undefined ? " (vitest wrote no report)" : outside;
  const skipped = statuses.length - passed - failed;
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped${cause}\n`);
  process.exitCode = code;
}

const folder = await mkdtemp(join(tmpdir(), "iflow-plugin-test-"));
try {
  const first = await runTests(folder, process.argv.slice(2));
  const files = first.report?.testResults ?? [];
  const twice = secondGo(first);
  if (twice.length === 0) sayEnd(first, files);
  else {
    const second = await runTests(folder, twice.map(nameOf));
    process.stdout.write(`Ran twice: ${twice.map(nameOf).join(", ")}\n`);
    const others = files.filter((file) => !twice.includes(file));
    sayEnd(second, [...others, ...(second.report?.testResults ?? twice)]);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
