/**
 * A mark that every process below an agent has and that none of them takes off by accident: a limit of its own on file locks.
 * Owns: its numbers, how a process is started with it, how it reads in /proc. Does not own: the marks in the environment (process-guard.ts).
 *
 * The environment can be cleared (`env -i`), group, session and parent can be left (`setsid`, two forks); limits are inherited all the same.
 * Linux keeps this one (RLIMIT_LOCKS) and has enforced it nowhere since 2.6, so that nothing that runs notices. Elsewhere there is none.
 *
 * 1. The soft value names the one agent, the hard value its session; hard is the larger, as it has to be.
 */
import { createHash, randomInt } from "node:crypto";

const LEAST = 2 ** 47;
const HARD_FROM = 2 ** 50;
const HARD_RANGE_BITS = 49;

export interface InheritedMark {
  readonly agent: number;
  readonly session: number;
}

export function markOf(sessionId: string): InheritedMark {
  const digest = createHash("sha256").update(sessionId).digest().readBigUInt64BE();
  return {
    agent: randomInt(LEAST, 2 * LEAST - 1),
    session: HARD_FROM + Number(digest >> BigInt(64 - HARD_RANGE_BITS)),
  };
}

/** The letter of this limit differs between shells. Where neither works the program runs without the mark. */
const SCRIPT = `
{ ulimit -S -w "$1" || ulimit -S -x "$1"; } 2>/dev/null
{ ulimit -H -w "$2" || ulimit -H -x "$2"; } 2>/dev/null
shift 2
exec "$@"
`;

/** A command line that runs the command, under the same pid, with the mark. */
export function marked(
  mark: InheritedMark,
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  return {
    command: "/bin/sh",
    args: ["-c", SCRIPT.trim(), "iflow-plugin-start", String(mark.agent), String(mark.session), command, ...args],
  };
}

/** Whether /proc/<pid>/limits has the mark of this agent, or of this session. */
export function hasMark(limits: string, mark: Partial<InheritedMark>): boolean {
  const [, soft, hard] = /^Max file locks\s+(\d+)\s+(\d+)/m.exec(limits) ?? [];
  return soft !== undefined && (Number(soft) === mark.agent || Number(hard) === mark.session);
}
