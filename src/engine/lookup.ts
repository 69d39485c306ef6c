/**
 * Finding sessions by name or id, for one caller.
 * Owns: live before ended, newest first; an old id leads to its newest continuation; suggestions come from the caller's own only.
 */
import { distance } from "fastest-levenshtein";
import { canSee, type Caller } from "../core/caller.ts";
import { refuse } from "../core/errors.ts";
import { redactSecrets } from "../core/redact.ts";
import type { Session } from "../core/session.ts";
import { endedAt } from "./archive.ts";

export function findSession(sessions: readonly Session[], caller: Caller, ref: string): Session | undefined {
  const wanted = ref.trim();
  const visible = sessions.filter((session) => canSee(caller, session));
  const byId = visible.find((session) => session.id === wanted);
  if (byId !== undefined) return newestOf(byId, visible);
  const named = visible.filter(
    (session) => session.name === wanted || session.name.toLowerCase() === wanted.toLowerCase(),
  );
  const own = named.filter((session) => session.owner.sessionKey === caller.owner.sessionKey);
  return best(own) ?? best(named);
}

function best(named: readonly Session[]): Session | undefined {
  const live = named.find((session) => session.phase.kind !== "ended");
  return live ?? named.toSorted((a, b) => endedAt(b) - endedAt(a))[0];
}

function newestOf(session: Session, visible: readonly Session[]): Session {
  const seen = new Set<string>();
  let newest = session;
  for (let next = newest.continuedBy; next !== undefined && !seen.has(next); next = newest.continuedBy) {
    seen.add(next);
    newest = visible.find((other) => other.id === next) ?? newest;
  }
  return newest;
}

/** The refusal for an unknown session: the nearest names of the caller's own. */
export function unknownSession(sessions: readonly Session[], caller: Caller, ref: string) {
  const names = [...new Set(sessions.filter((s) => s.owner.sessionKey === caller.owner.sessionKey).map((s) => s.name))];
  const near = names
    .map((name) => ({ name, off: distance(ref.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, off }) => off <= Math.max(3, name.length / 2) || name.includes(ref))
    .toSorted((a, b) => a.off - b.off)
    .slice(0, 3)
    .map(({ name }) => name);
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(", ")}?`
      : names.length > 0
        ? `Your newest: ${names.slice(0, 3).join(", ")}. iflow_sessions lists them all.`
        : "You have no iFlow sessions yet.";
  return refuse("not_found", `No iFlow session is called "${redactSecrets(ref).slice(0, 80)}". ${hint}`);
}
