/** Real agents for tests: the demo agent in temporary folders, with everything ended and removed afterwards. */
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createAgentLauncher } from "../../src/agent/agent-launcher.ts";
import type { AgentOptions } from "../../src/agent/agent-options.ts";
import type { AgentConnection, AgentLauncher, OpenSession } from "../../src/ports.ts";
import { Listener } from "./listener.ts";

export const DEMO_AGENT = resolve(import.meta.dirname, "../../demo-agent/agent.mjs");

export const SESSION: OpenSession = {
  mode: "yolo",
  disallowedTools: [],
  systemPrompt: undefined,
  maxTurns: undefined,
  model: undefined,
  load: undefined,
};

export const say = (text: string) => [{ type: "text", text }] as const;

export class DemoWorld implements AsyncDisposable {
  readonly folder: string;
  readonly logged: string[] = [];
  readonly #options: Partial<AgentOptions>;
  readonly #connections: AgentConnection[] = [];
  #sessions = 0;

  private constructor(folder: string, options: Partial<AgentOptions>) {
    this.folder = folder;
    this.#options = options;
  }

  static async create(options: Partial<AgentOptions> = {}): Promise<DemoWorld> {
    return new DemoWorld(await realpath(await mkdtemp(join(tmpdir(), "iflow-agent-"))), options);
  }

  get promptLog(): string {
    return join(this.folder, "prompts.jsonl");
  }

  /** Prompts that any agent of this world has received. */
  async received(): Promise<readonly { readonly text: string; readonly pid: number }[]> {
    const text = await readFile(this.promptLog, "utf8").catch(() => "");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { text: string; pid: number });
  }

  launcher(more: Partial<AgentOptions> = {}, quirks = ""): AgentLauncher {
    const note = (message: string): void => void this.logged.push(message);
    return createAgentLauncher({
      command: DEMO_AGENT,
      hostEnv: { PATH: process.env["PATH"], HOME: this.folder },
      log: { info: note, warn: note, error: note },
      ...this.#options,
      ...more,
      env: {
        DEMO_AGENT_HOME: join(this.folder, ".iflow"),
        DEMO_AGENT_LOG: this.promptLog,
        DEMO_AGENT_QUIRKS: quirks,
        ...this.#options.env,
        ...more.env,
      },
    });
  }

  async start(launcher: AgentLauncher = this.launcher(), sessionId?: string): Promise<AgentConnection> {
    this.#sessions += 1;
    const spec = { sessionId: sessionId ?? `test-${process.pid}-${this.#sessions}`, workdir: this.folder };
    const connection = await launcher.start(spec, new AbortController().signal);
    this.#connections.push(connection);
    return connection;
  }

  /** A connection with an open session and somebody who listens. */
  async open(
    session: Partial<OpenSession> = {},
    launcher?: AgentLauncher,
  ): Promise<{ readonly connection: AgentConnection; readonly heard: Listener; readonly acpSessionId: string }> {
    const connection = await this.start(launcher);
    const heard = new Listener(connection);
    const { acpSessionId } = await connection.open({ ...SESSION, ...session }, new AbortController().signal);
    return { connection, heard, acpSessionId };
  }

  file(name: string): Promise<string | undefined> {
    return readFile(join(this.folder, name), "utf8").catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
