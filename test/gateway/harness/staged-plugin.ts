/**
 * The plugin of this repository as a folder that a gateway can load: what its package ships, and nothing else.
 * Needs a build (`npm run build`); `buildPlugin` makes one when the sources are newer.
 */
import { cpSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "tsup";
import options from "../../../tsup.config.ts";

export const PLUGIN_ID = "openclaw-iflow-plugin";
export const REPOSITORY = join(import.meta.dirname, "../../..");
export const DEMO_AGENT = join(REPOSITORY, "demo-agent", "agent.mjs");

const SHIPPED = ["dist", "skills", "assets", "openclaw.plugin.json", "package.json"];

function newestChangeMs(): number {
  const sources = globSync(["index.ts", "src/**/*.ts", "tsup.config.ts", "package-lock.json"], { cwd: REPOSITORY });
  return Math.max(...sources.map((file) => statSync(join(REPOSITORY, file)).mtimeMs));
}

export async function buildPlugin(): Promise<void> {
  const bundle = join(REPOSITORY, "dist", "index.js");
  if (existsSync(bundle) && statSync(bundle).mtimeMs > newestChangeMs()) return;
  if (Array.isArray(options) || typeof options === "function")
    throw new Error("tsup.config.ts is expected to be one set of options");
  await build({ ...options, config: false, silent: true, clean: false, outDir: join(REPOSITORY, "dist") });
}

export interface StagedPlugin {
  readonly dir: string;
  dispose(): void;
}

export async function stagePlugin(): Promise<StagedPlugin> {
  await buildPlugin();
  const dir = mkdtempSync(join(tmpdir(), "iflow-plugin-"));
  for (const name of SHIPPED) cpSync(join(REPOSITORY, name), join(dir, name), { recursive: true });
  return { dir, dispose: () => rmSync(dir, { recursive: true, force: true }) };
}
