/**
 * TaskFlow of this host behind our two ports, whatever its version.
 * Owns: which parts stand together on which host, and saying what a host lacks.
 * 1. On a host whose gateway does not hear other processes, cancels are looked for in its database (outside-cancels.ts).
 * 2. On a host that lets no plugin end a child task, sessions are shown as flows only, and the log says so once.
 */
import { join } from "node:path";
import type { Owner } from "../core/session.ts";
import type { ChildTasks, Clock, FlowStore, Log } from "../ports.ts";
import { cancelledRun, createChildTasks } from "./child-task.ts";
import { storedOwners } from "./flow-owners.ts";
import { createFlowStore } from "./flow-store.ts";
import { hostTasks } from "./host-tasks.ts";
import { hearingCancels, storedCancels } from "./outside-cancels.ts";
import type { EmitAgentEvent, HostApi } from "./sdk.ts";

export interface TaskFlow {
  readonly flows: FlowStore;
  readonly children: ChildTasks;
  close(): void;
}

export interface TaskFlowParts {
  readonly api: HostApi;
  /** Undefined where the host does not export it. */
  readonly emit: EmitAgentEvent | undefined;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
}

export type TaskFlowFound =
  | { readonly ok: true; readonly taskFlow: TaskFlow }
  | { readonly ok: false; readonly reason: string };

export function openTaskFlow({ api, emit, stateDir, clock, log }: TaskFlowParts): TaskFlowFound {
  const found = hostTasks(api.runtime);
  if (!found.ok) return found;
  if (emit === undefined)
    log.warn(
      "this OpenClaw lets no plugin end a child task (no emitAgentEvent in plugin-sdk/agent-harness-runtime): sessions are shown in `openclaw tasks flow list` alone",
    );
  const stream = `${api.id}.heartbeat`;
  const heartbeat = (runId: string): void => void api.agent.events.emitAgentEvent({ runId, stream, data: {} });
  const { tasks } = found;
  const database = join(stateDir, "state", "openclaw.sqlite");
  const owners = (): readonly Owner[] => storedOwners(database, log);
  if (tasks.kind === "async") {
    const children = createChildTasks({ tasks, emit, heartbeat, clock, log });
    return { ok: true, taskFlow: { flows: createFlowStore(tasks, owners), children, close: () => undefined } };
  }

  const stored = storedCancels(database, log);
  const cancelRun = (runId: string): void => emit?.(cancelledRun(runId, clock.now()));
  /** A first end stays, so what follows it changes nothing. */
  const heardFirst = (runId: string): void => {
    if (stored.run(runId)) cancelRun(runId);
  };
  const heard = hearingCancels(tasks, stored, cancelRun);
  const children = createChildTasks({
    tasks: heard,
    emit:
      emit &&
      ((event) => {
        heardFirst(event.runId);
        emit(event);
      }),
    heartbeat: (runId) => {
      heardFirst(runId);
      heartbeat(runId);
    },
    clock,
    log,
  });
  return { ok: true, taskFlow: { flows: createFlowStore(heard, owners), children, close: () => stored.close() } };
}
