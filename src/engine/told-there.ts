/**
 * Whether the reply to a command tells the session's chat already: then no notice says the same again, right behind it.
 */
import type { Caller } from "../core/caller.ts";
import { chatKey } from "../core/route.ts";
import type { Session } from "../core/session.ts";
import type { Governor } from "./governor.ts";

export function toldThere(governor: Governor, caller: Caller, session: Session): { readonly told?: true } {
  if (caller.door !== "command") return {};
  const chat = chatKey(governor.routeOf(session), session.owner.sessionKey);
  return chatKey(caller.route, caller.owner.sessionKey) === chat ? { told: true } : {};
}
