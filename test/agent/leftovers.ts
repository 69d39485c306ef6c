/** Which processes of an agent still run: by pid and by the mark in their environment. */
import { readFile } from "node:fs/promises";
import { createProcessTable } from "../../src/agent/process-table.ts";

/** How long a process takes to go is a benchmark's to say: this only ends a wait for one that stays. */
const PATIENCE_MS = 60_000;

const table = createProcessTable(process.platform, process.env["PATH"] ?? "");

/** Pids that carry the mark of one of these sessions, and those of the given pids that run. */
export async function running(sessionIds: readonly string[], pids: readonly number[] = []): Promise<readonly number[]> {
  const marked = await Promise.all(sessionIds.map((id) => table.marked(`IFLOW_PLUGIN_SESSION=${id}`)));
  const alive = await Promise.all(pids.map((pid) => table.identity(pid)));
  return [...new Set([...marked.flat(), ...alive.flatMap((entry) => entry?.pid ?? [])])];
}

/** Waits until none of them runs; answers how long that took, in ms. */
export async function gone(
  sessionIds: readonly string[],
  pids: readonly number[] = [],
  withinMs = PATIENCE_MS,
): Promise<number> {
  const started = performance.now();
  for (;;) {
    const left = await running(sessionIds, pids);
    const took = performance.now() - started;
    if (left.length === 0) return took;
    if (took > withinMs) throw new Error(`still running after ${withinMs} ms: ${await describe(left)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Pids below a process, however deep. */
export async function below(pid: number): Promise<readonly number[]> {
  const entries = await table.list();
  const children = entries.filter(({ parentPid }) => parentPid === pid).map((entry) => entry.pid);
  const deeper = await Promise.all(children.map(below));
  return [...children, ...deeper.flat()];
}

async function describe(pids: readonly number[]): Promise<string> {
  const lines = await Promise.all(
    pids.map(async (pid) => `${pid} ${await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "?")}`),
  );
  return lines.map((line) => line.replaceAll("\0", " ")).join("; ");
}

/** Guards that this process has started and that still run (Linux: their command line names them). */
export async function guards(parentPid: number): Promise<readonly number[]> {
  const pids = (await table.list()).filter((entry) => entry.parentPid === parentPid).map(({ pid }) => pid);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.filter((_, index) => lines[index]?.includes("\0iflow-plugin-guard\0"));
}
