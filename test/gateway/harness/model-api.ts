/**
 * A model server on the loopback interface in the OpenAI chat-completions format, for agent turns without a model.
 * What it answers is scripted by the newest user text:
 * - `CALL <tool> <json on one line>` becomes a call of that tool (through `tool_call` when the host has deferred it);
 * - after a tool's result it says `after tool: <result>`; everything else is echoed as `echo: <text>`;
 * - `SLEEP <ms>` in the text delays the answer.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import { parseBody } from "./telegram-body.ts";

interface WireMessage {
  readonly role: string;
  readonly content?: unknown;
}

export interface ModelTurn {
  readonly atMs: number;
  /** Names of the tools that the model was offered directly. */
  readonly tools: readonly string[];
  readonly lastRole: string;
  readonly lastText: string;
  readonly systemText: string;
  /** Every user text of the request, oldest first. */
  readonly userTexts: readonly string[];
}

const HOST_CONTEXT = /^\s*<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>/;

export class ModelApi {
  readonly turns: ModelTurn[] = [];
  /** Set it to answer by hand; undefined falls back to the script above. */
  answer: ((turn: ModelTurn) => string | undefined) | undefined;
  readonly #server: Server;
  #calls = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<ModelApi> {
    const server = createServer();
    const api = new ModelApi(server);
    server.on("request", (request, response) => {
      if (request.url?.endsWith("/models") === true) {
        sendJson(response, { object: "list", data: [{ id: "mock-1", object: "model" }] });
        return;
      }
      void parseBody(request).then((body) => api.#complete(body, response));
    });
    server.listen(0, "127.0.0.1");
    await new Promise<void>((resolve) => server.once("listening", resolve));
    return api;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the model server is not listening");
    return `http://127.0.0.1:${address.port}/v1`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #complete(body: Record<string, unknown>, response: ServerResponse): Promise<void> {
    const all = (body["messages"] ?? []) as readonly WireMessage[];
    const turn = turnOf(all, body["tools"]);
    this.turns.push(turn);
    const waitMs = Number(/SLEEP (\d+)/.exec(turn.lastRole === "user" ? turn.lastText : "")?.[1] ?? 0);
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    this.#calls += 1;
    const byHand = this.answer?.(turn);
    const message = byHand === undefined ? scripted(turn, this.#calls) : { role: "assistant", content: byHand };
    const finish = "tool_calls" in message ? "tool_calls" : "stop";
    if (body["stream"] === true) streamOut(response, message, finish, this.#calls);
    else
      sendJson(response, {
        ...frame("chat.completion", this.#calls),
        choices: [{ index: 0, message, finish_reason: finish }],
        usage: USAGE,
      });
  }
}

const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

function turnOf(all: readonly WireMessage[], tools: unknown): ModelTurn {
  const spoken = all.filter((message) => !(message.role === "user" && HOST_CONTEXT.test(textOf(message.content))));
  const last = spoken.at(-1);
  return {
    atMs: Date.now(),
    tools: ((tools ?? []) as readonly { function?: { name?: string } }[]).map((tool) => tool.function?.name ?? ""),
    lastRole: last?.role ?? "",
    lastText: textOf(last?.content),
    systemText: textOf(all.find((message) => message.role === "system")?.content),
    userTexts: spoken.filter((message) => message.role === "user").map((message) => textOf(message.content)),
  };
}

function scripted(turn: ModelTurn, calls: number): Record<string, unknown> {
  if (turn.lastRole === "tool") return { role: "assistant", content: `after tool: ${oneLine(turn.lastText, 600)}` };
  const call = [...turn.lastText.matchAll(/CALL (\w+) (\{[^\n]*\})/g)].at(-1);
  const [, name, json] = call ?? [];
  if (name === undefined || json === undefined)
    return { role: "assistant", content: `echo: ${turn.lastText.slice(-400)}` };
  const direct = turn.tools.includes(name);
  const args = direct ? json : JSON.stringify({ id: name, args: JSON.parse(json) as unknown });
  const fn = { name: direct ? name : "tool_call", arguments: args };
  return {
    role: "assistant",
    content: null,
    tool_calls: [{ index: 0, id: `call_${calls}`, type: "function", function: fn }],
  };
}

function streamOut(response: ServerResponse, message: Record<string, unknown>, finish: string, id: number): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const event = (delta: unknown, reason: string | null = null): void => {
    response.write(
      `data: ${JSON.stringify({ ...frame("chat.completion.chunk", id), choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`,
    );
  };
  event({ role: "assistant" });
  event("tool_calls" in message ? { tool_calls: message["tool_calls"] } : { content: message["content"] });
  event({}, finish);
  response.write(`data: ${JSON.stringify({ ...frame("chat.completion.chunk", id), choices: [], usage: USAGE })}\n\n`);
  response.end("data: [DONE]\n\n");
}

function frame(object: string, id: number): Record<string, unknown> {
  return { id: `c${id}`, object, model: "mock-1" };
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
}

function oneLine(text: string, longest: number): string {
  return text.replace(/\s+/g, " ").slice(0, longest);
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: { text?: string }) => part.text ?? "").join("\n");
}
