/**
 * The words between a life of the plugin and the process that keeps the host's ledger, and the life's end of them.
 * One JSON object a line over a unix socket. What a killed life had sent is carried out; its answer is lost with the life.
 */
import { connect, type Socket } from "node:net";
import type { HostTasks } from "../../src/host/host-tasks.ts";
import type { EmitAgentEvent } from "../../src/host/sdk.ts";
import type { Owner, Route } from "../../src/core/session.ts";

export type Api = "flows" | "views" | "runs";

export type Asked =
  | {
      readonly on: Api;
      readonly owner: Owner;
      readonly route?: Route;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  | { readonly on: "cancelFlow"; readonly owner: Owner; readonly flowId: string }
  | { readonly on: "emit"; readonly event: Parameters<EmitAgentEvent>[0] };

export type Request = Asked & { readonly id: number };

export interface Response {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

export function eachLine(socket: Socket, take: (line: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(take);
  });
}

export class RemoteHost {
  readonly tasks: HostTasks;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #asked = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    eachLine(socket, (line) => this.#take(JSON.parse(line) as Response));
    socket.on("close", () => {
      for (const waiting of this.#waiting.values()) waiting.reject(new Error("the host is gone"));
    });
    // Whoever waits is told by `close`.
    socket.on("error", () => undefined);
    this.tasks = this.#tasks();
  }

  static async connect(path: string): Promise<RemoteHost> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RemoteHost(socket);
  }

  readonly emit: EmitAgentEvent = (event) => void this.#ask({ on: "emit", event }).catch(() => undefined);

  close(): void {
    this.#socket.destroy();
  }

  #ask(asked: Asked): Promise<unknown> {
    const id = (this.#asked += 1);
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#socket.write(`${JSON.stringify({ ...asked, id })}\n`);
    return answer.promise;
  }

  #take({ id, value, error }: Response): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }

  #tasks(): HostTasks {
    // Each method of the host's bound objects becomes a call over the wire; the host's types describe its arguments and answers.
    const bound = (on: Api, owner: Owner, route?: Route): unknown =>
      new Proxy(
        {},
        {
          get: (_, method) =>
            typeof method === "string" && method !== "then"
              ? (...args: unknown[]) =>
                  this.#ask({ on, owner, ...(route === undefined ? {} : { route }), method, args })
              : undefined,
        },
      );
    return {
      kind: "async",
      flows: (owner, route) => bound("flows", owner, route) as ReturnType<HostTasks["flows"]>,
      views: (owner) => bound("views", owner) as ReturnType<HostTasks["views"]>,
      runs: (owner) => bound("runs", owner) as ReturnType<HostTasks["runs"]>,
      cancelFlow: async (owner, flowId) =>
        (await this.#ask({ on: "cancelFlow", owner, flowId })) as Awaited<ReturnType<HostTasks["cancelFlow"]>>,
    };
  }
}
