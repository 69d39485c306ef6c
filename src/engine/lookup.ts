/**
 * Finding sessions by name or id, for one caller.
 * Owns: live before ended, newest first; an old id leads to its newest continuation; suggestions come from the caller's own only.
 */
import { distance } from "fastest-levenshtein";
import { canSee, type Caller } from "../core/caller.ts";
import { ok, refuse, type Refused, type Result } from "../core/errors.ts";
import { redactSecrets } from "../core/redact.ts";
import type { Session } from "../core/session.ts";
import { endedAt } from "./archive.ts";
import type { Places } from "./places.ts";

/** The sessions that there are, and where each is told. */
interface Known {
  sessions(): readonly Session[];
  readonly governor: { readonly places: Pick<Places, "chatsOf"> };
}

/** What this caller may see, newest first. */
export function visibleTo(known: Known, caller: Caller): readonly Session[] {
  const { places } = known.governor;
  return known.sessions().filter((session) => canSee(caller, session, places.chatsOf(session)));
}

export function findFor(known: Known, caller: Caller, ref: string): Result<Session> {
  const found = findSession(visibleTo(known, caller), caller, ref);
  return found === undefined ? unknownSession(known, caller, ref) : ok(found);
}

function findSession(visible: readonly Session[], caller: Caller, ref: string): Session | undefined {
  const wanted = ref.trim();
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
export function unknownSession(known: Known, caller: Caller, ref: string): Refused {
  const own = visibleTo(known, { ...caller, seesAll: false });
  const names = [...new Set(own.map(({ name }) => name))];
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
