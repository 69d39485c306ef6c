/**
 * Service start: every session of every owner is found again and carries on.
 * Owns: journal headers -> flows -> plan -> actors. One bad record is reported and left alone; it never stops the rest.
 */
import PQueue from "p-queue";
import { messageOf } from "../core/errors.ts";
import { planRecovery, type JournalFacts } from "../core/recovery.ts";
import type { Session } from "../core/session.ts";
import { parseSession } from "../core/state-json.ts";
import type { FlowRead, FlowRecord, JournalHeader, JournalTail, SessionJournal } from "../ports.ts";
import type { Engine } from "./context.ts";

const SIDE_BY_SIDE = 8;
const READ_ATTEMPTS = 5;
const READ_RETRY_MS = 400;

export interface Found {
  readonly session: Session;
  readonly record: FlowRecord;
  readonly journal: SessionJournal;
}

export interface LiveFound extends Found {
  readonly promptLeft: "yes" | "no";
  readonly outputEnd: number;
  readonly stateLost: boolean;
  readonly cancelled: boolean;
}

export interface Recovered {
  /** In the order of their creation, so that the queue keeps its order. */
  readonly live: readonly LiveFound[];
  /** Ended, with notices owed or not. */
  readonly over: readonly Found[];
  /** What was left as it is, one readable line each. */
  readonly left: readonly string[];
}

type Outcome = { readonly kind: "live"; readonly found: LiveFound } | { readonly kind: "over"; readonly found: Found } | { readonly kind: "left"; readonly reason: string };

export async function findSessions(engine: Engine): Promise<Recovered> {
  const { headers, unreadable } = await engine.journals.headers();
  const queue = new PQueue({ concurrency: SIDE_BY_SIDE });
  const outcomes = await Promise.all(headers.map((header) => queue.add(() => findOne(engine, header))));
  const live: LiveFound[] = [];
  const over: Found[] = [];
  const left = unreadable.map(({ file, reason }) => `journal ${file}: ${reason}`);
  for (const outcome of outcomes) {
    if (outcome.kind === "live") live.push(outcome.found);
    else if (outcome.kind === "over") over.push(outcome.found);
    else left.push(outcome.reason);
  }
  return { live: live.toSorted((a, b) => a.session.createdAt - b.session.createdAt), over, left };
}

async function findOne(engine: Engine, header: JournalHeader): Promise<Outcome> {
  try {
    return await readOne(engine, header);
  } catch (error) {
    return { kind: "left", reason: `session ${header.name} (${header.sessionId}): ${messageOf(error)}` };
  }
}

async function readOne(engine: Engine, header: JournalHeader): Promise<Outcome> {
  const name = `session ${header.name} (${header.sessionId})`;
  const journal = await engine.journals.open(header.sessionId);
  if (journal === undefined) return { kind: "left", reason: `${name}: its journal is gone` };
  const tail = await journal.tail();
  const read = await readFlow(engine, header);
  if (read.kind === "unknown") {
    await journal.close();
    return { kind: "left", reason: `${name}: its flow can't be read now (${read.reason}); it is tried again at the next start` };
  }
  if (read.kind === "missing" && tail.lastCommit === undefined) {
    // Between the header and the flow: nothing was launched and nobody was told.
    await journal.close();
    await engine.journals.remove(header.sessionId);
    return { kind: "left", reason: `${name}: it was never launched; its empty journal was removed` };
  }
  const record = read.kind === "found" ? read.record : missingRecord(header);
  const plan = planRecovery(read.kind === "found" ? record : undefined, journalFacts(tail), engine.clock.now());
  switch (plan.kind) {
    case "leave":
      await journal.close();
      return { kind: "left", reason: `${name}: ${plan.reason}; left as it is` };
    case "over":
      return { kind: "over", found: { session: plan.session, record, journal } };
    case "live": {
      const { session, promptLeft, stateLost, cancelled } = plan;
      return { kind: "live", found: { session, record, journal, promptLeft, stateLost, cancelled, outputEnd: tail.outputEnd } };
    }
  }
}

function journalFacts(tail: JournalTail): JournalFacts {
  const promptedTurns = new Set(tail.prompted);
  for (const line of tail.after) if (line.t === "prompt") promptedTurns.add(line.turn);
  const told = new Set(tail.told);
  for (const line of tail.after) if (line.t === "told") told.add(`${line.noticeId}/${line.part}`);
  return { lastCommit: tail.lastCommit, promptedTurns, told };
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
  };
}

async function readFlow(engine: Engine, header: JournalHeader): Promise<FlowRead> {
  for (let attempt = 1; ; attempt += 1) {
    const read = header.flowId === undefined ? await findFlow(engine, header) : await engine.flows.get(header.owner, header.flowId);
    if (read.kind !== "unknown" || attempt >= READ_ATTEMPTS) return read;
    await new Promise<void>((resolve) => engine.clock.after(READ_RETRY_MS, resolve));
  }
}

/** Killed between createManaged and the journal's line of it: the flow is found by its state. */
async function findFlow(engine: Engine, header: JournalHeader): Promise<FlowRead> {
  const flows = await engine.flows.list(header.owner);
  if (flows === undefined) return { kind: "unknown", reason: "the host did not list the owner's flows" };
  for (const { flowId } of flows) {
    const read = await engine.flows.get(header.owner, flowId);
    if (read.kind === "unknown") return read;
    if (read.kind !== "found") continue;
    const parsed = parseSession(read.record.stateJson);
    if (parsed.kind === "session" && parsed.session.id === header.sessionId) return read;
  }
  return { kind: "missing" };
}
