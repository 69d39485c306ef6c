/** What the READMEs, the reference and the skill say of calls is what the code takes; the tables are made from it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Errors } from "@sinclair/typebox/errors";
import { Check, Default } from "@sinclair/typebox/value";
import { describe, expect, test } from "vitest";
import { descriptions, REFERENCE_FILES, withTables } from "../scripts/reference-tables.ts";
import { CHINESE } from "../scripts/reference-zh.ts";
import { parseConfig } from "../src/config.ts";
import { wordsOf } from "../src/core/language.ts";
import { operations } from "../src/operations/table.ts";
import { blocksOf, DOCUMENTS, ELSEWHERE, PICTURES, READMES, shellLines, typedLines, WALKED } from "./readme-blocks.ts";
import { skillExamples } from "./skill-examples.ts";

const OPERATIONS = operations(() => undefined);

function problemsOf(tool: string, params: Readonly<Record<string, unknown>>): readonly string[] {
  const operation = OPERATIONS.find((one) => one.tool === tool);
  if (operation === undefined) return [`there is no tool ${tool}`];
  const filled = Default(operation.params, { ...params });
  return Check(operation.params, filled)
    ? []
    : [...Errors(operation.params, filled)].map(({ path, message }) => `${path} ${message}`);
}

test.each(REFERENCE_FILES)("the tables of %s say what the code does (`npm run tables` writes them)", (file) => {
  const text = readFileSync(join(import.meta.dirname, "..", file), "utf8");
  expect(withTables(file, text)).toBe(text);
});

test("each description of a parameter, an answer or a key has its Chinese (scripts/reference-zh.ts), and no other has one", () => {
  const english = new Set(descriptions());
  expect([...english].filter((sentence) => !(sentence in CHINESE))).toEqual([]);
  expect(Object.keys(CHINESE).filter((sentence) => !english.has(sentence))).toEqual([]);
});

describe("the examples of the skill", () => {
  test.each(skillExamples())("$tool $params", ({ tool, params }) => {
    expect(problemsOf(tool, params)).toEqual([]);
  });

  test("show every operation that agents use often", () => {
    const shown = new Set(skillExamples().map(({ tool }) => tool));
    for (const name of ["launch", "respond", "output", "sessions", "resume", "kill"]) {
      expect(shown).toContain(`iflow_${name}`);
    }
  });
});

const BLOCKS = DOCUMENTS.flatMap((file) => blocksOf(file));
const TYPED = BLOCKS.flatMap((block) => typedLines(block).map((line) => ({ file: block.file, line })));

describe("chat commands in the READMEs", () => {
  test("there are some", () => expect(TYPED.length).toBeGreaterThan(4));

  test.each(TYPED)("$file: $line", ({ line }) => {
    const [, word = "", args = ""] = /^\/(\w+)\s*([^]*)$/.exec(line) ?? [];
    const operation = OPERATIONS.find((one) => one.command === word);
    const parsed = operation?.parseCommand(args);
    expect(parsed).toMatchObject({ ok: "params" });
    if (operation !== undefined && parsed?.ok === "params") {
      expect(problemsOf(operation.tool, parsed.params)).toEqual([]);
    }
  });
});

test.each([
  ["README.md", "en"],
  ["README.zh.md", "zh"],
] as const)("the dialogue of %s has the words of its notices", (file, language) => {
  const { head } = wordsOf(language);
  const [dialogue] = blocksOf(file);
  const said = dialogue?.lines.filter((line) => line.startsWith("plugin")) ?? [];
  const heads = [
    "↩️ Launched login",
    `🔔 ${head.permission("login")}`,
    `✅ ${head.turnFinished("login", 1, undefined)}`,
  ];
  expect(said.map((line, at) => line.replace(/^plugin +/, "").startsWith(heads[at] ?? "?"))).toEqual([
    true,
    true,
    true,
  ]);
});

describe("JSON in the READMEs is a configuration that the plugin takes", () => {
  const json = BLOCKS.filter(({ language }) => language === "json");

  test("both have one", () => expect(json.map(({ file }) => file)).toEqual([...READMES]));

  test.each(json)("$file: $heading", ({ lines }) => {
    const { plugins } = JSON.parse(lines.join("\n")) as { plugins: { entries: Record<string, { config: unknown }> } };
    expect(Object.keys(plugins.entries)).toEqual(["openclaw-iflow-plugin"]);
    expect(parseConfig(plugins.entries["openclaw-iflow-plugin"]?.config, "/home/you")).toMatchObject({ ok: true });
  });
});

/** A new block that nothing keeps true fails here. */
test.each(BLOCKS)("$file, $heading: a block that a test keeps true ($language)", (block) => {
  switch (block.language) {
    case "json":
      return;
    case "sh": {
      if (READMES.some((file) => file === block.file && WALKED[file] === block.heading)) return;
      expect(shellLines(block).filter((line) => !(line in ELSEWHERE))).toEqual([]);
      return;
    }
    default: {
      const isPicture = block.lines.some((line) => line in PICTURES);
      const others = block.lines.filter(
        (line) => line !== "" && !typedLines(block).some((typed) => line.includes(typed)),
      );
      expect(isPicture ? [] : others).toEqual([]);
    }
  }
});
