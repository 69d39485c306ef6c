/** A transport without an agent: a test says what arrives and sees what was sent. */
import { realpathSync } from "node:fs";
import type { AcpTransport, TransportListener } from "../../src/agent/acp-transport.ts";
import { AcpConnection } from "../../src/agent/agent-connection.ts";
import { DEADLINES } from "../../src/agent/agent-options.ts";
import type { CutLine } from "../../src/agent/line-splitter.ts";

/** A directory that is there. */
export const HERE = realpathSync(import.meta.dirname);

export class MemoryTransport implements AcpTransport {
  readonly saysReady = false;
  readonly sent: Record<string, unknown>[] = [];
  paused = false;
  pauses = 0;
  #listener: TransportListener | undefined;
  #over = false;
  #wake = Promise.withResolvers<void>();

  listen(listener: TransportListener): void {
    this.#listener = listener;
  }

  /** True: writes fail as on a pipe whose reader has just died, before the end is known. */
  broken = false;

  async send(text: string): Promise<void> {
    if (this.#over) throw new Error("ended");
    if (this.broken) throw new Error("write EPIPE");
    for (const line of text.split("\n")) this.sent.push(JSON.parse(line) as Record<string, unknown>);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  /** The n-th (from 0) sent frame of this method. */
  async request(method: string, index = 0): Promise<Record<string, unknown>> {
    for (;;) {
      const wake = this.#wake.promise;
      const found = this.sent.filter((frame) => frame["method"] === method)[index];
      if (found !== undefined) return found;
      await wake;
    }
  }

  /** What the gateway's log was told. */
  readonly warned: string[] = [];

  /** A line too long to be taken whole: its beginning and its end. */
  sayCut(line: CutLine): void {
    this.#listener?.cut(line);
  }

  say(...frames: readonly unknown[]): void {
    for (const frame of frames) this.#listener?.text(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Answers a sent request. */
  answer(request: Record<string, unknown>, result: unknown): void {
    this.say({ jsonrpc: "2.0", id: request["id"], result });
  }

  end(reason = "the test ended it"): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener?.ended({ reason });
  }

  pause(): void {
    this.paused = true;
    this.pauses += 1;
  }

  resume(): void {
    this.paused = false;
  }

  drain(): void {
    this.end();
  }

  close(): void {
    this.end();
  }
}

export const ACP_SESSION = "5e55-10";

export function memoryConnection(): { readonly transport: MemoryTransport; readonly connection: AcpConnection } {
  const transport = new MemoryTransport();
  const parts = {
    transport,
    agent: undefined,
    name: "the agent",
    workdir: HERE,
    auth: undefined,
    deadlines: DEADLINES,
    log: { info: () => {}, warn: (message: string) => void transport.warned.push(message), error: () => {} },
  };
  return { transport, connection: new AcpConnection(parts) };
}

export const INITIALIZED = { isAuthenticated: true, protocolVersion: 1, agentInfo: { version: "0.5.19" } };
export const NEW_SESSION = { sessionId: ACP_SESSION, modes: { currentModeId: "default", availableModes: [] } };

/** A connection whose handshake is done. */
export async function openMemoryConnection(): Promise<ReturnType<typeof memoryConnection>> {
  const { transport, connection } = memoryConnection();
  const session = {
    mode: "default",
    disallowedTools: [],
    systemPrompt: undefined,
    maxTurns: undefined,
    model: undefined,
    load: undefined,
  } as const;
  const opened = connection.open(session, new AbortController().signal);
  transport.answer(await transport.request("initialize"), INITIALIZED);
  transport.answer(await transport.request("session/new"), NEW_SESSION);
  await opened;
  return { transport, connection };
}

export const update = (fields: object, sessionId: string = ACP_SESSION): object => ({
  jsonrpc: "2.0",
  method: "session/update",
  params: { sessionId, update: fields },
});
