/**
 * A whole plugin without host and agent: the engine on fakes. What survives a gateway stands here; each boot is a new life of it.
 * Owns: boot, stop and kill, the clock's walk, and short ways to say what tests say often.
 */
import type { Caller } from "../../src/core/caller.ts";
import type { Result } from "../../src/core/errors.ts";
import type { Rules } from "../../src/core/event.ts";
import { openQuestions } from "../../src/core/question.ts";
import type { Phase, Route, Session } from "../../src/core/session.ts";
import { AwakeClock } from "../../src/engine/awake-clock.ts";
import type { Engine } from "../../src/engine/context.ts";
import type { Voice } from "../../src/engine/governor.ts";
import { Roster } from "../../src/engine/roster.ts";
import type { Launched, LaunchOrder, Responded } from "../../src/engine/orders.ts";
import { Sessions } from "../../src/engine/sessions.ts";
import type { AuditTrail } from "../../src/ports.ts";
import { FakeAgent } from "../fakes/fake-agent.ts";
import { FakeChildTasks } from "../fakes/fake-child-tasks.ts";
import { FakeClock, turns } from "../fakes/fake-clock.ts";
import { FakeDelivery } from "../fakes/fake-delivery.ts";
import { FakeFlowStore } from "../fakes/fake-flow-store.ts";
import { FakeJournals } from "../fakes/fake-journal.ts";
import type { LedgerChild, LedgerFlow } from "../fakes/fake-ledger.ts";
import { GatewayLife, type Death } from "./gateway-life.ts";

