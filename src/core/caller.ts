/**
 * Who calls, from host facts only, and what they may do.
 * Owns: visibility, who counts as a person (decision 24), who may grant in a group (decision 25).
 */
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
  /** The agent's workspace, where the host says it: the default directory of a launch. */
  readonly workspaceDir?: string;
}

export function canSee(caller: Caller, session: { readonly owner: Owner }): boolean {
  return caller.seesAll || session.owner.sessionKey === caller.owner.sessionKey;
}

/** Whose voice this is: a tool's answer is a person's when the host saw one speak after `sinceAt`. */
export function byOf(caller: Caller, sinceAt: number): By {
  const person = caller.isPerson || (caller.personSeenAt !== undefined && caller.personSeenAt > sinceAt);
  const kind = caller.door === "taskflow" ? "writer" : person ? "person" : "agent";
  return { kind, door: caller.door, ...(caller.senderId === undefined ? {} : { senderId: caller.senderId }) };
}

/** In a group, permissions and plans are granted only by the one who launched, the host's owner, or an operator. */
export function mayGrant(caller: Caller, session: Session, kind: QuestionKind): boolean {
  if (kind !== "permission" && kind !== "plan") return true;
  if (!caller.inGroup || caller.seesAll) return true;
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
