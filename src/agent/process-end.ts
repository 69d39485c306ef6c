/**
 * An agent that we started, with everything it started: how all of it is ended.
 * Owns: SIGTERM, then SIGKILL, to the group, the descendants and whatever carries a mark; the guard's release.
 * Does not own: session/cancel before it (agent-connection.ts).
 *
 * 1. Nothing of it outlives `end`, or its pid is in `left` (I6).
 * 2. Descendants are listed before each signal: those of a dead parent are found by a mark only, and where there is no inherited
 *    one (not Linux) not at all, when they have cleared their environment as well.
 * 3. A pid is signalled only while it is the same process (pid and start time).
 */
import type { ProcessIdentity } from "../core/session.ts";
import type { InheritedMark } from "./inherited-mark.ts";
import type { ProcessEntry, ProcessTable } from "./process-table.ts";
import { descendants } from "./process-table.ts";

export interface EndDeadlines {
  /** ms that processes have after SIGTERM, and after SIGKILL. */
  readonly termMs: number;
  readonly killMs: number;
}

export interface Ended {
  readonly clean: boolean;
  /** Pids that still run. */
  readonly left: readonly number[];
}

/** What belongs to an agent. `mark`: `NAME=value` in the environment of all of it; `limit`: what all of it inherited. */
export interface Belongings {
  readonly mark: string;
  readonly limit: Partial<InheritedMark>;
  readonly agent: ProcessIdentity | undefined;
}

/** How often it is looked whether processes that are no children of ours have gone. */
const LOOK_EVERY_MS = 20;

/** Ends all of it; resolves when it is gone or the deadlines have passed. Never throws. */
export async function endAll(
  table: ProcessTable,
  belongings: Belongings,
  deadlines: EndDeadlines,
): Promise<Ended & { readonly ended: number }> {
  const found = await collect(table, belongings, []);
  signalAll(found, "SIGTERM");
  const stubborn = await gone(table, found, deadlines.termMs);
  // Looked up again: something may have been started since, and orphans of the dead are found by the mark.
  const rest = await collect(table, belongings, stubborn);
  signalAll(rest, "SIGKILL");
  const left = await gone(table, rest, deadlines.killMs);
  const pids = left.map(({ pid }) => pid);
  return {
    clean: pids.length === 0,
    left: pids,
    ended: new Set([...found, ...rest].map(({ pid }) => pid)).size - pids.length,
  };
}

/** All of it that runs now, the agent included. */
export function belongingTo(table: ProcessTable, belongings: Belongings): Promise<readonly ProcessEntry[]> {
  return collect(table, belongings, []);
}

async function collect(
  table: ProcessTable,
  { mark, limit, agent }: Belongings,
  known: readonly ProcessEntry[],
): Promise<readonly ProcessEntry[]> {
  const [entries, marked] = await Promise.all([table.list(), table.marked(mark, limit)]);
  const isAgent = (entry: ProcessEntry): boolean => entry.pid === agent?.pid && entry.startedAt === agent.startedAt;
  const agentLives = entries.some(isAgent);
  const stillKnown = new Set((await table.living(known)).map(({ pid }) => pid));
  const own = entries.filter(
    (entry) =>
      marked.includes(entry.pid) ||
      stillKnown.has(entry.pid) ||
      isAgent(entry) ||
      // The group is the agent's as long as it lives; later its number may be somebody else's.
      (agentLives && entry.groupId === agent?.pid),
  );
  const below = descendants(
    entries,
    own.map(({ pid }) => pid),
  );
  const spared = ancestors(entries);
  return [...own, ...below].filter((entry) => !spared.has(entry.pid));
}

/** Ourselves and whoever started us: never a target, even when somebody runs the gateway inside of an agent. */
function ancestors(entries: readonly ProcessEntry[]): ReadonlySet<number> {
  const parents = new Map(entries.map((entry) => [entry.pid, entry.parentPid]));
  const found = new Set<number>();
  for (let pid: number | undefined = process.pid; pid !== undefined && !found.has(pid); pid = parents.get(pid))
    found.add(pid);
  return found;
}

function signalAll(entries: readonly ProcessEntry[], signal: NodeJS.Signals): void {
  for (const { pid } of entries) {
    try {
      process.kill(pid, signal);
    } catch {
      continue; // it went in the meantime, which is what we want
    }
  }
}

/** Waits until they are gone, at most `ms`; answers those that are not. */
async function gone(
  table: ProcessTable,
  entries: readonly ProcessEntry[],
  ms: number,
): Promise<readonly ProcessEntry[]> {
  const until = performance.now() + ms;
  let left = await table.living(entries);
  while (left.length > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    left = await table.living(left);
  }
  return left;
}
