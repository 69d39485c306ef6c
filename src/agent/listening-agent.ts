/**
 * Connects to an agent that we started with a port, as soon as it says that it listens.
 * Owns: the wait for its announcement. Does not own: the process.
 *
 * 1. Only the address that the agent announced is dialled: a port that somebody else took meanwhile is never mistaken for ours
 *    (on a busy port the agent neither listens, nor ends, nor says anything).
 * 2. What it says on its output before and after becomes log events, in order.
 */
import type { Readable } from "node:stream";
import { IflowError } from "../core/errors.ts";
import type { AcpTransport, TransportListener } from "./acp-transport.ts";
import type { AgentProcess } from "./agent-process.ts";
import { LineSplitter } from "./line-splitter.ts";
import { WebsocketTransport } from "./websocket-transport.ts";

const ANNOUNCEMENT = /\bwss?:\/\/\S+?:(\d+)(\/\S*)?/;

/**
 * `output` hears the agent since its start. Throws IflowError agent_start_failed, or the signal's reason; everything it used is
 * released then.
 */
export async function connectWhenListening(
  agent: AgentProcess,
  output: OutputLog,
  name: string,
  port: number,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<ListeningTransport> {
  const announced = Promise.withResolvers<{ readonly port: number; readonly path: string }>();
  output.lines((line) => {
    const [found, at, path = "/acp"] = ANNOUNCEMENT.exec(line) ?? [];
    if (found !== undefined) announced.resolve({ port: Number(at ?? port), path });
  });
  const until = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const abort = (): void => announced.reject(until.reason);
  until.addEventListener("abort", abort, { once: true });
  void agent.exited.then(({ code, signal: killedBy }) => {
    const tail = agent.stderrTail === "" ? "" : ` Its last words on stderr: ${agent.stderrTail}`;
    announced.reject(
      new IflowError(
        "agent_start_failed",
        `${name} exited (${killedBy ?? `code ${code}`}) before it listened on port ${port}.${tail}`,
      ),
    );
  });
  try {
    const there = await announced.promise;
    const url = `ws://127.0.0.1:${there.port}${there.path}`;
    const socket = await WebsocketTransport.connect(url, "started", deadlineMs, signal);
    return new ListeningTransport(socket, output, there.port);
  } catch (error) {
    if (!signal.aborted && until.aborted && !(error instanceof IflowError)) {
      throw new IflowError(
        "agent_start_failed",
        `${name} has not said within ${deadlineMs / 1000} s that it listens on port ${port}.`,
      );
    }
    throw error;
  } finally {
    until.removeEventListener("abort", abort);
  }
}

/** Lines of the process's own output, kept until somebody listens. */
export class OutputLog {
  #look: (line: string) => void = () => undefined;
  #listener: TransportListener | undefined;
  readonly #early: string[] = [];

  constructor(output: Readable) {
    const lines = new LineSplitter({ line: (line) => this.#line(line), cut: ({ head }) => this.#line(`${head}…`) });
    output.on("data", (bytes: Buffer) => lines.push(bytes));
    output.once("end", () => lines.end());
    // The end of the process is told by its exit.
    output.on("error", () => undefined);
  }

  /** Looks at each line, beginning with those that have come already. */
  lines(look: (line: string) => void): void {
    this.#look = look;
    for (const line of this.#early) look(line);
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    for (const line of this.#early.splice(0)) listener.stray(line);
  }

  #line(line: string): void {
    this.#look(line);
    if (this.#listener === undefined) this.#early.push(line);
    else this.#listener.stray(line);
  }
}

/** The socket, with the process's own output beside it. */
class ListeningTransport implements AcpTransport {
  readonly saysReady = true;
  readonly port: number;
  readonly #socket: WebsocketTransport;
  readonly #output: OutputLog;

  constructor(socket: WebsocketTransport, output: OutputLog, port: number) {
    this.port = port;
    this.#socket = socket;
    this.#output = output;
  }

  listen(listener: TransportListener): void {
    this.#output.listen(listener);
    this.#socket.listen(listener);
  }

  send(text: string): Promise<void> {
    return this.#socket.send(text);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  drain(): void {
    this.#socket.drain();
  }

  close(): void {
    this.#socket.close();
  }
}
