/**
 * ACP over a websocket: one or more JSON texts a frame, control texts that begin with `//`.
 * Owns: the socket, its keep-alive. Does not own: who runs the agent, the meaning of texts.
 *
 * 1. What arrives between the opening and `listen` waits in the socket, which is paused until then.
 * 2. A dialled peer that is gone without a word (a vanished machine) is noticed by an unanswered ping. An agent that we started
 *    is not pinged: it may be busy for long, and its exit closes the socket.
 */
import WebSocket, { type RawData } from "ws";
import { IflowError, messageOf } from "../core/errors.ts";
import type { AcpTransport, TransportListener } from "./acp-transport.ts";
import { cutLine, LONGEST_LINE } from "./line-splitter.ts";

/** Longest message that is taken, in bytes: it lies in memory as a whole. A longer one ends the connection. */
const LONGEST_MESSAGE_BYTES = 64 * 1024 * 1024;
/** How long the peer has to answer our close; what was sent before it (a cancel) arrives that way. */
const CLOSE_MS = 500;
/** A ping goes out this often; when the one before was not answered, the connection is over. */
const PING_EVERY_MS = 30_000;

/** An agent that runs somewhere, or one that we started ourselves. */
type Peer = "dialled" | "started";

/** The reason of an abort as an error, which it is unless somebody gave something else. */
function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));
}

function troubleOf(error: Error): string {
  const tooLong = "code" in error && error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
  return tooLong
    ? `the agent sent a message of more than ${LONGEST_MESSAGE_BYTES / 1024 / 1024} MiB, which is not taken`
    : messageOf(error);
}

function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString("utf8");
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)).toString("utf8");
}

export class WebsocketTransport implements AcpTransport {
  readonly saysReady = true;
  readonly #socket: WebSocket;
  #listener: TransportListener | undefined;
  #reason: string | undefined;
  #ended = false;
  #answered = true;
  readonly #pings: NodeJS.Timeout | undefined;

  private constructor(socket: WebSocket, peer: Peer) {
    this.#socket = socket;
    socket.pause();
    socket.on("error", (error) => (this.#reason ??= troubleOf(error)));
    socket.on("message", (data: RawData) => this.#receive(data));
    socket.on("pong", () => (this.#answered = true));
    socket.on("close", (code, reason) => {
      const words = reason.toString();
      this.#end(this.#reason ?? `the connection was closed (code ${code}${words === "" ? "" : `: ${words}`})`);
    });
    if (peer === "dialled") this.#pings = setInterval(() => this.#ping(), PING_EVERY_MS).unref();
  }

  /** Dials once. Rejects with IflowError agent_start_failed; an abort closes the attempt. */
  static connect(url: string, peer: Peer, deadlineMs: number, signal: AbortSignal): Promise<WebsocketTransport> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const socket = new WebSocket(url, {
        maxPayload: LONGEST_MESSAGE_BYTES,
        perMessageDeflate: false,
        handshakeTimeout: deadlineMs,
      });
      const abort = (): void => {
        socket.terminate();
        reject(abortReason(signal));
      };
      signal.addEventListener("abort", abort, { once: true });
      const failed = (error: Error): void => {
        signal.removeEventListener("abort", abort);
        reject(
          new IflowError("agent_start_failed", `No agent answers at ${url}: ${messageOf(error)}.`, { cause: error }),
        );
      };
      socket.once("error", failed);
      socket.once("open", () => {
        signal.removeEventListener("abort", abort);
        socket.removeListener("error", failed);
        resolve(new WebsocketTransport(socket, peer));
      });
    });
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    if (this.#ended) listener.ended({ reason: this.#reason ?? "the connection was closed" });
    else this.#socket.resume();
  }

  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  pause(): void {
    if (!this.#ended) this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The process behind it has exited: what is in the socket is read, then the socket ends by itself. */
  drain(): void {
    this.#socket.resume();
  }

  close(): void {
    if (this.#ended) return;
    this.#socket.resume();
    this.#socket.close();
    setTimeout(() => this.#socket.terminate(), CLOSE_MS).unref();
  }

  #receive(data: RawData): void {
    const text = textOf(data);
    let from = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      this.#line(text.slice(from, end));
      from = end + 1;
    }
    if (from < text.length) this.#line(from === 0 ? text : text.slice(from));
  }

  #line(text: string): void {
    if (text.length > LONGEST_LINE) this.#listener?.cut(cutLine(text));
    else this.#listener?.text(text);
  }

  #ping(): void {
    if (this.#socket.isPaused) return; // a pong could not be read; the reader is behind, not the peer
    if (!this.#answered) {
      this.#reason ??= `the agent has not answered a ping for ${PING_EVERY_MS / 1000} s`;
      this.#socket.terminate();
      return;
    }
    this.#answered = false;
    this.#socket.ping();
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reason = reason;
    clearInterval(this.#pings);
    this.#listener?.ended({ reason });
  }
}
