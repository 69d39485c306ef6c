/**
 * Messages whose turns did not come to their end.
 * Owns: which of them iFlow may have lost. It stores its history after each call of the model (fact of iFlow): a turn that was cut
 * off before the model did anything is not in it, although the session can be loaded. A resume repeats what stands here.
 */
import type { Draft } from "./draft.ts";
import type { Message, Outcome, Session } from "./session.ts";

const MAX_UNDONE = 5;

/** Kept until a turn has come to its end. */
export function keepUndone(draft: Draft, messages: readonly Message[]): void {
  if (messages.length === 0) return;
  draft.session = { ...draft.session, undone: [...(draft.session.undone ?? []), ...messages].slice(-MAX_UNDONE) };
}

/** The turn is over, and iFlow has stored it with all that went before. */
export function forgetUndone(draft: Draft): void {
  const { undone, ...rest } = draft.session;
  if (undone !== undefined) draft.session = rest;
}

/** What an end leaves undone: a turn that failed, one that was stopped before the model did anything, what never had a turn. */
export function undoneAtEnd(session: Session, outcome: Outcome): readonly Message[] {
  const { phase, inbox } = session;
  const message = phase.kind === "working" || phase.kind === "asking" ? phase.message : undefined;
  if (message === undefined) return inbox;
  if (outcome === "completed") return [];
  if (!isHeard(session)) return [message];
  return outcome === "killed" ? [] : [{ ...message, again: true }];
}

/** What an interruption leaves undone. A prompt that never left goes back into line instead. */
export function undoneWhenCut(session: Session): readonly Message[] {
  const { phase } = session;
  if (phase.kind === "working") return phase.prompt === "left" && !isHeard(session) ? [phase.message] : [];
  return phase.kind === "asking" && phase.message !== undefined && !isHeard(session) ? [phase.message] : [];
}

function isHeard({ heardInTurn, turn }: Session): boolean {
  return heardInTurn === turn;
}
