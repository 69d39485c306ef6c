/** `npm run demo`, as README.md has it: it exits 0 only when it has seen every step of its story. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

test("the demo tells its story to the end", async () => {
  const { stdout } = await promisify(execFile)("npm", ["run", "demo"], { cwd: ROOT, timeout: 450_000 });
  expect(stdout).toContain("killed with -9");
});
