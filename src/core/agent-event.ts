/**
 * What an ACP agent says and what may be said back to it, in the words of this project.
 * Owns: the two unions that the agent room and the core share. Does not own: frames, ids of JSON-RPC, transports.
 */

/** Id of a request of the agent. ACP counts from 0 per connection and in its own direction; string ids are echoed. */
export type RequestId = number | string;

export interface RequestOption {
  readonly id: string;
  readonly label: string;
  /** ACP option kinds: allow_once, allow_always, reject_once, reject_always. Absent for options of questions. */
  readonly kind?: string;
  readonly description?: string;
}

export interface AskedQuestion {
  readonly text: string;
  readonly header?: string;
  readonly options: readonly RequestOption[];
  readonly multiSelect: boolean;
}

/** A request of the agent that waits, without limit, for a person (acp-protocol: permission, question tool, plan exit). */
export type AgentRequest =
  | {
      readonly kind: "permission";
      readonly requestId: RequestId;
      readonly toolCallId: string;
      readonly title: string;
      /** ACP tool kind: edit, execute, read, search, fetch, other. */
      readonly toolKind: string;
      /** From the `pending` frame of the same tool call; known only when the agent streams. */
      readonly toolName?: string;
      /** What would be done: a diff or a command, as text. */
      readonly content: string;
      readonly options: readonly RequestOption[];
    }
  | { readonly kind: "questions"; readonly requestId: RequestId; readonly questions: readonly AskedQuestion[] }
  | { readonly kind: "plan"; readonly requestId: RequestId; readonly plan: string };

/** Words, or options of the question by the ids under which people chose them. */
export type AskedAnswer = { readonly text: string } | { readonly optionIds: readonly string[] };

/** Exactly one of these answers a request. `cancelled` is the only rejection that the agent honours in every mode. */
export type AgentReply =
  | { readonly kind: "selected"; readonly optionId: string }
  | { readonly kind: "cancelled" }
  /** In the order of the questions: what names one on the wire is the agent's own text, whole, which the records may not hold. */
  | { readonly kind: "answers"; readonly answers: readonly AskedAnswer[] }
  | { readonly kind: "plan"; readonly approved: boolean; readonly reason?: string };

export type StopReason = "end_turn" | "max_tokens" | "refusal" | "cancelled" | "max_turn_requests" | "unknown";

export type ToolStatus = "pending" | "in_progress" | "completed" | "failed";

export interface PlanEntry {
  readonly text: string;
  readonly status: "pending" | "in_progress" | "completed";
}

export interface ExitReport {
  readonly code: number | null;
  readonly signal: string | null;
  /** Last lines of the agent's stderr, at most 4 KiB, redaction is the reader's task. */
  readonly stderrTail: string;
  /** What ended it first: its own death, our stop, the loss of the connection. */
  readonly cause: "exited" | "stopped" | "disconnected";
}

export type AgentEvent =
  /** `starts`: of another message than the words before it. */
  | { readonly kind: "text"; readonly text: string; readonly agentId?: string; readonly starts?: true }
  | { readonly kind: "thought"; readonly text: string; readonly agentId?: string }
  | {
      readonly kind: "tool";
      readonly toolCallId: string;
      readonly status: ToolStatus;
      /** Absent in completed and failed frames: the protocol leaves it out. */
      readonly title?: string;
      readonly toolKind?: string;
      readonly toolName?: string;
      /** Arguments of the call as JSON text; only in in_progress frames. */
      readonly input?: string;
      /** Text output, whole; diffs as unified diff text. */
      readonly output?: string;
      /** Files that an edit wrote (absolute where the agent said so, else as given). */
      readonly files?: readonly string[];
      readonly agentId?: string;
    }
  | { readonly kind: "plan"; readonly entries: readonly PlanEntry[] }
  | { readonly kind: "commands"; readonly names: readonly string[] }
  | { readonly kind: "asked"; readonly request: AgentRequest }
  | { readonly kind: "turn-ended"; readonly turn: number; readonly stopReason: StopReason }
  /** `needsLogin`: whoever runs the agent has to log in again, or give another key; trying again alone changes nothing. */
  | {
      readonly kind: "turn-failed";
      readonly turn: number;
      readonly code: number;
      readonly message: string;
      readonly needsLogin?: true;
    }
  /** A frame or line that carries no meaning for the session; kept in the journal, so that nothing is silently dropped. */
  | { readonly kind: "log"; readonly source: "stdout" | "control" | "frame"; readonly text: string }
  /** Always the last event of a connection. */
  | { readonly kind: "exited"; readonly report: ExitReport };
