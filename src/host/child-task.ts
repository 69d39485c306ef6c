/**
 * ChildTasks on the host's task ledger: the record that people see, and may cancel, while iFlow works.
 * Owns: the children of this gateway life, their lifecycle events, and the heartbeat that keeps them from being lost.
 * Does not own: what the labels say, when a child starts or ends.
 * 1. Runtime `cron`, no child session key, delivery not applicable: the one combination with which every view of the host
 *    really cancels, and with which the host tells nobody by itself (host facts).
 * 2. A child's first end wins; the host ignores what comes later.
 * 3. Each active child gets a sign of life a minute, else the host calls it lost after five.
 * 4. `settleAll` emits in the tick of its call: after the host begins to drain, it takes no more events.
 */
import { messageOf } from "../core/errors.ts";
import type { Owner } from "../core/session.ts";
import type { ChildOutcome, ChildStart, ChildSummary, ChildTasks, Clock, Log, NewChild } from "../ports.ts";
import type { BoundRuns, HostTasks } from "./host-tasks.ts";
import type { EmitAgentEvent } from "./sdk.ts";

const RUN_PREFIX = "iflow:";
const HEARTBEAT_MS = 60_000;
const SETTLE_WITHIN_MS = 2_000;
const SETTLE_FIRST_LOOK_MS = 10;
const SETTLE_LONGEST_LOOK_MS = 160;

type HostRun = Awaited<ReturnType<BoundRuns["list"]>>[number];

