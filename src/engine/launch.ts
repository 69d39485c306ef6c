/**
 * From a request to a session with a flow: journal header, flow, flow line, then the line for a slot.
 * Owns: the order that lets recovery find everything whatever dies in between; nothing half done when it is refused.
 */
import { refuse, messageOf, ok, type Result } from "../core/errors.ts";
import { newSession } from "../core/new-session.ts";
import { PREVIEW_LENGTH } from "../core/question.ts";
import type { By, Owner, Route, Session, Settings, StoredText } from "../core/session.ts";
import { parseSession } from "../core/state-json.ts";
import type { FlowRecord, SessionJournal } from "../ports.ts";
import type { Engine } from "./context.ts";
import { FlowWriter } from "./flow-writer.ts";

export interface LaunchRequest {
  readonly name: string;
  readonly owner: Owner;
  readonly by: By;
  readonly route: Route | undefined;
  /** Real path, already allowed. */
  readonly workdir: string;
  readonly prompt: string;
  readonly files: readonly string[];
  readonly settings: Omit<Settings, "systemPrompt"> & { readonly systemPrompt?: string };
  readonly continues?: { readonly id: string; readonly acpSessionId: string | undefined };
}

export interface Created {
  readonly session: Session;
  readonly record: FlowRecord;
  readonly journal: SessionJournal;
}

export async function createSession(engine: Engine, id: string, request: LaunchRequest): Promise<Result<Created>> {
  const at = engine.clock.now();
  let journal: SessionJournal;
  try {
    const { route } = request;
    journal = await engine.journals.create({ t: "header", at, v: 1, sessionId: id, owner: request.owner, name: request.name, ...(route === undefined ? {} : { route }) });
  } catch (error) {
    return storageRefusal(messageOf(error));
  }
  try {
    return await createFlow(engine, id, request, journal, at);
  } catch (error) {
    await journal.close();
    await engine.journals.remove(id);
    return storageRefusal(messageOf(error));
  }
}

function storageRefusal(reason: string) {
  return refuse("storage_unavailable", `Nothing was launched: its record could not be stored (${reason}). Free some space or make the OpenClaw state directory writable, then try again.`);
}

async function createFlow(engine: Engine, id: string, request: LaunchRequest, journal: SessionJournal, at: number): Promise<Result<Created>> {
  const prompt = await keep(engine, journal, request.prompt, at);
  const { systemPrompt, ...settings } = request.settings;
  const stored = systemPrompt === undefined ? settings : { ...settings, systemPrompt: await keep(engine, journal, systemPrompt, at) };
  const session = newSession({ ...request, id, launchedBy: request.by, prompt, settings: stored, at });
  const record = await makeFlow(engine, session);
  if (typeof record === "string") {
    await journal.close();
    await engine.journals.remove(id);
    return storageRefusal(record);
  }
  await journal.appendSynced([
    { t: "flow", at, flowId: record.flowId },
    { t: "commit", at, seq: session.seq, revision: record.revision, session },
  ]);
  return ok({ session, record, journal });
}

async function keep(engine: Engine, journal: SessionJournal, text: string, at: number): Promise<StoredText> {
  if (text.length <= PREVIEW_LENGTH) return { text, length: text.length };
  const key = `x${engine.newId()}`;
  await journal.appendSynced([{ t: "text", at, key, text }]);
  return { text: text.slice(0, PREVIEW_LENGTH), length: text.length, key };
}

/** The record, or why there is none. An unknown outcome is looked up by the session's id before it counts as refused. */
async function makeFlow(engine: Engine, session: Session): Promise<FlowRecord | string> {
  const commit = await FlowWriter.create(engine.flows, session);
  if (commit.kind === "applied") return commit.record;
  if (commit.kind === "conflict") return "the new record was changed at once by somebody else";
  if (commit.kind !== "unknown") return commit.reason;
  for (const { flowId } of (await engine.flows.list(session.owner)) ?? []) {
    const read = await engine.flows.get(session.owner, flowId);
    const parsed = read.kind === "found" ? parseSession(read.record.stateJson) : undefined;
    if (read.kind === "found" && parsed?.kind === "session" && parsed.session.id === session.id) return read.record;
  }
  return commit.reason;
}
