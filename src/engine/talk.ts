/**
 * What is said in chats beside our questions: by the gateway's agent, by people, by notices of ours that show numbers.
 * Owns: that it overtakes the questions of that chat, one commit each. Does not own: what words are then an answer (core/meant).
 * 1. A question that is on its way while something is said is told as overtaken: which came first is not known.
 * 2. What was heard is in the session before anything is decided that comes after it (`settled`).
 */
import { chatKey } from "../core/route.ts";
import type { Route, Session } from "../core/session.ts";
import type { SessionActor } from "./session-actor.ts";

/** Where something was said: in a channel, or in an OpenClaw session that people see as a web chat. */
export type Place =
  | { readonly kind: "channel"; readonly route: Route; readonly sessionKey?: string | undefined }
  | { readonly kind: "web"; readonly sessionKey: string };

const MAX_CHATS = 500;

export class Talk {
  readonly #actors: () => Iterable<SessionActor>;
  readonly #routeOf: (session: Session) => Route | undefined;
  readonly #now: () => number;
  /** Chat -> when something was said last; the one that was heard of longest ago goes. */
  readonly #saidAt = new Map<string, { count: number; atMs: number }>();
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(
    actors: () => Iterable<SessionActor>,
    routeOf: (session: Session) => Route | undefined,
    now: () => number,
  ) {
    this.#actors = actors;
    this.#routeOf = routeOf;
    this.#now = now;
  }

  said(place: Place): void {
    const posted: Promise<unknown>[] = [];
    const chats = new Set<string>();
    for (const actor of this.#actors()) {
      const { session } = actor;
      if (session.phase.kind === "ended" || !isIn(place, session, this.#routeOf(session))) continue;
      chats.add(chatKey(this.#routeOf(session), session.owner.sessionKey));
      if (session.phase.kind === "asking") posted.push(actor.post({ type: "overtaken" }));
    }
    for (const chat of chats) this.#note(chat);
    this.#underWay = Promise.allSettled([this.#underWay, ...posted]);
  }

  /** In the chat of this route, or in the web chat of this session. */
  saidIn(route: Route | undefined, sessionKey: string): void {
    this.said(route === undefined ? { kind: "web", sessionKey } : { kind: "channel", route });
  }

  /** Grows with each thing that is said there. */
  count(chat: string): number {
    return this.#saidAt.get(chat)?.count ?? 0;
  }

  saidSince(chat: string, atMs: number): boolean {
    return (this.#saidAt.get(chat)?.atMs ?? 0) >= atMs;
  }

  settled(): Promise<unknown> {
    return this.#underWay;
  }

  #note(chat: string): void {
    const count = this.count(chat) + 1;
    this.#saidAt.delete(chat);
    this.#saidAt.set(chat, { count, atMs: this.#now() });
    for (const oldest of this.#saidAt.keys()) {
      if (this.#saidAt.size <= MAX_CHATS) break;
      this.#saidAt.delete(oldest);
    }
  }
}

/** Hosts spell one chat in several ways and leave out what they do not know: rather one question too many is overtaken. */
function isIn(place: Place, { owner }: Session, route: Route | undefined): boolean {
  if (route === undefined) return place.sessionKey === owner.sessionKey;
  if (place.kind === "web" || place.route.channel !== route.channel) return false;
  const account = place.route.accountId;
  if (account !== undefined && account !== (route.accountId ?? "default")) return false;
  return bareId(place.route) === bareId(route) || place.sessionKey === owner.sessionKey;
}

/** `telegram:-1002:topic:7`, `-1002` -> `-1002`. */
function bareId({ channel, to }: Route): string {
  const id = to.startsWith(`${channel}:`) ? to.slice(channel.length + 1) : to;
  return id.replace(/^(?:group|channel|direct|user):/, "").replace(/:topic:.*$/, "");
}
