/** The package as it would be published: one bundle, the licences of what is in it, nothing else. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
/** What a gateway reads at its start; how long that takes is measured by `npm run bench`. */
const LARGEST_BUNDLE_BYTES = 1_500_000;
const NODE_MODULES = new Set(builtinModules);
const run = promisify(execFile);

test("the licence of every bundled package is in the notices (npm run notices writes them)", async () => {
  await run(process.execPath, ["scripts/notices.ts", "--check"], { cwd: ROOT });
  const notices = await readFile(join(ROOT, "THIRD-PARTY-NOTICES.md"), "utf8");
  for (const name of ["@iflow-ai/iflow-cli-sdk", "@sinclair/typebox", "p-queue", "ws"]) {
    expect(notices).toMatch(new RegExp(`^## ${name} \\d`, "m"));
  }
}, 60_000);

test("the bundle is one file that imports only node and the host", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bundle-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await run(join(ROOT, "node_modules", ".bin", "tsup"), ["--silent", "--out-dir", folder], { cwd: ROOT });
  const bundle = await readFile(join(folder, "index.js"), "utf8");
  const imports = [...bundle.matchAll(/^(?:import|export)[^"';]*?from\s*"([^"]+)"|\bimport\("([^"]+)"\)/gm)];
  const foreign = new Set(
    imports.map(([, still, later]) => still ?? later ?? "").filter((name) => !/^(?:node:|openclaw(?:\/|$))/.test(name)),
  );
  // ws is bundled with its bare names of node modules.
  expect([...foreign].filter((name) => !NODE_MODULES.has(name))).toEqual([]);
  expect(bundle).not.toMatch(/sourceMappingURL/);
  expect(Buffer.byteLength(bundle)).toBeLessThan(LARGEST_BUNDLE_BYTES);
  // Ours stays readable: names as they were written, one statement a line.
  expect(bundle).toMatch(/^var SessionActor = class/m);
}, 60_000);

test("the package holds what it needs and nothing else", async () => {
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT });
  const [packed] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const files = packed.files.map(({ path }) => path);
  for (const path of [
    "package.json",
    "openclaw.plugin.json",
    "README.md",
    "docs/reference.md",
    "docs/reference.zh.md",
    "docs/situations.md",
    "LICENSE",
    "assets/icon.png",
    "assets/activity.svg",
    "CHANGELOG.md",
    "THIRD-PARTY-NOTICES.md",
  ]) {
    expect(files).toContain(path);
  }
  const allowed =
    /^(?:dist\/index\.js|skills\/|assets\/|docs\/[a-z.-]+\.md$|docs\/pictures\/[a-z-]+\.png$|openclaw\.plugin\.json|package\.json|LICENSE|[A-Z-]+(?:\.[a-zA-Z-]+)?\.md)/;
  expect(files.filter((path) => !allowed.test(path))).toEqual([]);
}, 60_000);
