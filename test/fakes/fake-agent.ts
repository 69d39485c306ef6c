/**
 * The agent port in memory. Prompts are scripts in the language of the demo agent (demo-agent/README.md).
 * Owns: sessions that survive connections, files that were "written", what was sent to the agent.
 * Does not own: the script language. Nothing touches a disk or starts a process.
 *
 * 1. As the real one: a cancel answers open requests first, an exit is the last event, a dead connection answers nothing.
 */
import { parseScript } from "../../demo-agent/script.mjs";
import { BatchQueue } from "../../src/agent/batch-queue.ts";
import type { AgentEvent, AgentReply, AgentRequest, ExitReport, RequestId } from "../../src/core/agent-event.ts";
import { IflowError } from "../../src/core/errors.ts";
import type { ProcessIdentity } from "../../src/core/session.ts";
import type {
  AgentConnection,
  AgentLauncher,
  AgentSpec,
  OpenedSession,
  OpenSession,
  PromptBlock,
} from "../../src/ports.ts";
import { runScript, type ScriptSession, type Stage } from "./fake-agent-script.ts";

export interface FakePrompt {
  readonly sessionId: string;
  readonly acpSessionId: string;
  readonly turn: number;
  readonly text: string;
  readonly blocks: readonly PromptBlock[];
}

export interface FakeAgentOptions {
  /** For `sleep`; the test's clock where it has one. Returns how to cancel. */
  readonly after?: (ms: number, run: () => void) => () => void;
  readonly version?: string;
}

