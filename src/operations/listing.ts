/**
 * Lists of sessions: which come first, and what is said of those that are not shown.
 * Owns: the order (what waits for a person, then what works, then the rest, the latest first) and the counts of the rest.
 */
import type { Session } from "../core/session.ts";
import { statusOf } from "./status.ts";

/** Whether somebody has to say something before it goes on. */
export function waitsForPerson({ phase }: Session): boolean {
  return (
    phase.kind === "asking" || phase.kind === "interrupted" || (phase.kind === "idle" && phase.expects === "answer")
  );
}

/** Nobody overlooks in a long list what waits for them. */
export function inOrder(sessions: readonly Session[]): readonly Session[] {
  return sessions.toSorted((a, b) => placeOf(a) - placeOf(b) || sinceOf(b) - sinceOf(a));
}

function placeOf(session: Session): number {
  if (waitsForPerson(session)) return 0;
  const { kind } = session.phase;
  if (kind === "working" || kind === "starting") return 1;
  return kind === "queued" ? 2 : 3;
}

function sinceOf({ phase, createdAt }: Session): number {
  switch (phase.kind) {
    case "ended":
      return phase.at;
    case "idle":
      return phase.sinceAt;
    case "queued":
    case "starting":
    case "working":
    case "asking":
    case "interrupted":
      return createdAt;
  }
}

/** "… and 170 more: 2 asking, 168 completed."; "" when all are shown. */
export function restLine(hidden: readonly Session[]): string {
  if (hidden.length === 0) return "";
  const counts = new Map<string, number>();
  for (const session of hidden) counts.set(statusOf(session), (counts.get(statusOf(session)) ?? 0) + 1);
  return `… and ${hidden.length} more: ${[...counts].map(([status, count]) => `${count} ${status}`).join(", ")}.`;
}
