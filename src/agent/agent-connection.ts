/**
 * One connection to an agent, from the handshake to its end: the AgentConnection of the ports.
 * Owns: which frame becomes which event, turns, requests, the stop. Does not own: bytes and ids (acp-channel.ts),
 * shapes (acp-translate.ts), processes (started-agent.ts), the handshake's rules (handshake.ts).
 *
 * 1. Every text of the agent becomes an event; what has no meaning for the session is a `log`.
 * 2. A turn ends by the reply to its own prompt, and by nothing else. An end that was not seen is never invented. Words that come
 *    a moment behind that reply still belong to it (held-end.ts).
 * 3. `exited` comes once and last; the first cause of the end is the one that is told.
 * 4. What is for another session than ours never becomes anything but a log (I9). A process that we started has one session:
 *    whatever id its frames name (iFlow's sub-agents name one of their own), they are of this session, as words of a sub-agent.
 */
import type { AgentEvent, AgentReply, ExitReport, RequestId } from "../core/agent-event.ts";
import { IflowError, messageOf } from "../core/errors.ts";
import type { ProcessIdentity } from "../core/session.ts";
import type { AgentConnection, Log, OpenedSession, OpenSession, PromptBlock } from "../ports.ts";
import { AcpChannel, type ChannelListener, type Reply } from "./acp-channel.ts";
import { AcpTranslator, stopReasonOf } from "./acp-translate.ts";
import type { AcpTransport, TransportEnd } from "./acp-transport.ts";
import type { AgentAuth, AgentDeadlines } from "./agent-options.ts";
import type { ExitStatus } from "./agent-process.ts";
import { BatchQueue } from "./batch-queue.ts";
import { clientOptions } from "./client-options.ts";
import { Handshake } from "./handshake.ts";
import { HeldEnd } from "./held-end.ts";
import type { ChannelClient } from "./iflow-client.ts";
import { isRecord, type JsonRecord, textIn } from "./json-shape.ts";
import { exitSentence, LastWords } from "./last-words.ts";
import { readFailure } from "./model-error.ts";
import { OpenRequests } from "./open-requests.ts";
import { wireBlocks } from "./prompt-blocks.ts";
import { directoryTrouble, FileElsewhere } from "./real-place.ts";
import { ReplayedWords } from "./replayed-words.ts";
import { RunningTurns } from "./running-turns.ts";
import type { StartedAgent } from "./started-agent.ts";

/** A lost connection waits so long for the exit of its process, which is the better cause. */
const EXIT_FOLLOWS_MS = 150;

/** How long a stop waits for the transport to tell its end, when the process is gone or the transport was closed. */
const END_TOLD_MS = 2_000;

const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

export interface ConnectionParts {
  readonly transport: AcpTransport;
  /** Absent for an agent that was only dialled. */
  readonly agent: StartedAgent | undefined;
  /** Command or address, for messages. */
  readonly name: string;
  readonly workdir: string;
  readonly auth: AgentAuth | undefined;
  readonly deadlines: AgentDeadlines;
  readonly log: Log;
}

