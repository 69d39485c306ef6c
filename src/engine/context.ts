/**
 * What every part of the engine gets: the ports, the rules and the bounds. Passed in, never imported.
 */
import type { Rules } from "../core/event.ts";
import type { AgentLauncher, AuditTrail, ChildTasks, Delivery, FlowStore, Journals, Log, NewId } from "../ports.ts";
import type { AwakeClock } from "./awake-clock.ts";

export interface Ports {
  readonly flows: FlowStore;
  readonly children: ChildTasks;
  readonly launcher: AgentLauncher;
  readonly journals: Journals;
  readonly delivery: Delivery;
  readonly clock: AwakeClock;
  readonly log: Log;
  readonly audit: AuditTrail;
  readonly newId: NewId;
}

export interface Bounds {
  readonly maxSessions: number;
  readonly maxQueued: number;
  /** Ended sessions that stay known in memory beyond an hour. */
  readonly maxPersistedSessions: number;
  readonly journalRetentionMs: number;
}

export interface Engine extends Ports {
  readonly rules: Rules;
  readonly bounds: Bounds;
  readonly language: "auto" | "en" | "zh";
}
