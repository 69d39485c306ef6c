/**
 * The states of a session as people, agents and RPC clients know them; one that timed out has failed.
 */
import type { Session } from "../core/session.ts";

export const STATUSES = [
  "queued",
  "starting",
  "working",
  "asking",
  "idle",
  "interrupted",
  "completed",
  "failed",
  "killed",
] as const;
export type Status = (typeof STATUSES)[number];

export function statusOf({ phase }: Pick<Session, "phase">): Status {
  if (phase.kind !== "ended") return phase.kind;
  return phase.outcome === "timed_out" ? "failed" : phase.outcome;
}
