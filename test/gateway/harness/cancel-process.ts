/**
 * Processes beside a gateway that cancel flows in its database, one each, as the host's command-line tool does.
 * Owns: the process that is used and the next one, which starts meanwhile.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

const PROGRAM = join(import.meta.dirname, "../probe/cancel-process.ts");

export interface CancelAnswer {
  readonly cancelled: boolean;
  readonly reason?: string;
}

interface Ready {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly lines: AsyncIterator<string>;
}

export class CancelProcesses implements AsyncDisposable {
  readonly #env: Readonly<Record<string, string>>;
  #next: Promise<Ready>;

  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
    this.#next = this.#start();
  }

  async cancelFlow(sessionKey: string, flowId: string): Promise<CancelAnswer> {
    const { child, lines } = await this.#next;
    this.#next = this.#start();
    child.stdin.write(`${sessionKey} ${flowId}\n`);
    const { value } = (await lines.next()) as { value: string | undefined };
    if (value === undefined) throw new Error("the process that was to cancel ended without an answer");
    return JSON.parse(value) as CancelAnswer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { child } = await this.#next;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async #start(): Promise<Ready> {
    const child = spawn(process.execPath, [PROGRAM], { env: { ...this.#env }, stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    return { child, lines };
  }
}
