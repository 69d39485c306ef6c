/**
 * The gateway dies and nobody is left to clean up but the guard.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "vitest";
import { DemoWorld } from "./demo-world.ts";
import { below, gone, guards, running } from "./leftovers.ts";

describe("when the process that owns the agent is killed with -9", () => {
  const owners: ChildProcess[] = [];

  afterEach(() => {
    for (const child of owners.splice(0)) child.kill("SIGKILL");
  });

  async function owner(transport: string, world: DemoWorld, sessionId: string, script: string, path?: string) {
    const args = [join(import.meta.dirname, "agent-owner.ts"), transport, world.folder, sessionId, script];
    const child = spawn(process.execPath, path === undefined ? args : [...args, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    owners.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const told = async (): Promise<Record<string, unknown>> =>
      JSON.parse(String((await lines.next()).value)) as Record<string, unknown>;
    const kill = async (): Promise<void> => {
      child.kill("SIGKILL");
      await once(child, "exit");
    };
    return { told, kill, pid: child.pid ?? 0 };
  }

  test.each(["stdio", "websocket"])(
    "over %s: agent and shells are gone, and the guard with them",
    async (transport) => {
      await using world = await DemoWorld.create();
      const sessionId = `guard-${transport}-${process.pid}`;
      const script = "run: trap '' TERM; setsid sleep 321 & sleep 322 & sleep 323; true";
      const { told, kill, pid } = await owner(transport, world, sessionId, script);
      await told();
      await told();
      await told();
      let all = await below(pid);
      while (all.length < 6) all = await below(pid);
      const mine = await guards(pid);
      expect(mine).toHaveLength(1);
      await kill();
      await gone([sessionId], all);
      await gone([], mine);
    },
  );

  test("right after the start, before anything was said", async () => {
    await using world = await DemoWorld.create();
    const sessionId = `guard-early-${process.pid}`;
    const { told, kill } = await owner("stdio", world, sessionId, "hang");
    const { started } = await told();
    await kill();
    await gone([sessionId], [Number(started)]);
  });

  test("although the agent's PATH has none of the system's tools", async () => {
    await using world = await DemoWorld.create();
    const sessionId = `guard-path-${process.pid}`;
    const script = "run: /bin/sleep 328 & /bin/sleep 329; true";
    const { told, kill, pid } = await owner("stdio", world, sessionId, script, "/nonexistent");
    await told();
    await told();
    await told();
    // Guard, agent, shell and two sleeps.
    let all = await below(pid);
    while (all.length < 5) all = await below(pid);
    await kill();
    await gone([sessionId], all);
  });

  test("an agent that ignores SIGTERM goes, too", async () => {
    await using world = await DemoWorld.create();
    const sessionId = `guard-deaf-${process.pid}`;
    const { told, kill } = await owner("stdio", world, sessionId, "run: kill -STOP $PPID; sleep 324");
    const { started } = await told();
    await told();
    await told();
    await kill();
    await gone([sessionId], [Number(started)]);
  });

  test("a clean stop needs no guard: it goes and touches nothing", async () => {
    await using world = await DemoWorld.create();
    const { connection } = await world.open();
    const mine = await guards(process.pid);
    expect(mine.length).toBeGreaterThan(0);
    await connection.stop();
    await gone([], mine);
  });

  test("what an agent left is ended by the reaper of the next gateway, by the session's mark", async () => {
    await using world = await DemoWorld.create();
    const sessionId = `guard-reap-${process.pid}`;
    const env = { PATH: process.env["PATH"] ?? "", IFLOW_PLUGIN_SESSION: sessionId };
    const stray = spawn("/bin/sh", ["-c", "trap '' TERM; sleep 325 & sleep 326; true"], {
      env,
      detached: true,
      stdio: "ignore",
    });
    while ((await running([sessionId])).length < 3) await new Promise(setImmediate);
    const launcher = world.launcher({ deadlines: { termMs: 200, killMs: 20_000 } });
    expect((await launcher.reap(sessionId, undefined)).ended).toBe(3);
    expect(await running([sessionId], [stray.pid ?? 0])).toEqual([]);
  });

  test("the reaper does not touch a process whose pid came round again", async () => {
    await using world = await DemoWorld.create();
    const innocent = spawn("sleep", ["327"], { stdio: "ignore" });
    owners.push(innocent);
    await once(innocent, "spawn");
    const identity = { pid: innocent.pid ?? 0, startedAt: "another time" };
    expect(await world.launcher().reap("guard-nobody", identity)).toEqual({ ended: 0 });
    expect(await running([], [identity.pid])).toEqual([identity.pid]);
  });
});
