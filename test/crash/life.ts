/**
 * One life of the plugin: the real composition on the host's ledger, real journals and real agents, with failpoints in between.
 * `node life.js ORDER`, where ORDER is JSON (LifeOrder). Ends by SIGKILL at its failpoint, or with code 0 when every job is through.
 */
import { appendFileSync, writeFileSync } from "node:fs";
import { compose } from "../../src/compose.ts";
import { parseConfig } from "../../src/config.ts";
import type { Caller } from "../../src/core/caller.ts";
import { createChildTasks } from "../../src/host/child-task.ts";
import { createFlowStore } from "../../src/host/flow-store.ts";
import type { Clock, Delivery, Log } from "../../src/ports.ts";
import { Failpoints, type KillPlan } from "./failpoints.ts";
import { RemoteHost } from "./host-wire.ts";
import type { Job } from "./jobs.ts";
import { Person } from "./person.ts";
import { filesOf, keep } from "./records.ts";
import { wrapChildren, wrapDelivery, wrapFlows, wrapJournals, wrapLauncher } from "./wrapped-ports.ts";

export interface LifeOrder {
  readonly folder: string;
  readonly socket: string;
  readonly sessionKey: string;
  readonly agentCommand: string;
  readonly jobs: readonly Job[];
  readonly plan: KillPlan;
  /** Number of this life in its scenario. */
  readonly life: number;
}

const order = JSON.parse(process.argv[2] ?? "") as LifeOrder;
const files = filesOf(order.folder);
const points = new Failpoints(order.plan, files.life);

const clock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, 2_147_483_647));
    return () => clearTimeout(timer);
  },
};

function write(level: string): (message: string) => void {
  return (message) => appendFileSync(files.log, `${Date.now()} life ${order.life} ${level}: ${message}\n`);
}
const log: Log = { info: write("info"), warn: write("warn"), error: write("error") };

/** A chat that never loses a message: what was sent stands in the file before the answer. */
const delivery: Delivery = {
  send: async ({ intentId, text }) => {
    keep(files.chat, { intentId, way: "chat", text });
    return { kind: "accepted", messageId: intentId };
  },
  edit: async () => ({ kind: "accepted" }),
  wake: async ({ intentId }) => {
    keep(files.chat, { intentId, way: "wake" });
    return { kind: "accepted" };
  },
  limit: () => 4_000,
  canEdit: () => false,
};

const raw = {
  maxSessions: 2,
  // Parked soon, so that follow-ups have to load.
  keepAliveSeconds: 1,
  agent: {
    command: order.agentCommand,
    env: { DEMO_AGENT_TRANSCRIPT: files.transcript, DEMO_AGENT_HOME: files.agentHome },
  },
};
const config = parseConfig(raw, order.folder);
if (!config.ok) throw new Error(config.message);

const host = await RemoteHost.connect(order.socket);
const children = createChildTasks({ tasks: host.tasks, emit: host.emit, heartbeat: () => undefined, clock, log });
const context = compose(
  {
    flows: wrapFlows(createFlowStore(host.tasks), points),
    children: wrapChildren(children, points),
    delivery: wrapDelivery(delivery, points),
    clock,
    log,
    stateDir: files.stateDir,
    env: { PATH: process.env["PATH"], HOME: order.folder },
  },
  () => config.config,
);
const { roster } = context.sessions;
// What the composition made itself gets its failpoints in the engine, before anything runs.
const { engine } = roster;
Object.assign(engine, {
  launcher: wrapLauncher(engine.launcher, points),
  journals: wrapJournals(engine.journals, points),
});

const caller: Caller = {
  door: "command",
  owner: { sessionKey: order.sessionKey, agentId: "main" },
  route: { channel: "telegram", to: "telegram:42" },
  senderId: "42",
  seesAll: true,
  isPerson: true,
  inGroup: false,
  workspaceDir: files.workdir,
};

const startedMs = performance.now();
await roster.start();
points.recoveryMs = performance.now() - startedMs;
points.stage = "running";
await new Person({
  context,
  jobs: order.jobs,
  caller,
  stateDir: files.stateDir,
  acks: files.acks,
  life: order.life,
}).act();
const dumped = roster.sessions().map((session) => ({ session, flowId: roster.flowIdOf(session.id) }));
writeFileSync(files.dump, JSON.stringify(dumped));
points.stage = "stopping";
await roster.stop();
host.close();
points.done();
