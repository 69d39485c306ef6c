/**
 * A client of the gateway's WebSocket: operator RPC, slash commands in a web chat, pushed events.
 * Owns: one connection. Nothing is read from or written to a state directory of the machine.
 */
import { GatewayClient } from "openclaw/plugin-sdk/gateway-runtime";
import { PATIENCE_MS } from "./patience.ts";

export interface PushedEvent {
  readonly event: string;
  readonly payload: Record<string, unknown>;
}

export interface ChatReply {
  readonly state: string;
  readonly text: string;
  readonly tookMs: number;
}

export interface RpcOptions {
  readonly port: number;
  readonly token: string;
  readonly env: Readonly<Record<string, string>>;
  readonly scopes?: readonly string[];
}

const ALL_SCOPES = ["operator.admin", "operator.read", "operator.write", "operator.approvals"];

export class RpcClient {
  readonly events: PushedEvent[] = [];
  readonly #client: GatewayClient;
  readonly #waiting = new Set<(event: PushedEvent) => void>();
  #calls = 0;

  private constructor(options: RpcOptions, hello: () => void, failed: (error: Error) => void) {
    this.#client = new GatewayClient({
      url: `ws://127.0.0.1:${options.port}`,
      token: options.token,
      clientName: "gateway-client",
      mode: "backend",
      role: "operator",
      clientVersion: "test",
      platform: "linux",
      scopes: [...(options.scopes ?? ALL_SCOPES)],
      caps: ["tool-events"],
      env: { ...options.env },
      deviceIdentity: null,
      sharedStateMode: "read-only",
      onEvent: (frame) => this.#take({ event: frame.event, payload: asRecord(frame.payload) }),
      onHelloOk: hello,
      onConnectError: failed,
    });
  }

  static async connect(options: RpcOptions): Promise<RpcClient> {
    const ready = Promise.withResolvers<void>();
    const client = new RpcClient(options, ready.resolve, ready.reject);
    const timer = setTimeout(() => ready.reject(new Error("the gateway did not greet")), PATIENCE_MS);
    client.#client.start();
    try {
      await ready.promise;
    } catch (error) {
      await client.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return client;
  }

  async call<Answer = Record<string, unknown>>(method: string, params: Record<string, unknown> = {}): Promise<Answer> {
    return this.#client.request<Answer>(method, params);
  }

  /** As `call`, for a call that must be refused: the host's error as `{ code, message }`. */
  async refused(method: string, params: Record<string, unknown> = {}): Promise<{ code: string; message: string }> {
    try {
      await this.call(method, params);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const code = "gatewayCode" in error ? error.gatewayCode : "code" in error ? error.code : "";
      return { code: String(code), message: error.message };
    }
    throw new Error(`${method} was not refused`);
  }

  /** A message in a web chat: a slash command, or plain words for the agent. Resolves with the final reply. */
  async chat(sessionKey: string, message: string, withinMs = PATIENCE_MS): Promise<ChatReply> {
    this.#calls += 1;
    const key = `chat-${this.#calls}-${Date.now()}`;
    const startedMs = Date.now();
    const reply = this.next((one) => isFinalOf(one, key), withinMs);
    await this.call("chat.send", { sessionKey, message, idempotencyKey: key });
    const { payload } = await reply;
    return { state: String(payload["state"]), text: textOf(payload["message"]), tookMs: Date.now() - startedMs };
  }

  /** Resolves with the next event that fits. */
  async next(fits: (event: PushedEvent) => boolean, withinMs = PATIENCE_MS): Promise<PushedEvent> {
    const found = Promise.withResolvers<PushedEvent>();
    const look = (event: PushedEvent): void => {
      if (fits(event)) found.resolve(event);
    };
    this.#waiting.add(look);
    const timer = setTimeout(() => found.reject(new Error(`no such event within ${withinMs} ms`)), withinMs);
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  async close(): Promise<void> {
    await this.#client.stopAndWait({ timeoutMs: 1_000 });
  }

  #take(event: PushedEvent): void {
    this.events.push(event);
    for (const look of this.#waiting) look(event);
  }
}

function isFinalOf({ event, payload }: PushedEvent, runId: string): boolean {
  return (
    event === "chat" && payload["runId"] === runId && ["final", "error", "aborted"].includes(String(payload["state"]))
  );
}

function textOf(message: unknown): string {
  const content = asRecord(message)["content"];
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((part) => words(asRecord(part)["text"])).join("\n") : "";
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function words(value: unknown): string {
  return typeof value === "string" ? value : "";
}
