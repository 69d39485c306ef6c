/** What README.md and the skill say of calls is what the code takes; the tables are made from it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Errors } from "@sinclair/typebox/errors";
import { Check, Default } from "@sinclair/typebox/value";
import { describe, expect, test } from "vitest";
import { withTables } from "../scripts/readme-tables.ts";
import { operations } from "../src/operations/table.ts";
import { skillExamples } from "./skill-examples.ts";

const README = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
const OPERATIONS = operations(() => undefined);

function problemsOf(tool: string, params: Readonly<Record<string, unknown>>): readonly string[] {
  const operation = OPERATIONS.find((one) => one.tool === tool);
  if (operation === undefined) return [`there is no tool ${tool}`];
  const filled = Default(operation.params, { ...params });
  return Check(operation.params, filled)
    ? []
    : [...Errors(operation.params, filled)].map(({ path, message }) => `${path} ${message}`);
}

/** Lines that people type in a chat, from every code block. */
function typedCommands(): readonly string[] {
  const blocks = [...README.matchAll(/^```\w*\n([^]*?)^```$/gm)].map(([, block = ""]) => block);
  return blocks.flatMap((block) => [...block.matchAll(/^(?:you\s+)?(\/iflow.*)$/gm)].map(([, line = ""]) => line));
}

test("the tables of README.md say what the code does (`npm run tables` writes them)", () => {
  expect(withTables(README)).toBe(README);
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

describe("commands in README.md", () => {
  test("there are some", () => expect(typedCommands().length).toBeGreaterThan(1));

  test.each(typedCommands())("%s", (line) => {
    const [, word = "", args = ""] = /^\/(\w+)\s*([^]*)$/.exec(line) ?? [];
    const operation = OPERATIONS.find((one) => one.command === word);
    const parsed = operation?.parseCommand(args);
    expect(parsed).toMatchObject({ ok: "params" });
    if (operation !== undefined && parsed?.ok === "params") {
      expect(problemsOf(operation.tool, parsed.params)).toEqual([]);
    }
  });
});
