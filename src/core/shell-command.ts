/**
 * A shell command as a permission request names it: `CMD [current working directory DIR] (description)`.
 * Owns: where the command ends, and for which commands "always" may hold.
 * Any program may run others (`git -c alias.x='!…'`, `env`, `find -exec`, `npm test`), so the list names those that do not, and
 * every other one is asked for each time. Nothing is guessed about quotes: they are taken away before options are looked at.
 */

/** The last mark ends the command: the command may contain others. */
const COMMAND_END = " [current working directory";

export interface ShellCommand {
  readonly command: string;
  /** What the agent says that it is for, without its brackets. */
  readonly note: string;
  /** Whether the title has the form of a shell call. */
  readonly isMarked: boolean;
}

export function shellCommand(title: string): ShellCommand {
  const end = title.lastIndexOf(COMMAND_END);
  if (end === -1) return { command: title, note: "", isMarked: false };
  const note = /\] \(([\s\S]*)\)\s*$/.exec(title.slice(end))?.[1] ?? "";
  return { command: title.slice(0, end), note, isMarked: true };
}

/** Commands that do what they say with files and text, and start nothing. */
const PLAIN: ReadonlySet<string> = new Set(
  (
    "ls dir pwd cat tac nl head tail wc grep egrep fgrep rg find stat file du df diff cmp comm sort uniq cut paste tr fold " +
    "column echo printf date cal whoami id groups uname uptime which basename dirname realpath readlink cksum md5sum " +
    "sha1sum sha256sum sha512sum xxd od hexdump strings jq mkdir rmdir touch cp mv rm ln chmod true false sleep seq ps"
  ).split(" "),
);
/** Subcommands of git that look. The others run hooks, editors, helpers, or what an alias says. */
const GIT_LOOKS: ReadonlySet<string> = new Set(
  (
    "status log diff show blame annotate ls-files ls-tree rev-parse rev-list shortlog describe reflog cat-file merge-base " +
    "name-rev count-objects for-each-ref show-ref show-branch whatchanged diff-tree diff-index diff-files branch"
  ).split(" "),
);
/** Options of these by which they run another program, open an editor, or write where nobody looks; also in their short forms. */
const RUNS =
  /^(?:-exec|-ok|-delete|-fprint|-fls|--pre|--hostn|--comp|--ext-d|--textc|--filt|--outp|--exec|--open|--ed|--conf|-O)/;
/** Several commands, a substitution, a redirection, an expansion that hides words: more than the first word says. */
const COMPOUND = /[;&|`\r\n<>]|\$[({'"]|\{(?!\})/;

/** Whether "always" for its first word would allow nothing but what that word says. */
export function mayLast(command: string): boolean {
  if (COMPOUND.test(command)) return false;
  const [first = "", ...rest] = command.trim().split(/\s+/);
  const words = rest.map((word) => word.replace(/["'\\]/g, ""));
  if (words.some((word) => RUNS.test(word))) return false;
  if (first !== "git") return PLAIN.has(first);
  const [subcommand = ""] = words.filter((word) => word !== "--no-pager");
  return GIT_LOOKS.has(subcommand);
}

/** What "always" for this command is for. */
export function firstWord(command: string): string {
  return command.trim().split(/\s+/)[0] ?? "";
}
