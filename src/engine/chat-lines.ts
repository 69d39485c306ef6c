/**
 * One line a chat: who is next, one errand on its way, and a pause when nobody takes anything.
 * Owns: the order in a line, and the trying again. Does not own: what an errand is (the governor's business).
 * 1. An errand that is to be tried again keeps its place: nothing of its rank that became due after it goes before it.
 * 2. What is about one thing (a session) keeps its order: an earlier errand of it goes with the first of the later ones.
 * 3. A line that pauses holds up no other line. The pause doubles from FIRST_PAUSE_MS to LONGEST_PAUSE_MS, and ends with the lines.
 */
import { messageOf } from "../core/errors.ts";
import type { Clock, Handover, Log } from "../ports.ts";

export interface Errand {
  /** 0 goes first. */
  readonly rank: number;
  /** ms since the epoch; orders errands of one rank. */
  readonly dueAt: number;
  /** What it is about: of one thing nothing is told before what came before it, whatever its rank. */
  readonly of?: string;
  /** "later" puts it back at its place; anything else is its end. */
  readonly run: () => Promise<Handover>;
  /** Told when it will not run any more. */
  readonly drop?: () => void;
}

interface Waiting extends Errand {
  readonly number: number;
}

const FIRST_PAUSE_MS = 1_000;
/** What somebody waits for that is on its way: a host that takes longer is not waited for. */
const LONGEST_WAIT_MS = 5_000;
const LONGEST_PAUSE_MS = 30_000;

export class ChatLines {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #lines = new Map<string, Waiting[]>();
  readonly #busy = new Map<string, Promise<void>>();
  /** What is with the host just now, by line. */
  readonly #onItsWay = new Map<string, Promise<Handover | undefined>>();
  readonly #closing = Promise.withResolvers<void>();
  #paused = 0;
  #number = 0;
  #closed = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get waiting(): number {
    return [...this.#lines.values()].reduce((sum, line) => sum + line.length, 0);
  }

  /** Lines that nobody takes anything from, just now. */
  get paused(): number {
    return this.#paused;
  }

  add(key: string, errand: Errand): void {
    if (this.#closed) {
      errand.drop?.();
      return;
    }
    this.#number += 1;
    this.#insert(key, { ...errand, number: this.#number });
    if (!this.#busy.has(key)) this.#busy.set(key, this.#walk(key));
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  /** Resolves when what is on its way in this line just now has been answered for, or after LONGEST_WAIT_MS. */
  async handedOver(key: string): Promise<void> {
    const running = this.#onItsWay.get(key);
    if (running === undefined) return;
    const late = Promise.withResolvers<void>();
    const cancel = this.#clock.after(LONGEST_WAIT_MS, late.resolve);
    await Promise.race([running, late.promise]);
    cancel();
  }

  /** What is in flight is awaited, the rest is dropped. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#closing.resolve();
    for (const errand of [...this.#lines.values()].flat()) errand.drop?.();
    this.#lines.clear();
    await this.settled();
  }

  #insert(key: string, errand: Waiting): void {
    const line = this.#lines.get(key) ?? [];
    const rank = Math.min(errand.rank, ...line.filter((other) => follows(other, errand)).map((other) => other.rank));
    const raised = line.map((other) => (follows(errand, other) && other.rank > rank ? { ...other, rank } : other));
    this.#lines.set(
      key,
      [...raised, { ...errand, rank }].toSorted((a, b) => (isBefore(a, b) ? -1 : 1)),
    );
  }

  async #walk(key: string): Promise<void> {
    // Starts in the next microtask: what was owed together is ranked together.
    await Promise.resolve();
    let pauseMs = 0;
    for (let errand = this.#lines.get(key)?.shift(); errand !== undefined; errand = this.#lines.get(key)?.shift()) {
      const running = this.#run(errand);
      this.#onItsWay.set(key, running);
      const handover = await running;
      this.#onItsWay.delete(key);
      if (handover?.kind !== "later") pauseMs = 0;
      else if (this.#closed) errand.drop?.();
      else {
        this.#insert(key, errand);
        pauseMs = Math.max(handover.afterMs ?? 0, Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pauseMs * 2)));
        await this.#pause(pauseMs);
      }
    }
    this.#lines.delete(key);
    this.#busy.delete(key);
  }

  async #run(errand: Errand): Promise<Handover | undefined> {
    try {
      return await errand.run();
    } catch (error) {
      // One that breaks holds up nobody behind it. A notice stays owed, for the next start.
      this.#log.error(`iFlow: a notice could not be handed over: ${messageOf(error)}`);
      return undefined;
    }
  }

  async #pause(ms: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const cancel = this.#clock.after(ms, over.resolve);
    this.#paused += 1;
    await Promise.race([over.promise, this.#closing.promise]);
    this.#paused -= 1;
    cancel();
  }
}

/** Whether it is about the same thing and became due later: then it may not go before the other. */
function follows(later: Waiting, earlier: Waiting): boolean {
  if (later.of === undefined || later.of !== earlier.of) return false;
  return later.dueAt === earlier.dueAt ? later.number > earlier.number : later.dueAt > earlier.dueAt;
}

function isBefore(one: Waiting, other: Waiting): boolean {
  if (one.rank !== other.rank) return one.rank < other.rank;
  return one.dueAt === other.dueAt ? one.number < other.number : one.dueAt < other.dueAt;
}
