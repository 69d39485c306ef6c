/**
 * What carries texts to an agent and back. Two implementations: stdio-transport and websocket-transport.
 * Owns: the contract only.
 *
 * 1. Lossless and in order: each line (stdio) or each line of a text frame (websocket) is handed over exactly once; of one that is
 *    longer than LONGEST_LINE (line-splitter.ts) its ends only.
 * 2. `ended` comes once, after the last text.
 */
import type { CutLine } from "./line-splitter.ts";

export interface TransportEnd {
  /** What the transport knows about why: a close code, an error text. */
  readonly reason: string;
}

export interface TransportListener {
  text(line: string): void;
  /** A line that was too long to be taken whole. */
  cut(line: CutLine): void;
  /** A line beside the protocol: the process's own output where it speaks over a socket. */
  stray(line: string): void;
  ended(end: TransportEnd): void;
}

export interface AcpTransport {
  /** True when the agent says `//ready` itself; else the channel says it for the SDK. */
  readonly saysReady: boolean;
  /** Call once. What came before is not lost. */
  listen(listener: TransportListener): void;
  /** One JSON text, or several on a line each, without a newline at the end. Resolves when the bytes are handed to the system; rejects when the connection has ended. */
  send(text: string): Promise<void>;
  /** Stops and goes on reading, for a reader that falls behind. */
  pause(): void;
  resume(): void;
  /** The process behind it has exited: what is left is read, then it ends, also when somebody else holds it open. */
  drain(): void;
  /** Idempotent. `ended` follows. */
  close(): void;
}
