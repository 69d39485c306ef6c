/** What each key of the configuration does: who may, where, what is told to whom, and the agent. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/core/caller.ts";
import { DEMO_AGENT } from "../agent/demo-world.ts";
import { ComposedWorld } from "../composed-world.ts";
import { freePort } from "../gateway/harness/free-port.ts";

const nowhere = ({ me }: ComposedWorld): Caller => {
  const { route: _route, ...rest } = me;
  return { ...rest, door: "rpc" };
};

describe("what a session may do, and where", () => {
  test.each([
    { permissionMode: "manual", phase: "asking" },
    { permissionMode: "auto", phase: "idle" },
  ] as const)("[permissionMode] $permissionMode of a launch that names none", async ({ permissionMode, phase }) => {
    await using world = await ComposedWorld.start({ permissionMode });
    await world.untilPhase(await world.launch("write a.txt: hello"), phase);
  });

  test("[skipSafetyChecks] launches without a look at what is there", async () => {
    const agent = { command: "no-such-agent" };
    await using careful = await ComposedWorld.start({ agent });
    expect((await careful.call("launch", { prompt: "x" })).json).toEqual({ refused: "agent_missing" });
    await using careless = await ComposedWorld.start({ agent, skipSafetyChecks: true });
    const id = await careless.launch("x");
    await careless.untilOver(id);
    expect(careless.session(id)).toMatchObject({ phase: { outcome: "failed", cause: { code: "agent_missing" } } });
  });

  test("[defaultWorkdir] is where a launch works that names no directory and has no workspace", async () => {
    await using world = await ComposedWorld.start({ defaultWorkdir: "~/elsewhere" });
    const { workspaceDir: _none, ...me } = world.me;
    expect(world.session(await world.launch("hang", {}, me)).workdir).toBe(join(world.folder, "elsewhere"));
  });

  test("[allowedWorkdirs] bound where sessions work", async () => {
    await using world = await ComposedWorld.start({ allowedWorkdirs: ["~/elsewhere"] });
    await mkdir(join(world.folder, "elsewhere", "below"));
    const launched = (workdir: string) => world.call("launch", { prompt: "hang", workdir });
    expect((await launched(join(world.folder, "workspace"))).json).toEqual({ refused: "directory_not_allowed" });
    const id = await world.launch("say: done", { workdir: join(world.folder, "elsewhere", "below") });
    await world.untilPhase(id, "idle");
    await world.call("kill", { session: id });
    world.edit({ allowedWorkdirs: ["~/workspace"] });
    const refused = { refused: "directory_not_allowed" };
    expect((await launched(join(world.folder, "elsewhere", "below"))).json).toEqual(refused);
    // Nor does a session of before go on there.
    expect((await world.call("respond", { session: id, message: "say: more" })).json).toEqual(refused);
    expect((await world.call("resume", { session: id })).json).toEqual(refused);
    expect((await world.call("launch", { prompt: "x", resume_session_id: id, fork_session: true })).json).toEqual(
      refused,
    );
  });

  test("[operators] see and steer what others launched", async () => {
    await using world = await ComposedWorld.start({ operators: ["telegram:7"] });
    const id = await world.launch("hang");
    const chat = { channel: "telegram", to: "telegram:8" };
    const somebody: Caller = { ...world.me, owner: { sessionKey: "agent:main:other" }, route: chat };
    expect((await world.call("output", { session: id }, { ...somebody, senderId: "8" })).json).toEqual({
      refused: "not_found",
    });
    expect((await world.call("output", { session: id }, { ...somebody, senderId: "7" })).json).toMatchObject({ id });
  });
});

describe("what is told, and where", () => {
  test("[fallbackChannel] takes the notices of what was launched from no chat", async () => {
    await using world = await ComposedWorld.start({ fallbackChannel: "slack|ops|C1" });
    await world.launch("say: done", {}, nowhere(world));
    await world.untilTold(/✅/);
    expect(world.delivery.texts({ channel: "slack", accountId: "ops", to: "C1" })).toHaveLength(
      world.delivery.messages.length,
    );
  });

  test("[agentChannels] name the chat of a directory, and the agent that is woken", async () => {
    await using world = await ComposedWorld.start({
      fallbackChannel: "slack|C1",
      agentChannels: { "~": "slack|C2", "~/workspace": { route: "slack|C3", agent: "helper" } },
    });
    await symlink(join(world.folder, "workspace"), join(world.folder, "link"));
    world.edit({
      fallbackChannel: "slack|C1",
      agentChannels: { "~": "slack|C2", "~/link": { route: "slack|C3", agent: "helper" } },
    });
    await world.launch("say: done", {}, nowhere(world));
    await world.untilTold(/✅/);
    expect(world.delivery.texts({ channel: "slack", to: "C3" })).toHaveLength(world.delivery.messages.length);
    expect(await world.until(() => world.delivery.wakes[0])).toMatchObject({ agentId: "helper" });
  });

  test.each([
    { outputMode: "minimal", shown: ["hello"], hidden: ["echo from-a-tool", "from-a-tool\n"] },
    { outputMode: "balanced", shown: ["hello", "▸ echo from-a-tool"], hidden: ["\nfrom-a-tool\n"] },
    { outputMode: "verbose", shown: ["hello", "▸ echo from-a-tool", "\nfrom-a-tool\n"], hidden: [] },
  ])("[outputMode] $outputMode", async ({ outputMode, shown, hidden }) => {
    await using world = await ComposedWorld.start({ outputMode });
    const id = await world.launch(["say: hello", "run: echo from-a-tool", "say: bye"]);
    await world.untilPhase(id, "idle");
    const output = await world.output(id);
    for (const words of shown) expect(output).toContain(words);
    for (const words of hidden) expect(output).not.toContain(words);
  });

  test.each([
    { language: "zh", words: /完成/ },
    { language: "en", words: /finished/ },
  ])("[language] $language", async ({ language, words }) => {
    await using world = await ComposedWorld.start({ language });
    await world.launch("say: 好了");
    expect(await world.untilTold(/✅/)).toMatch(words);
  });
});

describe("the agent", () => {
  async function says(
    world: ComposedWorld,
    script: string,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const id = await world.launch(script, params);
    await world.untilPhase(id, "idle");
    return world.output(id);
  }

  test("[defaultModel] is the model of a launch that names none", async () => {
    await using world = await ComposedWorld.start({ defaultModel: "model-of-config" });
    expect(await says(world, "settings")).toContain('"model":"model-of-config"');
    expect(await says(world, "settings", { model: "model-of-launch" })).toContain('"model":"model-of-launch"');
  });

  test("[agent.command] [agent.args] [agent.env] are what is started, with which arguments and environment", async () => {
    await using world = await ComposedWorld.start({
      agent: {
        command: process.execPath,
        args: [DEMO_AGENT, "--quirk", "version=7.7.7"],
        env: { OF_CONFIG: "passes" },
      },
    });
    const id = await world.launch("env OF_CONFIG");
    await world.untilPhase(id, "idle");
    expect(await world.output(id)).toContain("passes");
    expect(await world.journal(id)).toContain("7.7.7");
  });

  test.each([
    { stream: true, has: true },
    { stream: false, has: false },
  ])("[agent.stream] $stream: asks for live frames, or does not", async ({ stream, has }) => {
    await using world = await ComposedWorld.start({ agent: { stream } });
    const id = await world.launch("run: sleep 5");
    await world.until(() => (world.session(id).counters.toolCalls > 0 ? true : undefined));
    const pid = world.session(id).agent?.identity?.pid ?? 0;
    expect((await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0").includes("--stream")).toBe(has);
  });

  test("[agent.transport] websocket: the plugin starts it and talks over a port of the loopback", async () => {
    await using world = await ComposedWorld.start({ agent: { transport: "websocket" } });
    const id = await world.launch("hang");
    await world.untilPhase(id, "working");
    const pid = world.session(id).agent?.identity?.pid ?? 0;
    expect(await readFile(`/proc/${pid}/cmdline`, "utf8")).toContain("--port");
  });

  test("[agent.url] an agent that runs already is dialled, and goes on running", async () => {
    const port = await freePort();
    const running = spawn(process.execPath, [DEMO_AGENT, "--experimental-acp", "--port", String(port)], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const ended = once(running, "exit");
    try {
      await using world = await ComposedWorld.start({
        agent: { transport: "websocket", url: `ws://127.0.0.1:${port}/acp` },
      });
      await world.until(() =>
        fetch(`http://127.0.0.1:${port}/`).then(
          () => true,
          () => undefined,
        ),
      );
      const id = await world.launch("say: over there");
      await world.untilPhase(id, "idle");
      expect(await world.output(id)).toContain("over there");
      expect(world.session(id).agent?.identity).toBeUndefined();
      expect(running.exitCode).toBeNull();
    } finally {
      running.kill();
      await ended;
    }
  });

  test("[agent.auth.methodId] [agent.auth.apiKey] [agent.auth.baseUrl] [agent.auth.modelName] are how it logs in, and are kept nowhere", async () => {
    const auth = {
      methodId: "openai-compatible",
      apiKey: "key-of-config",
      baseUrl: "https://api.example.com/v1",
      modelName: "m-1",
    };
    await using world = await ComposedWorld.start({ agent: { auth, env: { DEMO_AGENT_QUIRKS: "unauthenticated" } } });
    const heard = join(world.folder, "heard.jsonl");
    const command = join(world.folder, "agent.sh");
    await writeFile(command, `#!/bin/sh\ntee '${heard}' | "${process.execPath}" '${DEMO_AGENT}' "$@"\n`, {
      mode: 0o755,
    });
    world.edit({ agent: { command, auth, env: { DEMO_AGENT_QUIRKS: "unauthenticated" } } });
    const id = await world.launch("say: logged in");
    await world.untilPhase(id, "idle");
    const request = (await readFile(heard, "utf8")).split("\n").find((line) => line.includes('"authenticate"'));
    for (const value of Object.values(auth)) expect(request).toContain(value);
    await world.call("kill", { session: id });
    expect(await world.journal(id)).not.toContain(auth.apiKey);
    expect(JSON.stringify([...world.flows.ledger.flows.values()])).not.toContain(auth.apiKey);
  });
});
