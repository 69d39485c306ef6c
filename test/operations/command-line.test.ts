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
  ["C1", "launch", "-- Explain --once and —name", { prompt: "Explain --once and —name" }],
  ["C1", "launch", 'Explain `--once` and "--name x"', { prompt: 'Explain `--once` and "--name x"' }],
  [
    "C1",
    "launch",
    "Explain '--once' and “--mode plan”, don't --guess",
    { prompt: "Explain '--once' and “--mode plan”, don't --guess" },
  ],
  ["C1", "launch", "Explain ```sh x --once", { prompt: "Explain ```sh x --once" }],
  ["C1", "launch", "Fix it\n--mode manual is a flag", { prompt: "Fix it\n--mode manual is a flag" }],
  ["C1", "launch", "What does --mode, do? And x--once?", { prompt: "What does --mode, do? And x--once?" }],
  ["C1", "launch", "--Mode plan Fix it", { permission_mode: "plan", prompt: "Fix it" }],
  ["C1", "respond", "-- job --interrupt stop", { session: "job", message: "--interrupt stop" }],
  ["C1", "sessions", "--active", { filter: "active" }],
  ["C2", "launch", "help me with the tests", { prompt: "help me with the tests" }],
  ["C5", "launch", "— point one\n— point two", { prompt: "— point one\n— point two" }],
  ["C5", "launch", "—point", { prompt: "—point" }],
  ["C5", "launch", "- a\n- b", { prompt: "- a\n- b" }],
  ["C5", "launch", "--once — point", { multi_turn_disabled: true, prompt: "— point" }],
  ["C5", "launch", "—mode plan — point", { permission_mode: "plan", prompt: "— point" }],
  ["C5", "launch", "-- --verbose is missing", { prompt: "--verbose is missing" }],
  ["C5", "launch", "--workdir '/my dir' Fix", { workdir: "/my dir", prompt: "Fix" }],
  ["C5", "launch", "--workdir ‘/my dir’ Fix", { workdir: "/my dir", prompt: "Fix" }],
  ["C5", "launch", "--workdir „/my dir“ Fix", { workdir: "/my dir", prompt: "Fix" }],
  ["C5", "launch", '--workdir "/my dir” Fix', { workdir: "/my dir", prompt: "Fix" }],
  ["C5", "launch", "--name=’fix’ Fix", { name: "fix", prompt: "Fix" }],
  ["C5", "respond", "'my job' it's 'fine'", { session: "my job", message: "it's 'fine'" }],
  ["C5", "respond", "'tis it's 'fine'", { session: "'tis", message: "it's 'fine'" }],
  ["O1", "launch", "-v is which flag?", { prompt: "-v is which flag?" }],
  ["O1", "launch", "修复登录 — 然后测试", { prompt: "修复登录 — 然后测试" }],
  ["O1", "launch", '"Fix it", she said', { prompt: '"Fix it", she said' }],
  ["O2", "respond", "fix 2", { session: "fix", message: "2" }],
  ["O2", "respond", "—interrupt fix stop\nand  wait", { interrupt: true, session: "fix", message: "stop\nand  wait" }],
  ["O2", "respond", '--question q7.2 "my job" yes', { question_id: "q7.2", session: "my job", message: "yes" }],
  ["C1", "respond", "fix -- --interrupt is a flag", { session: "fix", message: "--interrupt is a flag" }],
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
  ["O3", "fg", "--lines many fix", { lines: "many", session: "fix" }],
  ["O6", "output", "--full fix", { full: true, session: "fix" }],
  ["O7", "sessions", "", {}],
  ["O7", "sessions", " Active ", { filter: "active" }],
  ["O8", "stats", "", {}],
  ["O9", "resume", "", {}],
  ["O9", "resume", "—list", { session: null }],
  // What a command means without a session is said where it is carried out (bare-command.test.ts).
  ["C6", "resume", "--fork", { fork: true }],
  ["C6", "respond", "", {}],
  ["C6", "respond", "--interrupt", { interrupt: true }],
  ["C6", "fg", "", {}],
  ["O9", "resume", "fix", { session: "fix" }],
  ["O9", "resume", "--fork fix try\nagain", { fork: true, session: "fix", prompt: "try\nagain" }],
];

describe("typed words become parameters", () => {
  test.each(taken)("[%s] %s: %j", (_id, name, args, params) => {
    expect(typed(name, args)).toEqual(params);
  });
});

