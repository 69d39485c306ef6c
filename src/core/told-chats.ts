/**
 * What a session keeps of the chats that it is told in: where its own has moved to, who took a notice in its place, what nobody took.
 * Owns: these fields. Does not own: the way to a chat, or when another one is tried (the engine's places).
 */
import type { Fate } from "./event.ts";
import { chatKey } from "./route.ts";
import type { Route, Session } from "./session.ts";

const MOST_CHATS = 4;

/** Everything that named the old chat names the new one; what the session was launched with is kept, for who could see it there. */
export function movedChat(session: Session, from: Route, to: Route): Session {
  const old = chatKey(from, "");
  const isOld = (route: Route | undefined): boolean => route !== undefined && chatKey(route, "") === old;
  const now = <T extends { readonly route?: Route }>(place: T): T =>
    isOld(place.route) ? { ...place, route: to } : place;
  const { home, toldIn, viewers } = session;
  return {
    ...now(session),
    ...(isOld(session.route) ? { movedFrom: session.movedFrom ?? from } : {}),
    ...(home === undefined ? {} : { home: now(home) }),
    ...(toldIn?.some(isOld) === true ? { toldIn: toldIn.map((route) => (isOld(route) ? to : route)) } : {}),
    viewers: viewers.map(now),
  };
}

/** After a notice was handed over: another chat knows of the session, or one more was lost, or its chat takes notices again. */
export function toldSomewhere(session: Session, { elsewhere, isLost }: Fate, at: number): Session {
  const { undelivered, ...rest } = session;
  if (isLost === true)
    return { ...session, undelivered: { count: (undelivered?.count ?? 0) + 1, sinceAt: undelivered?.sinceAt ?? at } };
  const told = undelivered === undefined ? session : rest;
  if (elsewhere === undefined) return told;
  const others = (told.toldIn ?? []).filter((route) => chatKey(route, "") !== chatKey(elsewhere, ""));
  if (others.length < (told.toldIn ?? []).length) return told;
  return { ...told, toldIn: [...others, elsewhere].slice(-MOST_CHATS) };
}
