/**
 * Service start: every session of every owner is found again.
 * Owns: journal headers -> flows -> plan. One bad record is reported and left alone; it never stops the rest.
 */
import PQueue from "p-queue";
import { messageOf } from "../core/errors.ts";
import type { ForeignChange } from "../core/event.ts";
import { currentStep } from "../core/flow-command.ts";
import { withTail } from "../core/journal-tail.ts";
import { appendOutput, restingOutput } from "../core/output.ts";
import { planRecovery, type JournalFacts } from "../core/recovery.ts";
import type { Session } from "../core/session.ts";
import { parseSession } from "../core/state-json.ts";
import type { FlowRecord, JournalHeader, JournalTail, SessionJournal } from "../ports.ts";
import { commitLine, foreignChange } from "./commit-rule.ts";
import type { Engine } from "./context.ts";
import { readFlow } from "./flow-finder.ts";
import { isTerminal, seqOf } from "./flow-writer.ts";
import { findStrays, LOST, unreadableSession, withoutRights, type Stray } from "./stray-flows.ts";

const SIDE_BY_SIDE = 8;

export interface Found {
  readonly session: Session;
  readonly record: FlowRecord;
  readonly journal: SessionJournal;
}

export interface LiveFound extends Found {
  readonly promptLeft: "yes" | "no";
  readonly outputEnd: number;
  readonly stateLost: boolean;
  /** What its flow had otherwise, by name, and was not taken over. */
  readonly ignored: readonly string[];
  /** What another writer did while no gateway ran. */
  readonly change: ForeignChange | undefined;
  /** Its journal is gone, so nothing tells what it may do. */
  readonly rightsUnknown?: true;
}

export interface OverFound extends Found {
  /** Somebody ended its flow while no gateway ran: its process may still live. */
  readonly endedMeanwhile: boolean;
  /** Its journal has the line of its end. */
  readonly isNoted: boolean;
}

export interface Recovered {
  /** In the order of their creation. */
  readonly live: readonly LiveFound[];
  /** Ended, with notices owed or not. */
  readonly over: readonly OverFound[];
  /** What was left as it is, one readable line each. */
  readonly left: readonly string[];
}

type Outcome =
  | { readonly kind: "live"; readonly found: LiveFound }
  | { readonly kind: "over"; readonly found: OverFound }
  /** Its flow lives, and nothing of it can be read. */
  | { readonly kind: "unreadable"; readonly stray: Stray }
  /** `flowId`: a flow that is known and left as it is. */
  | { readonly kind: "left"; readonly reason: string; readonly flowId?: string };

export async function findSessions(engine: Engine): Promise<Recovered> {
  const { headers, unreadable } = await engine.journals.headers();
  const queue = new PQueue({ concurrency: SIDE_BY_SIDE });
  const outcomes = await Promise.all(headers.map((header) => queue.add(() => findOne(engine, header))));
  const live: LiveFound[] = [];
  const over: OverFound[] = [];
  const left = unreadable.map(({ file, reason }) => `journal ${file}: ${reason}`);
  for (const outcome of outcomes) {
    if (outcome.kind === "live") live.push(outcome.found);
    else if (outcome.kind === "over") over.push(outcome.found);
    else if (outcome.kind === "left") left.push(outcome.reason);
  }
  live.push(...(await withoutJournals(engine, headers, outcomes, left)));
  return { live: live.toSorted((a, b) => a.session.createdAt - b.session.createdAt), over, left };
}

/** Flows that no journal led to are carried on all the same, or ended aloud. */
async function withoutJournals(
  engine: Engine,
  headers: readonly JournalHeader[],
  outcomes: readonly Outcome[],
  left: string[],
): Promise<readonly LiveFound[]> {
  const found = outcomes.flatMap((outcome) =>
    outcome.kind === "live" || outcome.kind === "over" ? [outcome.found] : [],
  );
  const unreadable = outcomes.flatMap((outcome) => (outcome.kind === "unreadable" ? [outcome.stray] : []));
  const untouched = outcomes.flatMap((outcome) => (outcome.kind === "left" ? [outcome.flowId ?? ""] : []));
  const known = {
    flows: new Set([...[...found, ...unreadable].map(({ record }) => record.flowId), ...untouched]),
    sessions: new Set(headers.map(({ sessionId }) => sessionId)),
    owners: headers.map(({ owner }) => owner),
  };
  const strays = await findStrays(engine, known, left);
  return Promise.all([...unreadable, ...strays].map((stray) => carryOn(engine, stray)));
}

