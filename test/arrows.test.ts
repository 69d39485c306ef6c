/**
 * The lint rules are alive: every arrow between rooms, and every rule that we lean on, is tried on a small bad file,
 * and the same file made good passes. The table below is written apart from the lint configuration on purpose.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtempDisposable, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";

const REPOSITORY = join(import.meta.dirname, "..");
const ROOMS = ["core", "engine", "operations", "agent", "host", "journal"] as const;

/** What a room may import: V values, T types only, nothing else. */
const MAY: Record<(typeof ROOMS)[number], Partial<Record<string, "V" | "T">>> = {
  core: {},
  engine: { core: "V", ports: "V" },
  operations: { core: "V", engine: "V", ports: "V", "regular-file": "V", config: "T" },
  agent: { core: "V", ports: "V", "regular-file": "V", config: "T" },
  host: { core: "V", ports: "V", operations: "T", config: "T" },
  journal: { core: "V", ports: "V", "regular-file": "V" },
};
const TARGETS = [...ROOMS, "ports", "regular-file", "config", "plugin"] as const;

interface Case {
  readonly title: string;
  readonly file: string;
  readonly source: string;
  /** The rule that must complain; undefined: nothing may complain. */
  readonly rule: string | undefined;
}

const cases: Case[] = [];
function bad(title: string, file: string, source: string, rule: string): void {
  cases.push({ title, file, source, rule });
}
function good(title: string, file: string, source: string): void {
  cases.push({ title, file, source, rule: undefined });
}

const IMPORTS = "eslint(no-restricted-imports)";
const GLOBALS = "eslint(no-restricted-globals)";

for (const room of ROOMS) {
  for (const target of TARGETS) {
    if (target === room) continue;
    const from = TARGETS.indexOf(target) < ROOMS.length ? `${target}/thing.ts` : `${target}.ts`;
    const value = `export { thing } from "../${from}";\n`;
    const type = `export type { Thing } from "../${from}";\n`;
    const lazily = `export const later = () => import("../../${from}");\n`;
    const may = MAY[room][target];
    const here = `src/${room}/from-${target}`;
    if (may === "V") {
      good(`${room} may import ${target}`, `${here}.ts`, value);
    } else {
      bad(`${room} may not import ${target}`, `${here}.ts`, value, IMPORTS);
      bad(
        `${room} may not import ${target} lazily from a folder`,
        `src/${room}/deep/from-${target}.ts`,
        lazily,
        IMPORTS,
      );
      if (may === "T") good(`${room} may import types of ${target}`, `${here}-type.ts`, type);
      else bad(`${room} may not import types of ${target}`, `${here}-type.ts`, type, IMPORTS);
    }
  }
  const own = `export { thing } from "./thing.ts";\n`;
  good(`${room} may import itself`, `src/${room}/own.ts`, own);
  bad(`${room} may not import tests`, `src/${room}/from-test.ts`, `import "../../test/fakes/x.ts";\n`, IMPORTS);
  bad(`${room} may not import left-pad`, `src/${room}/package.ts`, `import "left-pad";\n`, IMPORTS);
  bad(`${room} may not import the host's SDK`, `src/${room}/sdk2.ts`, `import "openclaw/plugin-sdk/core";\n`, IMPORTS);
  bad(`${room} may not print`, `src/${room}/print.ts`, `console.log(1);\n`, "eslint(no-console)");
}
good(
  "only host/sdk.ts imports the host's SDK",
  "src/host/sdk.ts",
  `export type { X } from "openclaw/plugin-sdk/core";\n`,
);
bad("host/sdk.ts keeps the host's arrows", "src/host/sdk.ts", `export { thing } from "../engine/thing.ts";\n`, IMPORTS);
good("plugin.ts imports every room", "src/plugin.ts", `export { thing } from "./host/thing.ts";\n`);
bad("ports.ts looks at the core only", "src/ports.ts", `export type { Thing } from "./host/thing.ts";\n`, IMPORTS);
bad("config.ts looks at the core only", "src/config.ts", `export { thing } from "./engine/thing.ts";\n`, IMPORTS);
bad("index.ts knows plugin.ts only", "index.ts", `export { thing } from "./src/engine/thing.ts";\n`, IMPORTS);

