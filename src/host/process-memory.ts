/**
 * What every copy of this module in one process shares, on globalThis.
 * Owns: the running instance and who spoke when. Does not own: sessions, which live in the running instance.
 * The host loads the plugin several times in one process (host fact): an agent's tool call runs in the copy that was
 * registered for discovery, a command or an RPC in the full one. Only the full copy has a service, so the others reach it here.
 */
import type { Answered, OperationName } from "../operations/operation.ts";
import type { Caller } from "../core/caller.ts";

/** Carries out one operation in the running instance. Never throws for a bad call. */
export type AskOperation = (operation: OperationName, caller: Caller, rawParams: unknown) => Promise<Answered>;

interface ProcessMemory {
  running: AskOperation | undefined;
  /** Session key -> ms since the epoch of the last message of an authorised person. Oldest first. */
  readonly spokeAt: Map<string, number>;
}

const KEY = Symbol.for("openclaw-iflow-plugin/process.v1");
const REMEMBERED_SESSIONS = 2_000;

function memory(): ProcessMemory {
  const holder = globalThis as { [KEY]?: ProcessMemory };
  holder[KEY] ??= { running: undefined, spokeAt: new Map() };
  return holder[KEY];
}

/** Makes this instance the one that answers; the result takes it back, unless a newer one has taken over. */
export function announceRunning(ask: AskOperation): () => void {
  const mine = memory();
  mine.running = ask;
  return () => {
    if (mine.running === ask) mine.running = undefined;
  };
}

/** Asks whichever instance runs now. */
export async function askRunning(operation: OperationName, caller: Caller, rawParams: unknown): Promise<Answered> {
  const { running } = memory();
  if (running !== undefined) return running(operation, caller, rawParams);
  const message =
    "The iFlow plugin is not running now: the gateway is starting or stopping, or the plugin's service failed to start. " +
    "Try again in a few seconds; `openclaw iflow doctor` says more.";
  return { ok: false, code: "not_available", message };
}

export function rememberPerson(sessionKey: string, atMs: number): void {
  const { spokeAt } = memory();
  spokeAt.delete(sessionKey);
  spokeAt.set(sessionKey, atMs);
  for (const oldest of spokeAt.keys()) {
    if (spokeAt.size <= REMEMBERED_SESSIONS) break;
    spokeAt.delete(oldest);
  }
}

export function personSeenAt(sessionKey: string): number | undefined {
  return memory().spokeAt.get(sessionKey);
}
