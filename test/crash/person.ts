/**
 * The person of a scenario, inside of a life: launches what is not launched, answers, says go on, stops.
 * Owns: asking the plugin's own operations, and writing down what was answered with success, in the tick of the answer.
 * What the last life did is read from the records, never remembered.
 */
import type { Caller } from "../../src/core/caller.ts";
import type { Session } from "../../src/core/session.ts";
import type { Context } from "../../src/operations/context.ts";
import { operations } from "../../src/operations/table.ts";
import { isThrough, launchParams, nextAct, type Act, type Job } from "./jobs.ts";
import { journalOf, keep } from "./records.ts";

const LOOK_EVERY_MS = 20;

export interface PersonParts {
  readonly context: Context;
  readonly jobs: readonly Job[];
  readonly caller: Caller;
  readonly stateDir: string;
  readonly acks: string;
  /** Of this life, in the scenario. */
  readonly life: number;
}

export class Person {
  readonly #parts: PersonParts;
  readonly #invoke: (
    name: string,
    job: Job,
    params: Record<string, unknown>,
  ) => Promise<Record<string, unknown> | undefined>;
  readonly #busy = new Set<string>();
  #said = 0;

  constructor(parts: PersonParts) {
    this.#parts = parts;
    const table = operations(() => parts.context);
    this.#invoke = async (name, job, params) => {
      const operation = table.find((one) => one.name === name);
      const answered = await operation?.invoke(
        { ...parts.caller, door: job.door, isPerson: job.door !== "tool" },
        params,
      );
      // Launch, respond and kill answer with an object, never with a list.
      return answered?.ok === true ? (answered.reply.json as Record<string, unknown>) : undefined;
    };
  }

  /** Resolves when every job is through. */
  async act(): Promise<void> {
    while (!this.#look()) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }

  #look(): boolean {
    let through = true;
    for (const job of this.#parts.jobs) {
      const session = this.#sessionOf(job);
      if (session !== undefined && isThrough(job, session)) continue;
      through = false;
      if (this.#busy.has(job.key)) continue;
      this.#busy.add(job.key);
      const acting = session === undefined ? this.#launch(job) : this.#care(job, session);
      // What goes wrong here ends the life, and so becomes a violation.
      void acting.finally(() => this.#busy.delete(job.key));
    }
    return through;
  }

  #sessionOf(job: Job): Session | undefined {
    return this.#parts.context.sessions.roster.sessions().find((session) => session.name === job.key);
  }

  async #launch(job: Job): Promise<void> {
    const reply = await this.#invoke("launch", job, launchParams(job));
    if (reply !== undefined) keep(this.#parts.acks, { act: "launch", key: job.key, id: String(reply["id"]) });
  }

  async #care(job: Job, session: Session): Promise<void> {
    const act = nextAct(job, session, {
      heard: (words) => this.#heard(session, words),
      unique: () => `${this.#parts.life}.${(this.#said += 1)}`,
    });
    if (act !== undefined && (await this.#carryOut(job, session.id, act))) this.#ack(session.id, act);
  }

  async #carryOut(job: Job, session: string, act: Act): Promise<boolean> {
    if (act.do === "kill") return (await this.#invoke("kill", job, { session })) !== undefined;
    const params =
      act.do === "answer"
        ? { session, message: act.words, question_id: act.questionId }
        : { session, message: act.message, interrupt: act.interrupt };
    return (await this.#invoke("respond", job, params)) !== undefined;
  }

  #ack(id: string, act: Act): void {
    const { acks } = this.#parts;
    if (act.do === "kill") keep(acks, { act: "kill", id });
    else if (act.do === "say") keep(acks, { act: "say", id, message: act.message });
    else keep(acks, { act: "answer", id, questionId: act.questionId, words: act.words });
  }

  #heard(session: Session, words: string): boolean {
    const { phase, inbox } = session;
    const present = phase.kind === "working" || phase.kind === "asking" ? phase.message : undefined;
    if ([...inbox, ...(present === undefined ? [] : [present])].some(({ text }) => text.text.includes(words)))
      return true;
    return journalOf(this.#parts.stateDir, session.id).some((line) => line.t === "prompt" && line.text.includes(words));
  }
}
