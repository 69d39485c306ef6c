/**
 * One definition, three doors: from a verb's schema and its `run` to what tools, commands and RPC call.
 * Owns: validation of raw parameters (the host's HTTP door does not validate), camelCase for snake_case, defaults, refusals, and that
 * no secret is in what is shown, but for the words of a session itself.
 */
import type { Static, TObject } from "@sinclair/typebox";
import { Errors } from "@sinclair/typebox/errors";
import { Check, Default } from "@sinclair/typebox/value";
import type { Caller } from "../core/caller.ts";
import type { Refusal, Result } from "../core/errors.ts";
import { withOperators } from "./authority.ts";
import { redactSecrets } from "../core/redact.ts";
import { redactValue } from "../core/redact-value.ts";
import type { Context } from "./context.ts";
import type { Answered, OperationDoor, OperationName, Reply } from "./operation.ts";
import type { ParsedCommand } from "./command-line.ts";

export interface Definition<P extends TObject> {
  readonly name: OperationName;
  readonly scope: "read" | "write";
  readonly title: string;
  readonly description: string;
  readonly usage: string;
  readonly params: P;
  /** It shows the words of a session: they are masked in safe mode only. Everything else always is. */
  readonly showsWords?: boolean;
  /** The text after the command word -> parameters, or a refusal. */
  readonly parse: (args: string) => ParsedCommand;
  readonly run: (context: Context, caller: Caller, params: Static<P>) => Promise<Result<Reply>>;
}

/** The context of the running service; undefined before it has started and after it has stopped. */
export type Live = () => Context | undefined;

const NOT_RUNNING =
  "The iFlow plugin is not running now (its service is starting or stopping). Try again in a few seconds.";

export function defineOperation<P extends TObject>(definition: Definition<P>): (live: Live) => OperationDoor {
  const { name, scope, title, description, usage, params } = definition;
  return (live) => ({
    name,
    tool: `iflow_${name}`,
    command: name === "launch" ? "iflow" : `iflow_${name}`,
    rpc: `iflow.${name}`,
    scope,
    title,
    description,
    usage,
    params,
    parseCommand: (args) => {
      const parsed = definition.parse(args);
      return parsed.ok
        ? { ok: "params", params: parsed.params }
        : refused({ code: "invalid_params", message: `${parsed.message} Usage: ${usage}` });
    },
    invoke: async (caller, rawParams) => {
      const checked = checkParams(definition, rawParams);
      if (!checked.ok) return refused(checked.refusal);
      const context = live();
      if (context === undefined) return refused({ code: "not_available", message: NOT_RUNNING });
      const result = await definition.run(context, withOperators(context, caller), checked.value);
      await context.audit.record(name, caller, checked.value, result);
      if (!result.ok) return refused(result.refusal);
      const whole = definition.showsWords === true && !context.config.safeMode;
      return { ok: true, reply: whole ? result.value : withoutSecrets(result.value) };
    },
  });
}

function refused(refusal: Refusal): Answered & { readonly ok: false } {
  return { ok: false, code: refusal.code, message: redactSecrets(refusal.message) };
}

function withoutSecrets({ text, json }: Reply): Reply {
  // The same shape, but for what texts say.
  return { text: redactSecrets(text), json: redactValue(json, redactSecrets) as Reply["json"] };
}

/** `maxTurns` is `max_turns`: RPC speaks camelCase, tools snake_case; both doors take both. */
function snakeCase(raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(raw).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(
    entries.map(([key, value]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}

function checkParams<P extends TObject>(definition: Definition<P>, raw: unknown): Result<Static<P>> {
  const { params, name } = definition;
  if (raw !== undefined && (typeof raw !== "object" || raw === null || Array.isArray(raw))) {
    return invalid(`iflow_${name} takes an object of parameters, not ${quoted(raw, 60)}.`);
  }
  const given = snakeCase((raw ?? {}) as Readonly<Record<string, unknown>>);
  const known = Object.keys(params.properties);
  const unknown = Object.keys(given).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    return invalid(`iflow_${name} has no parameter ${quoted(unknown[0], 60)}. It takes: ${known.join(", ")}.`);
  const filled = Default(params, given);
  const wrong = wrongWord(params, filled);
  if (wrong !== undefined) return invalid(`Parameter ${wrong.key} of iflow_${name}: ${wrong.problem}.`);
  if (Check(params, filled)) return { ok: true, value: filled };
  const [problem] = [...Errors(params, filled)];
  const path = problem?.path.replace(/^\//, "").replaceAll("/", ".") ?? "";
  const value = problem?.value === undefined ? undefined : quoted(problem.value, 80);
  return invalid(
    `Parameter ${path} of iflow_${name}: ${problem?.message ?? "is not valid"}${value === undefined ? "" : `, got ${value}`}.`,
  );
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

function invalid(message: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { code: "invalid_params", message } };
}
