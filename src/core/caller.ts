/**
 * Who calls, from host facts only, and what they may do.
 * Owns: visibility, who counts as a person (decision 24), who may grant in a group (decision 25).
 */
import { chatKey } from "./route.ts";
import type { By, Door, Owner, QuestionKind, Route, Session } from "./session.ts";

export interface Caller {
  readonly door: Door;
  readonly owner: Owner;
  /** The chat of the call, as the host's delivery context gave it. */
  readonly route?: Route;
  readonly senderId?: string;
  /** The host's owner, or an operator's RPC or CLI: sees and steers every session. */
  readonly seesAll: boolean;
  /** `seesAll` by the plugin's own configuration: the host's owner may do more (directories). */
  readonly isOperator?: boolean;
  /** False for a tool call of an agent; then `personSeenAt` may still make it a person's. */
  readonly isPerson: boolean;
  /** Tool door: ms since the epoch of the last message of an authorised person in this OpenClaw session. */
  readonly personSeenAt?: number;
  readonly inGroup: boolean;
  /** The call came from a web chat: it has no route, and its session is the way to it. */
  readonly inWebChat?: true;
  /** The agent's workspace, where the host says it: the default directory of a launch. */
  readonly workspaceDir?: string;
}

/** `chats`: those in which people are told of it, as `chatKey` names them. */
export function canSee(caller: Caller, session: Session, chats: readonly string[]): boolean {
  return caller.seesAll || session.owner.sessionKey === caller.owner.sessionKey || isToldHere(caller, session, chats);
}

/**
 * Whoever is told in a direct chat may see and steer what the session does, whichever run launched it for them. In a group that holds
 * only where the session was launched and the group has moved since. A run in which the host saw nobody speak (a schedule's, a
 * sub-agent's) is told nothing.
 */
function isToldHere(caller: Caller, session: Session, chats: readonly string[]): boolean {
  if (!caller.isPerson && caller.personSeenAt === undefined) return false;
  const { movedFrom, owner } = session;
  if (!chats.includes(chatKey(caller.route, caller.owner.sessionKey))) return false;
  return !caller.inGroup || (movedFrom !== undefined && isChatOf(owner, movedFrom));
}

/** `agent:main:telegram:group:-1001`, with or without a topic, is the session of the chat `telegram:-1001` (host fact). */
function isChatOf({ sessionKey }: Owner, { channel, to }: Route): boolean {
  const id = to.startsWith(`${channel}:`) ? to.slice(channel.length + 1) : to;
  return `${sessionKey}:`.includes(`:${id}:`);
}

/** Whose voice this is: a tool's answer is a person's when the host saw one speak after `sinceAt`. */
export function byOf(caller: Caller, sinceAt: number): By {
  const person = caller.isPerson || (caller.personSeenAt !== undefined && caller.personSeenAt > sinceAt);
  const kind = caller.door === "taskflow" ? "writer" : person ? "person" : "agent";
  return { kind, door: caller.door, ...(caller.senderId === undefined ? {} : { senderId: caller.senderId }) };
}

/** In a group, and in a chat that is not the launcher's, permissions and plans are granted only by the one who launched, the host's owner, or an operator. */
export function mayGrant(caller: Caller, session: Session, kind: QuestionKind): boolean {
  if (kind !== "permission" && kind !== "plan") return true;
  if (caller.seesAll || (!caller.inGroup && session.isForeignRoute !== true)) return true;
  return session.launchedBy.senderId !== undefined && session.launchedBy.senderId === caller.senderId;
}

/** Since when the session waits for what is said now: a person must have spoken after it. */
export function sinceOf(session: Session): number {
  return session.phase.kind === "ended" ? session.phase.at : session.phase.sinceAt;
}

/** When the request was made that this question belongs to. */
export function askedSince(session: Session, questionId: string): number {
  const asks = session.phase.kind === "asking" ? session.phase.asks : [];
  return asks.find((ask) => ask.questions.some((question) => question.id === questionId))?.askedAt ?? sinceOf(session);
}
