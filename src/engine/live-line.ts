/**
 * The live line of a running child task: what the turn does now, in the host's own views.
 * Owns: its pace (one line a second at most, the newest wins). Nothing of it is stored.
 */
import { currentStep } from "../core/flow-command.ts";
import type { ChildTasks, Clock } from "../ports.ts";
import type { SessionActor } from "./session-actor.ts";

const EVERY_MS = 1_000;

interface Line {
  shown: string;
  shownAt: number;
  cancel: (() => void) | undefined;
}

export class LiveLine {
  readonly #clock: Clock;
  readonly #children: ChildTasks;
  readonly #lines = new Map<string, Line>();

  constructor(clock: Clock, children: ChildTasks) {
    this.#clock = clock;
    this.#children = children;
  }

  changed(actor: SessionActor): void {
    const { session } = actor;
    if (session.phase.kind !== "working") {
      this.forget(session.id);
      return;
    }
    const line = this.#lines.get(session.id) ?? { shown: "", shownAt: 0, cancel: undefined };
    this.#lines.set(session.id, line);
    if (line.cancel !== undefined || currentStep(session) === line.shown) return;
    line.cancel = this.#clock.after(Math.max(0, line.shownAt + EVERY_MS - this.#clock.now()), () => {
      line.cancel = undefined;
      this.#show(actor, line);
    });
  }

  forget(sessionId: string): void {
    this.#lines.get(sessionId)?.cancel?.();
    this.#lines.delete(sessionId);
  }

  close(): void {
    for (const id of this.#lines.keys()) this.forget(id);
  }

  #show(actor: SessionActor, line: Line): void {
    const { session, flowId } = actor;
    const { child, phase } = session;
    if (phase.kind !== "working" || child?.as !== "running") return;
    line.shown = currentStep(session);
    line.shownAt = this.#clock.now();
    this.#children.progress(child.runId.replace("<flow>", flowId), line.shown);
  }
}
