/**
 * The lossless channel between a transport, the SDK's client and this project: every text of the agent passes here, once.
 * Owns: JSON-RPC (parsing, ids, matching replies), what the SDK gets to see, how much lies unread.
 * Does not own: what frames mean for a session (agent-connection.ts), where a frame is in a line (line-frames.ts), bytes (the transports).
 *
 * 1. The SDK sees only `//ready` and the replies to its own handshake requests. Requests of the agent are taken before it would
 *    answer them, updates before it would drop them, and no frame can confuse its handshake.
 * 2. Every frame, and every line without one, is handed to exactly one method of the listener; words beside frames are a log.
 * 3. Ids go by direction: the agent's own requests count from 0 and collide with ours.
 * 4. When the connection ends, everything that waits for a reply is rejected.
 * 5. A line that was too long leaves nobody waiting: a reply in it fails what it is the reply to, a request in it is refused, and
 *    of an update the beginning counts.
 */
import type { RequestId } from "../core/agent-event.ts";
import type { AcpTransport, TransportEnd } from "./acp-transport.ts";
import { isRecord, type JsonRecord, parseJson, textIn } from "./json-shape.ts";
import { closedFrame, framesIn } from "./line-frames.ts";
import type { CutLine } from "./line-splitter.ts";

/** Unread UTF-16 code units at which the transport is paused; it goes on when the reader has taken them. */
const UNREAD_HIGH = 16 * 1024 * 1024;

/** `text` is the frame as it came. */
export interface ChannelListener {
  update(params: JsonRecord, text: string): void;
  request(id: RequestId, method: string, params: unknown, text: string): void;
  /** Reply to a prompt; `turn` as given to `sendPrompt`. */
  turnReply(turn: number, reply: Reply, text: string): void;
  /** Reply to a request of the SDK's handshake. Withheld: the handshake has failed, and the SDK is to see nothing of it. */
  handshakeReply(method: string, reply: Reply, text: string): "pass" | "withhold";
  /** What the SDK is about to send in its handshake; may be changed. A throw refuses it. */
  outgoing(method: string, frame: JsonRecord): JsonRecord;
  log(source: "stdout" | "control" | "frame", text: string): void;
  /** A line was too long and was left out, wholly or in part; what stands in its place is told by the other methods. */
  leftOut(note: string): void;
  ended(end: TransportEnd): void;
}

export interface Reply {
  readonly result: unknown;
  /** Absent for a good reply. */
  readonly error?: unknown;
}

/** What the SDK's client takes for its own transport. */
export interface SdkTransport {
  readonly isConnected: boolean;
  connect(): Promise<void>;
  close(): Promise<void>;
  send(message: string | object): Promise<void>;
  receive(): AsyncGenerator<string>;
}

const HANDSHAKE: ReadonlySet<string> = new Set(["initialize", "authenticate", "session/new", "session/load"]);

const INVALID_REQUEST = -32600;
const INTERNAL_ERROR = -32603;
/** How much of a line that was left out is quoted. */
const QUOTED = 300;
/** The id at the end of a reply whose result stands first. */
const LAST_ID = /"id"\s*:\s*(\d{1,15}|"(?:[^"\\]|\\.){0,200}")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;

const isId = (value: unknown): value is RequestId => typeof value === "number" || typeof value === "string";

export class AcpChannel implements SdkTransport {
  readonly #transport: AcpTransport;
  readonly #listener: ChannelListener;
  /** Handshake requests of the SDK, and prompts, by id. */
  readonly #handshake = new Map<RequestId, string>();
  readonly #turns = new Map<RequestId, number>();
  readonly #own = new Map<RequestId, PromiseWithResolvers<unknown>>();
  readonly #forSdk: string[] = [];
  #wakeSdk: (() => void) | undefined;
  #sdkOver = false;
  #broken = false;
  #end: TransportEnd | undefined;
  #held: { readonly texts: string[]; readonly sent: Promise<void> } | undefined;
  #nextOwn = 1;
  #turn = 0;
  #unread = 0;
  #paused = false;
  #readerSeen = false;

