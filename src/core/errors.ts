/**
 * The one error class of the plugin, and refusals as values.
 * Owns: documented codes. An expected refusal is a `Refusal`; a broken promise of a port throws `IflowError`.
 */

/**
 * - agent_missing: no agent command found; the message says how to install one.
 * - agent_start_failed: the command exists but could not be started, or the address could not be dialled.
 * - agent_handshake_timeout, agent_session_timeout: which answer was waited for, and how long.
 * - agent_not_authenticated, agent_too_old, agent_refused: what the agent answered.
 * - agent_exited: the process or connection ended; the message has exit code, signal and the last lines of stderr.
 * - journal_failed: a journal line could not be written (disk full, read-only).
 * - config_invalid: path and bad value.
 */
export type ErrorCode =
  | "agent_missing"
  | "agent_start_failed"
  | "agent_handshake_timeout"
  | "agent_session_timeout"
  | "agent_not_authenticated"
  | "agent_too_old"
  | "agent_refused"
  | "agent_exited"
  | "journal_failed"
  | "config_invalid";

export class IflowError extends Error {
  override readonly name = "IflowError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export type RefusalCode =
  | "invalid_params"
  | "not_found"
  | "not_allowed"
  | "directory_not_allowed"
  | "queue_full"
  | "name_taken"
  | "wrong_phase"
  | "question_closed"
  | "question_ambiguous"
  | "invalid_choice"
  | "agent_missing"
  | "storage_unavailable"
  | "limit_reached"
  | "not_available";

/** `message` names the thing, its state and the next step. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

export interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
}

export type Result<T> = { readonly ok: true; readonly value: T } | Refused;

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refuse(code: RefusalCode, message: string): Refused {
  return { ok: false, refusal: { code, message } };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
