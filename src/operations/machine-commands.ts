/**
 * `openclaw iflow …` on the machine's command line: doctor, sessions, output, audit.
 * Owns: what each prints and its exit code. They run in a process of their own and reach the gateway by RPC.
 */
import { messageOf } from "../core/errors.ts";
import { visible } from "../core/fence.ts";
import { redactSecrets } from "../core/redact.ts";
import { redactValue } from "../core/redact-value.ts";
import { markAt } from "../core/choice.ts";
import { openRegular } from "../regular-file.ts";
import type { OutputJson } from "./answers.ts";
import { MAX_CHARS } from "./output.ts";
import { doctorText, runDoctor, type DoctorParts } from "./doctor.ts";

export interface MachineRun {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  print(text: string): void;
  call(method: string, params: Record<string, unknown>): Promise<unknown>;
}

export interface MachineCommand {
  readonly name: string;
  readonly description: string;
  readonly args: readonly string[];
  readonly options: readonly { readonly flags: string; readonly description: string }[];
  run(run: MachineRun): Promise<number>;
}

const JSON_OPTION = { flags: "--json", description: "Print JSON" };
const AUDIT_LINES = 50;
const OUTPUT_LINES = 50;

export interface MachineParts {
  readonly auditFile: () => string;
  /** Undefined: the configuration is refused, with this message. */
  readonly doctor: (call: MachineRun["call"]) => Promise<DoctorParts | string>;
  /** What is printed is read by a terminal, which obeys what it reads; a file or a program gets the words as they are. */
  readonly isTerminal: () => boolean;
}

export function machineCommands(parts: MachineParts): readonly MachineCommand[] {
  return commandsOf(parts).map((command) => ({
    ...command,
    run: async (run) => {
      const print = (text: string): void => run.print(parts.isTerminal() ? visible(text) : text);
      return command.run({ args: run.args, options: run.options, print, call: async (...call) => run.call(...call) });
    },
  }));
}

function commandsOf(parts: MachineParts): readonly MachineCommand[] {
  return [
    {
      name: "doctor",
      description: "Check agent, authentication, directory, storage, route, wake and skill, for real",
      args: [],
      options: [JSON_OPTION],
      run: (run) => doctor(parts, run),
    },
    {
      name: "sessions",
      description: "List iFlow sessions of the running gateway",
      args: ["[filter]"],
      options: [JSON_OPTION],
      run: (run) => listed(run),
    },
    {
      name: "output",
      description: "Print the output of a session",
      args: ["<session>"],
      options: [
        JSON_OPTION,
        { flags: "--full", description: "From the beginning" },
        { flags: "--question <id>", description: "All of an open question instead" },
        { flags: "--lines <count>", description: `Last lines (${OUTPUT_LINES})` },
      ],
      run: (run) => printed(run),
    },
    {
      name: "audit",
      description: "Print the last lines of the audit log",
      args: ["[lines]"],
      options: [],
      run: (run) => audited(parts, run),
    },
  ];
}

async function doctor(parts: MachineParts, run: MachineRun): Promise<number> {
  const found = await parts.doctor((method, params) => run.call(method, params));
  if (typeof found === "string") {
    run.print(`✗ configuration: ${redactSecrets(found)}`);
    return 1;
  }
  // A check says what it met: an agent's last words, an address, a part of the configuration. The same shape.
  const checks = redactValue(await runDoctor(found), redactSecrets) as Awaited<ReturnType<typeof runDoctor>>;
  run.print(run.options["json"] === true ? JSON.stringify(checks, undefined, 2) : doctorText(checks));
  return checks.some((check) => check.verdict === "failed") ? 1 : 0;
}

/** What failed is said as the gateway, or the host about the gateway, says it; the exit code is 1. */
async function asking(run: MachineRun, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    run.print(`✗ ${redactSecrets(messageOf(error))}`);
    return 1;
  }
}

function listed(run: MachineRun): Promise<number> {
  return asking(run, async () => {
    const [filter] = run.args;
    const rows = await run.call("iflow.sessions", filter === undefined ? {} : { filter });
    if (run.options["json"] === true || !Array.isArray(rows)) {
      run.print(JSON.stringify(rows, undefined, 2));
      return;
    }
    const lines = (rows as readonly Record<string, unknown>[]).map(
      (row) =>
        `${String(row["id"])}  ${String(row["status"]).padEnd(11)}  ${String(row["name"])}  ${String(row["workdir"])}`,
    );
    run.print(lines.length === 0 ? "No iFlow sessions." : lines.join("\n"));
  });
}

function printed(run: MachineRun): Promise<number> {
  return asking(run, async () => {
    const lines = countOf(run.options["lines"], OUTPUT_LINES);
    const { question } = run.options;
    const isFull = run.options["full"] === true;
    const of = {
      session: run.args[0] ?? "",
      ...(typeof question === "string" ? { questionId: question } : {}),
    };
    const first = (await run.call("iflow.output", { ...of, lines, ...(isFull ? { full: true } : {}) })) as OutputJson;
    const answer = isFull || "questionId" in of ? await whole(run, of, first) : first;
    run.print(run.options["json"] === true ? JSON.stringify(answer, undefined, 2) : answer.output);
    if (run.options["json"] !== true && answer.question !== undefined) run.print(choicesOf(answer.question));
  });
}

function choicesOf({ options, marks }: NonNullable<OutputJson["question"]>): string {
  const named = marks === "letters" ? { marks } : {};
  return ["", ...options.map((label, index) => `${markAt(named, index)}: ${label}`)].join("\n");
}

/** One answer holds so much; an answer that is not full is the last. */
async function whole(run: MachineRun, of: Readonly<Record<string, string>>, first: OutputJson): Promise<OutputJson> {
  const texts = [first.output];
  let last = first;
  while (last.endOffset - last.startOffset >= MAX_CHARS - 1) {
    last = (await run.call("iflow.output", { ...of, since: last.endOffset })) as OutputJson;
    texts.push(last.output);
  }
  return { ...last, startOffset: first.startOffset, truncated: first.startOffset > 0, output: texts.join("") };
}

async function audited(parts: MachineParts, run: MachineRun): Promise<number> {
  const file = parts.auditFile();
  return asking(run, async () => {
    const count = countOf(run.args[0], AUDIT_LINES);
    const text = await wholeText(file).catch((error: unknown) => {
      throw new Error(`No audit log can be read at ${file}: ${messageOf(error)}`, { cause: error });
    });
    run.print(text.trimEnd().split("\n").slice(-count).join("\n"));
  });
}

function countOf(given: unknown, otherwise: number): number {
  const count = Number(given ?? otherwise);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new Error(`How many lines? A number from 1 is expected, not ${JSON.stringify(given)}.`);
}

async function wholeText(path: string): Promise<string> {
  await using file = await openRegular(path);
  return await file.readFile("utf8");
}
