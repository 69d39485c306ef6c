/**
 * A plugin for benchmarks only: measures the product's own composition inside a real gateway, over one HTTP route.
 * Owns: nothing but the transport and the host adapters, made as src/plugin.ts makes them. What is measured stands beside it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createChildTasks } from "../../src/host/child-task.ts";
import { createFlowStore } from "../../src/host/flow-store.ts";
import { hostTasks } from "../../src/host/host-tasks.ts";
import { loadHostFunctions, type HostApi } from "../../src/host/sdk.ts";
import type { Clock } from "../../src/ports.ts";
import { measure, type Measurement } from "./measures.ts";
import type { HostSide } from "./world.ts";

export const ROUTE = "/iflow-bench";

const clock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

async function hostSide(api: HostApi): Promise<HostSide> {
  const found = hostTasks(api.runtime);
  if (!found.ok) throw new Error(found.reason);
  const { emitAgentEvent } = await loadHostFunctions();
  const children = createChildTasks({
    tasks: found.tasks,
    emit: emitAgentEvent,
    heartbeat: (runId) => void api.agent.events.emitAgentEvent({ runId, stream: `${api.id}.heartbeat`, data: {} }),
    clock,
    log: api.logger,
  });
  return { flows: createFlowStore(found.tasks), children, clock, log: api.logger };
}

async function serve(host: Promise<HostSide>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const asked = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Measurement;
  response.setHeader("content-type", "application/json");
  try {
    response.end(JSON.stringify({ ok: true, value: await measure(await host, asked) }));
  } catch (error) {
    response.end(JSON.stringify({ ok: false, error: error instanceof Error ? error.stack : String(error) }));
  }
}

export const benchPlugin = {
  id: "iflow-bench",
  name: "iflow-bench",
  register(api: HostApi): void {
    if (api.registrationMode !== "full") return;
    let host: Promise<HostSide> | undefined;
    api.registerHttpRoute({
      path: ROUTE,
      auth: "gateway",
      match: "exact",
      handler: async (request, response) => {
        await serve((host ??= hostSide(api)), request, response);
        return true;
      },
    });
  },
};
