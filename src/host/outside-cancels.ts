/**
 * Cancels that another process wrote into the host's database, on a host whose gateway does not hear of them.
 * Host fact (seen on 2026.7.35; none of it on 2026.9): `openclaw tasks flow cancel` runs in a process of its own and writes to
 * SQLite. The gateway reads SQLite only at its start and writes whole records from its memory, so it never sees such a cancel,
 * and its next write erases it.
 * Owns: looking into the database before each call, and repeating in the gateway's memory what was cancelled outside.
 * Does not own: what a cancel means for a session.
 * 1. The last look and the call are in one tick. What another process writes between the two, well below a millisecond, is not seen.
 * 2. The database is only read. Where it can't be, everything works but this, and the log says so once.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { messageOf } from "../core/errors.ts";
import type { Owner } from "../core/session.ts";
import type { Log } from "../ports.ts";
import type { BoundFlows, HostTasks } from "./host-tasks.ts";

/** What the database says, whoever wrote it. */
export interface StoredCancels {
  /** Cancelled, or its cancel is requested. */
  flow(flowId: string): boolean;
  run(runId: string): boolean;
  close(): void;
}

/** How long a look may wait for a writer; it blocks the gateway as the host's own calls do. */
const BUSY_WITHIN_MS = 100;

interface Reader {
  readonly db: DatabaseSync;
  readonly flow: StatementSync;
  readonly run: StatementSync;
}

/** Opened when first asked, since the host makes the file. */
export function storedCancels(file: string, log: Log): StoredCancels {
  let reader: Reader | undefined;
  let told = false;
  let closed = false;

  function ask(of: "flow" | "run", id: string): boolean {
    if (closed) return false;
    try {
      reader ??= openReader(file);
      return reader[of].get(id) !== undefined;
    } catch (error) {
      if (!told)
        log.warn(
          `the host's database can't be read (${messageOf(error)}): a cancel by "openclaw tasks flow cancel" may not be heard; use /iflow_kill`,
        );
      told = true;
      return false;
    }
  }

  return {
    flow: (flowId) => ask("flow", flowId),
    run: (runId) => ask("run", runId),
    close: () => {
      closed = true;
      reader?.db.close();
    },
  };
}

/** The module is taken here, since most hosts never need it. */
function openReader(file: string): Reader {
  const sqlite = process.getBuiltinModule("node:sqlite");
  const db = new sqlite.DatabaseSync(file, { readOnly: true, timeout: BUSY_WITHIN_MS });
  const cancelled = "(cancel_requested_at is not null or status = 'cancelled')";
  return {
    db,
    flow: db.prepare(`select 1 from flow_runs where flow_id = ? and ${cancelled}`),
    run: db.prepare("select 1 from task_runs where run_id = ? and status = 'cancelled'"),
  };
}

/** The same calls, each after a look at what was cancelled outside. `cancelRun` ends a run as cancelled in the gateway's memory. */
export function hearingCancels(tasks: HostTasks, stored: StoredCancels, cancelRun: (runId: string) => void): HostTasks {
  /** Flow and children are cancelled once more, where the gateway sees it. */
  async function hear(owner: Owner, flowId: string): Promise<void> {
    if (!stored.flow(flowId)) return;
    const flow = await tasks.flows(owner).get(flowId);
    if (flow !== undefined && isUnaware(flow)) await tasks.cancelFlow(owner, flowId);
  }

  return {
    ...tasks,

    flows(owner, route): BoundFlows {
      const bound = tasks.flows(owner, route);
      const heard =
        <At extends { flowId: string }, Answer>(call: (at: At) => Promise<Answer>) =>
        async (at: At): Promise<Answer> => {
          await hear(owner, at.flowId);
          return call(at);
        };
      return {
        createManaged: (flow) => bound.createManaged(flow),
        get: async (flowId) => {
          await hear(owner, flowId);
          return bound.get(flowId);
        },
        runTask: heard((at) => bound.runTask(at)),
        resume: heard((at) => bound.resume(at)),
        setWaiting: heard((at) => bound.setWaiting(at)),
        finish: heard((at) => bound.finish(at)),
        fail: heard((at) => bound.fail(at)),
        requestCancel: heard((at) => bound.requestCancel(at)),
      };
    },

    views(owner) {
      const bound = tasks.views(owner);
      return {
        list: async () => {
          const seen = await bound.list();
          const missed = seen.filter((flow) => isUnaware(flow) && stored.flow(flow.id));
          if (missed.length === 0) return seen;
          for (const flow of missed) await hear(owner, flow.id);
          return bound.list();
        },
      };
    },

    runs(owner) {
      const bound = tasks.runs(owner);
      return {
        list: async () => {
          const seen = await bound.list();
          const missed = seen.flatMap(({ runId, status }) =>
            runId !== undefined && (status === "queued" || status === "running") && stored.run(runId) ? [runId] : [],
          );
          if (missed.length === 0) return seen;
          for (const runId of missed) cancelRun(runId);
          return bound.list();
        },
      };
    },
  };
}

/** The gateway takes it for alive, and knows of no request for its end. */
function isUnaware(flow: { readonly status: string; readonly cancelRequestedAt?: number }): boolean {
  const lives = ["queued", "running", "waiting", "blocked"].includes(flow.status);
  return lives && flow.cancelRequestedAt === undefined;
}
