/** Hears everything that a connection says, and lets a test wait for a part of it. */
import type { AgentEvent, AgentRequest } from "../../src/core/agent-event.ts";
import type { AgentConnection } from "../../src/ports.ts";

export type EventOf<K extends AgentEvent["kind"]> = Extract<AgentEvent, { kind: K }>;

type TurnEnd = EventOf<"turn-ended"> | EventOf<"turn-failed">;

export class Listener {
  readonly events: AgentEvent[] = [];
  readonly batches: number[] = [];
  /** True when the iteration has ended by itself. */
  over = false;
  /** Apart, so that waiting for an end does not look through a flood again and again. */
  readonly #turnEnds = new Map<number, TurnEnd>();
  #wake = Promise.withResolvers<void>();

  constructor(connection: AgentConnection) {
    void this.#read(connection);
  }

  async #read(connection: AgentConnection): Promise<void> {
    for await (const batch of connection.events) {
      this.batches.push(batch.length);
      for (const event of batch) {
        this.events.push(event);
        if (event.kind === "turn-ended" || event.kind === "turn-failed") this.#turnEnds.set(event.turn, event);
      }
      this.#rouse();
    }
    this.over = true;
    this.#rouse();
  }

  #rouse(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers<void>();
    resolve();
  }

  of<K extends AgentEvent["kind"]>(kind: K): readonly EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind);
  }

  get text(): string {
    return this.of("text")
      .map(({ text }) => text)
      .join("");
  }

  get asked(): readonly AgentRequest[] {
    return this.of("asked").map(({ request }) => request);
  }

  /** Resolves with what `look` finds; rejects with all that was heard when it finds nothing in time. */
  async until<T>(look: (listener: Listener) => T | undefined | false, ms = 60_000): Promise<T> {
    const deadline = performance.now() + ms;
    for (;;) {
      const wake = this.#wake.promise;
      const found = look(this);
      if (found !== undefined && found !== false) return found;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`not heard within ${ms} ms; heard: ${JSON.stringify(this.events).slice(-2000)}`);
      const timeout = Promise.withResolvers<void>();
      const timer = setTimeout(() => timeout.resolve(), left);
      await Promise.race([wake, timeout.promise]);
      clearTimeout(timer);
    }
  }

  turnEnd(turn: number, ms?: number): Promise<TurnEnd> {
    return this.until(() => this.#turnEnds.get(turn), ms);
  }

  request(index: number, ms?: number): Promise<AgentRequest> {
    return this.until(() => this.asked[index], ms);
  }

  exit(ms?: number): Promise<EventOf<"exited">["report"]> {
    return this.until(() => this.of("exited")[0]?.report, ms);
  }
}
