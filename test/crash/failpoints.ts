/**
 * Named points at which a life of the plugin ends itself with SIGKILL, in the tick in which it comes there.
 * Owns: the plan of one life, the count of what was passed, the record that is written before the end.
 * A point is `stage/what.when`: stage recovery, running or stopping; when before, during (asked, not answered) or after.
 */
import { writeFileSync } from "node:fs";

export type Stage = "recovery" | "running" | "stopping";

export interface KillPlan {
  /** At the n-th time that this point is passed ... */
  readonly point?: string;
  readonly nth?: number;
  /** ... or at the n-th passing of any point, whichever comes first. */
  readonly ordinal?: number;
  /** The host's process is killed in the same moment, as when a whole gateway dies. */
  readonly hostPid?: number;
}

export interface LifeRecord {
  /** Where it was killed; undefined: it ended by itself. */
  readonly killedAt: string | undefined;
  readonly passed: Readonly<Record<string, number>>;
  /** Notices that had been given to the chat and were not marked: they may be sent once more. */
  readonly unmarked: readonly string[];
  /** From the beginning of the recovery until sessions live; undefined: it was killed before. */
  readonly recoveryMs: number | undefined;
}

export class Failpoints {
  stage: Stage = "recovery";
  readonly unmarked = new Set<string>();
  recoveryMs: number | undefined;
  readonly #plan: KillPlan;
  readonly #file: string;
  readonly #passed: Record<string, number> = {};
  #total = 0;

  constructor(plan: KillPlan, file: string) {
    this.#plan = plan;
    this.#file = file;
  }

  pass(what: string): void {
    const point = `${this.stage}/${what}`;
    const times = (this.#passed[point] ?? 0) + 1;
    this.#passed[point] = times;
    this.#total += 1;
    const { point: wanted, nth = 1, ordinal } = this.#plan;
    if ((point === wanted && times === nth) || this.#total === ordinal) this.#die(point);
  }

  async around<T>(what: string, run: () => Promise<T>): Promise<T> {
    this.pass(`${what}.before`);
    const running = run();
    this.pass(`${what}.during`);
    const value = await running;
    this.pass(`${what}.after`);
    return value;
  }

  around1<T>(what: string, run: () => T): T {
    this.pass(`${what}.before`);
    const value = run();
    this.pass(`${what}.after`);
    return value;
  }

  /** Ended by itself. */
  done(): void {
    this.#write(undefined);
  }

  #die(point: string): never {
    this.#write(point);
    if (this.#plan.hostPid !== undefined) process.kill(this.#plan.hostPid, "SIGKILL");
    process.kill(process.pid, "SIGKILL");
    // The signal is served before the call returns.
    throw new Error("unreachable");
  }

  #write(killedAt: string | undefined): void {
    const { recoveryMs } = this;
    const record: LifeRecord = { killedAt, passed: this.#passed, unmarked: [...this.unmarked], recoveryMs };
    writeFileSync(this.#file, JSON.stringify(record));
  }
}
