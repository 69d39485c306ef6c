/** What the contract of the agent port needs from an implementation, and how its tests open connections. */
import type { AgentConnection, AgentLauncher, OpenedSession, OpenSession } from "../../src/ports.ts";
import { Listener } from "../agent/listener.ts";

export interface AgentWorld extends AsyncDisposable {
  readonly launcher: AgentLauncher;
  readonly workdir: string;
  /** What a session wrote into the workdir. */
  file(name: string): Promise<string | undefined>;
  /** False where agents are only dialled. */
  readonly startsProcesses: boolean;
}

const SESSION: OpenSession = {
  mode: "yolo",
  disallowedTools: [],
  systemPrompt: undefined,
  maxTurns: undefined,
  model: undefined,
  load: undefined,
};

export interface OpenConnection {
  readonly connection: AgentConnection;
  readonly heard: Listener;
  readonly opened: OpenedSession;
}

/** One test's connections in one world; all are stopped with it. */
export class Stage implements AsyncDisposable {
  readonly world: AgentWorld;
  readonly #started: AgentConnection[] = [];

  constructor(world: AgentWorld) {
    this.world = world;
  }

  /** Of the connection that was started last. */
  get sessionId(): string {
    return `s${this.#started.length}-${process.pid}`;
  }

  async start(signal: AbortSignal = new AbortController().signal): Promise<AgentConnection> {
    const spec = { sessionId: `s${this.#started.length + 1}-${process.pid}`, workdir: this.world.workdir };
    const connection = await this.world.launcher.start(spec, signal);
    this.#started.push(connection);
    return connection;
  }

  async open(session: Partial<OpenSession> = {}): Promise<OpenConnection> {
    const connection = await this.start();
    const heard = new Listener(connection);
    const opened = await connection.open({ ...SESSION, ...session }, new AbortController().signal);
    return { connection, heard, opened };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((connection) => connection.stop()));
    await this.world[Symbol.asyncDispose]();
  }
}

export const prompt = (connection: AgentConnection, turn: number, ...lines: readonly string[]): Promise<void> =>
  connection.prompt(turn, [{ type: "text", text: lines.join("\n") }]);

export { SESSION };
