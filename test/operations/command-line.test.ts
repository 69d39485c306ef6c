/** What people type after a command word, and what operations make of it; chat clients change hyphens and quotes. */
import { describe, expect, test } from "vitest";
import type { OperationName } from "../../src/operations/operation.ts";
import { operations } from "../../src/operations/table.ts";

const DOORS = operations(() => undefined);

function typed(name: OperationName, args: string): unknown {
  const parsed = DOORS.find((door) => door.name === name)?.parseCommand(args);
  if (parsed?.ok === "params") return parsed.params;
  return parsed?.ok === false ? parsed.message : parsed;
}

const taken: readonly (readonly [id: string, OperationName, args: string, params: unknown])[] = [
  ["O1", "launch", "Fix it", { prompt: "Fix it" }],
  ["O1", "launch", "  Fix it\n\nthen  test 'it' \"well\"\n", { prompt: "Fix it\n\nthen  test 'it' \"well\"" }],
  ["O1", "launch", "--name fix --once Fix it", { name: "fix", multi_turn_disabled: true, prompt: "Fix it" }],
  ["O1", "launch", "—name fix —once Fix it", { name: "fix", multi_turn_disabled: true, prompt: "Fix it" }],
  ["O1", "launch", "–mode plan Fix it", { permission_mode: "plan", prompt: "Fix it" }],
  ["O1", "launch", '--workdir "/a b/c" --model m-1 Fix', { workdir: "/a b/c", model: "m-1", prompt: "Fix" }],
  ["O1", "launch", "--workdir “/a b/c” Fix", { workdir: "/a b/c", prompt: "Fix" }],
  ["O1", "launch", "--name=fix Fix", { name: "fix", prompt: "Fix" }],
  ["O1", "launch", '--name="fix it" Fix', { name: "fix it", prompt: "Fix" }],
  ["O1", "launch", "--name fix\nline one\nline two", { name: "fix", prompt: "line one\nline two" }],
  ["O1", "launch", "-- --once is what the flag is called", { prompt: "--once is what the flag is called" }],
  ["O1", "launch", "Explain --once and —name", { prompt: "Explain --once and —name" }],
  ["O1", "launch", "-v is which flag?", { prompt: "-v is which flag?" }],
  ["O1", "launch", "修复登录 — 然后测试", { prompt: "修复登录 — 然后测试" }],
  ["O1", "launch", '"Fix it", she said', { prompt: '"Fix it", she said' }],
  ["O2", "respond", "fix 2", { session: "fix", message: "2" }],
  ["O2", "respond", "—interrupt fix stop\nand  wait", { interrupt: true, session: "fix", message: "stop\nand  wait" }],
  ["O2", "respond", '--question q7.2 "my job" yes', { question_id: "q7.2", session: "my job", message: "yes" }],
  ["O2", "respond", "fix --interrupt is a flag", { session: "fix", message: "--interrupt is a flag" }],
  ["O3", "fg", "fix", { session: "fix" }],
  ["O3", "fg", "--lines 5 fix", { lines: 5, session: "fix" }],
  ["O4", "bg", " \n", {}],
  ["O4", "bg", "fix", { session: "fix" }],
  ["O5", "kill", "—all", { all: true }],
  ["O5", "kill", "--all", { all: true }],
  ["O5", "kill", " fix ", { session: "fix" }],
  ["O5", "kill", '"my job"', { session: "my job" }],
  ["O6", "output", "fix", { session: "fix" }],
  ["O6", "output", "fix 12", { session: "fix", lines: 12 }],
  ["O6", "output", "fix --full", { session: "fix", lines: "--full" }],
  ["O3", "fg", "--lines many fix", { lines: "many", session: "fix" }],
  ["O6", "output", "--full fix", { full: true, session: "fix" }],
  ["O7", "sessions", "", {}],
  ["O7", "sessions", " Active ", { filter: "active" }],
  ["O8", "stats", "", {}],
  ["O9", "resume", "", {}],
  ["O9", "resume", "—list", {}],
  ["O9", "resume", "fix", { session: "fix" }],
  ["O9", "resume", "--fork fix try\nagain", { fork: true, session: "fix", prompt: "try\nagain" }],
];

describe("typed words become parameters", () => {
  test.each(taken)("[%s] %s: %j", (_id, name, args, params) => {
    expect(typed(name, args)).toEqual(params);
  });
});

const refused: readonly (readonly [OperationName, args: string, words: string])[] = [
  ["launch", "", "The prompt is missing. Usage: /iflow "],
  ["launch", "--name fix", "The prompt is missing."],
  ["launch", "--name", "Option --name needs a value."],
  ["launch", "--colour red Fix", "Unknown option --colour. Known: --name, --workdir, --model, --mode, --once."],
  ["respond", "", "Which session? Give its name or id. Usage: /iflow_respond "],
  ["respond", "fix", "The message is missing."],
  ["respond", "--interrupt", "Which session?"],
  ["fg", "", "Which session?"],
  ["fg", "fix now", 'What is "now"? Only one session is expected.'],
  ["bg", "--all", "Unknown option --all. Known: none."],
  ["kill", "fix now", 'What is "now"? Only one session is expected.'],
  ["stats", "all", "It takes nothing."],
  ["resume", "--fork", "Which session?"],
];

describe("what can't be meant is refused with the usage", () => {
  test.each(refused)("%s %j", (name, args, words) => {
    expect(typed(name, args)).toEqual(expect.stringContaining(words));
    expect(typed(name, args)).toContain("Usage: /iflow");
  });
});
