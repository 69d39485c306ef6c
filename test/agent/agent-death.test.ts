/**
 * An agent that dies, and an agent that has to be ended, at every moment of its life. Real processes.
 */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AgentConnection } from "../../src/ports.ts";
import { DemoWorld, say, SESSION } from "./demo-world.ts";
import { below, gone, running } from "./leftovers.ts";
import { Listener } from "./listener.ts";
import { openMemoryConnection } from "./memory-transport.ts";

const pidOf = (connection: AgentConnection): number => connection.identity?.pid ?? 0;

async function killed(connection: AgentConnection, heard: Listener): Promise<void> {
  process.kill(pidOf(connection), "SIGKILL");
  const report = await heard.exit();
  expect(report).toMatchObject({ code: null, signal: "SIGKILL", cause: "exited" });
  await heard.until(() => heard.over);
  expect(heard.events.at(-1)?.kind).toBe("exited");
}

describe.each(["stdio", "websocket"] as const)("an agent killed with -9, over %s", (transport) => {
  test("after its start: opening a session says so", async () => {
    await using world = await DemoWorld.create({ transport });
    const connection = await world.start(undefined, "death-spawned");
    await killed(connection, new Listener(connection));
    await expect(connection.open(SESSION, new AbortController().signal)).rejects.toMatchObject({
      code: "agent_exited",
      message: expect.stringContaining("SIGKILL"),
    });
    await gone(["death-spawned"], []);
  });

  test.each(["initialize", "session/new"])("while %s is open: open rejects with the cause", async (method) => {
    await using world = await DemoWorld.create({ transport });
    const connection = await world.start(world.launcher({}, `silent=${method}`), "death-handshake");
    const heard = new Listener(connection);
    const opening = connection.open(SESSION, new AbortController().signal);
    const refused = expect(opening).rejects.toMatchObject({ code: "agent_exited" });
    await heard.until(() => heard.events.length >= (method === "initialize" ? 1 : 2));
    await killed(connection, heard);
    await refused;
    await gone(["death-handshake"], []);
  });

  test("while it waits for the model: no end of the turn is invented", async () => {
    await using world = await DemoWorld.create({ transport });
    const { connection, heard } = await world.open();
    await connection.prompt(1, say("say: one\nhang"));
    await heard.until(() => heard.text.includes("one"));
    await killed(connection, heard);
    expect(heard.of("turn-ended")).toEqual([]);
    expect(heard.of("turn-failed")).toEqual([]);
    await expect(connection.prompt(2, say("say: two"))).rejects.toMatchObject({ code: "agent_exited" });
    expect((await world.received()).map(({ text }) => text)).toEqual(["say: one\nhang"]);
  });

  test("while a permission is open: the request is stale", async () => {
    await using world = await DemoWorld.create({ transport });
    const { connection, heard } = await world.open({ mode: "default" });
    await connection.prompt(1, say("write a.txt: x"));
    const { requestId } = await heard.request(0);
    await killed(connection, heard);
    expect(connection.reply(requestId, { kind: "selected", optionId: "proceed_once" })).toBe("stale");
    expect(await world.file("a.txt")).toBeUndefined();
  });

  test("while a command runs: its shell, which has a group of its own, goes too", async () => {
    await using world = await DemoWorld.create({ transport });
    const { connection, heard } = await world.open();
    await connection.prompt(1, say("run: sleep 301 & sleep 302"));
    await heard.until(() => heard.of("tool").some(({ status }) => status === "in_progress"));
    let shells = await below(pidOf(connection));
    while (shells.length < 3) shells = await below(pidOf(connection));
    await killed(connection, heard);
    await gone([], shells);
    expect(await connection.stop()).toEqual({ clean: true, left: [] });
  });
});

describe("an agent that is gone before anybody could listen to it", () => {
  /** Long before the handshake's deadline, which is not to be what tells it. */
  const SOON_MS = 10_000;

  test.each([
    ["exit 127", 127, []],
    ["echo out; exit 3", 3, ["out"]],
    ["printf 'no newline'; exit 4", 4, ["no newline"]],
    ["exec no-such-program", 127, []],
  ] as const)("%s: open says so, stop ends, what it said is kept", { timeout: 60_000 }, async (body, code, said) => {
    await using world = await DemoWorld.create({ deadlines: { handshakeMs: 3 * SOON_MS } });
    const command = join(world.folder, "quick");
    await writeFile(command, `#!/bin/sh\n${body}\n`);
    await chmod(command, 0o755);
    for (let round = 0; round < 5; round += 1) {
      const connection = await world.start(world.launcher({ command }));
      const heard = new Listener(connection);
      const began = performance.now();
      await expect(connection.open(SESSION, new AbortController().signal)).rejects.toMatchObject({
        code: "agent_exited",
        message: expect.stringContaining(`exited with code ${code}.`),
      });
      expect(await connection.stop()).toEqual({ clean: true, left: [] });
      expect(performance.now() - began).toBeLessThan(SOON_MS);
      expect(heard.of("log").map(({ text }) => text)).toEqual(said);
      expect(await heard.exit()).toMatchObject({ code, signal: null, cause: "exited" });
    }
  });
});

