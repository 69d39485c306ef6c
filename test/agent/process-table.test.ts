import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProcessGuard } from "../../src/agent/process-guard.ts";
import { createProcessTable, descendants } from "../../src/agent/process-table.ts";
import { gone, running } from "./leftovers.ts";

const PATH = process.env["PATH"] ?? "";
const MARK = `IFLOW_PLUGIN_SESSION=table-${process.pid}`;

/** `ps` is what macOS has; here it reads the same processes as /proc does. */
describe.each(["linux", "darwin"] as const)("process table as on %s", (platform) => {
  const table = createProcessTable(platform, PATH);
  let child: ChildProcess;
  let pid: number;

  beforeEach(async () => {
    child = spawn("/bin/sh", ["-c", "sleep 331 & sleep 332; true"], {
      env: { PATH, IFLOW_PLUGIN_SESSION: `table-${process.pid}`, EMPTY: "" },
      detached: true,
      stdio: "ignore",
    });
    await once(child, "spawn");
    pid = child.pid ?? 0;
    while ((await running([`table-${process.pid}`])).length < 3) await new Promise(setImmediate);
  });

  afterEach(async () => {
    // A test may have ended it already; then its group is gone, too.
    if (child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-pid, "SIGKILL");
    await once(child, "exit");
    // Its children carry the mark of the next test, too.
    await gone([`table-${process.pid}`]);
  });

  test("a process is known by pid and start time, its children by their parent and group", async () => {
    const identity = await table.identity(pid);
    expect(identity?.pid).toBe(pid);
    expect(identity?.startedAt).not.toBe("");
    const entries = await table.list();
    expect(entries.find((entry) => entry.pid === pid)).toMatchObject({
      ...identity,
      parentPid: process.pid,
      groupId: pid,
    });
    expect(descendants(entries, [pid])).toHaveLength(2);
    expect(descendants(entries, [pid]).every(({ groupId }) => groupId === pid)).toBe(true);
  });

  test("the mark finds all of them and nothing else", async () => {
    // While a process turns into another program, its environment can't be read for a moment.
    await expect.poll(() => table.marked(MARK)).toHaveLength(3);
    expect(await table.marked(MARK)).toContain(pid);
    expect(await table.marked(`${MARK}0`)).toEqual([]);
    expect(await table.marked(MARK.slice(0, -1))).toEqual([]);
  });

  test("living sees who has gone, and who is somebody else under the same pid", async () => {
    const identity = await table.identity(pid);
    if (identity === undefined) throw new Error("it runs");
    const other = { pid, startedAt: "another time" };
    expect(await table.living([identity, other])).toEqual([identity]);
    process.kill(-pid, "SIGKILL");
    await once(child, "exit");
    expect(await table.living([identity])).toEqual([]);
    expect(await table.identity(pid)).toBeUndefined();
    expect(await table.living([])).toEqual([]);
  });
});

describe("the guard's script", () => {
  test.each(["/proc", "/nonexistent"])(
    "ends what carries the mark and what is below the agent, with processes read from %s",
    async (proc) => {
      const own = `guard-${process.pid}-${proc.length}`;
      const guard = ProcessGuard.start({ mark: own, limit: 0 }, PATH, () => {}, proc);
      const script = "trap '' TERM; env -i setsid sleep 341 & sleep 342 & sleep 343; true";
      const agent = spawn("/bin/sh", ["-c", script], {
        env: { PATH, IFLOW_PLUGIN_AGENT: own },
        detached: true,
        stdio: "ignore",
      });
      const exited = once(agent, "exit");
      const stray = spawn("sleep", ["344"], {
        env: { PATH, IFLOW_PLUGIN_AGENT: own },
        detached: true,
        stdio: "ignore",
      });
      const bystander = spawn("sleep", ["345"], {
        env: { PATH, IFLOW_PLUGIN_AGENT: `${own}x`.slice(1) },
        stdio: "ignore",
      });
      const table = createProcessTable("linux", PATH);
      let below = descendants(await table.list(), [agent.pid ?? 0]);
      while (below.length < 3) below = descendants(await table.list(), [agent.pid ?? 0]);
      guard.watch(agent.pid ?? 0);
      guard.abandon();
      await exited;
      await gone([], [agent.pid ?? 0, stray.pid ?? 0, ...below.map(({ pid }) => pid)]);
      expect(await running([], [bystander.pid ?? 0])).toEqual([bystander.pid]);
      bystander.kill("SIGKILL");
    },
  );

  test("a guard that dies is told, once", async () => {
    const lost: string[] = [];
    const guard = ProcessGuard.start({ mark: `guard-lost-${process.pid}`, limit: 0 }, PATH, (reason) =>
      lost.push(reason),
    );
    process.kill(guard.pid, "SIGKILL");
    await gone([], [guard.pid]);
    await new Promise(setImmediate);
    expect(lost).toEqual(["it exited (SIGKILL)"]);
    guard.watch(1);
    guard.done();
  });
});
