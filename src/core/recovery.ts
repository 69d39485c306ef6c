/**
 * What the records of a session mean after a restart: which of them is trusted, and what the session is now.
 * Owns: the order of trust (a valid stateJson of ours; else the journal's last commit; the status always from the flow).
 */
import { partsOf } from "./draft.ts";
import type { Ask, Cause, Message, Notice, Outcome, Phase, Session, Viewer } from "./session.ts";
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
  /** What it may do, where that was changed after the last commit. */
  readonly rights?: Pick<Session, "settings" | "grants">;
  /** Whose it is by the journal's first line: it holds where there is no commit yet. */
  readonly header?: Pick<Session, "name" | "owner" | "route">;
}

export type RecoveryPlan =
  /** Left exactly as it is. */
  | { readonly kind: "leave"; readonly reason: string }
  /** Neither record can be read: nobody can carry it on. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** Live: the session goes on from this value. `cancelled`: somebody ended the flow meanwhile. */
  | {
      readonly kind: "live";
      readonly session: Session;
      readonly promptLeft: "yes" | "no";
      readonly stateLost: boolean;
      /** What the flow's record had otherwise and was not taken over. */
      readonly ignored: readonly string[];
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
  const fromJournal = journalled?.kind === "session" ? { ...journalled.session, ...journal.rights } : undefined;
  if (journalled?.kind === "newer")
    return { kind: "leave", reason: `its journal has the newer schema ${journalled.schema}` };
  const best = stored.kind === "session" ? newest(stored.session, fromJournal, journal.header) : fromJournal;
  if (best === undefined) {
    const why = stored.kind === "broken" ? `its stateJson is broken (${stored.reason})` : "its stateJson is not ours";
    const isOver = flow === undefined || TERMINAL[flow.status] !== undefined;
    return { kind: isOver ? "leave" : "unreadable", reason: `${why}, and the journal has no commit to go by` };
  }
  const terminal = flow === undefined ? "failed" : TERMINAL[flow.status];
  if (terminal !== undefined)
    return { kind: "over", session: withoutTold(ended(best, terminal, causeOfEnd(flow), nowAt), journal.told) };
  const session = withoutTold(best, journal.told);
  const promptLeft = journal.promptedTurns.has(turnInQuestion(session)) ? "yes" : "no";
  const cancelled = flow?.cancelRequestedAt !== undefined;
  const ignored = stored.kind === "session" ? otherwiseIn(stored.session, session) : [];
  return { kind: "live", session, promptLeft, stateLost: stored.kind !== "session", ignored, cancelled };
}

/** The turn whose prompt may have left unnoticed: the running one, or the one that was about to begin. */
function turnInQuestion({ phase, turn }: Session): number {
  return phase.kind === "queued" || phase.kind === "starting" ? turn + 1 : turn;
}

/**
 * The journal's commit line is written after the flow's: it wins only when it is really ahead.
 * Behind or level, it still has whole what the bound of stateJson may have cut.
 */
function newest(stored: Session, journalled: Session | undefined, header: JournalFacts["header"]): Session {
  if (journalled === undefined) return header === undefined ? stored : { ...withoutRoute(stored), ...header };
  if (journalled.seq > stored.seq) return { ...journalled, output: stored.output };
  return withOwnRights(withWholeTexts(stored, journalled), journalled);
}

/** That a chat may not grant is kept: it gives nobody anything. */
function withoutRoute({ route: _by, home: _home, movedFrom: _from, toldIn: _others, ...session }: Session): Session {
  return session;
}

/** Where it is told, and who may therefore see it. */
function chatsOf({ route, home, isForeignRoute, movedFrom, toldIn }: Session): Partial<Session> {
  return {
    ...(route === undefined ? {} : { route }),
    ...(home === undefined ? {} : { home }),
    ...(isForeignRoute === undefined ? {} : { isForeignRoute }),
    ...(movedFrom === undefined ? {} : { movedFrom }),
    ...(toldIn === undefined ? {} : { toldIn }),
  };
}

/**
 * Whose a session is and what it may do never comes from the flow, which others can write as well: only from the journal.
 */
function withOwnRights(session: Session, own: Session): Session {
  const { isForeignRoute: _foreign, continues: _continues, acpSessionId: _acp, ...life } = withoutRoute(session);
  return {
    ...life,
    id: own.id,
    name: own.name,
    owner: own.owner,
    launchedBy: own.launchedBy,
    workdir: own.workdir,
    settings: own.settings,
    createdAt: own.createdAt,
    grants: own.grants,
    viewers: session.viewers.filter((viewer) => own.viewers.some((known) => isSameView(known, viewer))),
    ...chatsOf(own),
    ...(own.continues === undefined ? {} : { continues: own.continues }),
    ...(own.acpSessionId === undefined ? {} : { acpSessionId: own.acpSessionId }),
  };
}

/** By their names, as the TaskFlow record spells them. */
function otherwiseIn(stored: Session, own: Session): readonly string[] {
  const differs = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) !== JSON.stringify(sorted(b));
  const names: string[] = (["owner", "workdir", "route", "launchedBy"] as const).filter((key) =>
    differs(stored[key], own[key]),
  );
  if (stored.settings.permissionMode !== own.settings.permissionMode) names.push("permissionMode");
  // A record that was cut to its bound has fewer of them; it never has others.
  const tools = stored.settings.allowedTools.map((tool) => tool.replace(/…$/u, ""));
  if (!tools.every((tool) => own.settings.allowedTools.some((known) => known.startsWith(tool))))
    names.push("allowedTools");
  const known = own.grants.map((grant) => `${grant.span} ${grant.subject.digest}`);
  if (!stored.grants.every((grant) => known.includes(`${grant.span} ${grant.subject.digest}`))) names.push("grants");
  if (!stored.viewers.every((viewer) => own.viewers.some((view) => isSameView(view, viewer)))) names.push("viewers");
  return names;
}

function isSameView(a: Viewer, b: Viewer): boolean {
  return a.key === b.key && a.sessionKey === b.sessionKey && a.route?.to === b.route?.to;
}

/** With its keys in one order, since a record may have been stored by others. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Messages, questions and settings never change once they are there, so the same id means the same words. */
function withWholeTexts(stored: Session, journalled: Session): Session {
  const messages = new Map([...messagesOf(stored), ...messagesOf(journalled)].map((m) => [m.id, m]));
  const asks = new Map(asksOf(journalled).map((ask) => [ask.questions[0]?.id, ask]));
  const whole = (message: Message): Message => messages.get(message.id) ?? message;
  return {
    ...stored,
    prompt: journalled.prompt,
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
  const { toldAt, toldIn, overtaken } = stored;
  return {
    ...journalled,
    // It moves by the time that the machine slept, and only the record of a checkpoint has that.
    deadlineAt: stored.deadlineAt,
    questions,
    ...(toldAt === undefined ? {} : { toldAt }),
    ...(toldIn === undefined ? {} : { toldIn }),
    ...(overtaken === undefined ? {} : { overtaken }),
  };
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