export interface ChildTaskParts {
  readonly tasks: HostTasks;
  /** Absent on a host that does not export it: then every start is refused by the host. */
  readonly emit: EmitAgentEvent | undefined;
  /** The plugin-scoped sign of life. */
  readonly heartbeat: (runId: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export function createChildTasks({ tasks, emit, heartbeat, clock, log }: ChildTaskParts): ChildTasks {
  const active = new Set<string>();
  let disarm: (() => void) | undefined;

  function beat(): void {
    disarm = undefined;
    for (const runId of active) attempt(log, `heartbeat of ${runId}`, () => heartbeat(runId));
    arm();
  }

  function arm(): void {
    if (disarm === undefined && active.size > 0) disarm = clock.after(HEARTBEAT_MS, beat);
  }

  function forget(runId: string): void {
    active.delete(runId);
    if (active.size > 0) return;
    disarm?.();
    disarm = undefined;
  }

  function lifecycle(runId: string, data: Record<string, unknown>): void {
    attempt(log, `lifecycle event of ${runId}`, () => emit?.({ runId, stream: "lifecycle", data }));
  }

  function settle(runId: string, outcome: ChildOutcome, atMs: number, error: string | undefined): void {
    forget(runId);
    lifecycle(runId, endOf(outcome, atMs, error));
  }

  function keep(runId: string): ChildStart {
    active.add(runId);
    arm();
    return { ok: true };
  }

  /** The host would make a second record of a run id whose label differs (host fact), so a known one is never started again. */
  function adopt(earlier: HostRun): ChildStart {
    if (!isEnded(earlier)) return keep(earlier.runId ?? "");
    return { ok: false, refusedBy: "flow", reason: `run ${earlier.runId ?? ""} has ended already (${earlier.status})` };
  }

  return {
    async start(owner: Owner, child: NewChild): Promise<ChildStart> {
      if (emit === undefined) {
        return {
          ok: false,
          refusedBy: "host",
          reason: "this OpenClaw does not export emitAgentEvent (plugin-sdk/agent-harness-runtime)",
        };
      }
      const known = await readRuns(tasks, owner);
      if (known === undefined) return { ok: false, refusedBy: "now", reason: "the host can't list its task runs" };
      const earlier = known.find((run) => run.runId === child.runId);
      if (earlier !== undefined) return adopt(earlier);
      try {
        const run = await tasks.flows(owner).runTask({
          flowId: child.flowId,
          runtime: "cron",
          runId: child.runId,
          label: child.label,
          task: child.label,
          status: child.as,
          ...(child.as === "running" ? { startedAt: child.atMs } : {}),
          notifyPolicy: "silent",
          deliveryStatus: "not_applicable",
        });
        if (!run.created) return refusal(run);
        if (run.task.status !== "queued" && run.task.status !== "running") {
          return { ok: false, refusedBy: "flow", reason: `run ${child.runId} has ended already (${run.task.status})` };
        }
      } catch (error) {
        return { ok: false, refusedBy: "now", reason: messageOf(error) };
      }
      return keep(child.runId);
    },

    activate(runId: string, atMs: number): void {
      lifecycle(runId, { phase: "start", startedAt: atMs });
    },

    tool(runId: string, name: string): void {
      attempt(log, `tool event of ${runId}`, () => emit?.({ runId, stream: "tool", data: { phase: "start", name } }));
    },

    // The host shows the last line of a run's words as its activity; nothing else of them is kept (host fact).
    progress(runId: string, line: string): void {
      attempt(log, `progress of ${runId}`, () => emit?.({ runId, stream: "assistant", data: { text: line } }));
    },

    async end(owner: Owner, runId: string, outcome: ChildOutcome, atMs: number, error?: string): Promise<void> {
      settle(runId, outcome, atMs, error);
      if (emit === undefined) return;
      const deadlineMs = clock.now() + SETTLE_WITHIN_MS;
      for (
        let lookMs = SETTLE_FIRST_LOOK_MS;
        clock.now() < deadlineMs;
        lookMs = Math.min(lookMs * 2, SETTLE_LONGEST_LOOK_MS)
      ) {
        await new Promise<void>((resolve) => void clock.after(lookMs, resolve));
        const seen = await readRuns(tasks, owner);
        const run = seen?.find((one) => one.runId === runId);
        if (seen !== undefined && (run === undefined || isEnded(run))) return;
      }
      log.warn(`child task ${runId} is not reported as ended by the host after ${SETTLE_WITHIN_MS} ms`);
    },

    async list(owner: Owner): Promise<readonly ChildSummary[] | undefined> {
      return (await readRuns(tasks, owner))?.flatMap((run) =>
        run.runId?.startsWith(RUN_PREFIX) === true
          ? [{ runId: run.runId, flowId: run.flowId, status: run.status }]
          : [],
      );
    },

    settleAll(outcome: ChildOutcome, atMs: number, error: string): void {
      for (const runId of active) settle(runId, outcome, atMs, error);
    },
  };
}

async function readRuns(tasks: HostTasks, owner: Owner): Promise<readonly HostRun[] | undefined> {
  try {
    return await tasks.runs(owner).list();
  } catch {
    // The caller asks again; "can't say" is the answer.
    return undefined;
  }
}

function isEnded(run: HostRun): boolean {
  return run.status !== "queued" && run.status !== "running";
}

/** The host's event by which a run ends as cancelled. */
export function cancelledRun(runId: string, atMs: number): Parameters<EmitAgentEvent>[0] {
  return { runId, stream: "lifecycle", data: endOf("cancelled", atMs, "Cancelled by operator.") };
}

/** The same meaning on every host version that was tried; a status field alone would read as success on some. */
function endOf(outcome: ChildOutcome, atMs: number, error: string | undefined): Record<string, unknown> {
  const cause = error === undefined ? {} : { error };
  switch (outcome) {
    case "succeeded":
      return { phase: "end", endedAt: atMs };
    case "failed":
      return { phase: "error", error: error ?? "failed", endedAt: atMs };
    case "timed_out":
      return {
        phase: "error",
        stopReason: "timeout",
        timeoutPhase: "post_turn",
        error: error ?? "timed out",
        endedAt: atMs,
      };
    case "cancelled":
      return { phase: "end", aborted: true, stopReason: "stop", ...cause, endedAt: atMs };
  }
}

interface RefusedRun {
  readonly found: boolean;
  readonly reason: string;
  readonly flow?: { readonly status: string; readonly cancelRequestedAt?: number };
}

function refusal({ found, reason, flow }: RefusedRun): ChildStart {
  const byFlow =
    !found ||
    flow?.cancelRequestedAt !== undefined ||
    ["succeeded", "failed", "cancelled", "lost"].includes(flow?.status ?? "");
  return { ok: false, refusedBy: byFlow ? "flow" : "now", reason };
}

/** An event that the host refuses must not end the session that it reports about. */
function attempt(log: Log, what: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    log.warn(`the host refused the ${what}: ${messageOf(error)}`);
  }
}
