/**
 * Who runs: processes by identity, by ancestry, by a mark in their environment and by one that they inherited.
 * Owns: reading /proc (Linux) or `ps` (macOS). Does not own: ending anything.
 *
 * 1. A pid is never trusted alone: identity is pid and start time, since pids come round again.
 * 2. A process that vanishes while it is looked at is simply not in the answer.
 */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import type { ProcessIdentity } from "../core/session.ts";
import { hasMark, type InheritedMark } from "./inherited-mark.ts";

export interface ProcessEntry extends ProcessIdentity {
  readonly parentPid: number;
  readonly groupId: number;
}

export interface ProcessTable {
  identity(pid: number): Promise<ProcessIdentity | undefined>;
  list(): Promise<readonly ProcessEntry[]>;
  /** Those of the given processes that still run. */
  living<P extends ProcessIdentity>(processes: readonly P[]): Promise<readonly P[]>;
  /** Command lines of those of them that still run. */
  commands(pids: readonly number[]): Promise<readonly string[]>;
  /** Pids of processes whose environment has exactly this `NAME=value`, or that inherited the limit (Linux). */
  marked(mark: string, limit?: Partial<InheritedMark>): Promise<readonly number[]>;
}

/** `path`: where `ps` is found. */
export function createProcessTable(platform: NodeJS.Platform, path: string): ProcessTable {
  return platform === "linux" ? createProcTable() : createPsTable((args) => ps(args, path));
}

/** Descendants of `roots` in a listing, without the roots. */
export function descendants(entries: readonly ProcessEntry[], roots: readonly number[]): readonly ProcessEntry[] {
  const found = new Map<number, ProcessEntry>();
  const parents = new Set(roots);
  for (let grown = true; grown;) {
    grown = false;
    for (const entry of entries) {
      if (!parents.has(entry.parentPid) || parents.has(entry.pid)) continue;
      parents.add(entry.pid);
      found.set(entry.pid, entry);
      grown = true;
    }
  }
  return [...found.values()];
}

function identityOf(entry: ProcessEntry | undefined): ProcessIdentity | undefined {
  return entry === undefined ? undefined : { pid: entry.pid, startedAt: entry.startedAt };
}

function sameAs<P extends ProcessIdentity>(processes: readonly P[], running: readonly ProcessEntry[]): readonly P[] {
  return processes.filter((one) => running.some((other) => other.pid === one.pid && other.startedAt === one.startedAt));
}

// ---------------------------------------------------------------- Linux

/** Fields of /proc/<pid>/stat after the name, which may itself hold blanks and brackets (proc(5)). */
const STATE = 0;
const PARENT = 1;
const GROUP = 2;
const START_TICKS = 19;

/** `boot` is part of the identity: start ticks count from boot. */
async function procEntry(pid: number, boot: string): Promise<ProcessEntry | undefined> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined; // gone
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[STATE] === "Z") return undefined;
  return {
    pid,
    startedAt: `${boot}/${fields[START_TICKS] ?? ""}`,
    parentPid: Number(fields[PARENT]),
    groupId: Number(fields[GROUP]),
  };
}

async function procPids(): Promise<readonly number[]> {
  const names = await readdir("/proc");
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

async function procHasMark(pid: number, mark: string): Promise<boolean> {
  try {
    const environment = await readFile(`/proc/${pid}/environ`);
    return `\0${environment.toString("latin1")}\0`.includes(`\0${mark}\0`);
  } catch {
    return false; // gone, or somebody else's
  }
}

/** Readable also where the environment is not. */
async function procHasLimit(pid: number, limit: Partial<InheritedMark>): Promise<boolean> {
  return readFile(`/proc/${pid}/limits`, "utf8").then(
    (limits) => hasMark(limits, limit),
    () => false, // gone
  );
}

async function procCommand(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "latin1")).replaceAll("\0", " ").trim();
  } catch {
    return ""; // gone
  }
}

function createProcTable(): ProcessTable {
  // Not readable in some containers; then the ticks alone have to do.
  const boot = readFile("/proc/sys/kernel/random/boot_id", "utf8").then(
    (text) => text.trim().slice(0, 8),
    () => "",
  );
  const entriesOf = async (pids: readonly number[]): Promise<readonly ProcessEntry[]> => {
    const known = await boot;
    const entries = await Promise.all(pids.map((pid) => procEntry(pid, known)));
    return entries.filter((entry) => entry !== undefined);
  };
  return {
    identity: async (pid) => identityOf((await entriesOf([pid]))[0]),
    list: async () => entriesOf(await procPids()),
    living: async (processes) => sameAs(processes, await entriesOf(processes.map(({ pid }) => pid))),
    commands: async (pids) => Promise.all(pids.map(procCommand)),
    marked: async (mark, limit) => {
      const pids = await procPids();
      const isMarked = async (pid: number): Promise<boolean> =>
        (await procHasMark(pid, mark)) || (limit !== undefined && (await procHasLimit(pid, limit)));
      const found = await Promise.all(pids.map(isMarked));
      return pids.filter((_, index) => found[index]);
    },
  };
}

// ---------------------------------------------------------------- macOS, and whoever has a ps

type Ps = (args: readonly string[]) => Promise<string | undefined>;

function ps(args: readonly string[], path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { env: { PATH: path, LC_ALL: "C" }, maxBuffer: 64 * 1024 * 1024 };
    execFile("ps", args, options, (error, stdout) => resolve(error ? undefined : stdout));
  });
}

const rows = (text: string | undefined): readonly string[] =>
  (text ?? "").split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));

/** Each in an option of its own: elsewhere than on Linux a header reaches to the end of the argument. */
const columns = (...names: readonly string[]): readonly string[] => names.flatMap((name) => ["-o", `${name}=`]);

function createPsTable(run: Ps): ProcessTable {
  const entriesOf = async (...which: readonly string[]): Promise<readonly ProcessEntry[]> =>
    rows(await run([...which, ...columns("pid", "ppid", "pgid", "stat", "lstart")])).flatMap((line) => {
      const [pid, parent, group, state, ...started] = line.split(/\s+/);
      if (state === undefined || state.startsWith("Z")) return [];
      return [{ pid: Number(pid), parentPid: Number(parent), groupId: Number(group), startedAt: started.join(" ") }];
    });
  return {
    identity: async (pid) => identityOf((await entriesOf("-p", String(pid)))[0]),
    list: () => entriesOf("-A"),
    living: async (processes) => {
      if (processes.length === 0) return [];
      return sameAs(processes, await entriesOf("-p", processes.map(({ pid }) => pid).join(",")));
    },
    commands: async (pids) => {
      if (pids.length === 0) return [];
      return rows(await run(["-ww", "-p", pids.join(","), ...columns("command")]));
    },
    marked: async (mark) => {
      // -E shows the environment on macOS; other systems have the old `e` for it.
      const text =
        (await run(["-axEww", ...columns("pid", "command")])) ?? (await run(["axeww", ...columns("pid", "command")]));
      return rows(text).flatMap((line) => {
        const words = line.split(" ");
        return words.includes(mark, 1) ? [Number(words[0])] : [];
      });
    },
  };
}
