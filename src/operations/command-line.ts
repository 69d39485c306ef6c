/**
 * What people type after a command word: options first, then words as they are (newlines and quotes kept).
 * Owns: the small grammar of `--name value` and `--flag`, and what is said when something stands elsewhere; it never guesses.
 * 1. A known option on the first line is an option or a refusal, never silently a part of the words; behind a lone `--` everything is words.
 * 2. Words in quotes or in code, and everything below the first line, are words.
 * 3. Chat clients turn two hyphens into a dash: a dash is an option only before a known name, and else stays in the words.
 */
import { redactSecrets } from "../core/redact.ts";
import { lettersApart } from "../engine/letters-apart.ts";

export type ParsedCommand = { readonly ok: true; readonly params: Record<string, unknown> } | TypedWrong;

interface TypedWrong {
  readonly ok: false;
  readonly message: string;
  /** What may have been meant, ready to be sent behind the command word. */
  readonly instead?: readonly string[];
}

export interface CommandOption {
  /** Parameter that it sets. */
  readonly param: string;
  readonly kind: "text" | "flag" | "number";
}

type Options = Readonly<Record<string, CommandOption>>;

/** Leading options, and what stands behind them. */
interface TakenOptions {
  readonly ok: true;
  readonly params: Record<string, unknown>;
  readonly rest: string;
  /** A lone `--` stood before the rest: nothing in it is an option. */
  readonly isLiteral: boolean;
}

