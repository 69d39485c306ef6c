/**
 * One scenario: jobs are launched, and the plugin is killed again and again until one life may run to the end. Then all records are judged.
 * Owns: the lives, who else writes between them, and that nothing of them is left running.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createFlowStore } from "../../src/host/flow-store.ts";
import { createChildTasks } from "../../src/host/child-task.ts";
import type { Session } from "../../src/core/session.ts";
import type { Owner } from "../../src/core/session.ts";
import type { ChildSummary, ChildTasks, FlowStore } from "../../src/ports.ts";
import { gone, running } from "../agent/leftovers.ts";
import { DEMO_AGENT } from "../gateway/harness/staged-plugin.ts";
import type { LifeRecord } from "./failpoints.ts";
import type { HostKeeper } from "./host-keeper.ts";
import { jobsOf, type Job } from "./jobs.ts";
import { scheduleFor, scheduleOf, type PlannedKill } from "./kill-schedule.ts";
import type { LifeOrder } from "./life.ts";
import { Chance } from "./random.ts";
import { filesOf, journalOf, linesOf, sessionsIn, type Ack, type ChatLine, type Transcribed } from "./records.ts";
import { owedIn, repeatsOf, violationsOf, type ScenarioRecords } from "./verdict.ts";

/** A life that is not through after this long is stuck. */
const LIFE_WITHIN_MS = 60_000;
/** The guard's promise, and a little for the machine. */
const GUARD_WITHIN_MS = 7_000;
const CHILDREN_WITHIN_MS = 20_000;
const JOBS_AT_FIRST = 2;
const WAITS_FOR_GUARD = 0.06;
const CANCELS_ELSEWHERE = 0.05;

export interface ScenarioOrder {
  readonly seed: number;
  readonly scenario: number;
  readonly kills: number;
  /** These points instead of those of the seed. */
  readonly points?: readonly string[];
  readonly host: HostKeeper;
  /** life.ts, as Node can run it. */
  readonly lifeProgram: string;
  readonly dir: string;
}

export interface ScenarioResult {
  readonly scenario: number;
  readonly killedAt: readonly string[];
  readonly withHost: number;
  readonly lives: number;
  readonly passed: Readonly<Record<string, number>>;
  readonly repeats: number;
  readonly cancelledElsewhere: number;
  readonly prompts: number;
  readonly notices: number;
  readonly slowestRecoveryMs: number;
  readonly violations: readonly string[];
}

interface LifeEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
  readonly record: LifeRecord | undefined;
}

export async function runScenario(order: ScenarioOrder): Promise<ScenarioResult> {
  const scenario = new Scenario(order);
  return scenario.run();
}

class Scenario {
  readonly #order: ScenarioOrder;
  readonly #chance: Chance;
  readonly #folder: string;
  readonly #files: ReturnType<typeof filesOf>;
  readonly #jobs: readonly Job[];
  readonly #schedule: readonly PlannedKill[];
  readonly #owner: Owner;
  readonly #lives: LifeRecord[] = [];
  readonly #cancelled = new Set<string>();
  readonly #owed = new Set<string>();
  readonly #violations: string[] = [];
  #withHost = 0;

