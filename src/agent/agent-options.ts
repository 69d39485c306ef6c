/**
 * What the agent room needs to know to start agents. Parsed elsewhere; secrets are resolved already.
 */
import type { Log } from "../ports.ts";

export interface AgentAuth {
  /** Method of the protocol: `iflow`, `openai-compatible`, `oauth-iflow`. */
  readonly methodId: string;
  readonly apiKey?: string;
  readonly baseUrl?: string;
  readonly modelName?: string;
}

/** Durations in ms. Each is a deadline whose passing names what was waited for. */
export interface AgentDeadlines {
  /** Own websocket agent: until it says where it listens and takes the connection. */
  readonly startMs: number;
  /** Until initialize and authenticate are answered. */
  readonly handshakeMs: number;
  /** Until session/new or session/load is answered. */
  readonly sessionMs: number;
  /** Stop ladder: what a running turn has after session/cancel, processes after SIGTERM, and after SIGKILL. */
  readonly cancelMs: number;
  readonly termMs: number;
  readonly killMs: number;
}

/** The ladder's sum stays within the 5 s that the host gives to a service for its stop. */
export const DEADLINES: AgentDeadlines = {
  startMs: 30_000,
  handshakeMs: 30_000,
  sessionMs: 30_000,
  cancelMs: 1_000,
  termMs: 2_000,
  killMs: 1_000,
};

export interface AgentOptions {
  /** Absolute path, `~/...`, or a name on PATH. Absent: found (agent-command.ts). */
  readonly command?: string;
  /** Go before the arguments of the protocol. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default stdio. */
  readonly transport?: "stdio" | "websocket";
  /** An agent that already runs; dialled, never started or ended. Implies websocket. */
  readonly url?: string;
  readonly auth?: AgentAuth;
  /** Default true: text as it is written, and tool names before permission is asked. */
  readonly stream?: boolean;
  readonly deadlines?: Partial<AgentDeadlines>;
  readonly log: Log;
  /** The environment of the gateway; only its harmless part reaches the agent. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
}
