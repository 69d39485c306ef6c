/**
 * Commands that a turn left running: "start the dev server".
 * Owns: that their process is kept while they run (the end of the session and others who need its slot come first), and that people
 * are told that they run, and that they were ended.
 */
import { owe, setPhase, stopAgent, type Draft } from "./draft.ts";
import type { Session } from "./session.ts";

/** The process has waited for a follow-up: it goes, unless something still runs beside it. */
export function onLookedBehind(draft: Draft, commands: readonly string[]): void {
  const { phase, agent } = draft.session;
  if (phase.kind !== "idle" || agent?.kind !== "ready") return;
  if (commands.length === 0) {
    stopAgent(draft);
    return;
  }
  if (phase.background === undefined) tell(draft, "background_kept", commands);
  setPhase(draft, { ...phase, background: commands });
}

export function onBackgroundEnded(draft: Draft, commands: readonly string[]): void {
  const { phase } = draft.session;
  if (phase.kind === "idle" && phase.background !== undefined) {
    const { background: _ended, ...rest } = phase;
    setPhase(draft, rest);
  }
  tell(draft, "background_ended", commands);
}

/** Its process is gone without a look, and all that ran beside it with it. */
export function endKnownBackground(draft: Draft): void {
  const { phase } = draft.session;
  if (phase.kind === "idle" && phase.background !== undefined) onBackgroundEnded(draft, phase.background);
}

/** Whoever stops a session, or what failed in it, has been told what that means; what nobody stopped is named. */
export function endsUntold({ phase }: Session): boolean {
  return phase.kind === "idle" || phase.kind === "asking" || (phase.kind === "ended" && phase.outcome === "completed");
}

function tell(draft: Draft, code: "background_kept" | "background_ended", commands: readonly string[]): void {
  owe(draft, "warning", { code, text: commands.join(" · ") }, ["chat"]);
}
