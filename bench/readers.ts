/**
 * Three ways to read the same agent: our connection, the SDK's own client, and a raw reader that does the least possible.
 * Each appends what it heard to a file, as a journal would.
 */
import { IFlowClient } from "@iflow-ai/iflow-cli-sdk";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { createAgentLauncher } from "../src/agent/agent-launcher.ts";
import type { AgentConnection } from "../src/ports.ts";

export const DEMO_AGENT = resolve(import.meta.dirname, "../demo-agent/agent.mjs");

export type Transport = "stdio" | "websocket";
/** Called for each piece of text as it is delivered. */
export type OnText = (text: string) => void;

export interface Reader {
  /** Resolves at the end of the turn; false when nothing came any more for `GIVE_UP_MS`. */
  run(script: string, onText: OnText): Promise<boolean>;
  readonly pid: number;
  /** Which agent it is on. */
  readonly agent: string;
  /** Resolves when this reader knows that the agent is dead. */
  readonly death: Promise<void>;
  close(): Promise<void>;
}

export interface Place {
  readonly folder: string;
  readonly quirks: string;
}

/** The SDK may drop the frame that ends a turn; then this long without a message ends the wait. */
const GIVE_UP_MS = 3_000;
const SDK_CONNECT_MS = 12_000;

function environment({ folder, quirks }: Place): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    DEMO_AGENT_HOME: join(folder, ".agent"),
    DEMO_AGENT_QUIRKS: quirks,
  };
}

/** Agents without a guard: those of the other readers. A benchmark that fails takes them along. */
const unguarded = new Set<ChildProcess>();
process.on("exit", () => {
  for (const agent of unguarded) agent.kill("SIGKILL");
});

function startUnguarded(args: readonly string[], place: Place) {
  const agent = spawn(DEMO_AGENT, ["--experimental-acp", "--stream", ...args], {
    cwd: place.folder,
    env: environment(place),
    stdio: ["pipe", "pipe", "ignore"],
  });
  unguarded.add(agent);
  agent.once("exit", () => unguarded.delete(agent));
  return agent;
}

// ---------------------------------------------------------------- ours

