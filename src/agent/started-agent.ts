/**
 * An agent process with its guard: the part of a connection that exists only when we started the agent.
 * Owns: start under guard, the end of everything it started, the guard's release.
 *
 * 1. What the process says is heard from the tick of its start on: the output of one that exits at once is read by nobody else.
 * 2. `end` runs once; later calls get the same result. When it has settled the guard has been told (and stays if something is left).
 */
import { randomUUID } from "node:crypto";
import type { ProcessIdentity } from "../core/session.ts";
import type { Log } from "../ports.ts";
import { markOf } from "./inherited-mark.ts";
import { AgentProcess, type ProcessStart } from "./agent-process.ts";
import { backgroundCommands } from "./background.ts";
import { AGENT_MARK, ProcessGuard } from "./process-guard.ts";
import type { ProcessTable } from "./process-table.ts";
import { type Belongings, type EndDeadlines, endAll, type Ended } from "./process-end.ts";

export class StartedAgent {
  readonly process: AgentProcess;
  readonly command: string;
  readonly #guard: ProcessGuard;
  readonly #table: ProcessTable;
  readonly #belongings: Belongings;
  readonly #deadlines: EndDeadlines;
  #ended: Promise<Ended> | undefined;

  private constructor(
    process: AgentProcess,
    command: string,
    guard: ProcessGuard,
    table: ProcessTable,
    belongings: Belongings,
    deadlines: EndDeadlines,
  ) {
    this.process = process;
    this.command = command;
    this.#guard = guard;
    this.#table = table;
    this.#belongings = belongings;
    this.#deadlines = deadlines;
  }

  /**
   * Throws IflowError agent_start_failed. The guard stands before the agent runs. `hear` is called in the tick of the start and
   * makes what reads the process's output.
   */
  static async start<Ear>(
    start: Omit<ProcessStart, "mark"> & { readonly sessionId: string },
    hear: (process: AgentProcess) => Ear,
    table: ProcessTable,
    deadlines: EndDeadlines,
    log: Log,
  ): Promise<{ readonly agent: StartedAgent; readonly ear: Ear }> {
    const own = randomUUID();
    const limit = markOf(start.sessionId);
    const guard = ProcessGuard.start({ mark: own, limit: limit.agent }, start.env["PATH"] ?? "", (reason) =>
      log.warn(`The guard of ${start.command} is gone: ${reason}.`),
    );
    try {
      const process = await AgentProcess.start({ ...start, mark: limit, env: { ...start.env, [AGENT_MARK]: own } });
      const ear = hear(process);
      guard.watch(process.pid);
      const agent = await table.identity(process.pid);
      const belongings = { mark: `${AGENT_MARK}=${own}`, limit: { agent: limit.agent }, agent };
      return { agent: new StartedAgent(process, start.command, guard, table, belongings, deadlines), ear };
    } catch (error) {
      guard.done();
      throw error;
    }
  }

  /** Absent when it had already exited when it was looked at. */
  get identity(): ProcessIdentity | undefined {
    return this.#belongings.agent;
  }

  /** What its turns left running beside it. */
  background(): Promise<readonly string[]> {
    return backgroundCommands(this.#table, this.#belongings);
  }

  /** SIGTERM, then SIGKILL, to all of it. Never throws. */
  end(): Promise<Ended> {
    this.#ended ??= this.#endAll();
    return this.#ended;
  }

  async #endAll(): Promise<Ended> {
    const { clean, left } = await endAll(this.#table, this.#belongings, this.#deadlines);
    if (clean) this.#guard.done();
    return { clean, left };
  }
}