test("a child that has the dead agent's output and goes on writing does not hide the death", async () => {
  await using world = await DemoWorld.create();
  const command = join(world.folder, "chatty.mjs");
  const chat = `setInterval(() => console.log("still here"), 10)`;
  const stdio = ["ignore", "inherit", "ignore"];
  const options = JSON.stringify({ detached: true, env: {}, stdio });
  const script = [
    `import { spawn } from "node:child_process";`,
    `console.log(spawn(process.execPath, ["-e", ${JSON.stringify(chat)}], ${options}).pid);`,
    `setTimeout(() => process.stdout.write("last word\\n", () => process.exit(3)), 1_000);`,
  ];
  await writeFile(command, `#!${process.execPath}\n${script.join("\n")}\n`);
  await chmod(command, 0o755);
  const connection = await world.start(world.launcher({ command }));
  const heard = new Listener(connection);
  const { text: child } = await heard.until(() => heard.of("log").find(({ text }) => /^\d+$/.test(text)));
  expect(await heard.exit(20_000)).toMatchObject({ code: 3, cause: "exited" });
  expect(heard.of("log").map(({ text }) => text)).toContain("last word");
  await gone([], [Number(child)]);
});

describe("stopping", () => {
  async function withShell(command: string, quirks = "") {
    const world = await DemoWorld.create({ deadlines: { cancelMs: 300, termMs: 500, killMs: 20_000 } });
    const { connection, heard } = await world.open({}, world.launcher({}, quirks));
    await connection.prompt(1, say(`run: ${command}`));
    await heard.until(() => heard.of("tool").some(({ status }) => status === "in_progress"));
    let pids = await below(pidOf(connection));
    while (pids.length < 2) pids = await below(pidOf(connection));
    return { world, connection, heard, pids: [pidOf(connection), ...pids] };
  }

  test("a running command ends by the cancel, the agent by SIGTERM", async () => {
    const { world, connection, heard, pids } = await withShell("sleep 303 & sleep 304; true");
    await using _ = world;
    expect(await connection.stop()).toEqual({ clean: true, left: [] });
    expect(await running([], pids)).toEqual([]);
    expect(await heard.exit()).toMatchObject({ code: 143, cause: "stopped" });
  });

  test.each(["ignore-cancel", "ignore-sigterm", "ignore-cancel ignore-sigterm"])(
    "with %s everything goes all the same",
    async (quirks) => {
      const { world, connection, heard, pids } = await withShell("trap '' TERM; sleep 305 & sleep 306; true", quirks);
      await using _ = world;
      expect(await connection.stop()).toEqual({ clean: true, left: [] });
      expect(await running([], pids)).toEqual([]);
      expect((await heard.exit()).cause).toBe("stopped");
    },
  );

  test("a process that has left its group, its parent and its session is found by the mark", async () => {
    const { world, connection, pids } = await withShell(
      "setsid sh -c 'setsid sleep 307 & sleep 308' & sleep 309; true",
    );
    await using _ = world;
    expect(await connection.stop()).toEqual({ clean: true, left: [] });
    expect(await running([], pids)).toEqual([]);
  });

  test("an agent that was stopped by the system is ended too", async () => {
    await using world = await DemoWorld.create({ deadlines: { cancelMs: 100, termMs: 200, killMs: 20_000 } });
    const { connection, heard } = await world.open();
    await connection.prompt(1, say("hang"));
    process.kill(pidOf(connection), "SIGSTOP");
    expect(await connection.stop()).toEqual({ clean: true, left: [] });
    expect(await heard.exit()).toMatchObject({ signal: "SIGKILL", cause: "stopped" });
  });

  test("a background process that an agent left when it crashed goes at once, without a stop", async () => {
    await using world = await DemoWorld.create();
    const connection = await world.start(undefined, "death-left");
    const heard = new Listener(connection);
    await connection.open(SESSION, new AbortController().signal);
    await connection.prompt(1, say("run: setsid sleep 310 > /dev/null 2>&1 &\ncrash 7"));
    expect(await heard.exit()).toMatchObject({ code: 7, cause: "exited" });
    await gone(["death-left"], []);
  });

  test("stderr's last words and the exit code are told", async () => {
    await using world = await DemoWorld.create();
    const connection = await world.start(world.launcher({}, "exit-at-start=9"));
    const opening = connection.open(SESSION, new AbortController().signal);
    await expect(opening).rejects.toMatchObject({
      code: "agent_exited",
      message: expect.stringMatching(/exited with code 9\. Its last words on stderr: .*was told so/),
    });
  });

  test("a transport that never tells its end holds up no stop", { timeout: 60_000 }, async () => {
    const { transport, connection } = await openMemoryConnection();
    const heard = new Listener(connection);
    transport.close = () => undefined;
    expect(await connection.stop()).toEqual({ clean: true, left: [] });
    expect(await heard.exit()).toMatchObject({ cause: "stopped" });
    // An end that comes all the same is no second one.
    transport.end();
    await heard.until(() => heard.over);
    expect(heard.of("exited")).toHaveLength(1);
  });

  test("five at once", async () => {
    await using world = await DemoWorld.create();
    const all = await Promise.all(Array.from({ length: 5 }, () => world.open()));
    await Promise.all(all.map(({ connection }) => connection.prompt(1, say("run: sleep 311"))));
    await Promise.all(all.map(({ heard }) => heard.until(() => heard.of("tool").length >= 2)));
    const ended = await Promise.all(all.map(({ connection }) => connection.stop()));
    expect(ended).toEqual(Array.from({ length: 5 }, () => ({ clean: true, left: [] })));
  });
});
