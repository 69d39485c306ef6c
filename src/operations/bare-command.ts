/**
 * A command that was tapped, and so came without its session.
 * Owns: which session it then means: the only one of the caller's own that fits, or none, and people choose. Nothing is ended unasked.
 */
import type { Caller } from "../core/caller.ts";
import { waitingIn } from "../core/meant.ts";
import type { Session } from "../core/session.ts";
import { whichText } from "../core/which.ts";
import { stylesOf } from "./chat-answers.ts";
import type { Context } from "./context.ts";
import { statusOf } from "./status.ts";

/** The session that is meant, or what is said instead; undefined: the operation itself knows what to do without one. */
export type BareCommand = (context: Context, caller: Caller) => Session | string | undefined;

const MAX_SHOWN = 10;

const isLive = ({ phase }: Session): boolean => phase.kind !== "ended";
/** Stopped in the middle by no person's will. */
const isBroken = ({ phase, continuedBy }: Session): boolean =>
  continuedBy === undefined &&
  (phase.kind === "interrupted" ||
    (phase.kind === "ended" && (phase.outcome === "failed" || phase.outcome === "timed_out")));

/** The caller's own, newest first; who has none, but sees others', means those. */
function ownOf({ sessions }: Context, caller: Caller): readonly Session[] {
  const seen = sessions.all(caller);
  const own = seen.filter(({ owner }) => owner.sessionKey === caller.owner.sessionKey);
  return own.length > 0 ? own : seen;
}

function choiceOf(found: readonly Session[], command: string): string {
  if (found.length === 0)
    return "There is no iFlow session that this could be for. /iflow_sessions lists those there are.";
  const shown = found
    .slice(0, MAX_SHOWN)
    .map((session) => `${command} ${nameIn(session, found)} (${statusOf(session)})`);
  const more = found.length > MAX_SHOWN ? [`… and ${found.length - MAX_SHOWN} more: /iflow_sessions`] : [];
  return ["Which session?", ...shown, ...more].join("\n");
}

function nameIn({ id, name }: Session, found: readonly Session[]): string {
  return found.some((other) => other.id !== id && other.name === name) ? id : name;
}

/** What can be looked at: one that lives, else one that has ended. */
export function toLookAt(command: string): BareCommand {
  return (context, caller) => {
    const own = ownOf(context, caller);
    const live = own.filter(isLive);
    const found = live.length > 0 ? live : own;
    const [only, ...more] = found;
    return only !== undefined && more.length === 0 ? only : choiceOf(found, command);
  };
}

export const toKill: BareCommand = (context, caller) => choiceOf(ownOf(context, caller).filter(isLive), "/iflow_kill");

/** The only one that broke off goes on; else what can be resumed is listed. */
export const toResume: BareCommand = (context, caller) => {
  const [only, ...more] = ownOf(context, caller).filter(isBroken);
  return more.length === 0 ? only : undefined;
};

/** There is no answer in it yet: what is open is shown, with the commands that answer it. */
export const toAnswer: BareCommand = (context, caller) => {
  const waiting = ownOf(context, caller).flatMap((session) => waitingIn(session));
  return waiting.length === 0
    ? "No iFlow session waits for an answer. To say something to one: /iflow_respond <session> <message>"
    : whichText(waiting, undefined, stylesOf(context));
};
