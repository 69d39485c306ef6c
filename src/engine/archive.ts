/**
 * Sessions that ended and left memory: a line each, enough to list and to find them again.
 * Owns: how many stay known, and what is asked of their journals when somebody comes back to them.
 */
import type { Session } from "../core/session.ts";
import { parseSession } from "../core/state-json.ts";
import type { Journals } from "../ports.ts";

const DAY_MS = 24 * 60 * 60_000;

/** An ended session without the weight of its output, questions and inbox. */
export function archived(session: Session): Session {
  return { ...session, output: { text: "", start: session.output.end, end: session.output.end }, grants: [], filesEdited: session.filesEdited.slice(-5) };
}

export class Archive {
  readonly #entries = new Map<string, { readonly session: Session; readonly flowId: string }>();
  readonly #maxKept: number;

  constructor(maxKept: number) {
    this.#maxKept = maxKept;
  }

  put(session: Session, flowId: string, nowAt: number): void {
    this.#entries.set(session.id, { session: archived(session), flowId });
    this.#trim(nowAt);
  }

  take(id: string): void {
    this.#entries.delete(id);
  }

  get(id: string): { readonly session: Session; readonly flowId: string } | undefined {
    return this.#entries.get(id);
  }

  all(): readonly { readonly session: Session; readonly flowId: string }[] {
    return [...this.#entries.values()];
  }

  update(session: Session): void {
    const entry = this.#entries.get(session.id);
    if (entry !== undefined) this.#entries.set(session.id, { ...entry, session: archived(session) });
  }

  /** Past the bound the oldest go, but none that ended less than a day ago. */
  #trim(nowAt: number): void {
    const excess = this.#entries.size - this.#maxKept;
    if (excess <= 0) return;
    const old = [...this.#entries.values()].filter(({ session }) => endedAt(session) < nowAt - DAY_MS);
    for (const { session } of old.toSorted((a, b) => endedAt(a.session) - endedAt(b.session)).slice(0, excess)) this.#entries.delete(session.id);
  }
}

export function endedAt(session: Session): number {
  return session.phase.kind === "ended" ? session.phase.at : session.createdAt;
}

/** One that is not known any more, read back from its journal's last commit. */
export async function readBack(journals: Journals, sessionId: string): Promise<Session | undefined> {
  const journal = await journals.open(sessionId);
  if (journal === undefined) return undefined;
  const tail = await journal.tail();
  await journal.close();
  const parsed = tail.lastCommit === undefined ? undefined : parseSession(tail.lastCommit.session);
  return parsed?.kind === "session" ? parsed.session : undefined;
}
