/** A websocket agent that would listen for other machines (its ports are read in /proc: Linux). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isReachable, listeningAtHome } from "../../src/agent/loopback-only.ts";
import { DEMO_AGENT, DemoWorld, say } from "./demo-world.ts";

const portOf = (texts: readonly { readonly text: string }[]): number =>
  Number(/ws:\/\/127\.0\.0\.1:(\d+)/.exec(texts.map(({ text }) => text).join("\n"))?.[1]);

test("[H12] it listens on the loopback alone, and what it starts has nothing of that", async () => {
  await using world = await DemoWorld.create({ transport: "websocket" });
  const { connection, heard } = await world.open({}, world.launcher({}, "all-interfaces"));
  expect(await isReachable(portOf(heard.of("log")))).toBe(false);
  await connection.prompt(1, say("env NODE_OPTIONS\nrun: printenv NODE_OPTIONS || echo none > a.txt"));
  await heard.turnEnd(1);
  expect(heard.text).toContain("NODE_OPTIONS is not set");
  expect(await world.file("a.txt")).toBe("none\n");
  expect(world.logged).toEqual([]);
});

test("[H12] options of the configuration stay, for it and for what it starts", async () => {
  const env = { NODE_OPTIONS: "--max-old-space-size=300" };
  await using world = await DemoWorld.create({ transport: "websocket", env });
  const { connection, heard } = await world.open({}, world.launcher({ env }, "all-interfaces"));
  expect(await isReachable(portOf(heard.of("log")))).toBe(false);
  await connection.prompt(1, say("env NODE_OPTIONS"));
  await heard.turnEnd(1);
  expect(heard.text).toContain("NODE_OPTIONS=--max-old-space-size=300\n");
});

test("[H12] where that can't be done, as for a program that clears its environment, the gateway's log says so", async () => {
  await using world = await DemoWorld.create({ transport: "websocket" });
  const command = join(world.folder, "agent");
  await writeFile(command, `#!/bin/sh\nunset NODE_OPTIONS\nexec "${process.execPath}" "${DEMO_AGENT}" "$@"\n`);
  await chmod(command, 0o755);
  await world.open({}, world.launcher({ command }, "all-interfaces"));
  expect(world.logged.join("\n")).toMatch(/listens on port \d+ for other machines as well, and asks nobody for a key/);
});

test("every way to listen for all is one to listen at home; a host that was named stays", async () => {
  const ways = [
    "0",
    '"0"',
    '0, "::"',
    '0, "0.0.0.0"',
    '0, "", 5',
    "{ port: 0 }",
    '{ port: 0, host: "::" }',
    '0, "127.0.0.2"',
  ];
  const script = `
    const net = require("node:net");
    const open = (way) => new Promise((done) => { const s = net.createServer(); eval("s.listen(" + way + ")"); s.on("listening", () => done(s.address().address)); });
    Promise.all(${JSON.stringify(ways)}.map(open)).then((all) => { console.log(JSON.stringify(all)); process.exit(0); });
  `;
  const child = spawn(process.execPath, ["-e", script], {
    env: { ...listeningAtHome({ PATH: process.env["PATH"] ?? "" }) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await once(child, "close");
  expect(JSON.parse(said)).toEqual([...ways.slice(0, -1).map(() => "127.0.0.1"), "127.0.0.2"]);
});

test("what listens for others is told from what does not", async () => {
  for (const [host, reachable] of [
    ["127.0.0.1", false],
    ["::1", false],
    ["::ffff:127.0.0.1", false],
    ["0.0.0.0", true],
    ["::", true],
  ] as const) {
    const server = createServer().listen(0, host);
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    expect([host, await isReachable(port)]).toEqual([host, reachable]);
    server.close();
    await once(server, "close");
    expect(await isReachable(port)).toBeUndefined();
  }
});