async function carryOn(engine: Engine, stray: Stray): Promise<LiveFound> {
  const { record, header, journal, tail } = stray;
  const base = { record, journal, outputEnd: tail.outputEnd, stateLost: false, ignored: [] };
  const plan = planRecovery(record, journalFacts(tail, header), engine.clock.now());
  if (plan.kind !== "live") {
    const session = await unreadableSession(engine, stray);
    const change = { kind: "unreadable", reason: LOST } as const;
    return { ...base, session, promptLeft: "no", change };
  }
  const { promptLeft, stateLost, ignored } = plan;
  if (stray.rightsKnown) {
    const session = { ...plan.session, output: restingOutput(plan.session.output) };
    return { ...base, session, promptLeft, stateLost, ignored, change: changeMeanwhile(record, session, tail) };
  }
  // Whether its prompt had left stood in the journal: it may have, so a person decides.
  const session = withoutRights(plan.session, header);
  const { text, start, end } = session.output;
  // The record has the latest words; of those before them it is said that they are not stored.
  if (text !== "") await journal.append([{ t: "out", at: engine.clock.now(), o: start, text }]);
  const change = changeMeanwhile(record, session, tail);
  return { ...base, session, outputEnd: end, promptLeft: "yes", change, rightsUnknown: true };
}

/**
 * A terminal flow is written by nobody but others, who may replace the state in it: so the journal gets the line that a kill kept
 * from it, and the end is the same one at each start.
 */
export async function noteEnd({ clock, log }: Engine, { session, record, journal }: Found): Promise<void> {
  try {
    await journal.append([commitLine(session, record.revision, clock.now())]);
  } catch (error) {
    log.warn(`iFlow recovery: the end of session ${session.name} could not be noted: ${messageOf(error)}`);
  }
}

/** Sessions that have left memory and whose terminal flow somebody reopened: they are settled again. */
export async function findReopened(engine: Engine, archived: readonly Archived[]): Promise<readonly LiveFound[]> {
  const found: LiveFound[] = [];
  const owners = new Map(archived.map(({ session }) => [session.owner.sessionKey, session.owner]));
  for (const owner of owners.values()) {
    const open = ((await engine.flows.list(owner)) ?? []).filter((flow) => !isTerminal(flow.status));
    const reopened = new Set(open.map((flow) => flow.flowId));
    for (const { session, flowId } of archived) {
      if (session.owner.sessionKey !== owner.sessionKey || !reopened.has(flowId)) continue;
      const read = await engine.flows.get(owner, flowId);
      const journal = await engine.journals.open(session.id);
      if (read.kind === "found" && journal !== undefined) {
        found.push({
          session,
          record: read.record,
          journal,
          promptLeft: "no",
          outputEnd: session.output.end,
          stateLost: false,
          ignored: [],
          change: undefined,
        });
      }
    }
  }
  return found;
}

interface Archived {
  readonly session: Session;
  readonly flowId: string;
}

async function findOne(engine: Engine, header: JournalHeader): Promise<Outcome> {
  const name = `session ${header.name} (${header.sessionId})`;
  let journal: SessionJournal | undefined;
  try {
    journal = await engine.journals.open(header.sessionId);
    if (journal === undefined) return { kind: "left", reason: `${name}: its journal is gone` };
    const outcome = await readOne(engine, header, journal);
    if (outcome.kind === "left") await journal.close();
    return outcome.kind === "left" ? { ...outcome, reason: `${name}: ${outcome.reason}` } : outcome;
  } catch (error) {
    // It is left as it is; the next start tries again.
    await journal?.close().catch(() => undefined);
    return { kind: "left", reason: `${name}: ${messageOf(error)}`, ...idOf(header) };
  }
}

function idOf({ flowId }: JournalHeader): { readonly flowId?: string } {
  return flowId === undefined ? {} : { flowId };
}