for (const room of ["core", "engine"]) {
  const clocks = [
    "Date.now()",
    "new Date()",
    "performance.now()",
    "setTimeout(String, 1)",
    "globalThis.Date",
    "process.pid",
  ];
  for (const [i, clock] of clocks.entries()) {
    bad(`${room} has no ${clock}`, `src/${room}/clock-${i}.ts`, `export const x = ${clock};\n`, GLOBALS);
  }
  const random = "export const x = Math.random();\n";
  bad(`${room} has no randomness`, `src/${room}/random.ts`, random, "eslint(no-restricted-properties)");
  for (const name of ["node:fs", "fs", "node:child_process"]) {
    bad(`${room} has no ${name}`, `src/${room}/${name.replace(":", "-")}.ts`, `import "${name}";\n`, IMPORTS);
  }
}
for (const room of ["operations", "agent", "host", "journal"]) {
  good(`${room} may use node`, `src/${room}/node.ts`, `import "node:path";\nimport "node:fs/promises";\n`);
}
bad("core has no node:util", "src/core/util.ts", `import "node:util";\n`, IMPORTS);

const KINDS = `type K = { kind: "a" } | { kind: "b" };\nexport function of(k: K): number {\n  switch (k.kind) {\n    case "a":\n      return 1;\n`;
const EXHAUSTIVE = "typescript(switch-exhaustiveness-check)";
bad("a switch over a union is exhaustive", "src/core/switch.ts", `${KINDS}  }\n  return 2;\n}\n`, EXHAUSTIVE);
bad(
  "a default does not stand in for a case",
  "src/core/default.ts",
  `${KINDS}    default:\n      return 2;\n  }\n}\n`,
  EXHAUSTIVE,
);
bad(
  "an exhaustive switch has no default",
  "src/core/needless.ts",
  `${KINDS}    case "b":\n      return 2;\n    default:\n      return 3;\n  }\n}\n`,
  EXHAUSTIVE,
);
good("an exhaustive switch passes", "src/core/all-cases.ts", `${KINDS}    case "b":\n      return 2;\n  }\n}\n`);
const ASYNC = "async function f(): Promise<void> {\n  await Promise.resolve();\n}\n";
bad(
  "a promise is awaited",
  "src/host/floating.ts",
  `${ASYNC}export function g(): void {\n  f();\n}\n`,
  "typescript(no-floating-promises)",
);
bad(
  "no promise where void is expected",
  "src/host/misused.ts",
  `${ASYNC}export const x = [1].map(String);\nx.forEach(f);\n`,
  "typescript(no-misused-promises)",
);
bad("no any", "src/host/any.ts", "export const x: any = 1;\n", "typescript(no-explicit-any)");
const ANY = `const x = JSON.parse("1");\n`;
bad("nothing unsafe is assigned", "src/host/unsafe.ts", `export ${ANY}`, "typescript(no-unsafe-assignment)");
bad("nothing unsafe is called", "src/host/call.ts", `export ${ANY}x();\n`, "typescript(no-unsafe-call)");
bad(
  "nothing unsafe is passed",
  "src/host/pass.ts",
  `${ANY}export const y = String.fromCharCode(x);\n`,
  "typescript(no-unsafe-argument)",
);
bad(
  "nothing unsafe is returned",
  "src/host/return.ts",
  `export const f = (): string => JSON.parse("1");\n`,
  "typescript(no-unsafe-return)",
);
bad(
  "no member of something unsafe",
  "src/host/member.ts",
  `${ANY}export const y = String(x.a);\n`,
  "typescript(no-unsafe-member-access)",
);
bad("no empty catch", "src/host/catch.ts", "try {\n  String(1);\n} catch {}\n", "eslint(no-empty)");
bad("no default export", "src/host/default.ts", "export default 1;\n", "import(no-default-export)");
bad("no ts-ignore", "src/host/ignore.ts", "// @ts-ignore\nexport const x: string = 1;\n", "typescript(ban-ts-comment)");
bad(
  "no environment but through the root",
  "src/host/env.ts",
  "export const x = process.env;\n",
  "node(no-process-env)",
);
bad("no more than 400 lines", "src/host/long.ts", "export {};\n".repeat(401), "eslint(max-lines)");
bad(
  "no cycle",
  "src/host/cycle.ts",
  `import { b } from "./cycle-back.ts";\nexport const a = () => b;\n`,
  "import(no-cycle)",
);
bad(
  "no cycle, back",
  "src/host/cycle-back.ts",
  `import { a } from "./cycle.ts";\nexport const b = () => a;\n`,
  "import(no-cycle)",
);
bad("no import by a .js name", "src/host/js.ts", `export { thing } from "./thing.js";\n`, IMPORTS);
bad(
  "no module mocks",
  "test/mock.test.ts",
  `import { vi } from "vitest";\nvi.mock("x");\n`,
  "vitest(no-restricted-vi-methods)",
);
bad(
  "no skipped tests",
  "test/skip.test.ts",
  `import { test } from "vitest";\ntest.skip("x", () => {});\n`,
  "vitest(no-disabled-tests)",
);
bad(
  "no lone tests",
  "test/only.test.ts",
  `import { test } from "vitest";\ntest.only("x", () => {});\n`,
  "vitest(no-focused-tests)",
);