const realTimer = (ms: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

export class FakeAgent implements AgentLauncher {
  readonly connections: FakeConnection[] = [];
  readonly prompts: FakePrompt[] = [];
  /** Absolute path -> content, of every file that a session wrote. */
  readonly files = new Map<string, string>();
  readonly reaped: { readonly sessionId: string; readonly identity: ProcessIdentity | undefined }[] = [];
  /** Set to make the next start, or the next open, throw. */
  failStart: IflowError | undefined;
  failOpen: IflowError | undefined;
  /** Awaited before a start resolves, and before an open resolves: a test holds them back with it. */
  beforeStart: () => Promise<void> = async () => undefined;
  beforeOpen: () => Promise<void> = async () => undefined;
  /** Awaited before a prompt is taken: an agent that does not read. */
  beforePrompt: (() => Promise<void>) | undefined;
  readonly after: (ms: number, run: () => void) => () => void;
  readonly version: string;
  readonly stored = new Map<string, ScriptSession>();
  #sessions = 0;

  constructor(options: FakeAgentOptions = {}) {
    this.after = options.after ?? realTimer;
    this.version = options.version ?? "0.5.19";
  }

  get last(): FakeConnection {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error("no agent was started");
    return last;
  }

  get live(): readonly FakeConnection[] {
    return this.connections.filter((connection) => connection.alive);
  }

  async start(spec: AgentSpec, signal: AbortSignal): Promise<AgentConnection> {
    await this.beforeStart();
    signal.throwIfAborted();
    const failure = this.failStart;
    this.failStart = undefined;
    if (failure !== undefined) throw failure;
    const connection = new FakeConnection(this, spec, this.connections.length + 1);
    signal.addEventListener("abort", () => void connection.stop(), { once: true });
    this.connections.push(connection);
    return connection;
  }

  async copyHistory(acpSessionId: string): Promise<string | undefined> {
    const stored = this.stored.get(acpSessionId);
    if (stored === undefined) return undefined;
    const copy = this.nextSessionId();
    this.stored.set(copy, { ...stored, acpSessionId: copy, history: [...stored.history] });
    return copy;
  }

  async reap(sessionId: string, identity: ProcessIdentity | undefined): Promise<{ readonly ended: number }> {
    this.reaped.push({ sessionId, identity });
    const left = this.live.filter((connection) => connection.spec.sessionId === sessionId);
    for (const connection of left) connection.lose();
    return { ended: left.length };
  }

  /** The gateway was killed: its connections say nothing any more, and the guard has ended the processes. */
  loseGateway(): void {
    for (const connection of this.live) connection.lose();
  }

  /** A later load of this ACP session starts fresh. */
  forget(acpSessionId: string): void {
    this.stored.delete(acpSessionId);
  }

  nextSessionId(): string {
    this.#sessions += 1;
    return `acp-${this.#sessions}`;
  }
}

interface Running {
  readonly abort: AbortController;
  readonly over: Promise<void>;
  newer?: Promise<void>;
}

export class FakeConnection implements AgentConnection {
  /** Which one since the beginning, from 1. */
  readonly number: number;
  readonly spec: AgentSpec;
  readonly identity: ProcessIdentity;
  readonly replies: { readonly requestId: RequestId; readonly reply: AgentReply }[] = [];
  readonly openedWith: OpenSession[] = [];
  /** Everything that it wrote, heard or not. */
  readonly said: AgentEvent[] = [];
  cancels = 0;
  stops = 0;
  alive = true;
  stderrTail = "";
  /** How many replies do not fit, for tests of an answer that its request can't take. */
  refusesReplies = 0;
  /** What `stop` answers, for tests of an agent that does not go. */
  /** Commands that turns left running beside it. */
  leftRunning: readonly string[] = [];
  leftAfterStop: readonly number[] = [];
  readonly #agent: FakeAgent;
  readonly #queue = new BatchQueue<AgentEvent>();
  readonly #open = new Map<RequestId, { request: AgentRequest; resolve: (reply: AgentReply) => void }>();
  #session: ScriptSession | undefined;
  #turn: Running | undefined;
  #nextRequest = 0;

  constructor(agent: FakeAgent, spec: AgentSpec, number: number) {
    this.#agent = agent;
    this.number = number;
    this.spec = spec;
    this.identity = { pid: 1_000_000 + number, startedAt: `fake-${number}` };
  }

  get events(): AsyncIterable<readonly AgentEvent[]> {
    return this.#queue;
  }

  get openRequests(): readonly AgentRequest[] {
    return [...this.#open.values()].map(({ request }) => request);
  }

  async open(session: OpenSession, signal: AbortSignal): Promise<OpenedSession> {
    this.openedWith.push(session);
    await this.#agent.beforeOpen();
    signal.throwIfAborted();
    const failure = this.#agent.failOpen;
    this.#agent.failOpen = undefined;
    if (failure !== undefined) throw failure;
    this.#mustLive();
    const stored = session.load === undefined ? undefined : this.#agent.stored.get(session.load);
    const acpSessionId = session.load ?? this.#agent.nextSessionId();
    this.#session = {
      acpSessionId,
      workdir: this.spec.workdir,
      settings: session,
      loaded: stored !== undefined,
      history: stored?.history ?? [],
      unfinished: stored?.unfinished ?? [],
      always: new Set(),
      answer: "",
      carryOn: false,
    };
    const history = session.load === undefined ? "new" : stored === undefined ? "lost" : "loaded";
    return { acpSessionId, history, agentVersion: this.#agent.version };
  }

  async prompt(turn: number, blocks: readonly PromptBlock[]): Promise<void> {
    if (this.#agent.beforePrompt !== undefined) await this.#agent.beforePrompt();
    this.#mustLive();
    const session = this.#session;
    if (session === undefined) throw new IflowError("agent_exited", "No session is open.");
    const text = blocks.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
    this.#agent.prompts.push({
      sessionId: this.spec.sessionId,
      acpSessionId: session.acpSessionId,
      turn,
      text,
      blocks,
    });
    this.#agent.stored.set(session.acpSessionId, session);
    session.history.push(text);
    const older = this.#turn;
    older?.abort.abort();
    const settled = Promise.withResolvers<void>();
    const current: Running = { abort: new AbortController(), over: settled.promise };
    if (older !== undefined) older.newer = current.over;
    this.#turn = current;
    const stage: Stage = {
      session,
      signal: current.abort.signal,
      files: this.#agent.files,
      after: this.#agent.after,
      emit: (...events) => this.emit(...events),
      ask: (make) => this.#ask(make),
      crash: (how) => this.crash(how),
      stderr: (words) => {
        this.stderrTail = `${this.stderrTail}${words}`.slice(-4096);
      },
    };
    void runScript(stage, parseScript(text), text).then(async (end) => {
      // As iFlow: the older turn's end is told after that of the newer one.
      await current.newer;
      this.emit(
        end.kind === "failed"
          ? { kind: "turn-failed", turn, code: -32603, message: end.message }
          : { kind: "turn-ended", turn, stopReason: end.stopReason },
      );
      settled.resolve();
    });
  }

  #ask(make: (requestId: RequestId) => AgentRequest): Promise<AgentReply> {
    const request = make(this.#nextRequest);
    this.#nextRequest += 1;
    this.emit({ kind: "asked", request });
    return new Promise((resolve) => this.#open.set(request.requestId, { request, resolve }));
  }

  async cancel(): Promise<void> {
    this.cancels += 1;
    if (!this.alive) return;
    for (const { requestId } of this.openRequests) this.reply(requestId, { kind: "cancelled" });
    this.#turn?.abort.abort();
  }

  reply(requestId: RequestId, reply: AgentReply): "sent" | "stale" {
    const open = this.#open.get(requestId);
    if (!this.alive || open === undefined || !fits(open.request, reply)) return "stale";
    if (this.refusesReplies > 0) {
      this.refusesReplies -= 1;
      return "stale";
    }
    this.#open.delete(requestId);
    this.replies.push({ requestId, reply });
    open.resolve(reply);
    return "sent";
  }

  async background(): Promise<readonly string[]> {
    return this.alive ? this.leftRunning : [];
  }

  async stop(): Promise<{ readonly clean: boolean; readonly left: readonly number[] }> {
    this.stops += 1;
    this.#turn?.abort.abort();
    this.#end({ code: 143, signal: null, stderrTail: this.stderrTail, cause: "stopped" });
    return { clean: this.leftAfterStop.length === 0, left: this.leftAfterStop };
  }

  /** The process dies by itself. `how`: an exit code or a signal. */
  crash(how: string): void {
    const bySignal = how.startsWith("SIG");
    const report = { code: bySignal ? null : Number(how), signal: bySignal ? how : null } as const;
    this.#end({ ...report, stderrTail: this.stderrTail, cause: "exited" });
  }

  /** Says nothing more, not even its end: nobody is there to hear it. */
  lose(): void {
    this.alive = false;
    this.#open.clear();
  }

  emit(...events: readonly AgentEvent[]): void {
    if (!this.alive) return;
    this.said.push(...events);
    for (const event of events) this.#queue.push(event);
  }

  #end(report: ExitReport): void {
    if (!this.alive) return;
    this.emit({ kind: "exited", report });
    this.alive = false;
    this.#open.clear();
    this.#queue.end();
  }

  #mustLive(): void {
    if (!this.alive) throw new IflowError("agent_exited", "The agent has exited.");
  }
}

function fits(request: AgentRequest, reply: AgentReply): boolean {
  if (reply.kind === "cancelled") return true;
  if (request.kind === "permission") {
    return reply.kind === "selected" && request.options.some((option) => option.id === reply.optionId);
  }
  return request.kind === "plan" ? reply.kind === "plan" : reply.kind === "answers";
}