describe("[C1] a known option behind the words is refused, with what to send instead", () => {
  test.each([
    ["launch", "Fix it --mode manual", ["/iflow --mode manual Fix it", "/iflow -- Fix it --mode manual"]],
    ["launch", "Fix —mode=manual it", ["/iflow --mode manual Fix it", "/iflow -- Fix —mode=manual it"]],
    ["launch", "Fix it --permission-mode plan", ["/iflow --mode plan Fix it"]],
    ["launch", "--once Fix it --name 'my fix'\nand more", ['/iflow --name "my fix" Fix it\nand more']],
    [
      "respond",
      "job --interrupt stop",
      ["/iflow_respond --interrupt job stop", "/iflow_respond -- job --interrupt stop"],
    ],
    ["respond", "job stop --Interrupt", ["/iflow_respond --interrupt job stop"]],
    ["resume", "job --fork", ["/iflow_resume --fork job"]],
    ["output", "job --full", ["/iflow_output --full job"]],
    ["output", "job --since 12", ["/iflow_output --since 12 job"]],
    ["kill", "job --all", ["/iflow_kill --all job"]],
    ["fg", "job --lines 5", ["/iflow_fg --lines 5 job"]],
  ] as const)("%s %j", (name, args, instead) => {
    const message = typed(name, args);
    expect(message).toContain("stands behind the words");
    for (const line of instead) expect(message).toContain(`\n${line}\n`);
  });
});

describe("[C2] help is help, and no job, session or message of that name", () => {
  const words = ["help", " Help\n", "--help", "--help mode", "-h", "—help", "?", "帮助"];
  const names = DOORS.map(({ name }) => name);
  test.each(names.flatMap((name) => words.map((args) => [name, args] as const)))("%s %j", (name, args) => {
    expect(typed(name, args)).toEqual({ ok: "help" });
  });

  test("also the bare /iflow", () => expect(typed("launch", "  ")).toEqual({ ok: "help" }));

  test("one screen says each command once, and what /iflow takes", () => {
    const [launch] = DOORS;
    if (launch === undefined) throw new Error("there is no operation");
    const { help } = launch;
    for (const { command } of DOORS)
      expect(help.split("\n").filter((line) => line.startsWith(`/${command}: `))).toHaveLength(1);
    expect(help).toContain(launch.usage);
    expect(help.length).toBeLessThan(1_400);
  });

  test.each(DOORS.slice(1).map((door) => [door.command, door] as const))("of %s alone", (command, door) => {
    const { help } = door;
    expect(help).toContain(door.usage);
    expect(help.match(/\/iflow\w*: /g)).toEqual([`/${command}: `]);
  });
});

const refused: readonly (readonly [OperationName, args: string, words: string])[] = [
  ["launch", "--", "The prompt is missing. Usage: /iflow "],
  ["launch", "--name fix", "The prompt is missing."],
  ["launch", "--once=yes Fix", "Option --once takes no value."],
  ["launch", "--name", "Option --name needs a value."],
  ["launch", "--colour red Fix", "Unknown option --colour. Known: --name, --workdir, --model, --mode, --once."],
  ["respond", "fix", "The message is missing."],
  ["fg", "fix now", 'What is "now"? Only one session is expected.'],
  ["bg", "--all", "Unknown option --all. Known: none."],
  ["kill", "fix now", 'What is "now"? Only one session is expected.'],
  ["stats", "all", "It takes nothing."],
];

describe("[C5] an option that nobody knows is refused, naming the nearest one and the lone --", () => {
  test.each([
    ["launch", "--verbose Fix", "Unknown option --verbose. Known: ", "/iflow -- --verbose Fix"],
    ["launch", "--modes plan Fix", "Did you mean --mode?", "/iflow -- --modes plan Fix"],
    ["launch", "—permission-mode plan Fix", "Did you mean --mode?", "/iflow -- —permission-mode plan Fix"],
    ["launch", "--cwd /a Fix", "Did you mean --workdir?", "/iflow -- --cwd /a Fix"],
    ["launch", "-mode plan Fix", "Unknown option -mode. Did you mean --mode?", "/iflow -- -mode plan Fix"],
    ["respond", "--interupt job stop", "Did you mean --interrupt?", "/iflow_respond -- --interupt job stop"],
    ["kill", "--al", "Did you mean --all?", "/iflow_kill -- --al"],
  ] as const)("%s %j", (name, args, words, instead) => {
    expect(typed(name, args)).toContain(words);
    expect(typed(name, args)).toContain(`come after a lone --.\n${instead}\n`);
  });
});

describe("what can't be meant is refused with the usage", () => {
  test.each(refused)("%s %j", (name, args, words) => {
    expect(typed(name, args)).toEqual(expect.stringContaining(words));
    expect(typed(name, args)).toContain("Usage: /iflow");
  });
});
