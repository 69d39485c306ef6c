/**
 * ACP over standard input and output of a process: newline-delimited JSON.
 * Owns: the two pipes. Does not own: the process, the meaning of lines.
 *
 * 1. Everything in the pipe is read before `ended`, also after the death of the process; a child of it that keeps the pipe
 *    open delays that by at most DRAIN_MS (see `drain`).
 * 2. It reads from its making on, which has to be the tick of the process's start: Node throws away what a dead process left in
 *    a pipe that nobody reads. Lines, and the end, wait for `listen`.
 */
import type { Readable, Writable } from "node:stream";
import { messageOf } from "../core/errors.ts";
import type { AcpTransport, TransportEnd, TransportListener } from "./acp-transport.ts";
import { type CutLine, LineSplitter } from "./line-splitter.ts";

/** How long a dead process's pipe may stay open: far longer than it takes to read what the process can have left in it. */
const DRAIN_MS = 100;

export class StdioTransport implements AcpTransport {
  readonly saysReady = false;
  readonly #input: Writable;
  readonly #output: Readable;
  /** Lines that came before `listen`. */
  readonly #early: (string | CutLine)[] = [];
  #listener: TransportListener | undefined;
  #end: TransportEnd | undefined;
  #draining: NodeJS.Timeout | undefined;

  constructor(input: Writable, output: Readable) {
    this.#input = input;
    this.#output = output;
    // A dead reader shows up as EPIPE on the next write; the end is told through `output`.
    input.on("error", () => undefined);
    const lines = new LineSplitter({ line: (text) => this.#line(text), cut: (line) => this.#line(line) });
    output.on("data", (bytes: Buffer) => lines.push(bytes));
    const finish = (reason: string): void => {
      if (this.#end !== undefined) return;
      lines.end();
      clearTimeout(this.#draining);
      this.#end = { reason };
      this.#listener?.ended(this.#end);
    };
    output.once("end", () => finish("the agent closed its output"));
    output.once("close", () => finish("the agent's output was closed"));
    output.once("error", (error) => finish(messageOf(error)));
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    for (const line of this.#early.splice(0)) this.#line(line);
    if (this.#end !== undefined) listener.ended(this.#end);
  }

  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined || !this.#input.writable) {
        reject(new Error("the agent's input is closed"));
        return;
      }
      this.#input.write(`${text}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  pause(): void {
    if (this.#draining === undefined) this.#output.pause();
  }

  resume(): void {
    this.#output.resume();
  }

  /** The process has exited: reads what is left, then ends, even when somebody else still holds the pipe. */
  drain(): void {
    if (this.#end !== undefined || this.#draining !== undefined) return;
    // A busy event loop may come to the timer before it has read: it reads between a timer and an immediate.
    this.#draining = setTimeout(() => setImmediate(() => this.close()), DRAIN_MS);
    this.#output.resume();
  }

  close(): void {
    this.#input.destroy();
    this.#output.destroy();
  }

  #line(line: string | CutLine): void {
    if (this.#listener === undefined) this.#early.push(line);
    else if (typeof line === "string") this.#listener.text(line);
    else this.#listener.cut(line);
  }
}
