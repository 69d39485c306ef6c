/**
 * Sessions that ended and left memory: a line each, enough to list and to find them again.
 * Owns: how many stay known by name, and which are old enough for their journals to go.
 */
import type { Session } from "../core/session.ts";

const DAY_MS = 24 * 60 * 60_000;

/** An ended session without the weight of its output, questions and inbox. */
function archived(session: Session): Session {
  return {
    ...session,
    output: { text: "", start: session.output.end, end: session.output.end },
    grants: [],
    filesEdited: session.filesEdited.slice(-5),
  };
}

export class Archive {
  readonly #entries = new Map<string, { readonly session: Session; readonly flowId: string }>();
  /** Session id -> when it ended: not known by name any more, but their journals are still there. */
  readonly #forgotten = new Map<string, number>();
  #maxKept: number;

  constructor(maxKept: number) {
    this.#maxKept = maxKept;
  }

  /** Takes effect with the next session that comes. */
  resize(maxKept: number): void {
    this.#maxKept = maxKept;
  }

  put(session: Session, flowId: string, nowAt: number): void {
    this.#entries.set(session.id, { session: archived(session), flowId });
    this.#trim(nowAt);
  }

  take(id: string): void {
    this.#entries.delete(id);
    this.#forgotten.delete(id);
  }

  /** Everything that ended before then. */
  endedBefore(at: number): readonly string[] {
    const known = [...this.#entries.values()].map(({ session }) => [session.id, endedAt(session)] as const);
    return [...known, ...this.#forgotten].filter(([, ended]) => ended <= at).map(([id]) => id);
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
    for (const { session } of old.toSorted((a, b) => endedAt(a.session) - endedAt(b.session)).slice(0, excess)) {
      this.#entries.delete(session.id);
      this.#forgotten.set(session.id, endedAt(session));
    }
  }
}

export function endedAt(session: Session): number {
  return session.phase.kind === "ended" ? session.phase.at : session.createdAt;
}
