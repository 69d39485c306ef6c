/**
 * The lint rules, and above all the arrows between rooms: which room may import what.
 * `test/arrows.test.ts` runs every arrow on a small bad file, so that a rule which stops working is noticed.
 */
import { defineConfig, type OxlintConfig } from "oxlint";

type Override = NonNullable<OxlintConfig["overrides"]>[number];

const ROOMS = ["core", "engine", "operations", "agent", "host", "journal"] as const;
const ROOT_FILES = ["ports", "regular-file", "config", "config-schema", "plugin"] as const;

type Room = (typeof ROOMS)[number];
type Target = Room | (typeof ROOT_FILES)[number];

interface Arrows {
  /** Rooms and files of src/ that it may import, besides itself. */
  readonly to: readonly Target[];
  /** Of these, types only: values are passed in. */
  readonly typesOnly?: readonly Target[];
  /** Packages and node modules (gitignore patterns). */
  readonly packages: readonly string[];
  /** No clock, timer, random, process: time and ids are passed in. */
  readonly timeless?: true;
}

/** Every node module; a `*` doesn't reach over a slash. */
const NODE = ["node:*", "node:*/*"];
const PACKAGES_OF_THE_ENGINE = ["p-queue", "fastest-levenshtein", "node:crypto", "node:events", "node:util"];

const ARROWS: Readonly<Record<Room, Arrows>> = {
  core: { to: [], packages: ["@sinclair/typebox", "@sinclair/typebox/*"], timeless: true },
  engine: { to: ["core", "ports"], packages: PACKAGES_OF_THE_ENGINE, timeless: true },
  operations: {
    to: ["core", "engine", "ports", "regular-file", "config"],
    typesOnly: ["config"],
    packages: ["@sinclair/typebox", "@sinclair/typebox/*", ...NODE],
  },
  agent: {
    to: ["core", "ports", "regular-file", "config"],
    typesOnly: ["config"],
    packages: ["@iflow-ai/iflow-cli-sdk", "ws", ...NODE],
  },
  host: {
    to: ["core", "ports", "operations", "config"],
    typesOnly: ["operations", "config"],
    packages: ["@sinclair/typebox", ...NODE],
  },
  journal: { to: ["core", "ports", "regular-file"], packages: NODE },
};

type Pattern = { group?: string[]; regex?: string; allowTypeImports?: boolean; message: string };

function relativeTo(target: Target): string {
  const isRoom = (ROOMS as readonly string[]).includes(target);
  return isRoom ? `^\\.\\.?/(?:.*/)?${target}/` : `^(?:\\./)?(?:\\.\\./)+${target}(?:\\.ts|\\.js)?$`;
}

function patternsOf(room: Room, packages: readonly string[] = ARROWS[room].packages): Pattern[] {
  const { to, typesOnly = [] } = ARROWS[room];
  const patterns: Pattern[] = [
    {
      regex: "^(?:\\.\\./)+(?:test|scripts|demo|bench|dist|index\\.ts)(?:/|$)",
      message: "src/ imports nothing outside src/.",
    },
    { regex: "^\\.\\.?/.*\\.js$", message: "Import the .ts file by its own name." },
  ];
  for (const target of [...ROOMS, ...ROOT_FILES]) {
    if (target === room || (to.includes(target) && !typesOnly.includes(target))) continue;
    patterns.push({
      regex: relativeTo(target),
      allowTypeImports: typesOnly.includes(target),
      message: typesOnly.includes(target)
        ? `src/${room} may import types of ${target}, values are passed in.`
        : `src/${room} may not import ${target} (see the arrows in DESIGN.md).`,
    });
  }
  // Last: once a negated pattern has let a path pass, oxlint asks no further pattern.
  patterns.push({
    group: ["*", "!./**", "!../**", ...packages.map((name) => `!${name}`)],
    message: `src/${room} may import no package but: ${packages.join(", ")}.`,
  });
  return patterns;
}

const CLOCKS = [
  "Date",
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "clearImmediate",
  "Temporal",
  "crypto",
  "fetch",
  "process",
  "globalThis",
  "global",
  "require",
];

function roomOverride(room: Room): Override {
  const rules: Override["rules"] = { "no-restricted-imports": ["error", { patterns: patternsOf(room) }] };
  if (ARROWS[room].timeless) {
    rules["no-restricted-globals"] = [
      "error",
      ...CLOCKS.map((name) => ({ name, message: `src/${room} gets time, ids and the outside world passed in.` })),
    ];
    rules["no-restricted-properties"] = [
      "error",
      { object: "Math", property: "random", message: `src/${room} gets its randomness passed in.` },
      { object: "AbortSignal", property: "timeout", message: `src/${room} gets its timers passed in.` },
    ];
  }
  return { files: [`src/${room}/**/*.ts`], rules };
}

