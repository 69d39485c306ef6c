/** Processes that have cleared their environment and left their group, session and parents, and are found all the same (Linux). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { hasMark, marked, markOf } from "../../src/agent/inherited-mark.ts";
import { DemoWorld, say } from "./demo-world.ts";
import { gone, running } from "./leftovers.ts";

/** A shell that nothing ties to who started it but what every process inherits; it writes down its pid. */
const runaway = (seconds: number): string =>
  `env -i /usr/bin/setsid /bin/sh -c 'trap "" HUP; echo $$ > pid; exec /bin/sleep ${seconds}' > /dev/null 2>&1 &`;

async function pidIn(world: DemoWorld): Promise<number> {
  for (;;) {
    const text = await world.file("pid");
    if (text?.endsWith("\n") === true) return Number(text);
    await new Promise(setImmediate);
  }
}

describe("a process that has left everything", () => {
  test.each(["stdio", "websocket"] as const)("[G8] over %s it goes with a stop", async (transport) => {
    await using world = await DemoWorld.create({ transport });
    const { connection, heard } = await world.open();
    await connection.prompt(1, say(`run: ${runaway(341)}`));
    await heard.turnEnd(1);
    const pid = await pidIn(world);
    expect(await running([], [pid])).toEqual([pid]);
    expect(await connection.stop()).toEqual({ clean: true, left: [] });
    expect(await running([], [pid])).toEqual([]);
  });

  test("[G8] it goes when the agent crashes", async () => {
    await using world = await DemoWorld.create();
    const { connection, heard } = await world.open();
    await connection.prompt(1, say(`run: ${runaway(342)}\nrun: while [ ! -s pid ]; do sleep 0.01; done\ncrash 7`));
    expect(await heard.exit()).toMatchObject({ code: 7 });
    await gone([], [await pidIn(world)]);
  });

  test("[G8] it goes when the gateway is killed", async () => {
    await using world = await DemoWorld.create();
    const script = `run: ${runaway(343)} sleep 344`;
    const owner = spawn(
      process.execPath,
      [join(import.meta.dirname, "agent-owner.ts"), "stdio", world.folder, `mark-${process.pid}`, script],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const lines = createInterface({ input: owner.stdout })[Symbol.asyncIterator]();
    for (const _said of ["started", "opened", "working"]) await lines.next();
    const pid = await pidIn(world);
    owner.kill("SIGKILL");
    await once(owner, "exit");
    await gone([`mark-${process.pid}`], [pid]);
  });

  test("[G8] it is found by the next gateway, for its session's sake", async () => {
    await using world = await DemoWorld.create();
    const sessionId = `mark-reap-${process.pid}`;
    const { command, args } = marked(markOf(sessionId), "/bin/sleep", ["345"]);
    const stray = spawn(command, args, { env: {}, detached: true, stdio: "ignore" });
    const other = spawn("/bin/sleep", ["346"], { env: {}, detached: true, stdio: "ignore" });
    const cmdline = async (): Promise<string> => (await world.file(`../../proc/${stray.pid}/cmdline`)) ?? "";
    while (!(await cmdline()).startsWith("/bin/sleep")) await new Promise(setImmediate);
    expect(await world.launcher().reap(`${sessionId}-other`, undefined)).toEqual({ ended: 0 });
    expect(await world.launcher().reap(sessionId, undefined)).toEqual({ ended: 1 });
    await gone([], [stray.pid ?? 0]);
    expect(await running([], [other.pid ?? 0])).toEqual([other.pid]);
    other.kill("SIGKILL");
  });
});

describe("the mark", () => {
  test("names one agent and its session, in numbers that any shell can set", () => {
    const [one, two, other] = [markOf("a"), markOf("a"), markOf("b")];
    expect(one.agent).not.toBe(two.agent);
    expect(one.session).toBe(two.session);
    expect(one.session).not.toBe(other.session);
    for (const { agent, session } of [one, two, other]) {
      expect(agent).toBeLessThan(session);
      expect(Number.isSafeInteger(agent) && Number.isSafeInteger(session)).toBe(true);
    }
  });

  test.each(["dash", "bash"])(
    "is set by %s, and the program runs with its own arguments, and its end is told",
    async (shell) => {
      const mark = markOf("shells");
      const { args } = marked(mark, "/bin/sh", ["-c", 'cat /proc/self/limits; echo "$1"; exit 7', "x", "a b'c\"d"]);
      const child = spawn(shell, args, { env: { PATH: process.env["PATH"] }, stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
      expect(await once(child, "close")).toEqual([7, null]);
      expect(said.endsWith("a b'c\"d\n")).toBe(true);
      expect(hasMark(said, { agent: mark.agent })).toBe(true);
      expect(hasMark(said, { session: mark.session })).toBe(true);
      expect(hasMark(said, { agent: mark.agent + 1, session: mark.session + 1 })).toBe(false);
    },
  );

  test("limits without one have none", () => {
    expect(hasMark("Max file locks            unlimited            unlimited            locks\n", markOf("x"))).toBe(
      false,
    );
    expect(hasMark("", {})).toBe(false);
  });
});
