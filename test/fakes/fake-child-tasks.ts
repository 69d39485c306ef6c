/**
 * ChildTasks in memory, one per gateway life: make a new one on the same ledger after a simulated restart.
 * Owns: which children this life keeps alive. Does not own: the records (fake-ledger).
 */
import type { Owner } from "../../src/core/session.ts";
import type { ChildOutcome, ChildStart, ChildSummary, ChildTasks, NewChild } from "../../src/ports.ts";
import type { FakeLedger } from "./fake-ledger.ts";

export interface EndedChild {
  readonly runId: string;
  readonly outcome: ChildOutcome;
  readonly error: string | undefined;
}

export class FakeChildTasks implements ChildTasks {
  readonly ledger: FakeLedger;
  /** Set it to answer every start with this refusal. */
  refuse: Exclude<ChildStart, { ok: true }> | undefined;
  /** A ledger that is slow: each start waits for what this gives. */
  slow: (() => Promise<void>) | undefined;
  /** True: list answers "can't say". */
  unreadable = false;
  readonly ended: EndedChild[] = [];
  readonly #alive = new Set<string>();
  #dead = false;

  constructor(ledger: FakeLedger) {
    this.ledger = ledger;
  }

  async start(owner: Owner, child: NewChild): Promise<ChildStart> {
    await (this.slow?.() ?? Promise.resolve());
    if (this.#dead) return new Promise<ChildStart>(() => undefined);
    if (this.refuse !== undefined) return this.refuse;
    if (this.ledger.draining) return { ok: false, refusedBy: "now", reason: "gateway is draining for restart" };
    const reason = this.ledger.startChild(owner.sessionKey, child);
    if (reason !== undefined) return { ok: false, refusedBy: "flow", reason };
    this.#alive.add(child.runId);
    return { ok: true };
  }

  activate(runId: string, _atMs: number): void {
    if (!this.#dead) this.ledger.activateChild(runId);
  }

  tool(runId: string, name: string): void {
    if (!this.#dead) this.ledger.toolOfChild(runId, name);
  }

  progress(runId: string, line: string): void {
    if (!this.#dead) this.ledger.progressOfChild(runId, line);
  }

  async end(_owner: Owner, runId: string, outcome: ChildOutcome, _atMs: number, error?: string): Promise<void> {
    this.#settle(runId, outcome, error);
    await Promise.resolve();
  }

  async list(owner: Owner): Promise<readonly ChildSummary[] | undefined> {
    await Promise.resolve();
    if (this.unreadable) return undefined;
    return [...this.ledger.children.values()]
      .filter((child) => child.ownerKey === owner.sessionKey)
      .map(({ runId, flowId, status }) => ({ runId, flowId, status }));
  }

  settleAll(outcome: ChildOutcome, _atMs: number, error: string): void {
    for (const runId of this.#alive) this.#settle(runId, outcome, error);
  }

  /** What the adapter's timer does once a minute. */
  beat(): void {
    if (this.#dead) return;
    for (const runId of this.#alive) this.ledger.beat(runId);
  }

  /** kill -9: nothing that this life does reaches the ledger any more. */
  die(): void {
    this.#dead = true;
    this.#alive.clear();
  }

  #settle(runId: string, outcome: ChildOutcome, error: string | undefined): void {
    if (this.#dead) return;
    this.#alive.delete(runId);
    this.ended.push({ runId, outcome, error });
    this.ledger.endChild(runId, outcome, error);
  }
}
