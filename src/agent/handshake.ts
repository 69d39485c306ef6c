/**
 * The handshake of one connection: what the SDK sends is completed, what the agent answers is judged, each wait has a deadline.
 * Owns: initialize, authenticate, session/new or session/load. Does not own: frames, processes, turns.
 *
 * 1. The first cause wins: an error reply, a deadline, the end of the connection; `failed` rejects with it once.
 * 2. Nobody is logged in unasked: without configured auth the SDK's authenticate, which would rewrite the user's settings, is not sent.
 * 3. A load is asked for in place of the SDK's session/new, with the same settings.
 */
import { afterAwake } from "./awake-timer.ts";
import { IflowError, type ErrorCode } from "../core/errors.ts";
import type { OpenedSession, OpenSession } from "../ports.ts";
import type { Reply } from "./acp-channel.ts";
import type { AgentDeadlines } from "./agent-options.ts";
import { isRecord, type JsonRecord, recordIn, textIn } from "./json-shape.ts";
import { readFailure } from "./model-error.ts";

/** The first version whose protocol is this one. */
const OLDEST_VERSION = "0.2.24";

export interface HandshakeContext {
  readonly session: OpenSession;
  readonly deadlines: AgentDeadlines;
  readonly mayAuthenticate: boolean;
  /** Words about the agent for messages: its command or address, and the end of its stderr. */
  readonly describe: () => { readonly name: string; readonly lastWords: string };
}

export class Handshake {
  /** Rejects with the first cause of failure; never resolves. */
  readonly failed: Promise<never>;
  readonly #context: HandshakeContext;
  readonly #reject: (error: IflowError) => void;
  #version: string | undefined;
  #opened: Omit<OpenedSession, "agentVersion"> | undefined;
  #cancelDeadline: (() => void) | undefined;

  constructor(context: HandshakeContext) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#context = context;
    this.failed = promise;
    this.#reject = reject;
    // Whoever races against it sees the failure; without a race it is no unhandled one.
    promise.catch(() => undefined);
  }

  get acpSessionId(): string | undefined {
    return this.#opened?.acpSessionId;
  }

  /** An earlier session was opened. */
  get isLoaded(): boolean {
    return this.#opened !== undefined && this.#context.session.load !== undefined;
  }

  get opened(): OpenedSession | undefined {
    return this.#opened === undefined ? undefined : { ...this.#opened, agentVersion: this.#version };
  }

  fail(code: ErrorCode, message: string): void {
    this.#cancelDeadline?.();
    this.#reject(new IflowError(code, message));
  }

  /** Waits for `//ready` (the SDK has no deadline of its own for it). */
  begin(): void {
    this.#expect("the //ready signal", "agent_handshake_timeout", this.#context.deadlines.handshakeMs);
  }

  /** One more answer that the opening waits for. */
  expectSession(what: string): void {
    this.#expect(what, "agent_session_timeout", this.#context.deadlines.sessionMs);
  }

  end(): void {
    this.#cancelDeadline?.();
  }

  outgoing(method: string, frame: JsonRecord): JsonRecord {
    const { session, deadlines, mayAuthenticate } = this.#context;
    const params = recordIn(frame, "params") ?? {};
    switch (method) {
      case "initialize":
        this.#expect("the answer to initialize", "agent_handshake_timeout", deadlines.handshakeMs);
        // The agent edits files itself; asked through us, edits would fail where it runs elsewhere.
        return {
          ...frame,
          params: { ...params, clientCapabilities: { fs: { readTextFile: false, writeTextFile: false } } },
        };
      case "authenticate":
        if (!mayAuthenticate) throw new Error("not authenticated");
        this.#expect("the answer to authenticate", "agent_handshake_timeout", deadlines.handshakeMs);
        return frame;
      default: {
        const load =
          session.load === undefined
            ? undefined
            : { method: "session/load", params: { sessionId: session.load, ...params } };
        this.expectSession(`the answer to ${load?.method ?? method}`);
        return { ...frame, ...load };
      }
    }
  }

  reply(method: string, reply: Reply): "pass" | "withhold" {
    this.#cancelDeadline?.();
    if (reply.error !== undefined) {
      this.#refused(method, reply.error);
      return "withhold";
    }
    if (method === "initialize") return this.#initialized(reply.result);
    if (method !== "authenticate") this.#sessionOpened(reply.result);
    return "pass";
  }

  #initialized(result: unknown): "pass" | "withhold" {
    this.#version = textIn(recordIn(result, "agentInfo"), "version");
    const { mayAuthenticate, describe } = this.#context;
    if (this.#version !== undefined && isOlder(this.#version, OLDEST_VERSION)) {
      this.fail(
        "agent_too_old",
        `${describe().name} is version ${this.#version}; ${OLDEST_VERSION} or newer is needed. Update it.`,
      );
      return "withhold";
    }
    if (isRecord(result) && result["isAuthenticated"] !== true && !mayAuthenticate) {
      this.fail("agent_not_authenticated", notAuthenticated(describe().name));
      return "withhold";
    }
    return "pass";
  }

  #sessionOpened(result: unknown): void {
    const load = this.#context.session.load;
    const acpSessionId = textIn(result, "sessionId");
    if (acpSessionId === undefined) {
      this.fail("agent_refused", `${this.#context.describe().name} opened no session: its answer has no sessionId.`);
      return;
    }
    // The agent answers a load of an unknown session like a new one: with modes.
    const fresh = recordIn(result, "modes") !== undefined;
    this.#opened = { acpSessionId, history: load === undefined ? "new" : fresh ? "lost" : "loaded" };
  }

  #refused(method: string, error: unknown): void {
    const { needsLogin, message } = readFailure(error);
    const { name, lastWords } = this.#context.describe();
    const asked = method.startsWith("session/") && this.#context.session.load !== undefined ? "session/load" : method;
    if (needsLogin || method === "authenticate")
      this.fail("agent_not_authenticated", `${notAuthenticated(name)} (${message})`);
    else this.fail("agent_refused", `${name} refused ${asked}: ${message}${lastWords}`);
  }

  #expect(what: string, code: ErrorCode, ms: number): void {
    this.#cancelDeadline?.();
    this.#cancelDeadline = afterAwake(ms, () => {
      const { name, lastWords } = this.#context.describe();
      this.fail(code, `${name} has not sent ${what} within ${ms / 1000} s.${lastWords}`);
    });
  }
}

function notAuthenticated(name: string): string {
  return `${name} is not authenticated. Log in once with the program itself (/auth), or set agent.auth with methodId, apiKey, baseUrl and modelName.`;
}

/** By the numbers of the versions; what follows them (a pre-release) does not count. */
function isOlder(version: string, than: string): boolean {
  const numbers = (text: string): readonly number[] =>
    text
      .split(/[^\d]+/)
      .slice(0, 3)
      .map(Number);
  const [a, b] = [numbers(version), numbers(than)];
  for (const index of [0, 1, 2]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
