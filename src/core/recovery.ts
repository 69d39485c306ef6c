/**
 * What the records of a session mean after a restart: which of them is trusted, and what the session is now.
 * Owns: the order of trust (a valid stateJson of ours; else the journal's last commit; the status always from the flow).
 */
import { parseSession } from "./state-json.ts";
import type { Outcome, Session } from "./session.ts";

/** What the flow says. `undefined` record: the host has no flow with that id any more. */
export interface FlowFacts {
  readonly status: string;
  readonly stateJson: unknown;
  readonly cancelRequestedAt: number | undefined;
}

export interface JournalFacts {
  readonly lastCommit: { readonly session: unknown } | undefined;
  /** Turns whose prompt line stands after (or in) the last commit. */
  readonly promptedTurns: ReadonlySet<number>;
  readonly told: ReadonlySet<string>;
}

export type RecoveryPlan =
  /** Left exactly as it is. */
  | { readonly kind: "leave"; readonly reason: string }
  /** Live: the session goes on from this value. `cancelled`: somebody ended the flow meanwhile. */
  | { readonly kind: "live"; readonly session: Session; readonly promptLeft: "yes" | "no"; readonly stateLost: boolean; readonly cancelled: boolean }
  /** Over: only its owed notices may be left. */
  | { readonly kind: "over"; readonly session: Session };

const TERMINAL: Readonly<Record<string, Outcome>> = { succeeded: "completed", failed: "failed", cancelled: "killed", lost: "failed" };

export function planRecovery(flow: FlowFacts | undefined, journal: JournalFacts, nowAt: number): RecoveryPlan {
  const stored = flow === undefined ? ({ kind: "foreign" } as const) : parseSession(flow.stateJson);
  if (stored.kind === "newer") return { kind: "leave", reason: `its state has the newer schema ${stored.schema}` };
  const journalled = journal.lastCommit === undefined ? undefined : parseSession(journal.lastCommit.session);
  const fromJournal = journalled?.kind === "session" ? journalled.session : undefined;
  if (journalled?.kind === "newer") return { kind: "leave", reason: `its journal has the newer schema ${journalled.schema}` };
  const terminal = flow === undefined ? "failed" : TERMINAL[flow.status];
  const best = stored.kind === "session" ? newest(stored.session, fromJournal) : fromJournal;
  if (best === undefined) {
    const why = stored.kind === "broken" ? `its stateJson is broken (${stored.reason})` : "its stateJson is not ours";
    return { kind: "leave", reason: `${why}, and the journal has no commit to go by` };
  }
  const session = withoutTold(best, journal.told);
  if (terminal !== undefined) return { kind: "over", session: ended(session, terminal, nowAt) };
  const promptLeft = journal.promptedTurns.has(session.turn) ? "yes" : "no";
  const cancelled = flow?.cancelRequestedAt !== undefined;
  return { kind: "live", session, promptLeft, stateLost: stored.kind !== "session", cancelled };
}

/** The journal's commit line is written after the flow's: it wins only when it is really ahead. */
function newest(stored: Session, journalled: Session | undefined): Session {
  if (journalled === undefined || journalled.seq <= stored.seq) return stored;
  return { ...journalled, output: stored.output };
}

function ended(session: Session, outcome: Outcome, nowAt: number): Session {
  if (session.phase.kind === "ended") return session;
  const { agent: _gone, child: _settled, ...rest } = session;
  return { ...rest, inbox: [], phase: { kind: "ended", at: nowAt, outcome } };
}

function withoutTold(session: Session, told: ReadonlySet<string>): Session {
  const owed = session.owed
    .map((notice) => ({ ...notice, parts: notice.parts.filter((part) => !told.has(`${notice.id}/${part}`)) }))
    .filter((notice) => notice.parts.length > 0);
  return owed.length === session.owed.length && told.size === 0 ? session : { ...session, owed };
}
