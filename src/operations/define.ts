/**
 * One definition, three doors: from a verb's schema and its `run` to what tools, commands and RPC call.
 * Owns: the order of validation, authority, run and audit, and that no secret is in what is shown, but for the words of a session itself.
 */
import type { Static, TObject } from "@sinclair/typebox";
import type { Caller } from "../core/caller.ts";
import type { Refusal, Result } from "../core/errors.ts";
import { withOperators } from "./authority.ts";
import type { BareCommand } from "./bare-command.ts";
import { overhear } from "./chat-answers.ts";
import { checkParams } from "./check-params.ts";
import { showsNumbers } from "../core/plain-words.ts";
import { asData, visible } from "../core/fence.ts";
import { redactSecrets } from "../core/redact.ts";
import { redactValue } from "../core/redact-value.ts";
import type { Context } from "./context.ts";
import type { Answered, OperationDoor, OperationName, Reply } from "./operation.ts";
import { asksForHelp, refusalWords, type ParsedCommand } from "./command-line.ts";

export interface Definition<P extends TObject> {
  readonly name: OperationName;
  readonly scope: "read" | "write";
  readonly title: string;
  readonly description: string;
  readonly usage: string;
  readonly params: P;
  /** It shows the words of a session: they are masked in safe mode only. Everything else always is. */
  readonly showsWords?: boolean;
  /** Its answer quotes iFlow, its files or its tools beyond a name: an agent that called gets it as data. `showsWords` does so too. */
  readonly quotesWords?: boolean;
  /** The text after the command word -> parameters, or a refusal. */
  readonly parse: (args: string) => ParsedCommand;
  /** What its command means without a session. */
  readonly bare?: BareCommand;
  readonly run: (context: Context, caller: Caller, params: Static<P>) => Promise<Result<Reply>>;
}

/** The context of the running service; undefined before it has started and after it has stopped. */
export type Live = () => Context | undefined;

const NOT_RUNNING =
  "The iFlow plugin is not running now (its service is starting or stopping). Try again in a few seconds.";

/** A door without the words that say all of them. */
type Defined = Omit<OperationDoor, "help">;

export function defineOperation<P extends TObject>(definition: Definition<P>): (live: Live) => Defined {
  const { name, scope, title, description, usage, params } = definition;
  return (live) => ({
    name,
    tool: `iflow_${name}`,
    command: commandOf(name),
    rpc: `iflow.${name}`,
    scope,
    title,
    description,
    usage,
    params,
    parseCommand: (args) => {
      // Without words there is nothing to launch: whoever sends the command alone looks for what there is.
      if (asksForHelp(args) || (name === "launch" && args.trim() === "")) return { ok: "help" };
      const parsed = definition.parse(args);
      if (parsed.ok) return { ok: "params", params: parsed.params };
      return refused({ code: "invalid_params", message: refusalWords(parsed, commandOf(name), usage) });
    },
    invoke: async (caller, given) => {
      const context = live();
      const meant = context === undefined ? undefined : withoutSession(definition, context, caller, given);
      if (typeof meant === "string") return refused({ code: "invalid_params", message: meant });
      // It is one where a session was looked for.
      const rawParams = meant === undefined ? given : { ...(given as Record<string, unknown>), session: meant.id };
      const checked = checkParams(`iflow_${name}`, params, rawParams);
      if (!checked.ok) {
        // Its message says what was wrong; a call that is none may hold anything.
        await context?.audit.record(name, caller, {}, checked);
        return refused(checked.refusal);
      }
      if (context === undefined) return refused({ code: "not_available", message: NOT_RUNNING });
      const result = await definition.run(context, withOperators(context, caller), checked.value);
      await context.audit.record(name, caller, checked.value, result);
      if (!result.ok) return refused(result.refusal);
      // A number that somebody says next may be meant for what stands there.
      if (caller.door === "command" && showsNumbers(saidBy(result.value))) overhear(context, caller);
      const whole = definition.showsWords === true && !context.config.safeMode;
      const reply = whole ? result.value : withoutSecrets(result.value);
      return { ok: true, reply: caller.door === "tool" ? forModel(reply, quotesWords(definition)) : reply };
    },
  });
}

function quotesWords({ showsWords, quotesWords: quotes }: { showsWords?: boolean; quotesWords?: boolean }): boolean {
  return showsWords === true || quotes === true;
}

/** What a model reads: nothing in it that it cannot see, and what iFlow may have chosen is marked as data, as when it is woken. */
function forModel({ text, json }: Reply, asQuoted: boolean): Reply {
  const isEmpty = Array.isArray(json) && json.length === 0;
  return { text: asQuoted && !isEmpty ? asData(text).join("\n") : visible(text), json };
}

function commandOf(name: OperationName): string {
  return name === "launch" ? "iflow" : `iflow_${name}`;
}

/** For a command that names none. */
function withoutSession(
  { bare }: { readonly bare?: BareCommand },
  context: Context,
  caller: Caller,
  given: unknown,
): ReturnType<BareCommand> {
  const isNamed = typeof given !== "object" || given === null || "session" in given || "all" in given;
  if (bare === undefined || caller.door !== "command" || isNamed) return undefined;
  return bare(context, withOperators(context, caller));
}

/** The words of a session, where the reply is about them; the questions behind them are its own. */
function saidBy({ text, json }: Reply): string {
  return "output" in json && typeof json.output === "string" ? json.output : text;
}

function refused(refusal: Refusal): Answered & { readonly ok: false } {
  return { ok: false, code: refusal.code, message: visible(redactSecrets(refusal.message)) };
}

function withoutSecrets({ text, json }: Reply): Reply {
  // The same shape, but for what texts say.
  return { text: redactSecrets(text), json: redactValue(json, redactSecrets) as Reply["json"] };
}
