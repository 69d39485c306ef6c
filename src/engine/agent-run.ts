/**
 * One agent process of one session, from start to gone.
 * Owns: the order start -> open -> ready, the pump of its events, and that `exited` comes exactly once whatever happens.
 */
import type { AgentEvent, AgentReply, RequestId } from "../core/agent-event.ts";
import { IflowError, messageOf, type ErrorCode } from "../core/errors.ts";
import { redactSecrets } from "../core/redact.ts";
import type { Cause, CauseCode, ProcessIdentity } from "../core/session.ts";
import type { AgentConnection, AgentLauncher, AgentSpec, OpenedSession, OpenSession, PromptBlock } from "../ports.ts";

export interface RunListener {
  started(identity: ProcessIdentity | undefined): void;
  ready(opened: OpenedSession): void;
  /** The start came to nothing; the process, if there was one, is gone. */
  startFailed(cause: Cause): void;
  /** Everything that was said, `exited` last. */
  heard(events: readonly AgentEvent[]): void;
}

const CAUSE: Partial<Record<ErrorCode, CauseCode>> = {
  agent_missing: "agent_missing",
  agent_start_failed: "agent_start_failed",
  agent_handshake_timeout: "agent_handshake",
  agent_session_timeout: "agent_handshake",
  agent_not_authenticated: "not_authenticated",
  agent_too_old: "agent_too_old",
  agent_refused: "agent_error",
  agent_exited: "agent_exited",
};

export function causeOf(error: unknown): Cause {
  const code = error instanceof IflowError ? CAUSE[error.code] : undefined;
  return { code: code ?? "agent_start_failed", message: redactSecrets(messageOf(error)).slice(0, 1_000) };
}

export class AgentRun {
  readonly #listener: RunListener;
  readonly #abort = new AbortController();
  #connection: AgentConnection | undefined;
  #opened = false;
  #exit: AgentEvent | undefined;
  #done: Promise<void> = Promise.resolve();

  constructor(listener: RunListener) {
    this.#listener = listener;
  }

  begin(launcher: AgentLauncher, spec: AgentSpec, open: OpenSession): void {
    this.#done = this.#live(launcher, spec, open);
  }

  /** Settles when the process is gone and everything that it said was heard. */
  get done(): Promise<void> {
    return this.#done;
  }

  async #live(launcher: AgentLauncher, spec: AgentSpec, open: OpenSession): Promise<void> {
    try {
      const connection = await launcher.start(spec, this.#abort.signal);
      this.#connection = connection;
      this.#listener.started(connection.identity);
      const pumped = this.#pump(connection);
      try {
        const opened = await connection.open(open, this.#abort.signal);
        this.#opened = true;
        this.#listener.ready(opened);
        // It may have died in the very tick in which it became ready.
        if (this.#exit !== undefined) this.#listener.heard([this.#exit]);
      } catch (error) {
        await connection.stop();
        await pumped;
        this.#listener.startFailed(causeOf(error));
        return;
      }
      await pumped;
    } catch (error) {
      this.#listener.startFailed(causeOf(error));
    }
  }

  async #pump(connection: AgentConnection): Promise<void> {
    for await (const batch of connection.events) {
      this.#exit ??= batch.find((event) => event.kind === "exited");
      // The exit of a start that fails belongs to the failure, which is told with its own cause.
      this.#listener.heard(this.#opened ? batch : batch.filter((event) => event.kind !== "exited"));
    }
    if (this.#exit !== undefined) return;
    this.#exit = { kind: "exited", report: { code: null, signal: null, stderrTail: "", cause: "disconnected" } };
    if (this.#opened) this.#listener.heard([this.#exit]);
  }

  async prompt(turn: number, blocks: readonly PromptBlock[]): Promise<void> {
    if (this.#connection === undefined) throw new IflowError("agent_exited", "The agent is not running.");
    await this.#connection.prompt(turn, blocks);
  }

  reply(requestId: RequestId, reply: AgentReply): "sent" | "stale" {
    return this.#connection?.reply(requestId, reply) ?? "stale";
  }

  async cancelTurn(): Promise<void> {
    await this.#connection?.cancel();
  }

  async background(): Promise<readonly string[]> {
    return (await this.#connection?.background()) ?? [];
  }

  /** Ends start and process. Resolves with what could not be ended. */
  async stop(): Promise<readonly number[]> {
    this.#abort.abort();
    const stopped = await this.#connection?.stop();
    await this.#done;
    return stopped?.left ?? [];
  }
}