/** Straight and typographic, double and single; one that is not closed is a part of its word. */
const QUOTED = /["“”„«»]([^"“”„«»]*)["“”«»]|['‘’‚]([^'‘’‚]*)['‘’](?=\s|$)/u;
const WORD = new RegExp(`^\\s*(?:${QUOTED.source}|(\\S+))`, "u");
/** In words: code, then quotes that stand like quotes (the one in "don't" does not). */
const SET_APART = /```.*|`[^`]*`|(?<=^|[\s(])(?:["“„«][^"“”„«»]*["“”»]|['‘‚][^'‘’]*['’])(?=[\s.,:;!?)]|$)/gu;
const NAME = /^\s*(--|[—–]-?|-)([A-Za-z][\w-]*)(?==|\s|$)/u;
const LONE_HYPHENS = /^\s*--(?=\s|$)/u;
/** Typed so, and meaning one of our options. */
const ALSO_CALLED: Readonly<Record<string, string>> = {
  "permission-mode": "mode",
  permission: "mode",
  permissions: "mode",
  dir: "workdir",
  directory: "workdir",
  cwd: "workdir",
  "question-id": "question",
};
const SHOWN_LENGTH = 300;

function takeWord(text: string): { word: string; rest: string } | undefined {
  const match = WORD.exec(text);
  if (match === null) return undefined;
  return { word: match[1] ?? match[2] ?? match[3] ?? "", rest: text.slice(match[0].length) };
}

/** Reads leading options; a message that itself begins with `--` comes after a lone `--`. */
export function takeOptions(args: string, options: Options): TakenOptions | TypedWrong {
  const params: Record<string, unknown> = {};
  let rest = args;
  for (;;) {
    const lone = LONE_HYPHENS.exec(rest);
    if (lone !== null) return { ok: true, params, rest: rest.slice(lone[0].length).trim(), isLiteral: true };
    const match = NAME.exec(rest);
    const [before = "", hyphens = "", typed = ""] = match ?? [];
    const name = typed.toLowerCase();
    const option = options[name];
    const isOption = match !== null && (hyphens === "--" || option !== undefined || name in ALSO_CALLED);
    if (!isOption) return { ok: true, params, rest: rest.trim(), isLiteral: false };
    if (option === undefined || hyphens === "-") return unknownOption(typed, hyphens, options, rest.trim());
    const read = takeValue(name, option, rest.slice(before.length));
    if (!read.ok) return read;
    params[option.param] = read.value;
    ({ rest } = read);
  }
}

type Value = { readonly ok: true; readonly value: unknown; readonly rest: string } | TypedWrong;

function takeValue(name: string, { kind }: CommandOption, behind: string): Value {
  const given = behind.startsWith("=") ? behind.slice(1) : behind;
  if (kind === "flag") {
    if (given !== behind) return { ok: false, message: `Option --${name} takes no value.` };
    return { ok: true, value: true, rest: behind };
  }
  const taken = takeWord(given);
  if (taken === undefined) return { ok: false, message: `Option --${name} needs a value.` };
  return { ok: true, value: kind === "number" ? countOf(taken.word) : taken.word, rest: taken.rest };
}

function unknownOption(typed: string, hyphens: string, options: Options, all: string): TypedWrong {
  const known = Object.keys(options);
  const shown = `${hyphens}${redactSecrets(typed).slice(0, 40)}`;
  const near = nearest(typed.toLowerCase(), known);
  const hint = near === undefined ? "" : ` Did you mean --${near}?`;
  return {
    ok: false,
    message: `Unknown option ${shown}.${hint} Known: ${
      known.map((one) => `--${one}`).join(", ") || "none"
    }. Words that begin so come after a lone --.`,
    instead: [`-- ${all}`],
  };
}

/** What it is also called, or what differs by a letter or two. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const other = ALSO_CALLED[name];
  if (other !== undefined && known.includes(other)) return other;
  const near = known
    .map((one) => ({ one, off: lettersApart(one, name), isPart: name.includes(one) }))
    .filter(({ one, off }) => off <= Math.max(1, Math.floor(one.length / 3)))
    .toSorted((a, b) => a.off - b.off || Number(b.isPart) - Number(a.isPart));
  return near[0]?.one;
}

/** Words as they are to be sent, or a refusal where an option hides in their first line. `before`: what stands between options and words. */
export function plainWords(
  { rest, isLiteral }: Pick<TakenOptions, "rest" | "isLiteral">,
  options: Options,
  before = "",
): { readonly ok: true; readonly words: string } | TypedWrong {
  const lone = isLiteral || before === "" ? null : LONE_HYPHENS.exec(rest);
  if (lone !== null) return { ok: true, words: rest.slice(lone[0].length).trim() };
  const hidden = isLiteral ? undefined : hiddenOption(rest, options);
  if (hidden === undefined) return { ok: true, words: rest };
  const { name, typed, first, words } = hidden;
  const start = before === "" ? "" : `${before} `;
  return {
    ok: false,
    message: `${typed} stands behind the words, where it would be a part of them. Options come first; words with --${name} in them come after a lone --.`,
    instead: [`${first} ${start}${words}`.trim(), `-- ${start}${rest}`],
  };
}

interface HiddenOption {
  readonly name: string;
  readonly typed: string;
  /** The option as it has to stand, and the words without it. */
  readonly first: string;
  readonly words: string;
}

function hiddenOption(words: string, options: Options): HiddenOption | undefined {
  const [line = ""] = words.split("\n", 1);
  // Of the same length, so that places stay what they are.
  const bare = line.replace(SET_APART, (apart) => "_".repeat(apart.length));
  for (const match of bare.matchAll(/(?<=^|\s)(?:--|[—–]-?)([A-Za-z][\w-]*)(?==|\s|$)/gu)) {
    const typed = (match[1] ?? "").toLowerCase();
    const name = options[typed] === undefined ? (ALSO_CALLED[typed] ?? "") : typed;
    const option = options[name];
    if (option === undefined) continue;
    const behind = line.slice(match.index + match[0].length);
    const value = option.kind === "flag" ? undefined : takeWord(behind.replace(/^=/, ""));
    const rest = value?.rest ?? behind;
    const shown =
      value === undefined ? `--${name}` : `--${name} ${/\s/.test(value.word) ? `"${value.word}"` : value.word}`;
    const kept = `${line.slice(0, match.index).trimEnd()} ${rest.trimStart()}`.trim() + words.slice(line.length);
    return { name, typed: match[0], first: shown, words: kept };
  }
  return undefined;
}

/** What is no number stays as it was typed, so that its refusal quotes it. */
export function countOf(word: unknown): unknown {
  return typeof word === "string" && /^\d{1,15}$/.test(word) ? Number(word) : word;
}

/** Options, then a session, then (maybe) words. */
export function parseSessionCommand(
  args: string,
  options: Options,
  words?: { readonly param: string; readonly needed: boolean },
): ParsedCommand {
  const taken = takeOptions(args, options);
  if (!taken.ok) return taken;
  const first = takeWord(taken.rest);
  // A command that was tapped comes alone: the operation knows what it then means.
  if (first === undefined) return { ok: true, params: taken.params };
  const typed = taken.rest.slice(0, taken.rest.length - first.rest.length).trim();
  const behind = plainWords({ rest: first.rest.trim(), isLiteral: taken.isLiteral }, options, typed);
  if (!behind.ok) return behind;
  const rest = behind.words;
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

const HELP_WORDS: ReadonlySet<string> = new Set([
  "help",
  "--help",
  "-h",
  "-help",
  "—help",
  "–help",
  "?",
  "-?",
  "/?",
  "帮助",
]);

/** A call for help and nothing else: never a job, a session or a message of that name. */
export function asksForHelp(args: string): boolean {
  const typed = args.trim().toLowerCase();
  return HELP_WORDS.has(typed) || /^(?:--|[—–])help\s/u.test(typed);
}

/** What a refusal says: what was wrong, what may have been meant, and the usage. */
export function refusalWords({ message, instead = [] }: TypedWrong, command: string, usage: string): string {
  const lines = instead.map((args) => `/${command} ${shortened(redactSecrets(args))}`);
  return lines.length === 0 ? `${message} Usage: ${usage}` : [message, ...lines, `Usage: ${usage}`].join("\n");
}

function shortened(text: string): string {
  return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}…`;
}
