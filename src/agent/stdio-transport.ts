/**
 * ACP over standard input and output of a process: newline-delimited JSON.
 * Owns: the two pipes. Does not own: the process, the meaning of lines.
 *
 * 1. Everything in the pipe is read before `ended`, also after the death of the process; a child of it that keeps the pipe
 *    open delays that by at most DRAIN_MS (see `drain`).
 */
import type { Readable, Writable } from "node:stream";
import { messageOf } from "../core/errors.ts";
import type { AcpTransport, TransportListener } from "./acp-transport.ts";
import { LineSplitter } from "./line-splitter.ts";

/** How long a dead process's pipe may stay open without a byte before it is taken as read. */
const DRAIN_MS = 100;

export class StdioTransport implements AcpTransport {
  readonly saysReady = false;
  readonly #input: Writable;
  readonly #output: Readable;
  #listener: TransportListener | undefined;
  #ended = false;
  #draining: NodeJS.Timeout | undefined;

  constructor(input: Writable, output: Readable) {
    this.#input = input;
    this.#output = output;
    // A dead reader shows up as EPIPE on the next write; the end is told through `output`.
    input.on("error", () => undefined);
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    const lines = new LineSplitter((line) => listener.text(line));
    this.#output.on("data", (bytes: Buffer) => {
      this.#draining?.refresh();
      lines.push(bytes);
    });
    const finish = (reason: string): void => {
      if (this.#ended) return;
      lines.end();
      this.#end(reason);
    };
    this.#output.once("end", () => finish("the agent closed its output"));
    this.#output.once("close", () => finish("the agent's output was closed"));
    this.#output.once("error", (error) => finish(messageOf(error)));
  }

  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended || !this.#input.writable) {
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
    if (this.#ended || this.#draining !== undefined) return;
    this.#draining = setTimeout(() => this.close(), DRAIN_MS);
    this.#output.resume();
  }

  close(): void {
    this.#input.destroy();
    this.#output.destroy();
  }

  #end(reason: string): void {
    this.#ended = true;
    clearTimeout(this.#draining);
    this.#listener?.ended({ reason });
  }
}
