/**
 * A plugin as a folder that a gateway can load: manifest, package.json, one bundled module.
 * Owns: bundling an entry of this repository into a temporary folder. Remove it with `dispose`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "tsup";
import type { JsonObject } from "./json.ts";

export interface PluginRoot {
  readonly id: string;
  readonly dir: string;
  dispose(): void;
}

export interface PluginSource {
  readonly id: string;
  /** Absolute path of a module, and the name under which it exports the plugin definition. */
  readonly entry: string;
  readonly exportName: string;
  readonly manifest?: JsonObject;
}

export async function bundlePlugin({ id, entry, exportName, manifest = {} }: PluginSource): Promise<PluginRoot> {
  const dir = mkdtempSync(join(tmpdir(), `${id}-`));
  writeJson(join(dir, "openclaw.plugin.json"), {
    id,
    name: id,
    version: "0.0.1",
    activation: { onStartup: true },
    configSchema: { type: "object", additionalProperties: false, properties: {} },
    ...manifest,
  });
  writeJson(join(dir, "package.json"), {
    name: id,
    version: "0.0.1",
    type: "module",
    openclaw: { extensions: ["./dist/index.js"] },
  });
  await build({
    config: false,
    entry: { bundle: entry },
    outDir: join(dir, "dist"),
    format: "esm",
    target: "node24",
    platform: "node",
    silent: true,
    clean: false,
    splitting: false,
    external: [/^openclaw(\/|$)/],
    noExternal: [/^(?!openclaw(\/|$)|node:)/],
    // Bundled CommonJS packages ask for node modules through `require`.
    banner: {
      js: 'import { createRequire as createRequireOfBundle } from "node:module";\nconst require = createRequireOfBundle(import.meta.url);',
    },
  });
  // The host takes the default export of the entry.
  writeFileSync(join(dir, "dist", "index.js"), `export { ${exportName} as default } from "./bundle.js";\n`);
  return { id, dir, dispose: () => rmSync(dir, { recursive: true, force: true }) };
}

function writeJson(file: string, value: JsonObject): void {
  writeFileSync(file, JSON.stringify(value, undefined, 2));
}