  constructor(order: ScenarioOrder) {
    this.#order = order;
    this.#chance = new Chance(order.seed * 10_007 + order.scenario);
    this.#folder = join(order.dir, `s${order.scenario}`);
    this.#files = filesOf(this.#folder);
    this.#schedule =
      order.points === undefined
        ? scheduleOf(this.#chance, order.kills, (order.scenario - 1) * order.kills)
        : scheduleFor(order.points, this.#chance);
    const first = Array.from({ length: JOBS_AT_FIRST - 1 }, () => undefined);
    this.#jobs = jobsOf(
      order.scenario,
      [...first, ...this.#schedule.map(({ needs }) => needs), undefined],
      this.#chance,
    );
    this.#owner = { sessionKey: `agent:main:crash-${order.scenario}`, agentId: "main" };
    for (const dir of [this.#files.stateDir, this.#files.workdir, this.#files.agentHome])
      mkdirSync(dir, { recursive: true });
  }

  async run(): Promise<ScenarioResult> {
    for (const { withHost, needs: _, ...plan } of this.#schedule) {
      const killed = await this.#live(withHost ? { ...plan, hostPid: this.#order.host.pid } : plan);
      if (killed && withHost) {
        this.#withHost += 1;
        await this.#order.host.restart();
      }
      await this.#between();
    }
    if (await this.#live({})) throw new Error("a life without a plan was killed");
    const records = await this.#records();
    this.#violations.push(...violationsOf(records));
    await this.#nothingRuns("the end");
    return this.#result(records);
  }

  /** The jobs of which a life knows: each one has something new to do. */
  get #known(): readonly Job[] {
    return this.#jobs.slice(0, JOBS_AT_FIRST + this.#lives.length);
  }

  /** False: it ended by itself, with every job that it knew through. */
  async #live(plan: LifeOrder["plan"]): Promise<boolean> {
    const life = this.#lives.length + 1;
    const end = await this.#spawn({ plan, life });
    if (end.record !== undefined) this.#lives.push(end.record);
    if (end.signal === "SIGKILL" && end.record?.killedAt !== undefined) return true;
    if (end.code === 0 && end.record !== undefined) return false;
    const what =
      end.signal === "SIGTERM"
        ? `was not through after ${LIFE_WITHIN_MS} ms`
        : `ended with ${end.signal ?? `code ${end.code}`}`;
    this.#violations.push(`life ${life} ${what}: ${end.stderr.slice(-600)}`);
    // Nothing more can be learnt from it.
    throw new StuckScenario(this.#result(undefined));
  }

  #spawn({ plan, life }: Pick<LifeOrder, "plan" | "life">): Promise<LifeEnd> {
    rmSync(this.#files.life, { force: true });
    const { host, lifeProgram } = this.#order;
    const lifeOrder: LifeOrder = {
      folder: this.#folder,
      socket: host.socket,
      sessionKey: this.#owner.sessionKey,
      agentCommand: DEMO_AGENT,
      jobs: this.#known,
      plan,
      life,
    };
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [lifeProgram, JSON.stringify(lifeOrder)], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      let stderr = "";
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      const patience = setTimeout(() => child.kill("SIGTERM"), LIFE_WITHIN_MS);
      child.once("close", (code, signal) => {
        clearTimeout(patience);
        const record = existsSync(this.#files.life)
          ? (JSON.parse(readFileSync(this.#files.life, "utf8")) as LifeRecord)
          : undefined;
        resolve({ code, signal, stderr, record });
      });
    });
  }

  /** What may happen while no gateway runs: nothing, the guard's work, somebody else's cancel. */
  async #between(): Promise<void> {
    await this.#noteOwed();
    if (this.#chance.often(WAITS_FOR_GUARD)) await this.#nothingRuns(`kill ${this.#lives.length}`);
    if (this.#chance.often(CANCELS_ELSEWHERE)) await this.#cancelOne();
  }

  /** A kill between the flow's commit and its line in the journal leaves what is owed in the flow alone. */
  async #noteOwed(): Promise<void> {
    const { flows } = this.#ledger();
    for (const { flowId } of (await flows.list(this.#owner)) ?? []) {
      const read = await flows.get(this.#owner, flowId);
      if (read.kind === "found") for (const id of owedIn(read.record.stateJson)) this.#owed.add(id);
    }
  }

  async #cancelOne(): Promise<void> {
    const { flows } = this.#ledger();
    const live = ((await flows.list(this.#owner)) ?? []).filter(({ status }) =>
      ["queued", "running", "waiting"].includes(status),
    );
    if (live.length === 0) return;
    const read = await flows.get(this.#owner, this.#chance.one(live).flowId);
    if (read.kind !== "found") return;
    const { flowId, stateJson } = read.record;
    await this.#order.host.remote.tasks.cancelFlow(this.#owner, flowId);
    this.#cancelled.add((stateJson as Session).id);
  }

  async #nothingRuns(when: string): Promise<void> {
    const ids = sessionsIn(this.#files.stateDir);
    try {
      await gone(ids, [], GUARD_WITHIN_MS);
    } catch {
      const left = await running(ids);
      this.#violations.push(`after ${when} processes ${left.join(", ")} were left`);
    }
  }

  #ledger(): { flows: FlowStore; children: ChildTasks } {
    const { remote } = this.#order.host;
    const clock = { now: () => Date.now(), after: () => () => undefined };
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const children = createChildTasks({
      tasks: remote.tasks,
      emit: remote.emit,
      heartbeat: () => undefined,
      clock,
      log,
    });
    return { flows: createFlowStore(remote.tasks), children };
  }

  /** The host stores the ends of children one after the other, behind what else it does. */
  async #settledChildren(children: ChildTasks): Promise<readonly ChildSummary[]> {
    const deadlineAt = Date.now() + CHILDREN_WITHIN_MS;
    for (;;) {
      const all = (await children.list(this.#owner)) ?? [];
      const active = all.some(({ status }) => status === "running" || status === "queued");
      if (!active || Date.now() > deadlineAt) return all;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #records(): Promise<ScenarioRecords> {
    const { flows, children } = this.#ledger();
    const dump = JSON.parse(readFileSync(this.#files.dump, "utf8")) as { session: Session; flowId: string }[];
    const sessions = await Promise.all(
      dump.map(async ({ session, flowId }) => {
        const read = await flows.get(this.#owner, flowId);
        const flow = read.kind === "found" ? read.record : undefined;
        return { session, flow, journal: journalOf(this.#files.stateDir, session.id) };
      }),
    );
    return {
      jobs: this.#jobs.slice(0, JOBS_AT_FIRST + this.#lives.length - 1),
      sessions,
      flows: (await flows.list(this.#owner)) ?? [],
      children: await this.#settledChildren(children),
      acks: linesOf<Ack>(this.#files.acks),
      transcript: linesOf<Transcribed>(this.#files.transcript),
      chat: linesOf<ChatLine>(this.#files.chat),
      lives: this.#lives,
      cancelledElsewhere: this.#cancelled,
      owedInFlows: this.#owed,
    };
  }

  #result(records: ScenarioRecords | undefined): ScenarioResult {
    const passed: Record<string, number> = {};
    for (const life of this.#lives)
      for (const [point, times] of Object.entries(life.passed)) passed[point] = (passed[point] ?? 0) + times;
    return {
      scenario: this.#order.scenario,
      killedAt: this.#lives.flatMap(({ killedAt }) => killedAt ?? []),
      withHost: this.#withHost,
      lives: this.#lives.length,
      passed,
      repeats: records === undefined ? 0 : repeatsOf(records),
      cancelledElsewhere: this.#cancelled.size,
      prompts: records?.transcript.filter(({ kind }) => kind === "prompt").length ?? 0,
      notices: records?.chat.length ?? 0,
      slowestRecoveryMs: Math.max(0, ...this.#lives.map(({ recoveryMs }) => recoveryMs ?? 0)),
      violations: this.#violations,
    };
  }
}

/** A life that neither died at its point nor got through: the rest of the scenario is given up. */
export class StuckScenario extends Error {
  readonly result: ScenarioResult;

  constructor(result: ScenarioResult) {
    super(result.violations.join("; "));
    this.result = result;
  }
}