const RULES: Rules = {
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

const plainVoice: Voice = {
  text: (session, notice) =>
    [notice.kind, session.name, notice.data.code, notice.data.text].filter((word) => word !== undefined).join(" "),
  buttons: () => [],
  mayBeMissing: (session) => `maybe-missing ${session.name}`,
  elsewhere: (_session, text) => `elsewhere ${text}`,
  wake: (session, notice) => `wake ${notice.kind} ${session.name}`,
  over: (session, _questions, from) => `over ${session.name} ${from}`,
  answered: (session) => `answered ${session.name}`,
};

export interface WorldOptions {
  /** The chat of sessions without one, and the next place of every other. */
  readonly fallback?: Route;
  readonly rules?: Partial<Rules>;
  readonly maxSessions?: number;
  readonly maxQueued?: number;
  readonly maxPersistedSessions?: number;
  readonly death?: Death;
  readonly voice?: Voice;
}

type Settings = Session["settings"];
export type LaunchChanges = Partial<Omit<Settings, "systemPrompt">> & {
  readonly systemPrompt?: string;
  readonly name?: string;
  readonly workdir?: string;
  readonly home?: Session["home"];
};

export class World {
  readonly clock = new FakeClock();
  readonly agent = new FakeAgent({ after: this.clock.after });
  readonly delivery = new FakeDelivery();
  readonly log: string[] = [];
  /** Where what happens without an operation is written down. */
  trail: AuditTrail = { happened: () => undefined };
  /** How many agents had been started at each kill. */
  readonly killedAt: number[] = [];
  options: WorldOptions;
  flows = new FakeFlowStore(this.clock.now);
  children = new FakeChildTasks(this.flows.ledger);
  journals = new FakeJournals();
  life!: GatewayLife;
  /** Boots so far. */
  lives = 0;
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

  /** A new life on what survived. With a death planned it may not get to its end. */
  async boot(options: Partial<WorldOptions> = {}): Promise<void> {
    this.options = { ...this.options, ...options };
    this.lives += 1;
    const { flows, children, journals, agent, delivery, clock } = this;
    this.life = new GatewayLife({ flows, children, journals, agent, delivery, clock }, this.options.death);
    this.roster = new Roster(this.#engine(), this.options.voice ?? plainVoice, {
      routeOf: (session) => session.route ?? this.options.fallback,
      fallback: () => this.options.fallback,
    });
    this.sessions = new Sessions(this.roster);
    await this.runUntil(Promise.race([this.roster.start(), this.life.died]));
  }

  #engine(): Engine {
    const { life, options } = this;
    const note = (level: string) => (message: string) => void this.log.push(`${level} ${message}`);
    return {
      flows: life.flows,
      children: life.children,
      launcher: life.launcher,
      journals: life.journals,
      delivery: life.delivery,
      clock: new AwakeClock(life.clock),
      log: { info: note("info"), warn: note("warn"), error: note("error") },
      audit: { happened: (session, fact) => this.trail.happened(session, fact) },
      newId: () => `s${(this.#ids += 1).toString(36).padStart(4, "0")}`,
      rules: { ...RULES, ...options.rules },
      bounds: {
        maxSessions: options.maxSessions ?? 5,
        maxQueued: options.maxQueued ?? 20,
        maxPersistedSessions: options.maxPersistedSessions ?? 50,
        journalRetentionMs: 14 * 86_400_000,
      },
      language: "en",
    };
  }

  /** kill -9. */
  kill(): void {
    this.life.die();
    this.killedAt.push(this.agent.connections.length);
    this.#laterLife();
  }

  /** The service stops as the host stops it. */
  async stop(): Promise<void> {
    await this.runUntil(Promise.race([this.roster.stop(), this.life.died]));
    // One that could not settle in time is cut off like one that was killed.
    const cutOff = this.life.dead || this.log.some((line) => line.includes("not everything was settled"));
    if (cutOff) this.killedAt.push(this.agent.connections.length);
    this.life.die();
    this.#laterLife();
  }

  async restart(options: Partial<WorldOptions> = {}): Promise<void> {
    await this.stop();
    await this.boot(options);
  }

  async crash(options: Partial<WorldOptions> = {}): Promise<void> {
    this.kill();
    await this.boot(options);
  }

  #laterLife(): void {
    this.flows = new FakeFlowStore(this.clock.now, this.flows.ledger);
    this.children = new FakeChildTasks(this.flows.ledger);
    this.journals = this.journals.restart();
    this.options = { ...this.options };
    delete (this.options as { death?: Death }).death;
  }

  /** Moves the clock in small steps until the promise has settled. */
  async runUntil<T>(promise: Promise<T>, maxMs = 120_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await turns();
    for (let waited = 0; !settled; waited += 100) {
      if (waited > maxMs) throw new Error(`not settled in ${maxMs} ms\n${this.log.join("\n")}`);
      await this.clock.advance(100);
    }
    return promise;
  }

  async tryLaunch(prompt: string, changes: LaunchChanges = {}, caller: Caller = PERSON): Promise<Result<Launched>> {
    return this.sessions.launch(caller, this.order(prompt, changes, caller));
  }

  order(prompt: string, changes: LaunchChanges = {}, caller: Caller = PERSON): LaunchOrder {
    const { name, workdir, home, ...settings } = changes;
    return {
      name,
      prompt,
      workdir: workdir ?? "/w",
      files: [],
      route: caller.route,
      ...(home === undefined ? {} : { home }),
      settings: { permissionMode: "manual", allowedTools: [], timeoutMs: 300_000, singleTurn: false, ...settings },
    };
  }

  async launch(prompt: string, changes: LaunchChanges = {}, caller: Caller = PERSON): Promise<Launched> {
    const launched = await this.tryLaunch(prompt, changes, caller);
    if (!launched.ok) throw new Error(launched.refusal.message);
    return launched.value;
  }

  /** Somebody who has read what is open, and means that: where one question is, it is named. */
  async respond(
    ref: string,
    message: string,
    more: { interrupt?: boolean; questionId?: string; option?: string } = {},
    caller: Caller = PERSON,
  ): Promise<Result<Responded>> {
    const found = this.sessions.find(caller, ref);
    const asks = found.ok && found.value.phase.kind === "asking" ? found.value.phase.asks : [];
    const [only, ...others] = openQuestions(asks);
    const read = others.length > 0 || more.interrupt === true ? undefined : only?.id;
    return this.sessions.respond(caller, ref, {
      message,
      interrupt: more.interrupt ?? false,
      questionId: more.questionId ?? read,
      option: more.option,
    });
  }

  find(id: string): Session | undefined {
    return this.roster.sessions().find((s) => s.id === id);
  }

  session(id: string): Session {
    const found = this.find(id);
    if (found === undefined) throw new Error(`no session ${id}\n${this.log.join("\n")}`);
    return found;
  }

  flowOf(id: string): LedgerFlow {
    const flowId = this.roster.flowIdOf(id);
    const flow = this.flows.ledger.flows.get(flowId ?? "");
    if (flow === undefined) throw new Error(`no flow of ${id}`);
    return flow;
  }

  /** Children of a session's flow, as `t1 succeeded`, in the order of their making. */
  childrenOf(id: string): readonly string[] {
    return this.childRecords(id).map((child) => `${child.runId.split(":").at(-1)} ${child.status}`);
  }

  childRecords(id: string): readonly LedgerChild[] {
    const { flowId } = this.flowOf(id);
    return [...this.flows.ledger.children.values()].filter((child) => child.flowId === flowId);
  }

  /** Runs until the session is in this phase, moving the clock in small steps. */
  async until<K extends Phase["kind"]>(
    id: string,
    kind: K,
    maxMs = 60_000,
  ): Promise<Session & { readonly phase: Extract<Phase, { kind: K }> }> {
    for (let waited = 0; waited <= maxMs; waited += 50) {
      await turns();
      const session = this.session(id);
      // The kind was compared; the type system can't narrow a generic union.
      if (session.phase.kind === kind) return session as Session & { readonly phase: Extract<Phase, { kind: K }> };
      await this.clock.advance(50);
    }
    throw new Error(`${id} is ${JSON.stringify(this.session(id).phase)}, not ${kind}\n${this.log.join("\n")}`);
  }

  /** A long time goes by, and the machine does not sleep. */
  pass(ms: number): Promise<void> {
    return this.clock.pass(ms, () => this.roster.engine.clock.now());
  }

  /** Everything that is ready has run. */
  async quiet(): Promise<void> {
    await turns(30);
  }

  /** What was sent to the agent of this session, without prefaces, in order. */
  promptsOf(id: string): readonly string[] {
    return this.agent.prompts
      .filter((prompt) => prompt.sessionId === id)
      .map(({ blocks }) => blocks.findLast((block) => block.type === "text")?.text ?? "");
  }

  /** The session's whole output, from its journal. */
  async output(id: string): Promise<string> {
    const read = await this.sessions.output({ ...PERSON, seesAll: true }, id, {
      lines: 50,
      full: true,
      since: undefined,
    });
    if (!read.ok) throw new Error(read.refusal.message);
    return read.value.slice.text;
  }
}
