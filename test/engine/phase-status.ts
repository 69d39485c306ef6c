/** Which status of the TaskFlow fits each phase: the design's table, said a second time, for tests. */
import type { PhaseKind } from "../../src/core/session.ts";
import type { FlowStatus } from "../../src/ports.ts";

export const STATUSES_OF_PHASES: Readonly<Record<PhaseKind, readonly FlowStatus[]>> = {
  queued: ["queued"],
  starting: ["running"],
  working: ["running"],
  asking: ["waiting"],
  idle: ["waiting"],
  interrupted: ["waiting"],
  ended: ["succeeded", "failed", "cancelled", "lost"],
};
