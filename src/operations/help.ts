/**
 * Help in a chat: one screen with the commands, or one command with its parts.
 * Owns: these words. Who asked for help has started, stopped and sent nothing.
 */
import type { OperationDoor, OperationName } from "./operation.ts";

type Sign = Pick<OperationDoor, "name" | "command" | "usage">;

const FOR: Readonly<Record<OperationName, string>> = {
  launch: "hand a job to iFlow",
  respond: "answer it, or go on with it",
  output: "read what it said",
  sessions: "which sessions there are",
  fg: "follow its words here",
  bg: "stop following",
  kill: "stop a session, or all of this chat",
  resume: "go on with one that has ended",
  stats: "counts",
};

const PARTS: Readonly<Record<OperationName, readonly string[]>> = {
  launch: [
    "--name: its short name. --workdir: the directory to work in. --model: a model of iFlow.",
    "--mode: auto never asks, selective asks but for reading, manual always asks, plan proposes a plan first.",
    "--once: it ends with the first turn.",
  ],
  respond: [
    "message: a choice's number, an answer, or what to do next. --interrupt: stop the running turn first.",
    "--question: which question, when several are open.",
  ],
  output: ["lines: how many of the last. --full: all of it. --since: from this offset on."],
  sessions: ["active: all that have not ended."],
  fg: ["New words come into this chat until /iflow_bg."],
  bg: ["Without a session: every one that this chat follows. The sessions go on."],
  kill: ["--all: every live session of this chat. One that is idle is closed as completed."],
  resume: ["--fork: a new session with the same history. --list, or nothing: what can be resumed."],
  stats: [],
};

const GRAMMAR =
  "Options come before the words. What contains blanks goes in quotes; words that begin with -- come after a lone --.";

/** Asked of /iflow: everything on one screen. Asked of another command: that one. */
export function helpText(asked: Sign, all: readonly Sign[]): string {
  const own = [asked.usage, ...PARTS[asked.name], GRAMMAR];
  if (asked.name !== "launch") return [`/${asked.command}: ${FOR[asked.name]}`, ...own].join("\n");
  const lines = all.map(({ name, command }) => `/${command}: ${FOR[name]}`);
  return ["iFlow works in the background and tells this chat when it asks or is done.", ...lines, "", ...own].join(
    "\n",
  );
}
