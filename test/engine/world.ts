/**
 * A whole plugin without host and agent: the engine and the operations on fakes. A test may kill it and start it again.
 */
import type { Caller } from "../../src/core/caller.ts";
import type { Rules } from "../../src/core/event.ts";
import type { Engine } from "../../src/engine/context.ts";
import type { Voice } from "../../src/engine/governor.ts";
import { Roster } from "../../src/engine/roster.ts";
import { Sessions } from "../../src/engine/sessions.ts";
import type { Session } from "../../src/core/session.ts";
import { FakeAgent } from "../fakes/fake-agent.ts";
import { FakeChildTasks } from "../fakes/fake-child-tasks.ts";
import { FakeClock, turns } from "../fakes/fake-clock.ts";
import { FakeDelivery } from "../fakes/fake-delivery.ts";
import { FakeFlowStore } from "../fakes/fake-flow-store.ts";
import { FakeJournals } from "../fakes/fake-journal.ts";

export const RULES: Rules = {
  outputMode: "balanced",
  safeMode: false,
  outputBufferBytes: 32_768,
  quietAfterMs: 600_000,
  toolTimeoutMs: 120 * 60_000,
  questionTimeoutMs: 1_440 * 60_000,
  idleTimeoutMs: 30 * 60_000,
  keepAliveMs: 15_000,
  maxAutoResponds: 10,
  afterRestart: "ask",
};

export const PERSON: Caller = {
  door: "command",
  owner: { sessionKey: "agent:main:telegram:direct:42", agentId: "main" },
  route: { channel: "telegram", to: "telegram:42", accountId: "default" },
  senderId: "42",
  seesAll: false,
  isPerson: true,
  inGroup: false,
};
export const AGENT: Caller = { ...PERSON, door: "tool", isPerson: false };

export const plainVoice: Voice = {
  text: (session, notice) => `${notice.kind} ${session.name}${notice.data.text === undefined ? "" : `: ${notice.data.text}`}`,
  buttons: () => [],
  wake: (session, notice) => `wake ${notice.kind} ${session.name}`,
};

export interface WorldOptions {
  readonly rules?: Partial<Rules>;
  readonly maxSessions?: number;
  readonly maxQueued?: number;
  readonly log?: string[];
}

export class World {
  readonly clock = new FakeClock();
  readonly agent = new FakeAgent({ after: this.clock.after });
  readonly delivery = new FakeDelivery();
  readonly log: string[] = [];
  readonly options: WorldOptions;
  flows = new FakeFlowStore(this.clock.now);
  children = new FakeChildTasks(this.flows.ledger);
  journals = new FakeJournals();
  roster!: Roster;
  sessions!: Sessions;
  #ids = 0;

  constructor(options: WorldOptions = {}) {
    this.options = options;
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await world.boot();
    return world;
  }

  async boot(): Promise<void> {
    const note = (level: string) => (message: string) => void this.log.push(`${level} ${message}`);
    const engine: Engine = {
      flows: this.flows,
      children: this.children,
      launcher: this.agent,
      journals: this.journals,
      delivery: this.delivery,
      clock: this.clock,
      log: { info: note("info"), warn: note("warn"), error: note("error") },
      newId: () => `s${(this.#ids += 1).toString(36).padStart(4, "0")}`,
      rules: { ...RULES, ...this.options.rules },
      bounds: { maxSessions: this.options.maxSessions ?? 5, maxQueued: this.options.maxQueued ?? 20, maxPersistedSessions: 50, journalRetentionMs: 14 * 86_400_000 },
      language: "en",
    };
    this.roster = new Roster(engine, plainVoice, (session) => session.route);
    this.sessions = new Sessions(this.roster);
    await this.roster.start();
  }

  async launch(prompt: string, settings: Partial<Session["settings"]> = {}, caller: Caller = PERSON) {
    const { systemPrompt: _unused, ...rest } = settings;
    const launched = await this.sessions.launch(caller, {
      name: undefined,
      prompt,
      workdir: "/w",
      files: [],
      route: caller.route,
      settings: { permissionMode: "manual", allowedTools: [], timeoutMs: 300_000, singleTurn: false, ...rest },
    });
    if (!launched.ok) throw new Error(launched.refusal.message);
    return launched.value;
  }

  session(id: string): Session {
    const found = this.roster.sessions().find((s) => s.id === id);
    if (found === undefined) throw new Error(`no session ${id}`);
    return found;
  }

  /** Runs until the session is in this phase, moving the clock in small steps. */
  async until(id: string, kind: Session["phase"]["kind"], maxMs = 60_000): Promise<Session> {
    for (let waited = 0; waited <= maxMs; waited += 50) {
      await turns();
      if (this.session(id).phase.kind === kind) return this.session(id);
      await this.clock.advance(50);
    }
    throw new Error(`${id} is ${JSON.stringify(this.session(id).phase)}, not ${kind}\n${this.log.join("\n")}`);
  }

  async respond(ref: string, message: string, more: { interrupt?: boolean; questionId?: string; option?: string } = {}, caller: Caller = PERSON) {
    return this.sessions.respond(caller, ref, { message, interrupt: more.interrupt ?? false, questionId: more.questionId, option: more.option });
  }
}
