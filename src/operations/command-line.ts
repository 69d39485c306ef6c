/**
 * What people type after a command word: options first, then words as they are (newlines and quotes kept).
 * Owns: the small grammar of `--name value` and `--flag`; it never guesses.
 */
import { redactSecrets } from "../core/redact.ts";

export type ParsedCommand =
  | { readonly ok: true; readonly params: Record<string, unknown> }
  | { readonly ok: false; readonly message: string };

export interface CommandOption {
  /** Parameter that it sets. */
  readonly param: string;
  readonly kind: "text" | "flag" | "number";
}

const WORD = /^\s*(?:"([^"]*)"|“([^”]*)”|(\S+))/u;

function takeWord(text: string): { word: string; rest: string } | undefined {
  const match = WORD.exec(text);
  if (match === null) return undefined;
  return { word: match[1] ?? match[2] ?? match[3] ?? "", rest: text.slice(match[0].length) };
}

/** Reads leading options; a message that itself begins with `--` comes after a lone `--`. */
export function takeOptions(
  args: string,
  options: Readonly<Record<string, CommandOption>>,
): ParsedCommand & { readonly rest?: string } {
  const params: Record<string, unknown> = {};
  let rest = args;
  for (;;) {
    // Chat clients like to turn two hyphens into a dash.
    const match = /^\s*(?:--|—|–)([a-z][a-z-]*)?(?:=|\s|$)/u.exec(rest);
    if (match === null) return { ok: true, params, rest: rest.trim() };
    const afterName = rest.slice(match[0].length);
    const name = match[1];
    if (name === undefined) return { ok: true, params, rest: afterName.trim() };
    const option = options[name];
    if (option === undefined)
      return {
        ok: false,
        message: `Unknown option --${name}. Known: ${
          Object.keys(options)
            .map((o) => `--${o}`)
            .join(", ") || "none"
        }.`,
      };
    if (option.kind === "flag") {
      params[option.param] = true;
      rest = afterName;
      continue;
    }
    const taken = takeWord(afterName);
    if (taken === undefined) return { ok: false, message: `Option --${name} needs a value.` };
    params[option.param] = option.kind === "number" ? countOf(taken.word) : taken.word;
    rest = taken.rest;
  }
}

/** What is no number stays as it was typed, so that its refusal quotes it. */
export function countOf(word: unknown): unknown {
  return typeof word === "string" && /^\d{1,15}$/.test(word) ? Number(word) : word;
}

/** Options, then a session, then (maybe) words. */
export function parseSessionCommand(
  args: string,
  options: Readonly<Record<string, CommandOption>>,
  words?: { readonly param: string; readonly needed: boolean },
): ParsedCommand {
  const taken = takeOptions(args, options);
  if (!taken.ok) return taken;
  const first = takeWord(taken.rest ?? "");
  if (first === undefined) return { ok: false, message: "Which session? Give its name or id." };
  const rest = first.rest.trim();
  if (words === undefined && rest !== "")
    return { ok: false, message: `What is "${redactSecrets(rest).slice(0, 60)}"? Only one session is expected.` };
  if (words?.needed === true && rest === "") return { ok: false, message: "The message is missing." };
  return {
    ok: true,
    params: {
      ...taken.params,
      session: first.word,
      ...(words === undefined || rest === "" ? {} : { [words.param]: rest }),
    },
  };
}
