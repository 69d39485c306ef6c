/**
 * Live flows of ours that no journal leads to: the plugin's folder was deleted, a file was emptied or its first line is damaged.
 * Owns: finding them, and what becomes of each: carried on from its own state with an empty journal, or ended aloud where nothing can
 * be read of it. Nothing waits for ever without anybody being told.
 * What a session may do is believed of its journal alone: without one it asks for everything from now on.
 */
import { messageOf } from "../core/errors.ts";
import { cleanName, newSession } from "../core/new-session.ts";
import { CONTROLLER_ID, type Owner, type Session } from "../core/session.ts";
import { parseSession } from "../core/state-json.ts";
import type { FlowRecord, JournalHeader, JournalTail, SessionJournal } from "../ports.ts";
import { commitLine } from "./commit-rule.ts";
import type { Engine } from "./context.ts";
import { isTerminal } from "./flow-writer.ts";

export interface Stray {
  readonly record: FlowRecord;
  readonly header: JournalHeader;
  readonly journal: SessionJournal;
  readonly tail: JournalTail;
  /** What the flow said of it; absent: nothing that can be read. */
  readonly session: Session | undefined;
  /** Its rights are known from what is left of its journal. */
  readonly rightsKnown: boolean;
}

export interface Known {
  readonly flows: ReadonlySet<string>;
  readonly sessions: ReadonlySet<string>;
  readonly owners: readonly Owner[];
}

/** One that can't be taken up is told to `left` and tried again at the next start. */
export async function findStrays(engine: Engine, known: Known, left: string[]): Promise<readonly Stray[]> {
  const owners = new Map([...known.owners, ...(await engine.flows.owners())].map((owner) => [owner.sessionKey, owner]));
  const found: Stray[] = [];
  const taken = new Set(known.sessions);
  for (const owner of owners.values()) {
    for (const flow of (await engine.flows.list(owner)) ?? []) {
      if (isTerminal(flow.status) || known.flows.has(flow.flowId)) continue;
      try {
        const stray = await takeUp(engine, owner, flow.flowId, taken);
        if (typeof stray === "string") left.push(stray);
        else if (stray !== undefined) found.push(stray);
        if (typeof stray === "object") taken.add(stray.header.sessionId);
      } catch (error) {
        left.push(`flow ${flow.flowId}: ${messageOf(error)}`);
      }
    }
  }
  return found;
}

/** Undefined: not ours. A text: why it is left as it is. */
async function takeUp(
  engine: Engine,
  owner: Owner,
  flowId: string,
  taken: ReadonlySet<string>,
): Promise<Stray | string | undefined> {
  const read = await engine.flows.get(owner, flowId);
  if (read.kind !== "found" || read.record.controllerId !== CONTROLLER_ID || isTerminal(read.record.status))
    return undefined;
  const { record } = read;
  const parsed = parseSession(record.stateJson);
  if (parsed.kind === "newer") return `flow ${flowId}: its state has the newer schema ${parsed.schema}; left as it is`;
  const session = parsed.kind === "session" ? parsed.session : undefined;
  if (session !== undefined && taken.has(session.id))
    return `flow ${flowId}: it says that it is session ${session.id}, which has another flow; left as it is`;
  const sessionId = session?.id ?? engine.newId();
  const rest = session === undefined ? undefined : await whatIsLeft(engine, session, owner);
  if (rest !== undefined) return { record, session, ...rest, rightsKnown: true };
  if (session?.seq === 0) {
    // Its journal went with the refusal of its launch, and people were told that nothing was launched.
    await engine.flows.cancel(owner, flowId);
    return `flow ${flowId}: its launch had been refused; it is ended`;
  }
  const header = headerOf(sessionId, owner, session, record, engine.clock.now());
  const journal = await newJournal(engine, header);
  const tail = await journal.tail();
  return { record, header, journal, tail, session, rightsKnown: false };
}

/** A journal without its first line may still have its last commit, which says what the session may do. */
async function whatIsLeft(
  engine: Engine,
  { id }: Session,
  owner: Owner,
): Promise<Pick<Stray, "header" | "journal" | "tail"> | undefined> {
  const journal = await engine.journals.open(id).catch(() => undefined);
  if (journal === undefined) return undefined;
  try {
    const tail = await journal.tail();
    const last = parseSession(tail.lastCommit?.session);
    if (last.kind === "session" && last.session.id === id && last.session.owner.sessionKey === owner.sessionKey) {
      const { name, route, createdAt } = last.session;
      const header = { sessionId: id, name, owner, createdAt, ...(route === undefined ? {} : { route }) };
      return { header, journal, tail };
    }
  } catch {
    // Nothing of it can be read: a new one takes its place, and the old one is kept beside it.
  }
  await journal.close();
  return undefined;
}

function headerOf(
  sessionId: string,
  owner: Owner,
  session: Session | undefined,
  record: FlowRecord,
  at: number,
): JournalHeader {
  const name = cleanName(session?.name ?? record.goal.replace(/^iFlow /, "").replace(/:[^]*$/, "")) || "session";
  const route = session?.route === undefined ? {} : { route: session.route };
  return { sessionId, name, owner, createdAt: session?.createdAt ?? at, flowId: record.flowId, ...route };
}

async function newJournal({ journals }: Engine, header: JournalHeader): Promise<SessionJournal> {
  const { createdAt: at, flowId, ...rest } = header;
  await journals.setAside(header.sessionId);
  const journal = await journals.create({ t: "header", at, v: 1, ...rest });
  if (flowId !== undefined) await journal.appendSynced([{ t: "flow", at, flowId }]);
  return journal;
}

/** Nothing that a record alone claims is granted; it is asked for again. */
export function withoutRights(session: Session, { owner, name }: JournalHeader): Session {
  const { settings } = session;
  const permissionMode = settings.permissionMode === "plan" ? "plan" : "manual";
  return {
    ...session,
    name,
    owner,
    settings: { ...settings, permissionMode, allowedTools: [] },
    grants: [],
    viewers: [],
  };
}

/** A session of which nothing can be read, made so that its end can be told. */
export async function unreadableSession(engine: Engine, { header, journal, record }: Stray): Promise<Session> {
  const { sessionId, owner, name, route } = header;
  const at = engine.clock.now();
  const text = record.goal;
  const session: Session = {
    ...newSession({
      id: sessionId,
      name,
      owner,
      launchedBy: { kind: "plugin", door: "plugin" },
      route,
      workdir: "/",
      prompt: { text, length: text.length },
      files: [],
      settings: { permissionMode: "manual", allowedTools: [], timeoutMs: 300_000, singleTurn: false },
      at,
    }),
    inbox: [],
    owed: [],
    phase: { kind: "interrupted", sinceAt: at, cause: { code: "storage", message: LOST } },
  };
  await journal.appendSynced([commitLine(session, record.revision, at)]);
  return session;
}

export const LOST = "Neither its TaskFlow record nor its journal can be read, so it can't go on";