/** A single file: `allowed` are the specifiers that it may import (gitignore patterns). */
function fileOverride(file: string, allowed: readonly string[]): Override {
  const patterns: Pattern[] = [
    { group: ["*", ...allowed.map((name) => `!${name}`)], message: `${file} may import only: ${allowed.join(", ")}.` },
  ];
  return { files: [file], rules: { "no-restricted-imports": ["error", { patterns }] } };
}

const UNTYPED = ["argument", "assignment", "call", "member-access", "return"].map(
  (what) => `typescript/no-unsafe-${what}`,
);

export default defineConfig({
  plugins: ["eslint", "typescript", "import", "unicorn", "oxc", "node", "promise", "vitest"],
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: "error" },
  categories: { correctness: "error" },
  ignorePatterns: ["dist", "coverage", "node_modules", ".node", "test/fixtures"],
  rules: {
    // Promises and types
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/await-thenable": "error",
    "typescript/return-await": ["error", "in-try-catch"],
    "typescript/switch-exhaustiveness-check": [
      "error",
      { allowDefaultCaseForExhaustiveSwitch: false, considerDefaultExhaustiveForUnions: false },
    ],
    "typescript/no-misused-spread": ["error", { allow: ["string"] }],
    "typescript/no-explicit-any": "error",
    "typescript/no-unsafe-argument": "error",
    "typescript/no-unsafe-assignment": "error",
    "typescript/no-unsafe-call": "error",
    "typescript/no-unsafe-member-access": "error",
    "typescript/no-unsafe-return": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-unnecessary-type-assertion": "error",
    "typescript/only-throw-error": "error",
    "typescript/prefer-promise-reject-errors": "error",
    "typescript/use-unknown-in-catch-callback-variable": "error",
    "typescript/restrict-plus-operands": "error",
    "typescript/no-deprecated": "error",
    "typescript/ban-ts-comment": "error",
    "typescript/consistent-type-imports": "error",
    "typescript/no-namespace": "error",
    // Plain mistakes
    eqeqeq: "error",
    "no-empty": ["error", { allowEmptyCatch: false }],
    "no-shadow": "error",
    "no-self-compare": "error",
    "no-fallthrough": "error",
    "no-warning-comments": ["error", { terms: ["todo", "fixme", "xxx"] }],
    "preserve-caught-error": "error",
    "max-lines": ["error", { max: 400 }],
    "unicorn/prefer-node-protocol": "error",
    // Modules
    "import/no-cycle": "error",
    "import/no-self-import": "error",
    "import/no-default-export": "error",
  },
  overrides: [
    { files: ["src/**/*.ts", "index.ts"], rules: { "no-console": "error", "node/no-process-env": "error" } },
    ...ROOMS.map(roomOverride),
    {
      files: ["src/host/sdk.ts"],
      rules: {
        "no-restricted-imports": ["error", { patterns: patternsOf("host", [...ARROWS.host.packages, "openclaw/**"]) }],
      },
    },
    fileOverride("src/ports.ts", ["./core/**"]),
    fileOverride("src/regular-file.ts", NODE),
    fileOverride("src/config.ts", ["./core/**", "./config-schema.ts", "@sinclair/typebox", "@sinclair/typebox/*"]),
    fileOverride("src/config-schema.ts", ["@sinclair/typebox"]),
    fileOverride("src/plugin.ts", ["./**", ...NODE]),
    fileOverride("index.ts", ["./src/plugin.ts", "openclaw/**"]),
    // The composition root reads the environment once and passes it on.
    { files: ["src/plugin.ts"], rules: { "node/no-process-env": "off" } },
    // Plain JavaScript has no types to be unsafe about.
    { files: ["**/*.mjs"], rules: Object.fromEntries(UNTYPED.map((rule) => [rule, "off" as const])) },
    { files: ["index.ts", "*.config.ts"], rules: { "import/no-default-export": "off" } },
    {
      files: ["test/**/*.ts"],
      rules: {
        "typescript/no-non-null-assertion": "off",
        "typescript/unbound-method": "off",
        // vitest's matchers (`expect.any`) are of type any.
        "typescript/no-unsafe-assignment": "off",
        // Assertions stand in helpers, too, and a promise that nobody awaits is told by no-floating-promises.
        "vitest/no-conditional-expect": "off",
        "vitest/expect-expect": "off",
        "vitest/valid-expect": "off",
        "vitest/require-awaited-expect-poll": "off",
        "vitest/no-focused-tests": "error",
        "vitest/no-disabled-tests": "error",
        "vitest/no-restricted-vi-methods": [
          "error",
          {
            mock: "Fakes stand at ports, never behind an import.",
            doMock: "Fakes stand at ports, never behind an import.",
          },
        ],
      },
    },
  ],
});