export async function openOurs(place: Place, transport: Transport): Promise<Reader> {
  const { PATH, HOME, ...env } = environment(place);
  const launcher = createAgentLauncher({
    command: DEMO_AGENT,
    env,
    transport,
    hostEnv: { PATH, HOME },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  const connection = await launcher.start({ sessionId: "bench", workdir: place.folder }, new AbortController().signal);
  await connection.open(
    {
      mode: "yolo",
      disallowedTools: [],
      systemPrompt: undefined,
      maxTurns: undefined,
      model: undefined,
      load: undefined,
    },
    new AbortController().signal,
  );
  return new OurReader(connection, place);
}

class OurReader implements Reader {
  readonly #connection: AgentConnection;
  readonly #file: number;
  readonly death: Promise<void>;
  #onText: OnText = () => {};
  #ended: () => void = () => {};
  #turn = 0;

  constructor(connection: AgentConnection, place: Place) {
    this.#connection = connection;
    this.#file = openSync(join(place.folder, "ours.jsonl"), "a");
    this.death = this.#read();
  }

  get pid(): number {
    return this.#connection.identity?.pid ?? 0;
  }

  get agent(): string {
    return String(this.pid);
  }

  async #read(): Promise<void> {
    for await (const batch of this.#connection.events) {
      let lines = "";
      for (const event of batch) {
        lines += `${JSON.stringify(event)}\n`;
        if (event.kind === "text") this.#onText(event.text);
        else if (event.kind === "turn-ended") this.#ended();
        else if (event.kind === "exited") return;
      }
      writeSync(this.#file, lines);
    }
  }

  async run(script: string, onText: OnText): Promise<boolean> {
    this.#onText = onText;
    const end = new Promise<void>((done) => (this.#ended = done));
    await this.#connection.prompt((this.#turn += 1), [{ type: "text", text: script }]);
    await end;
    return true;
  }

  async close(): Promise<void> {
    await this.#connection.stop();
    closeSync(this.#file);
  }
}

// ---------------------------------------------------------------- raw

/** An agent in its own process, dialled or piped, and nothing between its frames and JSON.parse. */
export async function openRaw(place: Place, transport: Transport): Promise<Reader> {
  const agent = startUnguarded(transport === "stdio" ? [] : ["--port", "0"], place);
  const reader = new RawReader(agent, place);
  if (transport === "stdio") {
    let rest = "";
    agent.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      reader.receive(lines);
    });
    reader.send = (text) => void agent.stdin.write(`${text}\n`);
  } else {
    const [line] = (await once(createInterface({ input: agent.stdout }), "line")) as [string];
    const socket = new WebSocket(/ws:\S+/.exec(line)?.[0] ?? "", { perMessageDeflate: false });
    socket.on("message", (data: Buffer) => reader.receive([data.toString("utf8")]));
    socket.on("error", () => {});
    await once(socket, "open");
    reader.send = (text) => socket.send(text);
  }
  await reader.handshake();
  return reader;
}

class RawReader implements Reader {
  readonly death: Promise<void>;
  readonly #agent: ChildProcess;
  readonly #folder: string;
  readonly #file: number;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  readonly #unwritten: string[] = [];
  #closed = false;
  send: (text: string) => void = () => {};
  #onText: OnText = () => {};
  #id = 0;
  #sessionId = "";

  constructor(agent: ChildProcess, place: Place) {
    this.#agent = agent;
    this.#folder = place.folder;
    this.#file = openSync(join(place.folder, "raw.jsonl"), "a");
    this.death = once(agent, "exit").then(() => undefined);
  }

  get pid(): number {
    return this.#agent.pid ?? 0;
  }

  get agent(): string {
    return String(this.pid);
  }

  receive(lines: readonly string[]): void {
    for (const line of lines) {
      if (!line.startsWith("{")) continue;
      const frame = JSON.parse(line) as {
        id?: number;
        result?: unknown;
        params?: { update?: { content?: { text?: string } } };
      };
      const text = frame.params?.update?.content?.text;
      if (text !== undefined) this.#onText(text);
      else if (frame.id !== undefined) this.#waiting.get(frame.id)?.(frame.result);
    }
    if (this.#unwritten.length === 0) setImmediate(() => this.#write());
    for (const line of lines) this.#unwritten.push(line);
  }

  #write(): void {
    if (!this.#closed) writeSync(this.#file, `${this.#unwritten.splice(0).join("\n")}\n`);
  }

  #request(method: string, params: object): Promise<unknown> {
    const id = (this.#id += 1);
    const reply = new Promise((done) => this.#waiting.set(id, done));
    this.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return reply;
  }

  async handshake(): Promise<void> {
    await this.#request("initialize", { protocolVersion: 1, clientCapabilities: {} });
    const session = await this.#request("session/new", { cwd: this.#folder, mcpServers: [] });
    this.#sessionId = (session as { sessionId: string }).sessionId;
  }

  async run(script: string, onText: OnText): Promise<boolean> {
    this.#onText = onText;
    await this.#request("session/prompt", { sessionId: this.#sessionId, prompt: [{ type: "text", text: script }] });
    return true;
  }

  async close(): Promise<void> {
    this.#agent.kill("SIGKILL");
    await this.death;
    this.#closed = true;
    closeSync(this.#file);
  }
}

// ---------------------------------------------------------------- the SDK's own client

/** On an agent that is started for it and known to listen; the SDK's start of agents is measured apart. */
export async function openSdk(place: Place): Promise<Reader> {
  for (;;) {
    const agent = startUnguarded(["--port", "0"], place);
    const [line] = (await once(createInterface({ input: agent.stdout }), "line")) as [string];
    const url = /ws:\S+/.exec(line)?.[0] ?? "";
    const client = new IFlowClient({ url, cwd: place.folder, logLevel: "ERROR", timeout: 5_000 });
    try {
      await within(GIVE_UP_MS, client.connect());
      return new SdkReader(agent, client, place);
    } catch {
      // Its handshake hangs now and then; what is measured here begins after it.
      agent.kill("SIGKILL");
    }
  }
}

class SdkReader implements Reader {
  readonly death: Promise<void>;
  readonly #agent: ChildProcess;
  readonly #client: IFlowClient;
  readonly #file: number;

  constructor(agent: ChildProcess, client: IFlowClient, place: Place) {
    this.#agent = agent;
    this.#client = client;
    this.#file = openSync(join(place.folder, "sdk.jsonl"), "a");
    // Its stream of messages is all that a user of the SDK has to notice by.
    this.death = (async () => {
      await once(agent, "exit");
      for await (const _ of client.receiveMessages()) continue;
    })();
    // After its disconnect the SDK refuses to be read, which is no news of the agent.
    this.death.catch(() => undefined);
  }

  get pid(): number {
    return this.#agent.pid ?? 0;
  }

  get agent(): string {
    return String(this.pid);
  }

  async run(script: string, onText: OnText): Promise<boolean> {
    await this.#client.sendMessage(script);
    const messages = this.#client.receiveMessages()[Symbol.asyncIterator]();
    for (;;) {
      const next = await within(GIVE_UP_MS, messages.next()).catch(() => undefined);
      if (next === undefined || next.done) return false;
      const message = next.value;
      writeSync(this.#file, `${JSON.stringify(message)}\n`);
      if (message.type === "assistant" && message.chunk.text !== undefined) onText(message.chunk.text);
      if (message.type === "task_finish") return true;
    }
  }

  async close(): Promise<void> {
    this.#agent.kill("SIGKILL");
    await within(1_000, this.#client.disconnect()).catch(() => undefined);
    closeSync(this.#file);
  }
}

/** The SDK looks for `iflow` on PATH and starts it itself. */
export async function startWithSdk(folder: string): Promise<Reader> {
  const client = new IFlowClient({ cwd: folder, logLevel: "ERROR", timeout: 5_000 });
  try {
    await within(SDK_CONNECT_MS, client.connect());
  } catch (error) {
    await within(6_000, client.disconnect()).catch(() => undefined);
    throw error;
  }
  const close = (): Promise<void> => within(6_000, client.disconnect()).catch(() => undefined);
  return { pid: 0, agent: String(client["url"]), death: new Promise(() => {}), run: async () => false, close };
}

/** Rejects when it takes longer. */
export async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not within ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
