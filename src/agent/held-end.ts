/**
 * The end of a turn, held back until the agent is quiet.
 * An agent may say the last words of a turn some milliseconds after the reply that ends it (its words and its reply go ways of
 * their own). They belong to that turn: its end waits for a short quiet, for a fixed time at most.
 * Owns: how long it waits. Does not own: what comes before and after it (agent-connection.ts).
 */
import type { AgentEvent } from "../core/agent-event.ts";

/** Late words were seen some 60 ms behind; each of them makes the wait begin anew. */
const QUIET_MS = 150;
/** An agent that goes on talking after its turn holds up nobody longer. */
const LONGEST_MS = 600;

const LATE: ReadonlySet<AgentEvent["kind"]> = new Set(["text", "thought", "tool", "plan", "commands", "log"]);

export class HeldEnd {
  readonly #push: (event: AgentEvent) => void;
  #end: AgentEvent | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #longest: NodeJS.Timeout | undefined;

  constructor(push: (event: AgentEvent) => void) {
    this.#push = push;
  }

  /** In the order in which the session is to hear them: what may still belong to the turn goes before its end. */
  pass(event: AgentEvent): void {
    if (event.kind === "turn-ended" || event.kind === "turn-failed") this.#hold(event);
    else if (this.#end === undefined || LATE.has(event.kind)) this.#passNow(event);
    else {
      this.release();
      this.#push(event);
    }
  }

  /** At once: something comes that the end must stand before. */
  release(): void {
    clearTimeout(this.#quiet);
    clearTimeout(this.#longest);
    const end = this.#end;
    this.#end = undefined;
    if (end !== undefined) this.#push(end);
  }

  #passNow(event: AgentEvent): void {
    this.#push(event);
    if (this.#end !== undefined) this.#quiet?.refresh();
  }

  #hold(end: AgentEvent): void {
    this.release();
    this.#end = end;
    this.#quiet = setTimeout(() => this.release(), QUIET_MS);
    this.#longest = setTimeout(() => this.release(), LONGEST_MS);
  }
}
