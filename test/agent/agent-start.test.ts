/** Finding and starting an agent, and what is said when that fails. */
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findAgentCommand } from "../../src/agent/agent-command.ts";
import { agentEnvironment } from "../../src/agent/agent-environment.ts";
import { DEMO_AGENT, DemoWorld, say } from "./demo-world.ts";
import { guards } from "./leftovers.ts";

const forever = new AbortController().signal;

async function executable(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "#!/bin/sh\n");
  await chmod(path, 0o755);
  return path;
}

describe("finding the command", () => {
  test("iflow goes before iflow-ce, wherever they are; PATH goes first", async () => {
    await using world = await DemoWorld.create();
    const hostEnv = { PATH: join(world.folder, "a"), HOME: world.folder };
    const community = await executable(join(world.folder, "a", "iflow-ce"));
    expect(await findAgentCommand({ hostEnv })).toEqual({ command: community });
    const usual = await executable(join(world.folder, ".npm-global", "bin", "iflow"));
    expect(await findAgentCommand({ hostEnv })).toEqual({ command: usual });
    const onPath = await executable(join(world.folder, "a", "iflow"));
    expect(await findAgentCommand({ hostEnv })).toEqual({ command: onPath });
  });

  test("the newest nvm version wins", async () => {
    await using world = await DemoWorld.create();
    const at = (version: string) => join(world.folder, ".nvm", "versions", "node", version, "bin", "iflow");
    await executable(at("v9.0.0"));
    const newest = await executable(at("v22.1.0"));
    expect(await findAgentCommand({ hostEnv: { PATH: "", HOME: world.folder } })).toEqual({ command: newest });
  });

  test("a configured command is taken and nothing else", async () => {
    await using world = await DemoWorld.create();
    const hostEnv = { PATH: join(world.folder, "a"), HOME: world.folder };
    const mine = await executable(join(world.folder, "bin", "mine"));
    await executable(join(world.folder, "a", "iflow"));
    expect(await findAgentCommand({ hostEnv, command: mine })).toEqual({ command: mine });
    expect(await findAgentCommand({ hostEnv, command: "~/bin/mine" })).toEqual({ command: mine });
    expect(await findAgentCommand({ hostEnv, command: "iflow" })).toEqual({
      command: join(world.folder, "a", "iflow"),
    });
    expect(await findAgentCommand({ hostEnv, env: { PATH: join(world.folder, "bin") }, command: "mine" })).toEqual({
      command: mine,
    });
  });

  test.each([
    [
      "/nowhere/iflow",
      /agent\.command is "\/nowhere\/iflow", which is no executable file\. .*iflow-ce.*API key.*base URL/,
    ],
    ["no-such-name", /agent\.command is "no-such-name", which is no executable file on PATH\./],
    ["./relative/iflow", /agent\.command is "\.\/relative\/iflow": give an absolute path/],
  ])("%s is missing, and the message says what to do", async (command, message) => {
    expect(await findAgentCommand({ command, hostEnv: { PATH: "/bin", HOME: "/nowhere" } })).toEqual({
      missing: expect.stringMatching(message),
    });
  });

  test("a folder or a file that can't be run is no command; a link to one is", async () => {
    await using world = await DemoWorld.create();
    const hostEnv = { PATH: join(world.folder, "a"), HOME: world.folder };
    await mkdir(join(world.folder, "a", "iflow"), { recursive: true });
    await writeFile(join(world.folder, "a", "iflow-ce"), "");
    expect(await findAgentCommand({ hostEnv })).toEqual({ missing: expect.stringContaining("April 2026") });
    await symlink(await executable(join(world.folder, "b", "real")), join(world.folder, "a", "linked"));
    expect(await findAgentCommand({ hostEnv, command: "linked" })).toEqual({
      command: join(world.folder, "a", "linked"),
    });
  });
});

describe("the environment", () => {
  test("is an allowlist; the folders of command and node end the PATH", () => {
    const inherited = {
      PATH: "/bin::/usr/bin",
      HOME: "/home/me",
      LC_CTYPE: "C",
      LANG: "C",
      https_proxy: "p",
      IFLOW_apiKey: "old",
      iflow_theme: "t",
      OPENCLAW_X: "x",
      openclaw_y: "y",
      SECRET: "s",
      NODE_OPTIONS: "--inspect",
      SHELL: undefined,
    };
    const made = agentEnvironment(
      inherited,
      { A: "a", OPENCLAW_Z: "z" },
      { IFLOW_apiKey: "new" },
      "/opt/iflow/bin/iflow",
    );
    expect(made).toEqual({
      PATH: ["/bin", "/usr/bin", "/opt/iflow/bin", dirname(process.execPath)].join(":"),
      HOME: "/home/me",
      LC_CTYPE: "C",
      LANG: "C",
      https_proxy: "p",
      IFLOW_apiKey: "new",
      iflow_theme: "t",
      A: "a",
    });
  });
});

