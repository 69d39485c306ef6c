/** How late the timers of this process are, and how much of a core it uses. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Share of one core, by this process. */
  readonly cpu: number;
}

const LOOP_RESOLUTION_MS = 1;

/** What a timer of the loop was late by, while nothing is done here. */
export async function loopDelay(ms: number): Promise<LoopDelay> {
  const monitor = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  const before = process.cpuUsage();
  const startedAt = performance.now();
  monitor.enable();
  await sleep(ms);
  monitor.disable();
  const { user, system } = process.cpuUsage(before);
  const cpu = (user + system) / 1_000 / (performance.now() - startedAt);
  const [p50Ms = 0, p99Ms = 0] = [50, 99].map((share) => monitor.percentile(share) / 1e6);
  return { p50Ms, p99Ms, maxMs: monitor.max / 1e6, cpu };
}
