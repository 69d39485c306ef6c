/**
 * Which changes of a session must be stored before anything else happens, and what a foreign record means.
 * Owns: the line between a commit (awaited) and a checkpoint (coalesced), and a commit's line in the journal.
 */
import type { ForeignChange } from "../core/event.ts";
import { flowVerb } from "../core/flow-command.ts";
import { SCHEMA, type Session } from "../core/session.ts";
import type { FlowRecord, FlowStatus, JournalLine } from "../ports.ts";
import { isTerminal, seqOf, type OwnWrite } from "./flow-writer.ts";

/** Values change by replacement, so identity tells whether something changed. */
export function needsCommit(before: Session, after: Session): boolean {
  return (
    phaseChanged(before.phase, after.phase) ||
    before.inbox !== after.inbox ||
    before.undone !== after.undone ||
    (before.owed !== after.owed && before.nextId !== after.nextId) ||
    before.agent !== after.agent ||
    before.acpSessionId !== after.acpSessionId ||
    before.settings !== after.settings ||
    before.grants !== after.grants ||
    before.route !== after.route ||
    before.home !== after.home ||
    before.toldIn !== after.toldIn ||
    before.undelivered !== after.undelivered ||
    before.child !== after.child ||
    (before.viewers !== after.viewers && whoFollows(before) !== whoFollows(after))
  );
}

/** Where words go is known for certain after a restart; how far they have come there is not as important. */
function whoFollows({ viewers }: Session): string {
  return JSON.stringify(viewers.map(({ seen: _seen, ...viewer }) => viewer));
}

function phaseChanged(a: Session["phase"], b: Session["phase"]): boolean {
  if (a === b) return false;
  if (a.kind === "working" && b.kind === "working") return a.stopping !== b.stopping || a.message !== b.message;
  if (a.kind === "idle" && b.kind === "idle") return a.background !== b.background || a.sinceAt !== b.sinceAt;
  if (a.kind === "asking" && b.kind === "asking") return a.asks !== b.asks;
  return true;
}

/** Journalled before the flow is written, since the flow is not believed about rights (others write it as well). */
export function rightsLines(before: Session, { settings, grants }: Session, at: number): readonly JournalLine[] {
  return before.settings === settings && before.grants === grants ? [] : [{ t: "rights", at, settings, grants }];
}

/** The journal's line of a commit: the session without its words, which have lines of their own. */
export function commitLine(session: Session, revision: number, at: number): JournalLine {
  const { end } = session.output;
  const bare = { ...session, output: { text: "", start: end, end } };
  return { t: "commit", at, seq: session.seq, revision, session: bare };
}

/** What another writer's record means for a session that lives; undefined: nothing that changes its life. */
export function foreignChange(record: FlowRecord, session: Session, own: OwnWrite): ForeignChange | undefined {
  if (session.phase.kind === "ended") return undefined;
  if (record.status === "cancelled" || record.cancelRequestedAt !== undefined) return { kind: "cancelled" };
  if (record.status === "succeeded") return { kind: "finished" };
  if (record.status === "failed" || record.status === "lost") return { kind: "failed" };
  const { kind } = session.phase;
  const waiting = kind === "asking" || kind === "idle" || kind === "interrupted";
  if (!waiting || (record.status !== "queued" && record.status !== "running")) return undefined;
  const text = resumeText(record, own);
  return text === undefined && own.heard !== undefined ? undefined : { kind: "resumed", text };
}

/** What a writer put where our state was, for the session. */
function respondOf(stateJson: unknown): string | undefined {
  if (typeof stateJson !== "object" || stateJson === null || !("respond" in stateJson)) return undefined;
  return typeof stateJson.respond === "string" ? stateJson.respond : undefined;
}

/** The words of a resume: `stateJson.respond`, else a current step that is not ours, else none. */
export function resumeText(record: FlowRecord, own: OwnWrite): string | undefined {
  const respond = respondOf(record.stateJson);
  if (respond !== undefined && respond !== respondOf(own.heard?.stateJson)) return respond;
  const step = record.currentStep?.trim() ?? "";
  const isOld = own.steps.includes(record.currentStep) || record.currentStep === own.heard?.currentStep;
  return step === "" || isOld ? undefined : record.currentStep;
}

/** Whether another writer put something else where our state was. It is never taken over; ours is stored again. */
export function stateReplaced(record: FlowRecord, own: OwnWrite): boolean {
  const { stateJson } = record;
  if (typeof stateJson !== "object" || stateJson === null || !("schema" in stateJson)) return true;
  return stateJson.schema !== SCHEMA || !own.seqs.includes(seqOf(stateJson));
}

const STATUS = {
  queue: "queued",
  run: "running",
  wait: "waiting",
  finish: "succeeded",
  fail: "failed",
  cancel: "cancelled",
} as const;

/** Whether the record says of the session what its phase is. A terminal record is left as somebody ended it. */
export function fitsPhase(status: FlowStatus, session: Session): boolean {
  return isTerminal(status) || status === STATUS[flowVerb(session)];
}
