/**
 * The product's composition for a measurement: real journals, real agents, the host's real flows and children, and no chat.
 * Owns: what is counted on the way to the host, short ways to say what measurements say often.
 */
import { readdir, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { compose } from "../../src/compose.ts";
import { parseConfig } from "../../src/config.ts";
import type { Caller } from "../../src/core/caller.ts";
import type { Session } from "../../src/core/session.ts";
import { jsonBytes } from "../../src/core/state-json.ts";
import type { Context } from "../../src/operations/context.ts";
import { launch } from "../../src/operations/launch.ts";
import type { ChildTasks, Clock, Delivery, FlowStore, Log } from "../../src/ports.ts";

export interface HostSide {
  readonly flows: FlowStore;
  readonly children: ChildTasks;
  readonly clock: Clock;
  readonly log: Log;
}

/** A place of its own on disk, and the agent. */
export interface Place {
  readonly folder: string;
  readonly agent: string;
}

export const OWNER = { sessionKey: "agent:main:bench", agentId: "main" };
export const CALLER: Caller = { door: "tool", owner: OWNER, seesAll: true, isPerson: true, inGroup: false };
/** More than the output buffer keeps. */
export const FULL_BUFFER = "long 500";
/** What a start leaves to be done is over by then. */
export const SETTLE_MS = 1_500;
const POLL_MS = 2;
const WITHIN_MS = 120_000;

const nobody: Delivery = {
  send: async () => ({ kind: "accepted" }),
  edit: async () => ({ kind: "accepted" }),
  wake: async () => ({ kind: "accepted" }),
  limit: () => 4_000,
  canEdit: () => false,
};

/** A pass-through that counts commits and the bytes of state that they carry. */
class CountedFlows implements FlowStore {
  readonly #flows: FlowStore;
  commits = 0;
  stateBytes = 0;

  constructor(flows: FlowStore) {
    this.#flows = flows;
  }

  create: FlowStore["create"] = (owner, flow) => this.#flows.create(owner, flow);
  get: FlowStore["get"] = (owner, flowId) => this.#flows.get(owner, flowId);
  list: FlowStore["list"] = (owner) => this.#flows.list(owner);
  owners: FlowStore["owners"] = () => this.#flows.owners();
  cancel: FlowStore["cancel"] = (owner, flowId) => this.#flows.cancel(owner, flowId);
  change: FlowStore["change"] = (owner, flowId, revision, change) => {
    this.commits += 1;
    if ("stateJson" in change) this.stateBytes += jsonBytes(change.stateJson);
    return this.#flows.change(owner, flowId, revision, change);
  };
}

export class World {
  readonly context: Context;
  readonly flows: CountedFlows;
  readonly #stateDir: string;

  constructor(host: HostSide, { folder, agent }: Place, delivery: Delivery = nobody) {
    this.#stateDir = folder;
    this.flows = new CountedFlows(host.flows);
    const raw = {
      agent: { command: agent, env: { DEMO_AGENT_HOME: join(folder, ".agent") } },
      maxSessions: 100,
      maxQueued: 1_000,
      maxPersistedSessions: 10_000,
      allowedWorkdirs: [folder],
      defaultWorkdir: join(folder, "work"),
    };
    const parsed = parseConfig(raw, folder);
    if (!parsed.ok) throw new Error(parsed.message);
    const { config } = parsed;
    const parts = { ...host, flows: this.flows, delivery, stateDir: join(folder, "state"), env: process.env };
    this.context = compose(parts, () => config);
  }

  get sessions() {
    return this.context.sessions;
  }

  /** As a tool call does it; `ms` until its answer. */
  async launch(
    prompt: string,
    once = false,
  ): Promise<{ readonly id: string; readonly flowId: string; readonly ms: number }> {
    const startedAt = performance.now();
    const answered = await launch(() => this.context).invoke(CALLER, { prompt, multi_turn_disabled: once });
    const ms = performance.now() - startedAt;
    if (!answered.ok) throw new Error(answered.message);
    const { id, flowId } = answered.reply.json as { id: string; flowId: string };
    return { id, flowId, ms };
  }

  session(id: string): Session {
    const actor = this.sessions.roster.actor(id);
    if (actor === undefined) throw new Error(`there is no session ${id}`);
    return actor.session;
  }

  /** Fails at once when the session has failed. */
  async until(id: string, fits: (session: Session) => boolean): Promise<Session> {
    return until(
      () => {
        const session = this.session(id);
        const { phase } = session;
        if (phase.kind === "ended" && phase.outcome === "failed") throw new Error(JSON.stringify(phase.cause));
        return session;
      },
      fits,
      (session) => `session ${id} is ${JSON.stringify(session.phase)}`,
    );
  }

  /** Bytes of a session's journal files. */
  async journalBytes(id: string): Promise<number> {
    const folder = join(this.#stateDir, "state", "iflow-plugin", "sessions", id);
    const sizes = (await readdir(folder)).map(async (file) => (await stat(join(folder, file))).size);
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sessions.roster.stop();
  }
}

export async function until<T>(look: () => T, fits: (value: T) => boolean, words: (value: T) => string): Promise<T> {
  for (const deadlineAt = performance.now() + WITHIN_MS; ;) {
    const value = look();
    if (fits(value)) return value;
    if (performance.now() > deadlineAt) throw new Error(`not within ${WITHIN_MS} ms: ${words(value)}`);
    await sleep(POLL_MS);
  }
}

export async function begun(host: HostSide, place: Place, delivery?: Delivery): Promise<World> {
  const world = new World(host, place, delivery);
  await world.sessions.roster.start();
  return world;
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
