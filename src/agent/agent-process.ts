/**
 * The process of an agent: started in its directory, in a group of its own.
 * Owns: the start, the exit status, the end of stderr. Does not own: when and how it is stopped (started-agent.ts), what it says.
 *
 * 1. stderr is always read, so that a flood never blocks the agent; its last 4 KiB are kept.
 * 2. `exited` settles once, after the exit and what stderr still held.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { IflowError, messageOf } from "../core/errors.ts";
import { openRegular } from "../regular-file.ts";
import { type InheritedMark, marked } from "./inherited-mark.ts";
import { directoryTrouble } from "./real-place.ts";

const STDERR_TAIL_BYTES = 4096;
/** How long stderr may stay open after the exit, held by a child of the agent. */
const STDERR_DRAIN_MS = 50;
const LONGEST_FIRST_LINE_BYTES = 256;

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ProcessStart {
  readonly command: string;
  readonly args: readonly string[];
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absent: as on a system that has none. */
  readonly mark?: InheritedMark;
}

/** Nothing is started in a directory that is not what it was. */
export function startRefused(workdir: string, why: string): IflowError {
  return new IflowError("agent_start_failed", `The agent cannot start in ${JSON.stringify(workdir)}: ${why}.`);
}

export class AgentProcess {
  readonly pid: number;
  readonly input: Writable;
  readonly output: Readable;
  /** Resolves at the exit, at once. */
  readonly exit: Promise<ExitStatus>;
  /** As `exit`, after the rest of stderr has been read. */
  readonly exited: Promise<ExitStatus>;
  #stderr = Buffer.alloc(0);

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>, pid: number) {
    this.pid = pid;
    this.input = child.stdin;
    this.output = child.stdout;
    child.stderr.on("data", (bytes: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, bytes]).subarray(-STDERR_TAIL_BYTES);
    });
    // A broken pipe of a dead agent; its exit tells more.
    child.stderr.on("error", () => undefined);
    const stderrEnd = new Promise<void>((resolve) => child.stderr.once("close", resolve));
    this.exit = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    this.exited = this.exit.then(async (status) => {
      const patience = setTimeout(() => child.stderr.destroy(), STDERR_DRAIN_MS);
      await stderrEnd;
      clearTimeout(patience);
      return status;
    });
  }

  /** Resolves when the process runs. Throws IflowError agent_start_failed with what the system said. */
  static async start(start: ProcessStart): Promise<AgentProcess> {
    const { mark, workdir } = start;
    const interpreter = await missingInterpreter(start.command);
    if (interpreter !== undefined) throw notStarted(start.command, new Error(interpreter));
    const { command, args } =
      mark === undefined || process.platform !== "linux" ? start : marked(mark, start.command, start.args);
    // Last of all, so that as little time as can be passes between the look and the start.
    const trouble = await directoryTrouble(workdir);
    if (trouble !== undefined) throw startRefused(workdir, trouble);
    const child = spawn(command, args, {
      cwd: workdir,
      env: start.env,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => reject(notStarted(start.command, error));
      child.once("error", failed);
      child.once("spawn", () => {
        child.removeListener("error", failed);
        // Later errors of a running child are failed signals; the ladder sees by itself whether it ended.
        child.on("error", () => undefined);
        if (child.pid === undefined) failed(new Error("it has no pid"));
        else resolve(new AgentProcess(child, child.pid));
      });
    });
  }

  /** Last lines of stderr, at most 4 KiB; a character cut at the beginning is left out. */
  get stderrTail(): string {
    return this.#stderr
      .toString("utf8")
      .replace(/^\uFFFD+/, "")
      .trim();
  }
}

function notStarted(command: string, error: unknown): IflowError {
  const message = `${command} could not be started: ${messageOf(error)}. Check agent.command.`;
  return new IflowError("agent_start_failed", message, { cause: error });
}

/** The shell that gives the mark would only say "not found", and the agent would seem to have exited. */
async function missingInterpreter(command: string): Promise<string | undefined> {
  const [, interpreter] = /^#![ \t]*(\S+)/.exec(await beginningOf(command)) ?? [];
  if (interpreter === undefined) return undefined;
  return access(interpreter, constants.X_OK).then(
    () => undefined,
    () => `its first line names ${interpreter}, which is no program`,
  );
}

async function beginningOf(command: string): Promise<string> {
  try {
    await using file = await openRegular(command);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(LONGEST_FIRST_LINE_BYTES),
      0,
      LONGEST_FIRST_LINE_BYTES,
      0,
    );
    return buffer.toString("latin1", 0, bytesRead);
  } catch {
    return ""; // a program that may be run but not read
  }
}