async function readOne(engine: Engine, header: JournalHeader, journal: SessionJournal): Promise<Outcome> {
  const tail = await journal.tail();
  const read = await readFlow(engine, header.owner, header.sessionId, header.flowId);
  if (read.kind === "unknown")
    return {
      kind: "left",
      reason: `its flow can't be read now (${read.reason}); it is tried again at the next start`,
      ...idOf(header),
    };
  if (read.kind === "missing" && tail.lastCommit === undefined) {
    // Between the header and the flow: nothing was launched and nobody was told.
    await engine.journals.remove(header.sessionId);
    return { kind: "left", reason: "it was never launched; its empty journal was removed" };
  }
  const nowAt = engine.clock.now();
  const record = read.kind === "found" ? read.record : missingRecord(header);
  const plan = planRecovery(read.kind === "found" ? record : undefined, journalFacts(tail, header), nowAt);
  switch (plan.kind) {
    case "leave":
      return { kind: "left", reason: `${plan.reason}; left as it is`, flowId: record.flowId };
    case "unreadable":
      engine.log.warn(`iFlow recovery: session ${header.name} (${header.sessionId}): ${plan.reason}; it is ended`);
      return { kind: "unreadable", stray: { record, header, journal, tail, session: undefined, rightsKnown: true } };
    case "over": {
      const { phase } = plan.session;
      const endedMeanwhile = phase.kind === "ended" && phase.at === nowAt;
      const session = endedMeanwhile ? { ...plan.session, seq: plan.session.seq + 1 } : plan.session;
      const isNoted = tail.lastCommit !== undefined && tail.lastCommit.seq >= session.seq;
      return { kind: "over", found: { session, record, journal, endedMeanwhile, isNoted } };
    }
    case "live": {
      const { promptLeft, stateLost, ignored } = plan;
      await writeUnwritten(plan.session, journal, tail.outputEnd, nowAt);
      // Nothing is journalled later than the first write of the flow's record but what a damage took away.
      const rightsUnknown = tail.lastCommit === undefined && plan.session.seq > 0;
      const known = withLastLines(rightsUnknown ? withoutRights(plan.session, header) : plan.session, tail, engine);
      const whole = await withOutput(known, journal, tail.outputEnd, engine.rules.outputBufferBytes);
      const session = { ...whole, output: restingOutput(whole.output) };
      const change = changeMeanwhile(record, session, tail);
      return {
        kind: "live",
        found: {
          session,
          record,
          journal,
          promptLeft,
          stateLost,
          ignored,
          change,
          outputEnd: tail.outputEnd,
          ...(rightsUnknown ? { rightsUnknown } : {}),
        },
      };
    }
  }
}

/** What was said and done after the last commit, where the session is still in that turn. */
function withLastLines(session: Session, { lastCommit, after }: JournalTail, { rules }: Engine): Session {
  const committed = parseSession(lastCommit?.session);
  const lines = after.filter((line) => line.t === "out" || line.t === "event");
  return committed.kind === "session" && lines.length > 0
    ? withTail(session, committed.session, lines, rules)
    : session;
}

function journalFacts(tail: JournalTail, { name, owner, route }: JournalHeader): JournalFacts {
  const promptedTurns = new Set(tail.prompted);
  for (const line of tail.after) if (line.t === "prompt") promptedTurns.add(line.turn);
  const told = new Set(tail.told);
  for (const line of tail.after) if (line.t === "told") told.add(`${line.noticeId}/${line.part}`);
  const rights = tail.after.findLast((line) => line.t === "rights");
  const header = { name, owner, ...(route === undefined ? {} : { route }) };
  return {
    lastCommit: tail.lastCommit,
    promptedTurns,
    told,
    header,
    ...(rights === undefined ? {} : { rights: { settings: rights.settings, grants: rights.grants } }),
  };
}

/** The record was stored, and the gateway died before the words went to the journal: its buffer still has them. */
async function writeUnwritten({ output }: Session, journal: SessionJournal, outputEnd: number, at: number) {
  if (output.end <= outputEnd || output.start > outputEnd || output.text === "") return;
  await journal.append([{ t: "out", at, o: outputEnd, text: output.text.slice(outputEnd - output.start) }]);
}

/** The end of the output as the journal has it, where that is more than the state has. */
async function withOutput(
  session: Session,
  journal: SessionJournal,
  outputEnd: number,
  limitBytes: number,
): Promise<Session> {
  const { output } = session;
  if (outputEnd <= output.end && (output.text !== "" || output.end === 0)) return session;
  const end = Math.max(outputEnd, output.end);
  const { text, start } = await journal.output(Math.max(0, end - limitBytes), end);
  return { ...session, output: appendOutput({ text: "", start, end: start }, text, limitBytes) };
}

/**
 * State and status are written together, so a status that doesn't fit the state that stands beside it is somebody else's;
 * where they replaced the state, it is compared with the journal's.
 */
function changeMeanwhile(record: FlowRecord, session: Session, { lastCommit }: JournalTail): ForeignChange | undefined {
  const stored = parseSession(record.stateJson);
  const beside = stored.kind === "session" ? stored.session : session;
  const change = foreignChange(record, beside, {
    seqs: [seqOf(record.stateJson)],
    steps: [currentStep(beside), currentStep(session)],
  });
  // The last commit was made of this very record: its words were heard, and only the answer to them could not be stored in it.
  return change?.kind === "resumed" && lastCommit?.revision === record.revision ? undefined : change;
}

/** The host no longer keeps it (it forgets ended flows after 7 days): the journal alone says what it was. */
function missingRecord(header: JournalHeader): FlowRecord {
  return {
    flowId: header.flowId ?? "",
    revision: 0,
    status: "lost",
    controllerId: undefined,
    goal: header.name,
    currentStep: undefined,
    stateJson: undefined,
    waitJson: undefined,
    cancelRequestedAt: undefined,
    version: 0,
  };
}
