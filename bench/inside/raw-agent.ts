/** An agent on a pipe with the least that is possible between its frames and a file: the baseline of what a stream costs. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import type { Place } from "./world.ts";

interface Frame {
  readonly id?: number;
  readonly result?: { readonly sessionId?: string };
  readonly params?: { readonly update?: { readonly content?: { readonly text?: string } } };
}

export class RawAgent {
  readonly #agent: ChildProcess;
  readonly #file: WriteStream;
  readonly #waiting = new Map<number, (frame: Frame) => void>();
  #id = 0;
  #rest = "";
  chunks = 0;
  lastText = "";

  private constructor(agent: ChildProcess, file: WriteStream) {
    this.#agent = agent;
    this.#file = file;
    agent.stdout?.setEncoding("utf8").on("data", (text: string) => this.#receive(text));
  }

  static async start({ agent, folder }: Place): Promise<RawAgent> {
    const env = { PATH: process.env["PATH"], HOME: folder, DEMO_AGENT_HOME: join(folder, ".agent") };
    const child = spawn(agent, ["--experimental-acp", "--stream"], {
      cwd: folder,
      env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    const raw = new RawAgent(child, createWriteStream(join(folder, `raw-${child.pid}.jsonl`)));
    await raw.#request("initialize", { protocolVersion: 1, clientCapabilities: {} });
    return raw;
  }

  get pid(): number {
    return this.#agent.pid ?? 0;
  }

  async prompt(script: string): Promise<void> {
    const session = await this.#request("session/new", { cwd: process.cwd(), mcpServers: [] });
    const prompt = [{ type: "text", text: script }];
    await this.#request("session/prompt", { sessionId: session.result?.sessionId, prompt });
  }

  /** Resolves with the ms from the signal until it is gone. */
  async end(signal: NodeJS.Signals): Promise<number> {
    const startedAt = performance.now();
    const gone = once(this.#agent, "exit");
    this.#agent.kill(signal);
    await gone;
    this.#file.end();
    return performance.now() - startedAt;
  }

  #request(method: string, params: object): Promise<Frame> {
    const id = (this.#id += 1);
    const reply = new Promise<Frame>((resolve) => this.#waiting.set(id, resolve));
    this.#agent.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return reply;
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("{")) continue;
      const frame = JSON.parse(line) as Frame;
      const words = frame.params?.update?.content?.text;
      if (words !== undefined) {
        this.chunks += 1;
        this.lastText = words;
      } else if (frame.id !== undefined) this.#waiting.get(frame.id)?.(frame);
    }
    this.#file.write(`${lines.join("\n")}\n`);
  }
}
