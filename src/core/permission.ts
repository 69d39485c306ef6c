/**
 * Who may do what without asking: the plugin's own policy for permission requests.
 * Owns: the decision per mode, and the grants that "always allow" and late answers leave behind.
 * The agent's `allowed_tools` setting is never used for this: on the wire it lists the tools that exist.
 */
import type { AgentRequest, RequestOption } from "./agent-event.ts";
import { firstWord, mayLast, shellCommand } from "./shell-command.ts";
import type { Grant, PermissionSubject, Settings } from "./session.ts";

export type PermissionRequest = Extract<AgentRequest, { kind: "permission" }>;

/** Kinds that only look: never asked for in selective mode. */
const READ_ONLY_KINDS: ReadonlySet<string> = new Set(["read", "search"]);

/** Approval modes of the wire. */
export const WIRE_MODE = { auto: "yolo", selective: "default", manual: "default", plan: "plan" } as const;

/** What iFlow runs unasked in every mode: a sub-agent asks nobody for what it does, and xml_escape writes. */
const UNASKED_TOOLS: readonly string[] = ["task", "xml_escape"];

/** Tools that are not offered, since iFlow would not ask where the mode says that it asks. Whoever allows one by name has it. */
export function disallowedTools({ permissionMode, allowedTools }: Settings): readonly string[] {
  switch (permissionMode) {
    case "auto":
      return [];
    case "selective":
      return UNASKED_TOOLS.filter((name) => !allowedTools.includes(name));
    case "manual":
      return UNASKED_TOOLS;
    case "plan":
      return ["run_shell_command", ...UNASKED_TOOLS];
  }
}

/** Longer titles match no grant: a cut title could stand for something else. */
const MAX_TITLE_LENGTH = 2_000;

/** What a grant would be for; undefined where none can be given or used. */
export function subjectOf(request: PermissionRequest, digest: string): PermissionSubject | undefined {
  const names = [request.toolKind, request.title, request.toolName ?? ""];
  if (names.some((name) => name.length > MAX_TITLE_LENGTH)) return undefined;
  return {
    toolKind: request.toolKind,
    title: request.title,
    digest,
    ...(request.toolName === undefined ? {} : { toolName: request.toolName }),
  };
}

/** The grant that fits, if any: `once` for the identical request only, `always` for its kind of thing. */
export function grantFor(grants: readonly Grant[], subject: PermissionSubject): Grant | undefined {
  return grants.find((grant) =>
    grant.span === "once" ? sameRequest(grant.subject, subject) : sameKindOfThing(grant.subject, subject),
  );
}

function sameRequest(a: PermissionSubject, b: PermissionSubject): boolean {
  return a.toolKind === b.toolKind && a.title === b.title && a.digest === b.digest;
}

/** What iFlow's own "always" covers: all edits, the same command, else the same tool. */
function sameKindOfThing(a: PermissionSubject, b: PermissionSubject): boolean {
  if (a.toolKind !== b.toolKind) return false;
  if (a.toolKind === "edit") return true;
  if (a.toolName !== undefined && b.toolName !== undefined && a.toolName !== b.toolName) return false;
  if (a.toolKind === "execute") return sameCommand(a, b);
  return a.toolName === undefined ? a.title === b.title : a.toolName === b.toolName;
}

/** `git log; rm -rf x` is not covered by "always allow git", nor is a git that runs something else. */
function sameCommand(a: PermissionSubject, b: PermissionSubject): boolean {
  const [granted, asked] = [shellCommand(a.title).command, shellCommand(b.title).command];
  return mayAlways(a) && mayAlways(b) && firstWord(granted) === firstWord(asked);
}

const SHELL_TOOL = "run_shell_command";

/** Whether "always" may be given for it: for no tool that can run anything, and for few commands. */
export function mayAlways({ toolKind, toolName, title }: PermissionSubject): boolean {
  if (toolKind !== "execute") return true;
  const { command, isMarked } = shellCommand(title);
  const isShell = toolName === SHELL_TOOL || (toolName === undefined && isMarked);
  return isShell && mayLast(command);
}

export function allowedUnasked(settings: Settings, request: PermissionRequest, granted: Grant | undefined): boolean {
  if (granted !== undefined) return true;
  switch (settings.permissionMode) {
    case "auto":
      return true;
    case "selective":
      return (
        READ_ONLY_KINDS.has(request.toolKind) ||
        (request.toolName !== undefined && settings.allowedTools.includes(request.toolName))
      );
    case "manual":
    case "plan":
      return false;
  }
}

/** The agent's own option that allows this one time; absent when it offers none. */
export function allowOption(options: readonly RequestOption[]): RequestOption | undefined {
  const allowing = oneForEachId(options).filter((option) => !isRejection(option));
  return allowing.find((o) => o.kind === "allow_once") ?? allowing.find((o) => o.kind === "allow_always");
}

const NO: ReadonlySet<string> = new Set("n no deny denied reject cancel 拒绝 不 否 不行 取消".split(" "));

/** Words in small letters that are nothing but a no. */
export function isNo(words: string): boolean {
  return NO.has(words);
}

/** By its kind, and by its label: what reads as a no never allows. Without a kind, by the agent's own id. */
export function isRejection({ id, kind, label }: RequestOption): boolean {
  return (kind?.startsWith("reject") ?? id === "cancel") || isNo(label.normalize("NFKC").trim().toLowerCase());
}

/** On the wire an id is all that names an option: of several with one id the most careful stands, a no before all. */
export function oneForEachId(options: readonly RequestOption[]): readonly RequestOption[] {
  const care = (option: RequestOption): number => (isRejection(option) ? 2 : option.kind === "allow_always" ? 1 : 0);
  return options.filter((option, index) =>
    options.every(
      (other, at) =>
        other.id !== option.id || care(other) < care(option) || (care(other) === care(option) && at >= index),
    ),
  );
}
