/** `npm run demo`, as README.md has it: it exits 0 only when it has seen every step of its story. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

test("the demo tells its story to the end", async () => {
  const { stdout } = await promisify(execFile)("npm", ["run", "demo"], { cwd: ROOT, timeout: 450_000 });
  expect(stdout).toContain("killed with -9");
});

test("[H5] an agent of one's own has one's own home directory, and a demo that fails ends with a code that says so", async () => {
  const home = await mkdtemp(join(tmpdir(), "iflow-demo-home-"));
  const agent = join(home, "agent");
  await writeFile(agent, '#!/bin/sh\nprintf %s "$HOME" > "$(dirname "$0")/seen"\nexit 3\n', { mode: 0o755 });
  const run = promisify(execFile)("npm", ["run", "demo", "--", "--agent", agent], {
    cwd: ROOT,
    env: { ...process.env, HOME: home },
    timeout: 450_000,
  });
  const failed = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining("The demo failed at step") });
  expect(await readFile(join(home, "seen"), "utf8")).toBe(home);
  await rm(home, { recursive: true, force: true });
});