  constructor(transport: AcpTransport, listener: ChannelListener) {
    this.#transport = transport;
    this.#listener = listener;
  }

  /** Begins to read. Call once. */
  start(): void {
    this.#transport.listen({
      text: (line) => this.#receive(line),
      cut: (line) => this.#leaveOut(line),
      stray: (line) => this.#listener.log("stdout", line),
      ended: (end) => this.end(end),
    });
  }

  /** The connection has ended, or is about to: a failed write is often known before the end is. */
  get over(): boolean {
    return this.#end !== undefined || this.#broken;
  }

  /** A reader has begun to take events, or has taken all there were. */
  taken(): void {
    this.#readerSeen = true;
    this.#unread = 0;
    if (!this.#paused) return;
    this.#paused = false;
    this.#transport.resume();
  }

  // ---------------------------------------------------------------- out

  /** The next session/prompt that the SDK sends in this tick belongs to this turn. */
  expectPrompt(turn: number): void {
    this.#turn = turn;
  }

  /** A request of our own. Rejects with the reply's error (as it came) or with the end of the connection. */
  request(method: string, params: object): Promise<unknown> {
    const id = `plugin-${this.#nextOwn}`;
    this.#nextOwn += 1;
    const waiting = Promise.withResolvers<unknown>();
    this.#own.set(id, waiting);
    this.#write({ jsonrpc: "2.0", id, method, params }).catch((error: unknown) => {
      if (this.#own.delete(id)) waiting.reject(error);
    });
    return waiting.promise;
  }

  /** Answers a request of the agent. An ended connection needs no answer any more. */
  answer(id: RequestId, result: object): void {
    this.#write({ jsonrpc: "2.0", id, result }).catch(() => undefined);
  }

  refuse(id: RequestId, code: number, message: string): void {
    this.#write({ jsonrpc: "2.0", id, error: { code, message } }).catch(() => undefined);
  }

  /** What is written during `act` leaves in one piece, so that the agent sees nothing between its frames. */
  together(act: () => void): void {
    const texts: string[] = [];
    const sent = Promise.withResolvers<void>();
    sent.promise.catch(() => undefined);
    this.#held = { texts, sent: sent.promise };
    try {
      act();
    } finally {
      this.#held = undefined;
    }
    if (texts.length > 0) this.#send(texts.join("\n")).then(sent.resolve, sent.reject);
  }

  #write(frame: object): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(new Error(this.#end.reason));
    const text = JSON.stringify(frame);
    if (this.#held === undefined) return this.#send(text);
    this.#held.texts.push(text);
    return this.#held.sent;
  }

  async #send(text: string): Promise<void> {
    try {
      await this.#transport.send(text);
    } catch (error) {
      this.#broken = true;
      throw error;
    }
  }

  // ---------------------------------------------------------------- the SDK's side

  get isConnected(): boolean {
    return this.#end === undefined && !this.#sdkOver;
  }

  async connect(): Promise<void> {
    if (!this.#transport.saysReady) this.#passToSdk("//ready");
  }

  /** Only the SDK's view ends: the connection itself is ended by its owner. */
  async close(): Promise<void> {
    this.#sdkOver = true;
    this.#rouseSdk();
  }

  async send(message: string | object): Promise<void> {
    const frame = typeof message === "string" ? parseJson(message) : message;
    if (!isRecord(frame)) throw new Error("the SDK sent something that is no frame");
    const { id, method } = frame;
    if (typeof method !== "string" || !isId(id)) return this.#write(frame);
    if (method === "session/prompt") this.#turns.set(id, this.#turn);
    if (!HANDSHAKE.has(method)) return this.#write(frame);
    const changed = this.#listener.outgoing(method, frame);
    this.#handshake.set(id, method);
    return this.#write(changed);
  }

  async *receive(): AsyncGenerator<string> {
    for (;;) {
      const text = this.#forSdk.shift();
      if (text !== undefined) yield text;
      else if (!this.isConnected) return;
      else await new Promise<void>((resolve) => (this.#wakeSdk = resolve));
    }
  }

  #passToSdk(text: string): void {
    this.#forSdk.push(text);
    this.#rouseSdk();
  }

  #rouseSdk(): void {
    const wake = this.#wakeSdk;
    this.#wakeSdk = undefined;
    wake?.();
  }

  // ---------------------------------------------------------------- in

  #receive(text: string): void {
    this.#unread += text.length;
    if (this.#unread > UNREAD_HIGH && this.#readerSeen && !this.#paused) {
      this.#paused = true;
      this.#transport.pause();
    }
    const whole = text.startsWith("{") ? parseJson(text) : undefined;
    if (isRecord(whole)) return this.#frame(whole, text);
    const { frames, words } = framesIn(text);
    for (const { frame, text: json } of frames) this.#frame(frame, json);
    if (frames.length > 0 ? words === "" : text.trim() === "") return;
    if (!words.startsWith("//")) return this.#listener.log("stdout", frames.length > 0 ? words : text);
    if (words === "//ready") this.#passToSdk(words);
    this.#listener.log("control", words);
  }

  #frame(frame: JsonRecord, text: string): void {
    const { id, method, params } = frame;
    if (typeof method === "string") {
      if (isId(id)) this.#listener.request(id, method, params, text);
      else if (method === "session/update" && isRecord(params)) this.#listener.update(params, text);
      else this.#listener.log("frame", text);
    } else if (isId(id) && ("result" in frame || "error" in frame)) {
      const failed = frame["error"] !== undefined && frame["error"] !== null;
      this.#reply(id, failed ? { result: undefined, error: frame["error"] } : { result: frame["result"] }, text);
    } else this.#listener.log("frame", text);
  }

  #leaveOut({ head, tail, length }: CutLine): void {
    const mib = (length / 1024 / 1024).toFixed(1);
    const note = `The agent sent one line of ${mib} MiB; of lines longer than 16 MiB only the beginning is read.`;
    this.#listener.leftOut(note);
    const text = `${note} It began: ${head.slice(0, QUOTED)}`;
    const frame = closedFrame(head, `… (cut here: ${note})`);
    if (frame === undefined) return this.#listener.log("stdout", text);
    const { method, params } = frame;
    const id = isId(frame["id"]) ? frame["id"] : parseJson(LAST_ID.exec(tail)?.[1] ?? "");
    if (typeof method === "string" && isId(id)) {
      this.#listener.log("frame", text);
      this.refuse(id, INVALID_REQUEST, note);
    } else if (method === "session/update" && isRecord(params)) this.#listener.update(params, text);
    else if (isId(id) && method === undefined) this.#reply(id, this.#cutReply(id, frame, note), text);
    else this.#listener.log("frame", text);
  }

  /** Of the reply to a prompt only the reason counts. */
  #cutReply(id: RequestId, { result }: JsonRecord, message: string): Reply {
    return this.#turns.has(id) && textIn(result, "stopReason") !== undefined
      ? { result }
      : { result: undefined, error: { code: INTERNAL_ERROR, message } };
  }

  #reply(id: RequestId, reply: Reply, text: string): void {
    const turn = this.#turns.get(id);
    if (turn !== undefined) {
      this.#turns.delete(id);
      return this.#listener.turnReply(turn, reply, text);
    }
    const method = this.#handshake.get(id);
    if (method !== undefined) {
      this.#handshake.delete(id);
      const passed = this.#listener.handshakeReply(method, reply, text);
      if (passed === "pass") this.#passToSdk(text);
      return;
    }
    const own = this.#own.get(id);
    this.#own.delete(id);
    if (reply.error === undefined) own?.resolve(reply.result);
    else own?.reject(reply.error);
    this.#listener.log("frame", text);
  }

  /** The transport has ended, or its owner waits for that no longer. Only the first end counts. */
  end(end: TransportEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#rouseSdk();
    for (const waiting of this.#own.values()) waiting.reject(new Error(end.reason));
    this.#own.clear();
    this.#turns.clear();
    this.#handshake.clear();
    this.#listener.ended(end);
  }
}
