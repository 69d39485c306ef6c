/**
 * One run of `openclaw gateway run` as a child process: start, wait for ready, stop, kill -9.
 * Owns: the process tree of the run and its log. Does not own: the state directory, which outlives runs.
 * 1. Only processes that this run started are signalled, by pid and start time.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import type { OpenclawHost } from "./openclaw-host.ts";
import { identify, signal, treeOf, untilGone, type Pid } from "./process-tree.ts";
import { PATIENCE_MS } from "./patience.ts";

const POLL_MS = 100;

export interface GatewayRun {
  readonly host: OpenclawHost;
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly logFile: string;
}

export class GatewayProcess {
  readonly #run: GatewayRun;
  readonly #child: ChildProcess;
  readonly #root: Pid;
  readonly #exit: Promise<{ code: number | null; signal: string | null }>;
  #seen: readonly Pid[] = [];
  #ended = false;

  constructor(run: GatewayRun) {
    this.#run = run;
    this.#child = spawn(process.execPath, [run.host.script, "gateway", "run", "--port", String(run.port)], {
      env: { ...run.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const log = createWriteStream(run.logFile, { flags: "a" });
    this.#child.stdout?.pipe(log, { end: false });
    this.#child.stderr?.pipe(log, { end: false });
    const root = identify(this.#child.pid ?? -1);
    if (root === undefined) throw new Error("the gateway process could not be started");
    this.#root = root;
    this.#exit = new Promise((resolve) => {
      this.#child.once("exit", (code, name) => {
        this.#ended = true;
        log.end();
        resolve({ code, signal: name });
      });
    });
  }

  get pid(): number {
    return this.#root.pid;
  }

  get running(): boolean {
    return !this.#ended;
  }

  /** Resolves when tools, routes and channels are up. */
  async ready(): Promise<void> {
    const deadlineAt = Date.now() + PATIENCE_MS;
    while (Date.now() < deadlineAt) {
      if (this.#ended) throw new Error(`the gateway ended before it was ready\n${this.#logTail()}`);
      if (await answersReady(this.#run.port)) {
        this.#remember();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    await this.kill9();
    throw new Error(`the gateway was not ready within ${PATIENCE_MS} ms\n${this.#logTail()}`);
  }

  /** As an operator stops it; gives the time it took. Fails when it does not leave by itself within `withinMs`. */
  async stop(withinMs = PATIENCE_MS, name: NodeJS.Signals = "SIGTERM"): Promise<{ tookMs: number }> {
    if (this.#ended) return { tookMs: 0 };
    const startedMs = Date.now();
    this.#remember();
    signal(this.#root, name);
    const left = await untilGone([this.#root], withinMs);
    if (left.length > 0) {
      await this.kill9();
      throw new Error(`the gateway did not leave within ${withinMs} ms after ${name}\n${this.#logTail()}`);
    }
    await this.#exit;
    return { tookMs: Date.now() - startedMs };
  }

  /** A signal that need not end it (a restart request). */
  signal(name: NodeJS.Signals): void {
    signal(this.#root, name);
  }

  /** Ends the gateway and its workers at once. What has a session of its own (an agent) is left to the test. */
  async kill9(): Promise<void> {
    if (this.#ended) return;
    this.#remember();
    const own = this.#seen.filter((one) => one.pid === this.#root.pid || sameSession(one.pid, this.#root.pid));
    for (const one of own) signal(one, "SIGKILL");
    const left = await untilGone(own, PATIENCE_MS);
    if (left.length > 0) throw new Error(`SIGKILL left ${left.map((one) => one.pid).join(", ")} alive`);
    await this.#exit;
  }

  /** Everything that was ever seen below this run and still lives. */
  leftovers(): readonly Pid[] {
    return this.#seen.filter((one) => identify(one.pid)?.startedAt === one.startedAt);
  }

  #remember(): void {
    const tree = treeOf(this.#root.pid);
    this.#seen = [...this.#seen, ...tree.filter((one) => !this.#seen.some((known) => known.pid === one.pid))];
  }

  #logTail(): string {
    return readFileSync(this.#run.logFile, "utf8").split("\n").slice(-60).join("\n");
  }
}

async function answersReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    // Not listening yet.
    return false;
  }
}

function sameSession(pid: number, leader: number): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(line.slice(line.lastIndexOf(")") + 2).split(" ")[3]) === leader;
  } catch {
    // It is gone already.
    return false;
  }
}
