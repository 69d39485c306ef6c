/**
 * Where this host keeps managed flows and task runs: the one place that knows the host's versions.
 * Owns: the choice between the host's API shapes. Does not own: what our flows mean.
 * Probed by property, since some hosts hide these from enumeration (host fact, seen on 2026.6 to 2026.9):
 * `tasks.async.managedFlows`, else `tasks.managedFlows`, `tasks.flow`, `runtime.taskFlow`.
 */
import type { Owner, Route } from "../core/session.ts";
import type {
  AsyncFlows,
  AsyncRuns,
  AsyncViews,
  HostConfig,
  HostRuntime,
  SyncFlows,
  SyncRuns,
  SyncViews,
} from "./sdk.ts";

/** Of the host's calls those that are used; another layer has the same. */
export type BoundFlows = Pick<
  ReturnType<AsyncFlows["bindSession"]>,
  "createManaged" | "get" | "runTask" | "resume" | "setWaiting" | "finish" | "fail" | "requestCancel"
>;
export type BoundViews = Pick<ReturnType<AsyncViews["bindSession"]>, "list">;
export type BoundRuns = Pick<ReturnType<AsyncRuns["bindSession"]>, "list">;
export type HostCancel = Awaited<ReturnType<ReturnType<SyncFlows["bindSession"]>["cancel"]>>;

/** Await every answer: an older host gives it at once, and may throw instead of rejecting. */
export interface HostTasks {
  /** `sync`: an older host, whose calls block and whose memory may be older than its database. */
  readonly kind: "async" | "sync";
  flows(owner: Owner, route?: Route): BoundFlows;
  views(owner: Owner): BoundViews;
  runs(owner: Owner): BoundRuns;
  /** The cancel that no asynchronous API has: it ends the active children and then the flow. */
  cancelFlow(owner: Owner, flowId: string): Promise<HostCancel>;
}

/** What older and newer hosts may have; every part is optional. */
interface SeenRuntime {
  readonly tasks?: {
    readonly async?: { readonly managedFlows?: AsyncFlows; readonly flows?: AsyncViews; readonly runs?: AsyncRuns };
    readonly managedFlows?: SyncFlows;
    readonly flow?: SyncFlows;
    readonly flows?: SyncViews;
    readonly runs?: SyncRuns;
  };
  readonly taskFlow?: SyncFlows;
}

export type HostTasksFound =
  | { readonly ok: true; readonly tasks: HostTasks }
  | { readonly ok: false; readonly reason: string };

export function hostTasks(runtime: HostRuntime): HostTasksFound {
  const seen: SeenRuntime = runtime;
  const newest = seen.tasks?.async;
  const sync = seen.tasks?.managedFlows ?? seen.tasks?.flow ?? seen.taskFlow;
  const flows = newest?.managedFlows ?? awaitable<AsyncFlows>(sync);
  const views = newest?.flows ?? awaitable<AsyncViews>(seen.tasks?.flows);
  const runs = newest?.runs ?? awaitable<AsyncRuns>(seen.tasks?.runs);
  if (flows === undefined || sync === undefined || views === undefined || runs === undefined) {
    const reason =
      "this OpenClaw has no managed TaskFlow API (api.runtime.tasks.managedFlows); 2026.7.35 or newer is needed";
    return { ok: false, reason };
  }
  return {
    ok: true,
    tasks: {
      kind: newest?.managedFlows === undefined ? "sync" : "async",
      flows: (owner, route) => flows.bindSession(binding(owner, route)),
      views: (owner) => views.bindSession(binding(owner)),
      runs: (owner) =>
        runs.bindSession({ ...binding(owner), ...(owner.agentId === undefined ? {} : { agentId: owner.agentId }) }),
      // The host hands out a deeply readonly snapshot and takes the writable type back; nobody writes it here.
      cancelFlow: (owner, flowId) =>
        sync.bindSession(binding(owner)).cancel({ flowId, cfg: runtime.config.current() as HostConfig }),
    },
  };
}

function binding(owner: Owner, route?: Route): { sessionKey: string; requesterOrigin?: Route } {
  return { sessionKey: owner.sessionKey, ...(route === undefined ? {} : { requesterOrigin: route }) };
}

/** The synchronous API has the same methods; its answers only come sooner, and all of them are awaited. */
function awaitable<Api>(api: unknown): Api | undefined {
  return api as Api | undefined;
}
