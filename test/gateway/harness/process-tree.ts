/**
 * Which processes descend from a process, and ending exactly those that a test started (Linux /proc).
 * A process is known by pid and start time, since pids come round again.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface Pid {
  readonly pid: number;
  readonly startedAt: string;
}

interface Stat extends Pid {
  readonly parent: number;
  readonly state: string;
}

export function identify(pid: number): Pid | undefined {
  const stat = statOf(pid);
  return stat === undefined || stat.state === "Z" ? undefined : { pid, startedAt: stat.startedAt };
}

function isAlive({ pid, startedAt }: Pid): boolean {
  return identify(pid)?.startedAt === startedAt;
}

/** The process itself first, then everything that it started and that still hangs below it. */
export function treeOf(pid: number): readonly Pid[] {
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []));
  const found: Stat[] = all.filter((one) => one.pid === pid);
  for (const parent of found) found.push(...all.filter((one) => one.parent === parent.pid));
  return found.filter((one) => one.state !== "Z").map((one) => ({ pid: one.pid, startedAt: one.startedAt }));
}

export function commandLine({ pid }: Pid): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    // It ended in the meantime.
    return "";
  }
}

export function signal(process_: Pid, name: NodeJS.Signals): void {
  if (!isAlive(process_)) return;
  try {
    process.kill(process_.pid, name);
  } catch (error) {
    // It ended between the look and the signal.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

export async function untilGone(processes: readonly Pid[], withinMs: number): Promise<readonly Pid[]> {
  const deadlineAt = Date.now() + withinMs;
  for (;;) {
    const left = processes.filter(isAlive);
    if (left.length === 0 || Date.now() > deadlineAt) return left;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function statOf(pid: number): Stat | undefined {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // It is gone, which is the answer.
    return undefined;
  }
  // The command in brackets may hold spaces and brackets; the fields that count follow the last one.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  return { pid, state: fields[0] ?? "", parent: Number(fields[1]), startedAt: fields[19] ?? "" };
}