describe("starting", () => {
  test.each(["stdio", "websocket"] as const)("over %s, what can't be started leaves nothing", async (transport) => {
    await using world = await DemoWorld.create({ transport });
    const spec = { sessionId: "start", workdir: world.folder };
    const missing = world.launcher({ command: "/nowhere/iflow" }).start(spec, forever);
    await expect(missing).rejects.toMatchObject({ code: "agent_missing" });
    const nowhere = world.launcher().start({ ...spec, workdir: join(world.folder, "gone") }, forever);
    await expect(nowhere).rejects.toMatchObject({
      code: "agent_start_failed",
      message: expect.stringContaining("ENOENT"),
    });
    const file = world.launcher().start({ ...spec, workdir: DEMO_AGENT }, forever);
    await expect(file).rejects.toMatchObject({
      code: "agent_start_failed",
      message: expect.stringContaining("no directory"),
    });
    const broken = join(world.folder, "broken");
    await writeFile(broken, "#!/nowhere/interpreter\n");
    await chmod(broken, 0o755);
    await expect(world.launcher({ command: broken }).start(spec, forever)).rejects.toMatchObject({
      code: "agent_start_failed",
    });
    await expect.poll(() => guards(process.pid)).toEqual([]);
  });

  test("a websocket agent that ends before it listens", async () => {
    await using world = await DemoWorld.create({ transport: "websocket" });
    await expect(world.start(world.launcher({}, "exit-at-start=4"))).rejects.toMatchObject({
      code: "agent_start_failed",
      message: expect.stringMatching(/exited \(code 4\) before it listened on port \d+\. .*was told so/),
    });
  });

  test("a websocket agent that never says that it listens", async () => {
    await using world = await DemoWorld.create({ transport: "websocket", deadlines: { startMs: 300 } });
    await expect(world.start(world.launcher({}, "start-delay=60000"))).rejects.toMatchObject({
      code: "agent_start_failed",
      message: expect.stringMatching(/has not said within 0\.3 s that it listens on port \d+/),
    });
  });

  test("an abort while a websocket agent starts", async () => {
    await using world = await DemoWorld.create({ transport: "websocket" });
    const abort = new AbortController();
    const starting = world
      .launcher({}, "start-delay=60000")
      .start({ sessionId: "start", workdir: world.folder }, abort.signal);
    const refused = expect(starting).rejects.toThrow("not now");
    setImmediate(() => abort.abort(new Error("not now")));
    await refused;
  });

  test("an address where nobody listens, and one that is no agent", async () => {
    await using world = await DemoWorld.create();
    const server = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const url = `ws://127.0.0.1:${port}/acp`;
    await expect(world.start(world.launcher({ url }))).rejects.toMatchObject({
      code: "agent_start_failed",
      message: expect.stringContaining(url),
    });
    await new Promise((resolve) => server.close(resolve));
    await expect(world.start(world.launcher({ url }))).rejects.toMatchObject({
      code: "agent_start_failed",
      message: expect.stringContaining(url),
    });
  });

  test.each(["stdio", "websocket"] as const)("five at once over %s, each its own", async (transport) => {
    await using world = await DemoWorld.create({ transport });
    const launcher = world.launcher();
    const opened = await Promise.all(Array.from({ length: 5 }, () => world.open({}, launcher)));
    expect(new Set(opened.map(({ acpSessionId }) => acpSessionId)).size).toBe(5);
    expect(new Set(opened.map(({ connection }) => connection.identity?.pid)).size).toBe(5);
  });

  test("credentials go by the environment, so that the agent's settings file is not rewritten", async () => {
    await using world = await DemoWorld.create({
      auth: { methodId: "openai-compatible", apiKey: "key", baseUrl: "http://127.0.0.1:9/v1", modelName: "m" },
    });
    const { connection, heard } = await world.open();
    const names = ["IFLOW_selectedAuthType", "IFLOW_apiKey", "IFLOW_baseUrl", "IFLOW_modelName"];
    await connection.prompt(1, say(names.map((name) => `env ${name}`).join("\n")));
    await heard.turnEnd(1);
    expect(heard.text.trim().split("\n")).toEqual([
      "IFLOW_selectedAuthType=openai-compatible",
      "IFLOW_apiKey=key",
      "IFLOW_baseUrl=http://127.0.0.1:9/v1",
      "IFLOW_modelName=m",
    ]);
  });
});
