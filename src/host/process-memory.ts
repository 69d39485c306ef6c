/**
 * What every copy of this module in one process shares, on globalThis.
 * Owns: the running instance, who spoke when, which words were ours, and which commands wait for the rest of theirs. Does not own:
 * sessions, which live in the running instance.
 * The host loads the plugin several times in one process (host fact): an agent's tool call runs in the copy that was
 * registered for discovery, a command or an RPC in the full one. Only the full copy has a service, so the others reach it here.
 */
import type { Answered, OperationName } from "../operations/operation.ts";
import type { Caller } from "../core/caller.ts";
import type { Route } from "../core/session.ts";

/** Carries out one operation in the running instance. Never throws for a bad call. */
export type AskOperation = (operation: OperationName, caller: Caller, rawParams: unknown) => Promise<Answered>;

/** Something that was said where people read it, by others than this plugin. */
export interface Overheard {
  /** Undefined in a web chat, which only its session tells. */
  readonly route: Route | undefined;
  readonly sessionKey: string | undefined;
}

/** A command that waits for the rest of its words. */
export interface HeldCommand {
  add(text: string): void;
  /** No more is waited for. */
  finish(): void;
}

interface ProcessMemory {
  running: AskOperation | undefined;
  ear?: ((heard: Overheard) => void) | undefined;
  /** Our own words, in one short form each, oldest first: the host tells of them as of anybody's. */
  ownWords?: Set<string>;
  /** Session key -> ms since the epoch of the last message of an authorised person. Oldest first. */
  readonly spokeAt: Map<string, number>;
  /** Chat and sender -> the command that waits there. */
  readonly held: Map<string, HeldCommand>;
}

const KEY = Symbol.for("openclaw-iflow-plugin/process.v2");
const REMEMBERED_SESSIONS = 2_000;
const REMEMBERED_WORDS = 400;
const COMPARED_LENGTH = 400;

function memory(): ProcessMemory {
  const holder = globalThis as { [KEY]?: ProcessMemory };
  holder[KEY] ??= { running: undefined, spokeAt: new Map(), held: new Map() };
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

/** Takes what is said in chats; the result stops that, unless a newer instance has taken over. */
export function announceEar(ear: (heard: Overheard) => void): () => void {
  const mine = memory();
  mine.ear = ear;
  return () => {
    if (mine.ear === ear) mine.ear = undefined;
  };
}

/** Words of others: they are told to the instance that runs, whichever copy of the plugin the host told of them. */
export function passOn(heard: Overheard, text: string): void {
  if (!isOwn(text)) memory().ear?.(heard);
}

/** What this plugin says into chats itself, before it leaves. */
export function rememberOwnWords(text: string): void {
  const mine = memory();
  mine.ownWords ??= new Set();
  const { ownWords } = mine;
  const words = shortForm(text);
  ownWords.delete(words);
  ownWords.add(words);
  for (const oldest of ownWords) {
    if (ownWords.size <= REMEMBERED_WORDS) break;
    ownWords.delete(oldest);
  }
}

function isOwn(text: string): boolean {
  const { ownWords } = memory();
  return ownWords?.has(shortForm(text)) === true || ownWords?.has(shortForm(text.replace(INJECTED, ""))) === true;
}

/** How the host marks words that were put into a web chat with our label. */
const INJECTED = /^\s*\[iFlow\]\s+/;

function shortForm(text: string): string {
  const words = text.replace(/\s+/g, " ").trim();
  return `${words.length} ${words.slice(0, COMPARED_LENGTH)}`;
}

export function heldCommands(): Map<string, HeldCommand> {
  return memory().held;
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
