/**
 * Raw parameters of any door -> what an operation takes, or a refusal that names the parameter as it was given.
 * Owns: both spellings of names, defaults, bounds, and the words of a refusal. The host's HTTP and RPC doors validate nothing.
 */
import type { Static, TObject } from "@sinclair/typebox";
import { Errors } from "@sinclair/typebox/errors";
import { Check, Default } from "@sinclair/typebox/value";
import { refuse, type Refused, type Result } from "../core/errors.ts";
import { redactSecrets } from "../core/redact.ts";
import { redactValue } from "../core/redact-value.ts";

/** Shorter words are part of many names. */
const LEAST_HINT_LENGTH = 3;

/** `tool`: `iflow_launch`, as people know the operation. */
export function checkParams<P extends TObject>(tool: string, params: P, raw: unknown): Result<Static<P>> {
  if (raw !== undefined && (typeof raw !== "object" || raw === null || Array.isArray(raw)))
    return invalid(`${tool} takes an object of parameters, not ${quoted(raw, 60)}.`);
  const named = inSnakeCase(Object.entries(raw ?? {}));
  if (named.twice !== undefined)
    return invalid(`${tool} was given ${named.twice.join(" and ")}, which are the same parameter. Give one of them.`);
  const { given, spelled } = named;
  const known = Object.keys(params.properties);
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) return invalid(unknownParameter(tool, unknown, spelled.get(unknown) ?? unknown, known));
  const filled = Default(params, given);
  if (Check(params, filled)) {
    const wrong = wrongWord(params, filled);
    if (wrong === undefined) return { ok: true, value: filled };
    return invalid(`Parameter ${spelled.get(wrong.key) ?? wrong.key} of ${tool}: ${wrong.problem}.`);
  }
  const [problem] = [...Errors(params, filled)];
  const [key = "", ...inner] = (problem?.path ?? "").replace(/^\//, "").split("/");
  const path = [spelled.get(key) ?? key, ...inner].join(".");
  const { value } = problem ?? {};
  if (value === undefined) return invalid(`Parameter ${path} of ${tool}: required, but missing.`);
  return invalid(`Parameter ${path} of ${tool}: ${expectation(problem?.message)}, got ${quoted(value, 80)}.`);
}

/** `maxTurns` is `max_turns`: RPC speaks camelCase, tools snake_case; both doors take both. What is not there or null is not given. */
function inSnakeCase(entries: readonly (readonly [string, unknown])[]): {
  readonly given: Record<string, unknown>;
  /** snake_case -> as it was given. */
  readonly spelled: ReadonlyMap<string, string>;
  readonly twice?: readonly [string, string];
} {
  const values = new Map<string, unknown>();
  const spelled = new Map<string, string>();
  for (const [key, value] of entries) {
    if (value === undefined || value === null) continue;
    const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const before = spelled.get(snake);
    if (before !== undefined) return { given: {}, spelled, twice: [before, key] };
    values.set(snake, value);
    spelled.set(snake, key);
  }
  return { given: Object.fromEntries(values), spelled };
}

function unknownParameter(tool: string, key: string, asGiven: string, known: readonly string[]): string {
  const near = known.filter((name) => isPartOf(name, key) || isPartOf(key, name));
  const hint = near.length === 0 ? "" : ` Did you mean ${near.join(" or ")}?`;
  const takes = known.length === 0 ? "It takes none." : `It takes: ${known.join(", ")}.`;
  return `${tool} has no parameter ${quoted(asGiven, 60)}.${hint} ${takes}`;
}

/** `mode` of `permission_mode`, `max_turn` of `max_turns`. */
function isPartOf(part: string, whole: string): boolean {
  const bare = part.replaceAll("_", "");
  return bare.length >= LEAST_HINT_LENGTH && whole.replaceAll("_", "").includes(bare);
}

function expectation(message = "Expected something else"): string {
  return message
    .replace(/^Expected /, "must be ")
    .replace("to be greater", "greater")
    .replace("to be less", "less")
    .replace("string length", "text of a length")
    .replace("array length", "list of a length");
}

/** typebox leaves `enum` to the host's validator, which calls over HTTP and RPC do not meet (host fact). */
function wrongWord(params: TObject, given: unknown): { readonly key: string; readonly problem: string } | undefined {
  const values = new Map<string, unknown>(Object.entries(given ?? {}));
  for (const [key, schema] of Object.entries(params.properties)) {
    const words: unknown = schema["enum"];
    const value = values.get(key);
    if (!Array.isArray(words) || typeof value !== "string" || words.includes(value)) continue;
    return { key, problem: `must be one of ${words.join(", ")}, got ${quoted(value, 80)}` };
  }
  return undefined;
}

/** As JSON, cut, and masked before it is cut: half a secret is not known for one. */
function quoted(value: unknown, length: number): string {
  return (JSON.stringify(redactValue(value, redactSecrets)) ?? "nothing").slice(0, length);
}

function invalid(message: string): Refused {
  return refuse("invalid_params", message);
}
