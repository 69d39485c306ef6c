/**
 * The tables of README.md that say what the code takes and gives, made from the code's own schemas.
 * Owns: how a schema reads as a table. Does not own: the file, nor any prose around the tables.
 */
import { isDeepStrictEqual } from "node:util";
import { type TObject, type TSchema, TypeGuard } from "@sinclair/typebox";
import { configSchema } from "../src/config-schema.ts";
import * as answers from "../src/operations/answers.ts";
import { STATUSES } from "../src/operations/status.ts";
import { operations } from "../src/operations/table.ts";

/** Block name -> its lines. A block stands between `<!-- generated:NAME -->` and `<!-- /generated:NAME -->`. */
export function readmeTables(): Readonly<Record<string, string>> {
  return { parameters: parameterTables(), answers: answerTables(), config: configTable() };
}

const OPERATIONS = operations(() => undefined);

const ANSWERS: Readonly<Record<string, TSchema>> = {
  launch: answers.LaunchAnswer,
  respond: answers.RespondAnswer,
  fg: answers.FgAnswer,
  bg: answers.BgAnswer,
  kill: answers.KillAnswer,
  output: answers.OutputAnswer,
  sessions: answers.SessionsAnswer,
  stats: answers.StatsAnswer,
  resume: answers.ResumeAnswer,
};

/** The schema of what `iflow.<name>` answers. */
export function answerSchema(name: string): TSchema {
  const schema = ANSWERS[name];
  if (schema === undefined) throw new Error(`no schema of the answer of ${name}`);
  return schema;
}

function parameterTables(): string {
  const tables = OPERATIONS.map(({ tool, command, rpc, params }) => {
    const head = `### \`${tool}\` · \`/${command}\` · \`${rpc}\``;
    const rows = rowsOf(params);
    if (rows.length === 0) return `${head}\n\nTakes nothing.`;
    return `${head}\n\n${table(["parameter", "kind", "default", "meaning"], rows.map(parameterRow))}`;
  });
  return tables.join("\n\n");
}

function answerTables(): string {
  const tables = OPERATIONS.map(({ name, rpc }) => {
    const rows = rowsOf(answerSchema(name)).map(({ path, optional, schema }) => [
      `\`${path}\`${optional ? "?" : ""}`,
      kindOf(schema),
      schema.description ?? "",
    ]);
    return `### \`${rpc}\`\n\n${table(["field", "kind", "meaning"], rows)}`;
  });
  const states = STATUSES.map((status) => `\`${status}\``).join(" ");
  return [`A *state* is one of ${states}.`, ...tables].join("\n\n");
}

function configTable(): string {
  return table(["key", "kind", "default", "meaning"], rowsOf(configSchema).map(parameterRow));
}

interface Row {
  /** Dotted; `[]` for each of a list. */
  readonly path: string;
  readonly optional: boolean;
  readonly schema: TSchema;
}

/** One row a leaf; objects and lists of objects are opened. */
function rowsOf(schema: TSchema, path = ""): readonly Row[] {
  if (TypeGuard.IsUnion(schema) && schema.anyOf.some((one) => one.type === "object" || TypeGuard.IsArray(one))) {
    const shapes = schema.anyOf.filter((one) => !TypeGuard.IsNull(one));
    if (path === "") return shapes.flatMap((one) => rowsOf(one, path));
  }
  if (TypeGuard.IsArray(schema) && TypeGuard.IsObject(schema.items)) return rowsOf(schema.items, `${path}[]`);
  if (!TypeGuard.IsObject(schema)) return [];
  return Object.entries(schema.properties).flatMap(([key, of]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const row: Row = { path: at, optional: !isNeeded(schema, key), schema: of };
    const inner = rowsOf(of, at);
    return of.type === "object" && inner.length > 0 ? inner : [row, ...inner];
  });
}

function isNeeded(schema: TObject, key: string): boolean {
  return schema.required?.includes(key) ?? false;
}

function parameterRow({ path, optional, schema }: Row): readonly string[] {
  const hasDefault = schema.default !== undefined;
  const needed = optional || hasDefault ? "" : "\\*";
  const byDefault = hasDefault ? `\`${JSON.stringify(schema.default)}\`` : "";
  return [`\`${path}\`${needed}`, kindOf(schema), byDefault, schema.description ?? ""];
}

function kindOf(schema: TSchema): string {
  const words: unknown = schema["enum"];
  if (isDeepStrictEqual(words, STATUSES)) return "state";
  if (Array.isArray(words)) return words.map((word) => `\`${String(word)}\``).join(" ");
  if (TypeGuard.IsLiteral(schema)) return `\`${String(schema.const)}\``;
  if (TypeGuard.IsUnion(schema)) return [...new Set(schema.anyOf.map(kindOf))].join(" or ");
  if (TypeGuard.IsArray(schema)) return TypeGuard.IsObject(schema.items) ? "list" : `list of ${kindOf(schema.items)}`;
  if (TypeGuard.IsRecord(schema)) return `map to ${Object.values(schema.patternProperties).map(kindOf).join(" or ")}`;
  return `${String(schema.type)}${range(schema)}`;
}

function range({ minimum, maximum, exclusiveMinimum }: TSchema): string {
  if (typeof maximum !== "number") return typeof minimum === "number" ? `, from ${minimum}` : "";
  return typeof exclusiveMinimum === "number" ? `, up to ${maximum}` : `, ${String(minimum)} to ${maximum}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** The text with every block filled in; fails when a block's marks are missing. */
export function withTables(text: string): string {
  let filled = text;
  for (const [name, lines] of Object.entries(readmeTables())) {
    const marks = new RegExp(`(<!-- generated:${name} -->\n)[^]*?(<!-- /generated:${name} -->)`);
    if (!marks.test(filled))
      throw new Error(`README.md has no block <!-- generated:${name} --> … <!-- /generated:${name} -->`);
    filled = filled.replace(marks, (_all, begin: string, end: string) => `${begin}${lines}\n${end}`);
  }
  return filled;
}
