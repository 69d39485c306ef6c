/**
 * From a request to a session with a flow: journal header, flow, flow line, then the line for a slot.
 * Owns: the order that lets recovery find everything whatever dies in between; nothing half done when it is refused.
 */
import { refuse, messageOf, ok, type Result } from "../core/errors.ts";
import { newSession, type Continues } from "../core/new-session.ts";
import type { By, Message, Owner, Route, Session, Settings } from "../core/session.ts";
import type { FlowRecord, JournalLine, SessionJournal } from "../ports.ts";
import type { WholeMessage } from "./carried-over.ts";
import type { Engine } from "./context.ts";
import { readFlow } from "./flow-finder.ts";
import { FlowWriter } from "./flow-writer.ts";
import { shortened } from "./long-text.ts";

export interface LaunchRequest {
  readonly name: string;
  readonly owner: Owner;
  readonly by: By;
  readonly route: Route | undefined;
  readonly home?: Session["home"];
  readonly isForeignRoute?: Session["isForeignRoute"];
  /** Real path, already allowed. */
  readonly workdir: string;
  readonly prompt: string;
  readonly files: readonly string[];
  readonly settings: Omit<Settings, "systemPrompt"> & { readonly systemPrompt?: string };
  readonly continues?: Omit<Continues, "undone"> & { readonly undone: readonly WholeMessage[] };
  /** ms since the epoch; of two launches the later one has the later time, so that the line keeps its order over restarts. */
  readonly at: number;
}

export interface Created {
  readonly session: Session;
  readonly record: FlowRecord;
  readonly journal: SessionJournal;
}

/** The chats of a session that goes on; one that had none is told where it is continued from. */
export function chatsAsBefore(
  { route, home, isForeignRoute }: Session,
  here: Route | undefined,
): Pick<LaunchRequest, "route" | "home" | "isForeignRoute"> {
  return {
    route: route ?? here,
    ...(home === undefined ? {} : { home }),
    ...(isForeignRoute === undefined ? {} : { isForeignRoute }),
  };
}

export async function createSession(engine: Engine, id: string, request: LaunchRequest): Promise<Result<Created>> {
  const { at, owner, name, route } = request;
  let journal: SessionJournal;
  try {
    journal = await engine.journals.create({
      t: "header",
      at,
      v: 1,
      sessionId: id,
      owner,
      name,
      ...(route === undefined ? {} : { route }),
    });
  } catch (error) {
    return storageRefusal(messageOf(error));
  }
  let session: Session;
  try {
    session = await writtenSession(engine, id, request, journal);
  } catch (error) {
    await discard(engine, id, journal);
    return storageRefusal(messageOf(error));
  }
  return createFlow(engine, session, journal);
}

function storageRefusal(reason: string) {
  return refuse(
    "storage_unavailable",
    `Nothing was launched: its record could not be stored (${reason}). Free some space or make the OpenClaw state directory writable, then try again.`,
  );
}

/** The session's first value, its long texts in the journal. */
async function writtenSession(
  engine: Engine,
  id: string,
  request: LaunchRequest,
  journal: SessionJournal,
): Promise<Session> {
  const lines: JournalLine[] = [];
  const keep = (text: string) => shortened(text, lines, request.at, `x${engine.newId()}`);
  const keptMessage = ({ id: was, text, files, again, ...rest }: WholeMessage): Message => ({
    ...rest,
    id: `u-${was}`,
    text: keep(text),
    ...(files.length === 0 ? {} : { files }),
    ...(again ? { again: true } : {}),
  });
  const { continues, ...seed } = request;
  const { systemPrompt, ...settings } = request.settings;
  const stored: Settings = systemPrompt === undefined ? settings : { ...settings, systemPrompt: keep(systemPrompt) };
  const session = newSession({
    ...seed,
    id,
    ...(continues === undefined ? {} : { continues: { ...continues, undone: continues.undone.map(keptMessage) } }),
    launchedBy: request.by,
    prompt: keep(request.prompt),
    settings: stored,
  });
  if (lines.length > 0) await journal.appendSynced(lines);
  return session;
}

async function createFlow(engine: Engine, session: Session, journal: SessionJournal): Promise<Result<Created>> {
  const made = await makeFlow(engine, session);
  if (made.kind === "refused") {
    await discard(engine, session.id, journal);
    return storageRefusal(made.reason);
  }
  if (made.kind === "unknown") {
    await markRefused(session, journal);
    return storageRefusal(made.reason);
  }
  const { record } = made;
  try {
    const { createdAt: at, seq } = session;
    await journal.appendSynced([
      { t: "flow", at, flowId: record.flowId },
      { t: "commit", at, seq, revision: record.revision, session },
    ]);
  } catch (error) {
    // The flow is there already: it goes with the launch that is refused.
    await engine.flows.cancel(session.owner, record.flowId);
    await discard(engine, session.id, journal);
    return storageRefusal(messageOf(error));
  }
  return ok({ session, record, journal });
}

async function discard(engine: Engine, id: string, journal: SessionJournal): Promise<void> {
  try {
    await journal.close();
    await engine.journals.remove(id);
  } catch (error) {
    // Recovery knows what a journal without a flow means.
    engine.log.warn(`iFlow: the journal of a launch that was refused is left behind: ${messageOf(error)}`);
  }
}

type Made =
  | { readonly kind: "made"; readonly record: FlowRecord }
  | { readonly kind: "refused"; readonly reason: string }
  /** Perhaps there is a flow and nobody can tell. */
  | { readonly kind: "unknown"; readonly reason: string };

/** An unknown outcome is looked up by the session's id before it counts as refused. */
async function makeFlow(engine: Engine, session: Session): Promise<Made> {
  const commit = await FlowWriter.create(engine.flows, session);
  if (commit.kind === "applied") return { kind: "made", record: commit.record };
  if (commit.kind === "conflict") return { kind: "made", record: commit.current };
  if (commit.kind !== "unknown") return { kind: "refused", reason: commit.reason };
  const read = await readFlow(engine, session.owner, session.id, undefined);
  if (read.kind === "found") return { kind: "made", record: read.record };
  return { kind: read.kind === "missing" ? "refused" : "unknown", reason: commit.reason };
}

/** Should the flow turn up at the next start, it is ended, since people were told that nothing was launched. */
async function markRefused(session: Session, journal: SessionJournal): Promise<void> {
  const { createdAt: at } = session;
  const cause = { code: "storage" as const, message: "Its launch was refused, since its record could not be stored" };
  const ended: Session = {
    ...session,
    seq: session.seq + 1,
    inbox: [],
    owed: [],
    phase: { kind: "ended", at, outcome: "killed", cause },
  };
  try {
    await journal.appendSynced([{ t: "commit", at, seq: ended.seq, revision: 0, session: ended }]);
    await journal.close();
  } catch {
    // Neither record could be written: a flow that turns up later is carried on, which loses nothing.
  }
}
