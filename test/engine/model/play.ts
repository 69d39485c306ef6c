/**
 * A world in play: the survivors of many lives, the people and writers around them, and what was said and promised.
 * Owns: carrying out one action whatever state the gateway is in. A dead gateway is started before the next action; verbs are
 * begun and not waited for, as many callers do.
 */
import type { Caller } from "../../../src/core/caller.ts";
import type { PermissionMode, Session } from "../../../src/core/session.ts";
import { turns } from "../../fakes/fake-clock.ts";
import type { LedgerFlow } from "../../fakes/fake-ledger.ts";
import type { Death } from "../gateway-life.ts";
import { AGENT, PERSON, type World } from "../world.ts";

const OTHER: Caller = {
  ...PERSON,
  owner: { sessionKey: "agent:main:telegram:direct:77" },
  route: { channel: "telegram", to: "telegram:77" },
  senderId: "77",
};
const CALLERS: readonly Caller[] = [PERSON, AGENT, OTHER];
const MODES: readonly PermissionMode[] = ["manual", "selective", "auto", "plan"];

/** What the agent is told to do; `n` makes every prompt unlike any other. */
const SCRIPTS: readonly ((n: number) => string)[] = [
  (n) => `say: <${n}>`,
  (n) => `say: <${n}>\nask: Which? | A | B\nsay: <${n}b>`,
  (n) => `say: <${n}>\nsleep 1500\nsay: <${n}b>`,
  (n) => `say: <${n}>\nhang`,
  (n) => `say: <${n}>\ncrash 1`,
  (n) => `say: <${n}>\ntwo questions\nsay: <${n}b>`,
  (n) => `say: <${n}>\nwrite a${n}.txt: x\nsay: <${n}b>`,
  (n) => `say: <${n}>\nplan: do ${n}\nwrite p${n}.txt: y\nsay: <${n}b>`,
  (n) => `say: <${n}>\nfail: the model says no`,
  (n) => `write2 b${n}.txt c${n}.txt\nsay: <${n}>`,
  (n) => `end-question: <${n}> or not?`,
  (n) => `say: <${n}>\nburst 60`,
  (n) => `think: hm\nrun: sleep 3\nsay: <${n}>`,
  (n) => `say: <${n}>\n${"many words, 很多话 ".repeat(200)}`,
];
export const SCRIPT_COUNT = SCRIPTS.length;

const ANSWERS = ["1", "2", "A", "Allow", "Reject", "approve-auto", "Stop", "in my own words"] as const;
export const ANSWER_COUNT = ANSWERS.length;

export class Play {
  readonly world: World;
  /** What verbs threw: they never should. */
  readonly thrown: string[] = [];
  /** The journal could not be written at times: words that were only in memory may go with a life. */
  mayLoseWords = false;
  /** Somebody else changed a flow in this run, so its end may be theirs. */
  foreignWrites = 0;
  #words = 0;
  readonly #releases: (() => void)[] = [];

  constructor(world: World) {
    this.world = world;
  }

  /** A gateway that died meanwhile is started again. */
  async awake(death?: Death): Promise<void> {
    while (this.world.life.dead) {
      this.world.kill();
      await this.world.boot(death === undefined ? {} : { death });
      if (death !== undefined) return;
    }
  }

  /** Begins a verb; its end is not waited for. */
  async begin(verb: () => Promise<unknown>): Promise<void> {
    await this.awake();
    verb().catch((error: unknown) => this.thrown.push(String(error)));
    await turns(2);
  }

  nextWords(script: number): string {
    this.#words += 1;
    return (SCRIPTS[script] ?? SCRIPTS[0]!)(this.#words);
  }

  caller(index: number): Caller {
    return CALLERS[index % CALLERS.length] ?? PERSON;
  }

  launch(script: number, mode: number, caller: number, singleTurn: boolean): Promise<void> {
    const who = this.caller(caller);
    const permissionMode = MODES[mode % MODES.length] ?? "manual";
    const words = this.nextWords(script);
    return this.begin(() => this.world.tryLaunch(words, { permissionMode, singleTurn, timeoutMs: 60_000 }, who));
  }

  session(index: number): Session | undefined {
    const sessions = this.world.roster.sessions();
    return sessions[index % Math.max(1, sessions.length)];
  }

  flow(index: number): LedgerFlow | undefined {
    const flows = [...this.world.flows.ledger.flows.values()];
    return flows[index % Math.max(1, flows.length)];
  }

  async respond(index: number, script: number, caller: number, interrupt: boolean): Promise<void> {
    await this.awake();
    const session = this.session(index);
    if (session === undefined) return;
    const words = this.nextWords(script);
    await this.begin(() => this.world.respond(session.id, words, { interrupt }, this.steering(session, caller)));
  }

  async answer(index: number, answer: number, part: number, caller: number): Promise<void> {
    await this.awake();
    const session = this.session(index);
    if (session?.phase.kind !== "asking") return;
    const questions = session.phase.asks.flatMap((ask) => ask.questions);
    const questionId = questions[part % questions.length]?.id ?? "";
    await this.begin(() =>
      this.world.respond(session.id, ANSWERS[answer] ?? "1", { questionId }, this.steering(session, caller)),
    );
  }

  /** Somebody who may: its own owner, in the voice of a person or of its agent. */
  steering(session: Session, caller: number): Caller {
    const own = session.owner.sessionKey === OTHER.owner.sessionKey ? OTHER : PERSON;
    return caller % 3 === 1 ? { ...own, door: "tool", isPerson: false } : own;
  }

  /** Holds the next matching call of the ledger for a while. */
  delayStore(on: "change" | "get" | "list" | "create", ms: number): void {
    const { release } = this.world.flows.hold({ on });
    this.#later(ms, release);
  }

  delayAgent(ms: number): void {
    const { agent, clock } = this.world;
    const until = Promise.withResolvers<void>();
    agent.beforeOpen = () => until.promise;
    const go = (): void => {
      agent.beforeOpen = async () => undefined;
      until.resolve();
    };
    clock.after(ms, go);
    this.#releases.push(go);
  }

  delayJournal(ms: number): void {
    this.#later(ms, this.world.journals.hold());
  }

  breakJournal(ms: number): void {
    this.mayLoseWords = true;
    this.world.journals.failing = "the disk is full";
    this.#later(ms, () => (this.world.journals.failing = undefined));
  }

  delayDelivery(on: "send" | "wake", ms: number): void {
    const { release } = this.world.delivery.hold(on);
    this.#later(ms, release);
  }

  #later(ms: number, release: () => void): void {
    this.world.clock.after(ms, release);
    this.#releases.push(release);
  }

  /** Every fault ends: the world is as good as it can be. */
  heal(): void {
    const { world } = this;
    for (const release of this.#releases.splice(0)) release();
    world.life.spare();
    world.flows.heal();
    world.journals.failing = undefined;
    world.children.refuse = undefined;
    world.children.unreadable = false;
    world.flows.ledger.draining = false;
    world.agent.failStart = undefined;
    world.agent.failOpen = undefined;
    world.agent.beforeOpen = async () => undefined;
  }
}
