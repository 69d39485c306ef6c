/**
 * The configured operators: people who see and steer every session, as the host's owner does (decision 25); directories stay the owner's.
 * Owns: how `operators` names them: a sender's id, or `channel:id`.
 */
import type { Caller } from "../core/caller.ts";
import type { Context } from "./context.ts";

export function withOperators({ config }: Context, caller: Caller): Caller {
  const { senderId, route, seesAll } = caller;
  if (seesAll || senderId === undefined) return caller;
  const names = [senderId, ...(route === undefined ? [] : [`${route.channel}:${senderId}`])];
  return names.some((name) => config.operators.includes(name))
    ? { ...caller, seesAll: true, isOperator: true }
    : caller;
}
