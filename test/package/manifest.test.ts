/** The manifest says what the code says: schema, version, tools, commands, hints. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { manifestSchema } from "../../src/config-schema.ts";
import { operations } from "../../src/operations/table.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const VERBS = operations(() => undefined).map(({ name }) => name);

const OLDEST_HOST = "test/hosts/2026.7.35";
const LOCKFILES = ["package-lock.json", `${OLDEST_HOST}/package-lock.json`];

type Json = Record<string, unknown>;
type Schema = { properties?: Record<string, Schema>; patternProperties?: Record<string, Schema>; type?: string };

function read<T = Json>(file: string): T {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8")) as T;
}

/** `agent`, `agent.command`, `agent.env.*`: every key that a form may show. */
function paths(schema: Schema, prefix = ""): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [
    prefix + key,
    ...paths(inner, `${prefix}${key}.`),
  ]);
}

const manifest = read<{
  id: string;
  version: string;
  configSchema: Schema;
  uiHints: Record<string, { label: string; sensitive?: boolean }>;
  contracts: { tools: string[] };
  toolMetadata: Record<
    string,
    { profiles: string[]; optional?: boolean; sideEffecting?: boolean; replaySafe?: boolean }
  >;
  activation: { onStartup: boolean; onCommands: string[] };
  commandAliases: { name: string }[];
  cliCommands: { name: string }[];
  skills: string[];
  configGroups: { properties: string[] }[];
  configContracts: { dangerousFlags: { path: string; equals: unknown }[]; secretInputs: { paths: { path: string }[] } };
}>("openclaw.plugin.json");
const packageJson = read<{
  name: string;
  version: string;
  dependencies?: Json;
  peerDependencies: Json;
  devDependencies: Record<string, string>;
  files: string[];
  openclaw: { extensions: string[]; install: Json; compat: Json; build: Record<string, string> };
}>("package.json");

describe("manifest", () => {
  test("its schema is that of the code (npm run manifest writes it)", () => {
    expect(manifest.configSchema).toEqual(manifestSchema());
  });

  test("one id, one name, one version", () => {
    expect(manifest.id).toBe(packageJson.name);
    expect(manifest.version).toBe(packageJson.version);
  });

  test("what has a default is not asked for", () => {
    expect(manifest.configSchema).not.toHaveProperty("required");
    expect(manifest.configSchema.properties?.["agent"]).not.toHaveProperty("required");
  });

  test("a tool for each operation, shown in every profile, and each either a read or a change", () => {
    expect(manifest.contracts.tools).toEqual(VERBS.map((verb) => `iflow_${verb}`));
    expect(Object.keys(manifest.toolMetadata)).toEqual(manifest.contracts.tools);
    for (const metadata of Object.values(manifest.toolMetadata)) {
      expect(metadata.profiles).toEqual(["coding", "messaging", "full"]);
      expect(metadata.sideEffecting === true).not.toBe(metadata.replaySafe === true);
      // An optional tool is hidden from the model until the operator allows it.
      expect(metadata.optional).toBeUndefined();
    }
  });

  test("loaded at start, by a command for each operation and one CLI command", () => {
    const commands = VERBS.map((verb) => (verb === "launch" ? "iflow" : `iflow_${verb}`));
    expect(manifest.activation).toEqual({ onStartup: true, onCommands: commands });
    expect(manifest.commandAliases.map(({ name }) => name)).toEqual(commands);
    expect(manifest.cliCommands.map(({ name }) => name)).toEqual(["iflow"]);
    expect(manifest.skills).toEqual(["./skills"]);
  });

  test("every key has a label, and nothing else has", () => {
    const keys = [...paths(manifest.configSchema), "agent.env.*"];
    expect(Object.keys(manifest.uiHints).toSorted()).toEqual(keys.toSorted());
    for (const hint of Object.values(manifest.uiHints)) expect(hint.label).not.toBe("");
  });

  test("every key stands in one group of the settings page", () => {
    const grouped = manifest.configGroups.flatMap(({ properties }) => properties);
    expect(grouped.toSorted()).toEqual(Object.keys(manifest.configSchema.properties ?? {}).toSorted());
  });

  test("secrets are marked for the host and hidden in forms", () => {
    const secrets = manifest.configContracts.secretInputs.paths.map(({ path }) => path);
    expect(secrets).toEqual(["agent.auth.apiKey", "agent.env.*"]);
    const hidden = Object.entries(manifest.uiHints).filter(([, hint]) => hint.sensitive);
    expect(hidden.map(([path]) => path).toSorted()).toEqual(secrets.toSorted());
  });

  test("what takes a protection away is flagged, and no default is", () => {
    const flags = manifest.configContracts.dangerousFlags;
    expect(flags).toEqual([
      { path: "skipSafetyChecks", equals: true },
      { path: "allowedWorkdirs.*", equals: "/" },
    ]);
  });
});

describe("package", () => {
  test("nothing is installed with it: the bundle has it all", () => {
    expect(packageJson.dependencies).toBeUndefined();
    expect(packageJson.openclaw.extensions).toEqual(["./dist/index.js"]);
    expect(packageJson.files).toEqual(expect.arrayContaining(["dist", "skills", "openclaw.plugin.json", "README*.md"]));
  });

  test("every version is exact, and the built-for host is the one that is tested with", () => {
    for (const version of Object.values(packageJson.devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect(packageJson.openclaw.build["openclawVersion"]).toBe(packageJson.devDependencies["openclaw"]);
  });

  test("the oldest host that it asks for is the oldest that is tested with, and the README says so", () => {
    const host = read<{ dependencies: { openclaw: string } }>(`${OLDEST_HOST}/package.json`).dependencies.openclaw;
    expect(packageJson.peerDependencies).toEqual({ openclaw: `>=${host}` });
    expect(packageJson.openclaw.install).toMatchObject({ minHostVersion: `>=${host}` });
    expect(packageJson.openclaw.compat).toEqual({ pluginApi: `>=${host}`, minGatewayVersion: host });
    for (const file of ["README.md", "README.zh.md"]) {
      expect(readFileSync(join(ROOT, file), "utf8")).toContain(`OpenClaw ${host}`);
    }
  });

  test.each(LOCKFILES)("%s names no place to fetch from", (file) => {
    expect(readFileSync(join(ROOT, file), "utf8")).not.toMatch(/"resolved"/);
  });

  test.each(LOCKFILES)("%s holds the packages of every platform, so that npm ci works on each", (file) => {
    const { packages } = read<{ packages: Record<string, { optionalDependencies?: Json }> }>(file);
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !foldersAbove(path).some((folder) => `${folder}node_modules/${name}` in packages))
        .map((name) => `${path} -> ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

/** `node_modules/a/node_modules/b` -> itself, `node_modules/a/`, the root: where its packages are looked for. */
function foldersAbove(path: string): string[] {
  if (path === "") return [""];
  const end = path.lastIndexOf("node_modules/");
  return [`${path}/`, ...foldersAbove(path.slice(0, Math.max(0, end - 1)))];
}
