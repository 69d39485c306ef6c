/**
 * The working copy of one transition: what a handler changes before the step is returned.
 * Owns: the small changes that many handlers share (phase, notices, child, output). Nothing outside `core` sees a draft.
 */
import type { Effect, Rules, Taken } from "./event.ts";
import type { Result } from "./errors.ts";
import type {
  Child,
  Counters,
  Message,
  Notice,
  NoticeData,
  NoticeKind,
  NoticePart,
  Owner,
  Phase,
  Session,
} from "./session.ts";
import { appendOutput, cutText, restingOutput } from "./output.ts";
import { redactSecrets } from "./redact.ts";

const MAX_OWED = 50;
const LABEL_LENGTH = 160;
/** A result is shorter, and cut already. */
const NOTICE_TEXT_LENGTH = 1_600;

export interface Draft {
  session: Session;
  readonly effects: Effect[];
  /** What this step adds to the output stream. */
  written: string;
  reply: Result<Taken> | undefined;
  readonly at: number;
  readonly rules: Rules;
}

/** Adds to the output stream. Nothing else does, so that the journal gets the same. */
export function write(draft: Draft, piece: string): void {
  if (piece === "") return;
  const output = appendOutput(draft.session.output, piece, draft.rules.outputBufferBytes);
  draft.session = { ...draft.session, output };
  draft.written += piece;
}

export function setPhase(draft: Draft, phase: Phase): void {
  draft.session = { ...draft.session, phase };
}

export function count(draft: Draft, by: Partial<Counters>): void {
  const counters: Record<keyof Counters, number> = { ...draft.session.counters };
  for (const key of Object.keys(by) as (keyof Counters)[]) counters[key] += by[key] ?? 0;
  draft.session = { ...draft.session, counters };
}

/** A session-wide serial number, for ids of questions, notices and messages. */
export function nextId(draft: Draft): number {
  const id = draft.session.nextId;
  draft.session = { ...draft.session, nextId: id + 1 };
  return id;
}

const WAKING: ReadonlySet<NoticeKind> = new Set([
  "asks",
  "turn-finished",
  "completed",
  "failed",
  "killed",
  "interrupted",
]);
const FINAL: ReadonlySet<NoticeKind> = new Set(["completed", "failed", "killed", "turn-finished", "interrupted"]);

/** Whom the session wakes: the agent that launched it by a tool, else the one that its directory's chat names (decision 23). */
export function wokenBy({ launchedBy, owner, settings }: Session): Owner | undefined {
  return launchedBy.door === "tool" ? owner : settings.wakes;
}

export function partsOf(session: Session, kind: NoticeKind): readonly NoticePart[] {
  return wokenBy(session) !== undefined && WAKING.has(kind) ? ["chat", "wake"] : ["chat"];
}

/** Past the limit of automatic answers the agent is not woken for a question; the person is told so (decision 24). */
function forPersonOnly(draft: Draft, kind: NoticeKind, parts: readonly NoticePart[]): boolean {
  return (
    kind === "asks" && parts.includes("wake") && draft.session.counters.autoResponds >= draft.rules.maxAutoResponds
  );
}

/** Owes a notice; past the bound the oldest that is no final and no question goes first. */
export function owe(draft: Draft, kind: NoticeKind, data: NoticeData, given?: readonly NoticePart[]): void {
  const parts = given ?? partsOf(draft.session, kind);
  const limited = forPersonOnly(draft, kind, parts);
  const bounded =
    data.text === undefined ? data : { ...data, text: cutText(redactSecrets(data.text), NOTICE_TEXT_LENGTH) };
  const notice: Notice = {
    id: `n${nextId(draft)}`,
    kind,
    at: draft.at,
    parts: limited ? ["chat"] : parts,
    data: limited ? { ...bounded, code: "limit_reached" } : bounded,
  };
  const owed = [...draft.session.owed, notice];
  if (owed.length > MAX_OWED) {
    const expendable = owed.findIndex((n) => !FINAL.has(n.kind) && n.kind !== "asks");
    owed.splice(expendable === -1 ? 0 : expendable, 1);
  }
  draft.session = { ...draft.session, owed };
}

/** Ends the child that stands for the session now, if any; one that never ran ends `cancelled` (decision 4). */
export function endChild(
  draft: Draft,
  outcome: "succeeded" | "failed" | "timed_out" | "cancelled",
  error?: string,
): void {
  const { child, ...rest } = draft.session;
  if (child === undefined) return;
  const actual = child.as === "queued" ? "cancelled" : outcome;
  draft.effects.push({
    do: "end-child",
    runId: child.runId,
    outcome: actual,
    ...(error === undefined ? {} : { error: redactSecrets(error) }),
  });
  draft.session = rest;
}

/** One child at a time stands for the session. */
function startChild(draft: Draft, child: Child): void {
  endChild(draft, "succeeded");
  draft.session = { ...draft.session, child };
  draft.effects.push({ do: "start-child", child });
}

/** The running child of the turn that begins now. The flow id is put in by the engine (`<flow>`). */
export function startTurnChild(draft: Draft, message: Message): void {
  const { name, turn } = draft.session;
  const label = cutText(`iFlow ${name} · turn ${turn}: ${oneLine(redactSecrets(message.text.text))}`, LABEL_LENGTH);
  startChild(draft, { runId: `iflow:<flow>:t${turn}`, as: "running", label });
}

/** The queued child that stands for the question while a person is asked (decision 4). */
export function startStandIn(draft: Draft, question: string): void {
  const standIns = draft.session.standIns + 1;
  draft.session = { ...draft.session, standIns };
  const label = cutText(
    `iFlow ${draft.session.name} · waiting for you: ${oneLine(redactSecrets(question))}`,
    LABEL_LENGTH,
  );
  startChild(draft, { runId: `iflow:<flow>:t${draft.session.turn}.${standIns}`, as: "queued", label });
}

/** The stand-in becomes the running child when the answer is there. */
export function activateChild(draft: Draft): void {
  const child = draft.session.child;
  if (child === undefined || child.as === "running") return;
  draft.session = { ...draft.session, child: { ...child, as: "running" } };
  draft.effects.push({ do: "activate-child", runId: child.runId });
}

/** The host ended the child that stands for the session: another of the same kind, since a run id is never used again. */
export function replaceChild(draft: Draft, runId: string): void {
  const { child, ...rest } = draft.session;
  if (child?.runId !== runId) return;
  const standIns = rest.standIns + 1;
  draft.session = { ...rest, standIns };
  startChild(draft, { ...child, runId: `iflow:<flow>:t${rest.turn}.${standIns}` });
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Tells a live agent to end. The slot stays until it is gone. */
export function stopAgent(draft: Draft): void {
  const { agent } = draft.session;
  if (agent === undefined || agent.kind === "stopping") return;
  draft.session = { ...draft.session, agent: { ...agent, kind: "stopping" } };
  draft.effects.push({ do: "stop-agent" });
}

/** The agent's process is gone: its slot is free. */
export function agentGone(draft: Draft): void {
  const { agent, ...rest } = draft.session;
  if (agent === undefined) return;
  draft.session = { ...rest, output: restingOutput(rest.output) };
  draft.effects.push({ do: "release-slot" });
}
