/**
 * One life of a gateway as its ports see it: what it does can be counted, and it can be killed before or after any call.
 * Owns: death (a dead life's calls never settle and its timers never fire). Does not own: what survives it (world.ts).
 */
import type { AgentConnection, AgentLauncher, Clock, Delivery, Journals, SessionJournal } from "../../src/ports.ts";
import type { FakeAgent, FakeConnection } from "../fakes/fake-agent.ts";
import type { FakeChildTasks } from "../fakes/fake-child-tasks.ts";
import type { FakeFlowStore } from "../fakes/fake-flow-store.ts";
import type { FakeJournals } from "../fakes/fake-journal.ts";

export interface Death {
  /** Number of the port call, from 1. */
  readonly atCall: number;
  readonly when: "before" | "after";
}

export interface LifeParts {
  readonly flows: FakeFlowStore;
  readonly children: FakeChildTasks;
  readonly journals: FakeJournals;
  readonly agent: FakeAgent;
  readonly delivery: Delivery;
  readonly clock: Clock;
}

/** Calls that answer at once, and what they answer when nobody is there any more. */
const SYNCHRONOUS: Readonly<Record<string, unknown>> = {
  "children.activate": undefined,
  "children.tool": undefined,
  "children.settleAll": undefined,
  "delivery.limit": 3_800,
  "delivery.canEdit": false,
  "connection.reply": "stale",
};

const never = new Promise<never>(() => undefined);

export class GatewayLife {
  readonly parts: LifeParts;
  /** Every call so far, by name. */
  readonly trace: string[] = [];
  readonly died: Promise<void>;
  dead = false;
  #death: Death | undefined;
  readonly #resolveDied: () => void;

  constructor(parts: LifeParts, death?: Death) {
    this.parts = parts;
    this.#death = death;
    const died = Promise.withResolvers<void>();
    this.died = died.promise;
    this.#resolveDied = died.resolve;
  }

  get flows(): FakeFlowStore {
    return this.#mortal("flows", this.parts.flows);
  }

  get children(): FakeChildTasks {
    return this.#mortal("children", this.parts.children);
  }

  get journals(): Journals {
    return this.#mortal<Journals>("journals", this.parts.journals);
  }

  get launcher(): AgentLauncher {
    return this.#mortal<AgentLauncher>("launcher", this.parts.agent);
  }

  get delivery(): Delivery {
    return this.#mortal("delivery", this.parts.delivery);
  }

  get clock(): Clock {
    const { clock } = this.parts;
    const after: Clock["after"] = (ms, run) => clock.after(ms, () => (this.dead ? undefined : run()));
    return { now: () => clock.now(), after };
  }

  /** The death that was planned does not come. */
  spare(): void {
    this.#death = undefined;
  }

  /** kill -9. Agents are gone a moment later: their guard ends them. */
  die(): void {
    if (this.dead) return;
    this.dead = true;
    this.parts.flows.die();
    this.parts.children.die();
    this.parts.agent.loseGateway();
    this.#resolveDied();
  }

  #mortal<T extends object>(name: string, port: T): T {
    return new Proxy(port, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) =>
          this.#call(`${name}.${String(key)}`, () => Reflect.apply(value, target, args) as unknown);
      },
    });
  }

  #call(label: string, run: () => unknown): unknown {
    if (Object.hasOwn(SYNCHRONOUS, label)) return this.dead ? SYNCHRONOUS[label] : run();
    return this.#settle(label, run);
  }

  async #settle(label: string, run: () => unknown): Promise<unknown> {
    if (this.dead) return never;
    this.trace.push(label);
    const number = this.trace.length;
    const due = this.#death?.atCall === number ? this.#death.when : undefined;
    if (due === "before") {
      this.die();
      return never;
    }
    try {
      return await this.#result(label, await run(), due);
    } catch (error) {
      if (this.dead) return never;
      throw error;
    }
  }

  async #result(label: string, result: unknown, due: Death["when"] | undefined): Promise<unknown> {
    if (due === "after" && this.#death !== undefined) this.die();
    if (this.dead && label === "launcher.start") (result as FakeConnection).lose();
    if (this.dead) return never;
    if (label === "launcher.start") return this.#mortal("connection", result as AgentConnection);
    const opened = label === "journals.open" || label === "journals.create";
    return opened && result !== undefined ? this.#mortal("journal", result as SessionJournal) : result;
  }
}
