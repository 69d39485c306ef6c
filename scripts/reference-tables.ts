/**
 * The tables of docs/reference.md and its Chinese twin that say what the code takes and gives, made from the code's own schemas.
 * Owns: how a schema reads as a table. Does not own: the files, nor any prose around the tables.
 */
import { isDeepStrictEqual } from "node:util";
import { type TObject, type TSchema, TypeGuard } from "@sinclair/typebox";
import { configSchema } from "../src/config-schema.ts";
import * as answers from "../src/operations/answers.ts";
import { STATUSES } from "../src/operations/status.ts";
import { operations } from "../src/operations/table.ts";
import { CHINESE } from "./reference-zh.ts";

/** The words around names and values. */
interface TableWords {
  readonly key: string;
  readonly parameter: string;
  readonly field: string;
  readonly kind: string;
  readonly byDefault: string;
  readonly meaning: string;
  readonly takesNothing: string;
  readonly or: string;
  readonly list: string;
  readonly state: string;
  /** A type of JSON Schema. */
  readonly types: Readonly<Record<string, string>>;
  listOf(kind: string): string;
  mapTo(kind: string): string;
  range(minimum: string, maximum: number): string;
  from(minimum: number): string;
  upTo(maximum: number): string;
  states(states: string): string;
  description(english: string): string;
}

const EN: TableWords = {
  key: "key",
  parameter: "parameter",
  field: "field",
  kind: "kind",
  byDefault: "default",
  meaning: "meaning",
  takesNothing: "Takes nothing.",
  or: " or ",
  list: "list",
  state: "state",
  types: {},
  listOf: (kind) => `list of ${kind}`,
  mapTo: (kind) => `map to ${kind}`,
  range: (minimum, maximum) => `, ${minimum} to ${maximum}`,
  from: (minimum) => `, from ${minimum}`,
  upTo: (maximum) => `, up to ${maximum}`,
  states: (states) => `A *state* is one of ${states}.`,
  description: (english) => english,
};

const ZH: TableWords = {
  key: "键",
  parameter: "参数",
  field: "字段",
  kind: "类型",
  byDefault: "默认",
  meaning: "含义",
  takesNothing: "没有参数。",
  or: " 或 ",
  list: "列表",
  state: "状态",
  types: { string: "字符串", integer: "整数", number: "数", boolean: "布尔值", object: "对象", null: "null" },
  listOf: (kind) => `${kind}列表`,
  mapTo: (kind) => `名称到${kind}的映射`,
  range: (minimum, maximum) => `，${minimum} 到 ${maximum}`,
  from: (minimum) => `，至少 ${minimum}`,
  upTo: (maximum) => `，至多 ${maximum}`,
  states: (states) => `*状态*是 ${states} 之一。`,
  // A sentence without its Chinese stands here in English until there is one.
  description: (english) => CHINESE[english] ?? english,
};

/** File -> the words of its tables. */
const REFERENCES = { "docs/reference.md": EN, "docs/reference.zh.md": ZH } as const;

export type Reference = keyof typeof REFERENCES;

/** Block name -> its lines. A block stands between `<!-- generated:NAME -->` and `<!-- /generated:NAME -->`. */
function tablesOf(words: TableWords): Readonly<Record<string, string>> {
  return { parameters: parameterTables(words), answers: answerTables(words), config: configTable(words) };
}

/** Every description of the schemas, in the order of the tables. */
export function descriptions(): readonly string[] {
  const found: string[] = [];
  tablesOf({ ...EN, description: (english) => (found.push(english), english) });
  return found.filter((english) => english !== "");
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

function parameterTables(words: TableWords): string {
  const tables = OPERATIONS.map(({ tool, command, rpc, params }) => {
    const head = `### \`${tool}\` · \`/${command}\` · \`${rpc}\``;
    const rows = rowsOf(params);
    if (rows.length === 0) return `${head}\n\n${words.takesNothing}`;
    return `${head}\n\n${settingsTable(words.parameter, rows, words)}`;
  });
  return tables.join("\n\n");
}

function answerTables(words: TableWords): string {
  const tables = OPERATIONS.map(({ name, rpc }) => {
    const rows = rowsOf(answerSchema(name)).map(({ path, optional, schema }) => [
      `\`${path}\`${optional ? "?" : ""}`,
      kindOf(schema, words),
      words.description(schema.description ?? ""),
    ]);
    return `### \`${rpc}\`\n\n${table([words.field, words.kind, words.meaning], rows)}`;
  });
  const states = STATUSES.map((status) => `\`${status}\``).join(" ");
  return [words.states(states), ...tables].join("\n\n");
}

function configTable(words: TableWords): string {
  return settingsTable(words.key, rowsOf(configSchema), words);
}

function settingsTable(head: string, rows: readonly Row[], words: TableWords): string {
  const { kind, byDefault, meaning } = words;
  return table(
    [head, kind, byDefault, meaning],
    rows.map((row) => settingRow(row, words)),
  );
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

function settingRow({ path, optional, schema }: Row, words: TableWords): readonly string[] {
  const hasDefault = schema.default !== undefined;
  const needed = optional || hasDefault ? "" : "\\*";
  const byDefault = hasDefault ? `\`${JSON.stringify(schema.default)}\`` : "";
  return [`\`${path}\`${needed}`, kindOf(schema, words), byDefault, words.description(schema.description ?? "")];
}

function kindOf(schema: TSchema, words: TableWords): string {
  const inner = (one: TSchema): string => kindOf(one, words);
  const values: unknown = schema["enum"];
  if (isDeepStrictEqual(values, STATUSES)) return words.state;
  if (Array.isArray(values)) return values.map((value) => `\`${String(value)}\``).join(" ");
  if (TypeGuard.IsLiteral(schema)) return `\`${String(schema.const)}\``;
  if (TypeGuard.IsUnion(schema)) return [...new Set(schema.anyOf.map(inner))].join(words.or);
  if (TypeGuard.IsArray(schema))
    return TypeGuard.IsObject(schema.items) ? words.list : words.listOf(inner(schema.items));
  if (TypeGuard.IsRecord(schema)) return words.mapTo(Object.values(schema.patternProperties).map(inner).join(words.or));
  const type = String(schema.type);
  return `${words.types[type] ?? type}${range(schema, words)}`;
}

function range({ minimum, maximum, exclusiveMinimum }: TSchema, words: TableWords): string {
  if (typeof maximum !== "number") return typeof minimum === "number" ? words.from(minimum) : "";
  return typeof exclusiveMinimum === "number" ? words.upTo(maximum) : words.range(String(minimum), maximum);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** The text of the file with every block filled in; fails when a block's marks are missing. */
export function withTables(file: Reference, text: string): string {
  let filled = text;
  for (const [name, lines] of Object.entries(tablesOf(REFERENCES[file]))) {
    const marks = new RegExp(`(<!-- generated:${name} -->\n)[^]*?(<!-- /generated:${name} -->)`);
    if (!marks.test(filled))
      throw new Error(`${file} has no block <!-- generated:${name} --> … <!-- /generated:${name} -->`);
    filled = filled.replace(marks, (_all, begin: string, end: string) => `${begin}${lines}\n${end}`);
  }
  return filled;
}

export const REFERENCE_FILES = Object.keys(REFERENCES) as readonly Reference[];