interface Report {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
}

/** Some paths are tried twice (good and bad): the second goes into a tree of its own. */
function plant(all: readonly Case[]): Map<string, Case>[] {
  const trees: Map<string, Case>[] = [];
  for (const one of all) {
    let tree = trees.find((files) => !files.has(one.file));
    if (!tree) trees.push((tree = new Map<string, Case>()));
    tree.set(one.file, one);
  }
  return trees;
}

async function lint(tree: ReadonlyMap<string, Case>): Promise<Map<Case, string[]>> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "arrows-"));
  await symlink(join(REPOSITORY, "node_modules"), join(folder.path, "node_modules"));
  await copyFile(join(REPOSITORY, "tsconfig.json"), join(folder.path, "tsconfig.json"));
  await writeFile(join(folder.path, "package.json"), `{ "type": "module" }\n`);
  const config = JSON.stringify(join(REPOSITORY, "oxlint.config.ts"));
  await writeFile(join(folder.path, "oxlint.config.ts"), `export { default } from ${config};\n`);
  for (const [file, { source }] of tree) {
    await mkdir(dirname(join(folder.path, file)), { recursive: true });
    await writeFile(join(folder.path, file), source);
  }
  // Paths are named: a walk from the root would follow the link into node_modules.
  const paths = ["src", "test", "index.ts"].filter((path) => [...tree.keys()].some((file) => file.startsWith(path)));
  const report = JSON.parse(await oxlint(folder.path, ["--format=json", ...paths])) as Report;
  const found = new Map<Case, string[]>([...tree.values()].map((one) => [one, []]));
  for (const { code, filename } of report.diagnostics) found.get(tree.get(filename)!)?.push(code);
  return found;
}

async function oxlint(cwd: string, args: readonly string[]): Promise<string> {
  const command = join(REPOSITORY, "node_modules", ".bin", "oxlint");
  const run = await promisify(execFile)(command, args, { cwd, maxBuffer: 64 << 20 }).catch((failure: unknown) => {
    // Exit code 1 means findings, and they are on stdout.
    if (failure instanceof Error && "stdout" in failure && typeof failure.stdout === "string" && failure.stdout) {
      return { stdout: failure.stdout };
    }
    throw failure;
  });
  return run.stdout;
}

describe("lint", () => {
  const found = new Map<Case, string[]>();

  beforeAll(async () => {
    for (const tree of plant(cases)) for (const [one, rules] of await lint(tree)) found.set(one, rules);
  }, 60_000);

  test.each(cases.map((one) => [one.title, one.file, one] as const))("%s (%s)", (_title, _file, one) => {
    expect(found.get(one)).toEqual(one.rule === undefined ? [] : expect.arrayContaining([one.rule]));
  });
});
