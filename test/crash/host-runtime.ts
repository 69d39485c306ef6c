/**
 * The host's own TaskFlow registry without a gateway: the plugin runtime that its gateway gives to plugins, on the database in
 * OPENCLAW_STATE_DIR. The factory is no public export, so it is found by its name in the host's bundle.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { hostTasks, type HostTasks } from "../../src/host/host-tasks.ts";
import { loadHostFunctions, type EmitAgentEvent, type HostRuntime } from "../../src/host/sdk.ts";

export interface HostLedger {
  readonly tasks: HostTasks;
  readonly emit: EmitAgentEvent;
}

export async function openHostLedger(): Promise<HostLedger> {
  const createPluginRuntime = await findFactory();
  const found = hostTasks(createPluginRuntime({}));
  if (!found.ok) throw new Error(found.reason);
  const { emitAgentEvent } = await loadHostFunctions();
  if (emitAgentEvent === undefined) throw new Error("this OpenClaw does not export emitAgentEvent");
  return { tasks: found.tasks, emit: emitAgentEvent };
}

type Factory = (options: Record<string, never>) => HostRuntime;

async function findFactory(): Promise<Factory> {
  const dist = dirname(createRequire(import.meta.url).resolve("openclaw"));
  for (const name of readdirSync(dist).filter((file) => /^runtime-[\w-]+\.mjs$/.test(file))) {
    const text = readFileSync(join(dist, name), "utf8");
    const exported = /export \{[^}]*\bcreatePluginRuntime as (\w+)/.exec(text)?.[1];
    if (exported === undefined) continue;
    const module = (await import(pathToFileURL(join(dist, name)).href)) as Record<string, Factory | undefined>;
    const factory = module[exported];
    if (factory !== undefined) return factory;
  }
  throw new Error(
    `no module in ${dist} exports createPluginRuntime: look how this OpenClaw gives plugins their runtime`,
  );
}
