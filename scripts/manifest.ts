/**
 * Writes into openclaw.plugin.json what has its source elsewhere: the configuration's schema and the package's version.
 * Run it after a change of src/config-schema.ts; test/package/manifest.test.ts fails until then.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { manifestSchema } from "../src/config-schema.ts";

const root = join(import.meta.dirname, "..");
const manifestFile = join(root, "openclaw.plugin.json");

const manifest = JSON.parse(await readFile(manifestFile, "utf8")) as Record<string, unknown>;
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
await writeFile(manifestFile, `${JSON.stringify({ ...manifest, version, configSchema: manifestSchema() }, null, 2)}\n`);
