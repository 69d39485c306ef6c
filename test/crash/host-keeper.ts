/**
 * The host's ledger process, from the outside: started, killed with -9 in the middle of anything, started again on its database.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RemoteHost } from "./host-wire.ts";

const READY_WITHIN_MS = 90_000;

export class HostKeeper {
  /** Of the present start: a socket that was left behind by a killed process can't be used again. */
  socket = "";
  readonly #program: string;
  readonly #dir: string;
  #starts = 0;
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #remote: RemoteHost | undefined;

  /** `program`: host-process.ts, as Node can run it. */
  constructor(program: string, dir: string) {
    this.#program = program;
    this.#dir = join(dir, "host");
    mkdirSync(this.#dir, { recursive: true });
    writeFileSync(join(this.#dir, "openclaw.json"), "{}");
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    this.#starts += 1;
    this.socket = join(this.#dir, `${this.#starts}.sock`);
    const child = spawn(process.execPath, [this.#program, this.socket], {
      env: {
        PATH: process.env["PATH"],
        HOME: this.#dir,
        OPENCLAW_STATE_DIR: this.#dir,
        OPENCLAW_CONFIG_PATH: join(this.#dir, "openclaw.json"),
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    this.#gone = new Promise((resolve) => child.once("exit", () => resolve()));
    const ready = new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => resolve());
      child.once("exit", (code) =>
        reject(new Error(`the host's ledger ended with code ${code}: ${said.slice(-2_000)}`)),
      );
      setTimeout(
        () => reject(new Error(`the host's ledger was not ready: ${said.slice(-2_000)}`)),
        READY_WITHIN_MS,
      ).unref();
    });
    await ready;
    this.#remote = await RemoteHost.connect(this.socket);
  }

  /** For looking at the ledger, and for writing it as somebody else. */
  get remote(): RemoteHost {
    if (this.#remote === undefined) throw new Error("the host's ledger is not running");
    return this.#remote;
  }

  /** After it was killed together with a life. */
  async restart(): Promise<void> {
    this.#remote?.close();
    await this.#gone;
    await this.start();
  }

  async stop(): Promise<void> {
    this.#remote?.close();
    this.#child?.kill("SIGKILL");
    await this.#gone;
  }
}