export class AcpConnection implements AgentConnection, ChannelListener {
  readonly identity: ProcessIdentity | undefined;
  readonly events: AsyncIterable<readonly AgentEvent[]>;
  readonly #parts: ConnectionParts;
  readonly #queue: BatchQueue<AgentEvent>;
  readonly #ends: HeldEnd;
  readonly #channel: AcpChannel;
  readonly #translator = new AcpTranslator();
  readonly #requests = new OpenRequests();
  readonly #turns = new RunningTurns();
  readonly #replayed = new ReplayedWords();
  readonly #lastWords: LastWords;
  #handshake: Handshake | undefined;
  #client: ChannelClient | undefined;
  #acpSessionId: string | undefined;
  #cause: ExitReport["cause"] | undefined;
  #report: ExitReport | undefined;
  /** Why it ended, in words; for messages. */
  #why = "";
  readonly #over = Promise.withResolvers<void>();
  #stopped: Promise<{ readonly clean: boolean; readonly left: readonly number[] }> | undefined;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.identity = parts.agent?.identity;
    this.#lastWords = new LastWords(() => parts.agent?.process.stderrTail ?? "");
    this.#queue = new BatchQueue(() => this.#channel.taken());
    this.#ends = new HeldEnd((event) => this.#queue.push(event));
    this.events = this.#queue;
    this.#channel = new AcpChannel(parts.transport, this);
    this.#channel.start();
    void parts.agent?.process.exit.then(() => {
      this.#cause ??= "exited";
      parts.transport.drain();
    });
  }

  // ---------------------------------------------------------------- the port

  async open(session: OpenSession, signal: AbortSignal): Promise<OpenedSession> {
    signal.throwIfAborted();
    const { auth, deadlines, workdir } = this.#parts;
    const handshake = new Handshake({
      session,
      deadlines,
      mayAuthenticate: auth !== undefined,
      describe: () => ({ name: this.#parts.name, lastWords: this.#lastWords.sentence }),
    });
    this.#handshake = handshake;
    if (this.#report !== undefined) handshake.fail("agent_exited", this.#why);
    const aborted = abortOf(signal);
    try {
      handshake.begin();
      const { ChannelClient } = await import("./iflow-client.ts");
      this.#client = new ChannelClient(this.#channel, clientOptions(session, workdir, auth));
      await Promise.race([this.#connect(this.#client), handshake.failed, aborted.promise]);
      const opened = handshake.opened;
      if (opened === undefined) throw new IflowError("agent_refused", `${this.#parts.name} opened no session.`);
      this.#client.useSession(opened.acpSessionId);
      if (session.model !== undefined)
        await Promise.race([this.#setModel(opened.acpSessionId, session.model), handshake.failed, aborted.promise]);
      return opened;
    } finally {
      aborted.release();
      handshake.end();
    }
  }

  async prompt(turn: number, blocks: readonly PromptBlock[]): Promise<void> {
    if (this.#client === undefined || this.#cause !== undefined) throw this.#exited();
    const client = this.#client;
    this.#ends.release();
    const { workdir } = this.#parts;
    try {
      await this.#turns.begin(turn, async () => {
        const trouble = await directoryTrouble(workdir);
        if (trouble !== undefined) throw new FileElsewhere(`Nothing was sent to work in ${workdir}: ${trouble}`);
        const prompt = await wireBlocks(blocks, workdir);
        await this.#replayed.over();
        await client.prompt(turn, prompt);
      });
    } catch (error) {
      if (error instanceof FileElsewhere) {
        this.#queue.push({ kind: "turn-failed", turn, code: 0, message: `${error.message}. Nothing was sent.` });
        return;
      }
      // The write failed before the end was known, which says more.
      await atMost(EXIT_FOLLOWS_MS, this.#over.promise);
      throw this.#exited(error);
    }
  }

  cancel(): Promise<void> {
    return atMost(this.#parts.deadlines.cancelMs, this.#cancel());
  }

  reply(requestId: RequestId, reply: AgentReply): "sent" | "stale" {
    const result = this.#requests.answer(requestId, reply);
    if (result === undefined) return "stale";
    this.#channel.answer(requestId, result);
    return "sent";
  }

  async background(): Promise<readonly string[]> {
    return (await this.#parts.agent?.background()) ?? [];
  }

  stop(): Promise<{ readonly clean: boolean; readonly left: readonly number[] }> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  // ---------------------------------------------------------------- opening

  /** The SDK's own words for a failure say less than ours, which the race has told already. */
  async #connect(client: ChannelClient): Promise<void> {
    try {
      await client.connect();
    } catch (error) {
      // An ended connection is told with its own cause, as soon as that is known; a deadline runs until then.
      if (!this.#channel.over) {
        this.#handshake?.fail("agent_refused", `${this.#parts.name} could not be connected: ${messageOf(error)}`);
      }
      await this.#handshake?.failed;
    }
  }

  async #setModel(sessionId: string, modelId: string): Promise<void> {
    this.#handshake?.expectSession("the answer to session/set_model");
    try {
      await this.#channel.request("session/set_model", { sessionId, modelId });
    } catch (error) {
      // No reply but the end of the connection: the handshake tells its cause.
      if (error instanceof Error) return this.#handshake?.failed;
      const { message, needsLogin } = readFailure(error);
      throw new IflowError(
        needsLogin ? "agent_not_authenticated" : "agent_refused",
        `${this.#parts.name} refused the model ${JSON.stringify(modelId)}: ${message}`,
      );
    }
  }

  // ---------------------------------------------------------------- what the agent says

  update(params: JsonRecord, text: string): void {
    const update = params["update"];
    const isNew = isRecord(update) && !this.#isRepeated(update);
    const event = isNew && this.#isOurs(params) ? this.#translator.update(update, this.#subAgentOf(params)) : undefined;
    if (event === undefined) this.log("frame", text);
    else this.#ends.pass(event);
  }

  /** Of the earlier conversation, told again after a load: kept, but no new words. */
  #isRepeated({ sessionUpdate }: JsonRecord): boolean {
    return sessionUpdate !== "available_commands_update" && this.#replayed.heard();
  }

  #isOurs(params: unknown): boolean {
    if (this.#acpSessionId === undefined) return false;
    return this.#parts.agent !== undefined || textIn(params, "sessionId") === this.#acpSessionId;
  }

  /** Whom a frame is of that names another session than ours. */
  #subAgentOf(params: JsonRecord): string | undefined {
    const sessionId = textIn(params, "sessionId");
    return sessionId === this.#acpSessionId ? undefined : sessionId;
  }

  request(id: RequestId, method: string, params: unknown, text: string): void {
    const request = this.#isOurs(params) ? this.#translator.request(method, id, params) : undefined;
    if (request !== undefined && this.#requests.add(request)) {
      this.#ends.pass({ kind: "asked", request });
      return;
    }
    this.log("frame", text);
    // Left unanswered it would hold the agent for ever. A request id that is open already is answered with the first one.
    if (request !== undefined) return;
    if (KNOWN_REQUESTS.has(method)) this.#channel.refuse(id, INVALID_PARAMS, `${method}: params could not be used`);
    else this.#channel.refuse(id, METHOD_NOT_FOUND, `${method} is not offered by this client`);
  }

  turnReply(turn: number, reply: Reply, text: string): void {
    this.#translator.turnEnded();
    if (reply.error !== undefined) {
      const { code, message, needsLogin } = readFailure(reply.error);
      this.log("frame", text);
      this.#ends.pass({ kind: "turn-failed", turn, code, message, ...(needsLogin ? { needsLogin } : {}) });
    } else {
      const stopReason = stopReasonOf(reply.result);
      if (stopReason === "unknown") this.log("frame", text);
      this.#ends.pass({ kind: "turn-ended", turn, stopReason });
    }
    this.#turns.ended(turn);
    // The words that come next are another turn's.
    if (!this.#turns.none) this.#ends.release();
  }

  handshakeReply(method: string, reply: Reply, text: string): "pass" | "withhold" {
    this.log("frame", text);
    const verdict = this.#handshake?.reply(method, reply) ?? "withhold";
    this.#acpSessionId = this.#handshake?.acpSessionId;
    if (this.#handshake?.isLoaded === true) this.#replayed.begin();
    return verdict;
  }

  outgoing(method: string, frame: JsonRecord): JsonRecord {
    return this.#handshake?.outgoing(method, frame) ?? frame;
  }

  log(source: "stdout" | "control" | "frame", text: string): void {
    if (source === "control") this.#lastWords.hear(text);
    this.#ends.pass({ kind: "log", source, text });
  }

  leftOut(note: string): void {
    this.#parts.log.warn(`${this.#parts.name} in ${this.#parts.workdir}: ${note}`);
  }

  // ---------------------------------------------------------------- the end

  ended(end: TransportEnd): void {
    void this.#finish(end);
  }

  async #finish(end: TransportEnd): Promise<void> {
    const status = await this.#exitStatus();
    this.#cause ??= "disconnected";
    const report: ExitReport = {
      code: status?.code ?? null,
      signal: status?.signal ?? null,
      stderrTail: this.#lastWords.tail,
      cause: this.#cause,
    };
    this.#report = report;
    this.#requests.clear();
    this.#turns.clear();
    this.#why = `${exitSentence(this.#parts.name, report, end.reason)}${this.#lastWords.sentence}`;
    if (report.cause === "disconnected") this.log("control", end.reason);
    this.#ends.pass({ kind: "exited", report });
    this.#queue.end();
    this.#handshake?.fail("agent_exited", this.#why);
    this.#over.resolve();
    // Whatever is left of it (a shell, a process without its connection) goes now, asked for or not.
    await this.#parts.agent?.end();
  }

  /** Undefined when the process lives on without its connection, or is not ours. */
  async #exitStatus(): Promise<ExitStatus | undefined> {
    const agent = this.#parts.agent;
    if (agent === undefined) return undefined;
    return atMost(EXIT_FOLLOWS_MS, agent.process.exited);
  }

  /** An open request is not answered here: the agent would store the answer, and a later load would know of it. */
  async #stop(): Promise<{ readonly clean: boolean; readonly left: readonly number[] }> {
    const { agent, transport } = this.#parts;
    this.#cause ??= "stopped";
    if (this.#report === undefined && !this.#turns.none)
      await atMost(this.#parts.deadlines.cancelMs, this.#cancelTurn());
    const ended = agent === undefined ? { clean: true, left: [] } : await agent.end();
    if (agent === undefined || !ended.clean) transport.close();
    await atMost(END_TOLD_MS, this.#over.promise);
    if (this.#report === undefined) {
      transport.close();
      this.#channel.end({ reason: "the end of the connection was not told" });
    }
    await this.#over.promise;
    return ended;
  }

  async #cancel(): Promise<void> {
    await this.#turns.sent();
    // In one piece: an agent that saw only the answers would go on with its turn.
    let sent: Promise<void> | undefined;
    this.#channel.together(() => {
      for (const id of this.#requests.ids) this.reply(id, { kind: "cancelled" });
      sent = this.#sendCancel();
    });
    await sent;
  }

  /** Gives the running turn the time to end its shells by itself. */
  async #cancelTurn(): Promise<void> {
    await this.#turns.sent();
    await this.#sendCancel();
    // A turn that waits for an answer does not end by a cancel; its processes are few.
    if (this.#requests.ids.length === 0) await this.#turns.over();
  }

  async #sendCancel(): Promise<void> {
    try {
      await this.#client?.cancel();
    } catch {
      return; // the connection has ended, and the turn with it
    }
  }

  #exited(cause?: unknown): IflowError {
    const open = this.#client === undefined ? "has no open session" : `takes nothing any more: ${messageOf(cause)}`;
    return new IflowError("agent_exited", this.#why === "" ? `${this.#parts.name} ${open}.` : this.#why, { cause });
  }
}

const KNOWN_REQUESTS: ReadonlySet<string> = new Set([
  "session/request_permission",
  "_iflow/user/questions",
  "_iflow/plan/exit",
]);

/** The promise, or undefined when it takes longer than `ms`. */
async function atMost<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const patience = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => patience.resolve(undefined), ms);
  try {
    return await Promise.race([promise, patience.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A promise that rejects when the signal aborts, and how to forget it. */
function abortOf(signal: AbortSignal): { readonly promise: Promise<never>; readonly release: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  return { promise, release: () => signal.removeEventListener("abort", abort) };
}
