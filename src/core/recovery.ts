/**
 * What the records of a session mean after a restart: which of them is trusted, and what the session is now.
 * Owns: the order of trust (a valid stateJson of ours; else the journal's last commit; the status always from the flow).
 */
import { partsOf } from "./draft.ts";
import type { Ask, Cause, Message, Notice, Outcome, Phase, Session } from "./session.ts";
import { parseSession } from "./state-json.ts";
import { END_NOTICE, unsentOf } from "./turn.ts";

/** What the flow says. `undefined` record: the host has no flow with that id any more. */
export interface FlowFacts {
  readonly status: string;
  readonly stateJson: unknown;
  readonly cancelRequestedAt: number | undefined;
}

export interface JournalFacts {
  readonly lastCommit: { readonly session: unknown } | undefined;
  /** Turns whose prompt has its line in the journal. */
  readonly promptedTurns: ReadonlySet<number>;
  readonly told: ReadonlySet<string>;
}

export type RecoveryPlan =
  /** Left exactly as it is. */
  | { readonly kind: "leave"; readonly reason: string }
  /** Live: the session goes on from this value. `cancelled`: somebody ended the flow meanwhile. */
  | {
      readonly kind: "live";
      readonly session: Session;
      readonly promptLeft: "yes" | "no";
      readonly stateLost: boolean;
      readonly cancelled: boolean;
    }
  /** Over: only its owed notices may be left. */
  | { readonly kind: "over"; readonly session: Session };

const TERMINAL: Readonly<Record<string, Outcome>> = {
  succeeded: "completed",
  failed: "failed",
  cancelled: "killed",
  lost: "failed",
};

export function planRecovery(flow: FlowFacts | undefined, journal: JournalFacts, nowAt: number): RecoveryPlan {
  const stored = flow === undefined ? ({ kind: "foreign" } as const) : parseSession(flow.stateJson);
  if (stored.kind === "newer") return { kind: "leave", reason: `its state has the newer schema ${stored.schema}` };
  const journalled = journal.lastCommit === undefined ? undefined : parseSession(journal.lastCommit.session);
  const fromJournal = journalled?.kind === "session" ? journalled.session : undefined;
  if (journalled?.kind === "newer")
    return { kind: "leave", reason: `its journal has the newer schema ${journalled.schema}` };
  const best = stored.kind === "session" ? newest(stored.session, fromJournal) : fromJournal;
  if (best === undefined) {
    const why = stored.kind === "broken" ? `its stateJson is broken (${stored.reason})` : "its stateJson is not ours";
    return { kind: "leave", reason: `${why}, and the journal has no commit to go by` };
  }
  const terminal = flow === undefined ? "failed" : TERMINAL[flow.status];
  if (terminal !== undefined)
    return { kind: "over", session: withoutTold(ended(best, terminal, causeOfEnd(flow), nowAt), journal.told) };
  const session = withoutTold(best, journal.told);
  const promptLeft = journal.promptedTurns.has(turnInQuestion(session)) ? "yes" : "no";
  const cancelled = flow?.cancelRequestedAt !== undefined;
  return { kind: "live", session, promptLeft, stateLost: stored.kind !== "session", cancelled };
}

/** The turn whose prompt may have left unnoticed: the running one, or the one that was about to begin. */
function turnInQuestion({ phase, turn }: Session): number {
  return phase.kind === "queued" || phase.kind === "starting" ? turn + 1 : turn;
}

/**
 * The journal's commit line is written after the flow's: it wins only when it is really ahead.
 * Behind or level, it still has whole what the bound of stateJson may have cut.
 */
function newest(stored: Session, journalled: Session | undefined): Session {
  if (journalled === undefined) return stored;
  if (journalled.seq > stored.seq) return { ...journalled, output: stored.output };
  return withWholeTexts(stored, journalled);
}

/** Messages, questions and settings never change once they are there, so the same id means the same words. */
function withWholeTexts(stored: Session, journalled: Session): Session {
  const messages = new Map([...messagesOf(stored), ...messagesOf(journalled)].map((m) => [m.id, m]));
  const asks = new Map(asksOf(journalled).map((ask) => [ask.questions[0]?.id, ask]));
  const whole = (message: Message): Message => messages.get(message.id) ?? message;
  return {
    ...stored,
    prompt: journalled.prompt,
    settings: { ...journalled.settings, permissionMode: stored.settings.permissionMode },
    inbox: stored.inbox.map(whole),
    ...(stored.undone === undefined ? {} : { undone: stored.undone.map(whole) }),
    phase: wholePhase(stored.phase, whole, (ask) => wholeAsk(ask, asks.get(ask.questions[0]?.id))),
  };
}

function messagesOf({ inbox, undone = [], phase }: Session): readonly Message[] {
  const current = phase.kind === "working" || phase.kind === "asking" ? phase.message : undefined;
  return [...inbox, ...undone, ...(current === undefined ? [] : [current])];
}

function asksOf({ phase }: Session): readonly Ask[] {
  return phase.kind === "asking" ? phase.asks : [];
}

function wholePhase(phase: Phase, message: (m: Message) => Message, ask: (a: Ask) => Ask): Phase {
  if (phase.kind === "working") return { ...phase, message: message(phase.message) };
  if (phase.kind !== "asking") return phase;
  const carried = phase.message === undefined ? {} : { message: message(phase.message) };
  return { ...phase, ...carried, asks: phase.asks.map(ask) };
}

/** The questions as they were asked, with the answers that either record has. */
function wholeAsk(stored: Ask, journalled: Ask | undefined): Ask {
  if (journalled === undefined) return stored;
  const answers = new Map(stored.questions.map((q) => [q.id, q.answer]));
  const questions = journalled.questions.map((question) => {
    const answer = question.answer ?? answers.get(question.id);
    return answer === undefined ? question : { ...question, answer };
  });
  return { ...journalled, questions };
}

function causeOfEnd(flow: FlowFacts | undefined): Cause {
  if (flow === undefined) return { code: "storage", message: "The host no longer has its TaskFlow" };
  return { code: "stopped_elsewhere", message: `Its TaskFlow was ended (${flow.status}) while the gateway was down` };
}

/** Ended by somebody else meanwhile: people are told, once. */
function ended(session: Session, outcome: Outcome, cause: Cause, nowAt: number): Session {
  if (session.phase.kind === "ended") return session;
  const { agent: _gone, child: _settled, ...rest } = session;
  const kind = END_NOTICE[outcome];
  const notice: Notice = {
    id: `n${session.nextId}`,
    kind,
    at: nowAt,
    parts: partsOf(session, kind),
    data: {
      text: cause.message,
      code: cause.code,
      turn: session.turn,
      durationMs: session.counters.workingMs,
      ...unsentOf(session.inbox, session.counters),
    },
  };
  const phase: Phase = { kind: "ended", at: nowAt, outcome, cause };
  return { ...rest, inbox: [], unconfirmed: [], phase, owed: [...session.owed, notice], nextId: session.nextId + 1 };
}

function withoutTold(session: Session, told: ReadonlySet<string>): Session {
  const owed = session.owed
    .map((notice) => ({ ...notice, parts: notice.parts.filter((part) => !told.has(`${notice.id}/${part}`)) }))
    .filter((notice) => notice.parts.length > 0);
  return owed.length === session.owed.length && told.size === 0 ? session : { ...session, owed };
}
