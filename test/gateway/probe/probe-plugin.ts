/**
 * A plugin for tests only: lets a test call the host adapters inside a real gateway, over one HTTP route.
 * Owns: nothing but the transport. What it calls is the product's own code.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { hostTasks, type HostTasks } from "../../../src/host/host-tasks.ts";
import { loadHostFunctions, type HostApi } from "../../../src/host/sdk.ts";
import { openTaskFlow } from "../../../src/host/task-flow.ts";
import type { Owner } from "../../../src/core/session.ts";
import type { ChildTasks, FlowStore } from "../../../src/ports.ts";
import type { ProbeAnswer, ProbeCall } from "./probe-call.ts";

const HAMMER_PAUSE_MS = 5;

interface Adapters {
  /** As the host has it: another writer in the same process. */
  readonly tasks: HostTasks;
  readonly store: FlowStore;
  readonly children: ChildTasks;
}

async function adaptersOf(api: HostApi): Promise<Adapters> {
  const raw = hostTasks(api.runtime);
  if (!raw.ok) throw new Error(raw.reason);
  const { emitAgentEvent } = await loadHostFunctions();
  const found = openTaskFlow({
    api,
    emit: emitAgentEvent,
    stateDir: api.runtime.state.resolveStateDir(process.env),
    clock: {
      now: () => Date.now(),
      after: (ms, run) => {
        const timer = setTimeout(run, ms);
        timer.unref();
        return () => clearTimeout(timer);
      },
    },
    log: api.logger,
  });
  if (!found.ok) throw new Error(found.reason);
  return { tasks: raw.tasks, store: found.taskFlow.flows, children: found.taskFlow.children };
}

async function carryOut({ tasks, store, children }: Adapters, call: ProbeCall): Promise<unknown> {
  switch (call.on) {
    case "store.create":
      return store.create(...call.args);
    case "store.get":
      return store.get(...call.args);
    case "store.list":
      return store.list(...call.args);
    case "store.owners":
      return store.owners();
    case "store.change":
      return store.change(...call.args);
    case "store.cancel":
      return store.cancel(...call.args);
    case "children.start":
      return children.start(...call.args);
    case "children.activate":
      return children.activate(...call.args);
    case "children.tool":
      return children.tool(...call.args);
    case "children.progress":
      return children.progress(...call.args);
    case "children.end":
      return children.end(...call.args);
    case "children.list":
      return children.list(...call.args);
    case "children.settleAll":
      return children.settleAll(...call.args);
    case "raw.runs":
      return tasks.runs(...call.args).list();
    case "raw.resume": {
      const [owner, flowId, currentStep] = call.args;
      const flows = tasks.flows(owner);
      const flow = await flows.get(flowId);
      return flows.resume({ flowId, expectedRevision: flow?.revision ?? -1, status: "running", currentStep });
    }
    case "raw.finish": {
      const [owner, flowId] = call.args;
      const flows = tasks.flows(owner);
      const flow = await flows.get(flowId);
      return flows.finish({ flowId, expectedRevision: flow?.revision ?? -1 });
    }
    case "raw.requestCancel": {
      const [owner, flowId] = call.args;
      const flows = tasks.flows(owner);
      const flow = await flows.get(flowId);
      return flows.requestCancel({ flowId, expectedRevision: flow?.revision ?? -1 });
    }
    case "raw.hammer":
      return hammer(tasks, ...call.args);
    case "raw.replaceState": {
      const [owner, flowId, stateJson] = call.args;
      const flows = tasks.flows(owner);
      const flow = await flows.get(flowId);
      return flows.resume({ flowId, expectedRevision: flow?.revision ?? -1, status: "running", stateJson });
    }
  }
}

/** Leaves status, step and state as they are: only the revision grows, so that whoever wrote last before has a conflict. */
async function hammer(tasks: HostTasks, owner: Owner, flowId: string, forMs: number): Promise<number> {
  const flows = tasks.flows(owner);
  const endAt = Date.now() + forMs;
  let written = 0;
  while (Date.now() < endAt) {
    const flow = await flows.get(flowId);
    const write = { flowId, expectedRevision: flow?.revision ?? -1 };
    const done = flow?.status === "running" ? await flows.resume({ ...write, status: "running" }) : undefined;
    const waited = flow?.status === "waiting" ? await flows.setWaiting(write) : undefined;
    if (done?.applied === true || waited?.applied === true) written += 1;
    await new Promise((resolve) => setTimeout(resolve, HAMMER_PAUSE_MS));
  }
  return written;
}

async function serve(adapters: Promise<Adapters>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  let answer: ProbeAnswer;
  try {
    const call = JSON.parse(Buffer.concat(chunks).toString("utf8")) as ProbeCall;
    answer = { ok: true, value: await carryOut(await adapters, call) };
  } catch (error) {
    answer = { ok: false, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
}

export const probePlugin = {
  id: "iflow-probe",
  name: "iflow-probe",
  register(api: HostApi): void {
    if (api.registrationMode !== "full") return;
    let adapters: Promise<Adapters> | undefined;
    api.registerHttpRoute({
      path: "/iflow-probe",
      auth: "gateway",
      match: "exact",
      handler: async (request, response) => {
        adapters ??= adaptersOf(api);
        await serve(adapters, request, response);
        return true;
      },
    });
  },
};
