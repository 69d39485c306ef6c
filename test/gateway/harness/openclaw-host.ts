/**
 * The OpenClaw that a test runs: the installed one, or the oldest that is supported.
 * Owns: where its program lies, and installing the older one once, by its own lockfile, into .node/hosts/.
 * 1. An install is made aside and moved into its place whole: one that was cut off is not taken for one.
 * 2. No install script runs; nothing of the older host is a dependency of this project.
 */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

export interface OpenclawHost {
  readonly version: string;
  /** The JavaScript of its command. */
  readonly script: string;
}

const REPOSITORY = join(import.meta.dirname, "../../..");
const OLDEST = "2026.7.35";
const INSTALL_WITHIN_MS = 600_000;

/** IFLOW_TEST_OPENCLAW: the folder of an `openclaw` package of any version, for a run of any test on it. */
const OTHER_HOST = process.env["IFLOW_TEST_OPENCLAW"];

export const installedHost: OpenclawHost = hostIn(
  OTHER_HOST ??
    createRequire(import.meta.url)
      .resolve("openclaw")
      .replace(/\/dist\/.*$/, ""),
);

function hostIn(folder: string): OpenclawHost {
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  return { version, script: join(folder, "openclaw.mjs") };
}

/** Needs the registry once, or npm's cache. */
export async function oldestHost(): Promise<OpenclawHost> {
  const wanted = join(REPOSITORY, "test", "hosts", OLDEST);
  const place = join(REPOSITORY, ".node", "hosts", OLDEST);
  const lockfile = readFileSync(join(wanted, "package-lock.json"), "utf8");
  const isThere = (): boolean =>
    existsSync(join(place, "package-lock.json")) && readFileSync(join(place, "package-lock.json"), "utf8") === lockfile;
  if (!isThere()) {
    mkdirSync(dirname(place), { recursive: true });
    const aside = mkdtempSync(`${place}.`);
    try {
      cpSync(wanted, aside, { recursive: true });
      await install(aside);
      rmSync(place, { recursive: true, force: true });
      renameSync(aside, place);
    } catch (error) {
      // Another run may have been faster.
      if (!isThere()) throw error;
    } finally {
      rmSync(aside, { recursive: true, force: true });
    }
  }
  return hostIn(join(place, "node_modules", "openclaw"));
}

async function install(folder: string): Promise<void> {
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  await promisify(execFile)("npm", args, { cwd: folder, timeout: INSTALL_WITHIN_MS });
}
