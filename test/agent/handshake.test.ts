/**
 * Opening a session against agents that answer badly, late or not at all. Real processes, each quirk a flag of the demo agent.
 */
import { describe, expect, test } from "vitest";
import { IflowError } from "../../src/core/errors.ts";
import { DemoWorld, say, SESSION } from "./demo-world.ts";
import { Listener } from "./listener.ts";
import { HERE, INITIALIZED, memoryConnection, openMemoryConnection } from "./memory-transport.ts";

const forever = new AbortController().signal;

describe.each(["stdio", "websocket"] as const)("handshake over %s", (transport) => {
  async function refusal(quirks: string, session: Partial<typeof SESSION> = {}, more = {}): Promise<IflowError> {
    await using world = await DemoWorld.create({ transport, ...more });
    const connection = await world.start(world.launcher({}, quirks));
    const error = await connection.open({ ...SESSION, ...session }, forever).catch((caught: unknown) => caught);
    if (!(error instanceof IflowError)) throw new Error(`refused with ${String(error)}`);
    expect(await connection.stop()).toEqual({ clean: true, left: [] });
    return error;
  }

  test("an agent that is too old", async () => {
    expect(await refusal("version=0.2.23")).toMatchObject({
      code: "agent_too_old",
      message: expect.stringMatching(/0\.2\.23.*0\.2\.24/),
    });
  });

  test.each(["0.2.24", "0.10.0", "1.0.0-beta.1"])("version %s is new enough", async (version) => {
    await using world = await DemoWorld.create({ transport });
    const connection = await world.start(world.launcher({}, `version=${version}`));
    expect((await connection.open(SESSION, forever)).agentVersion).toBe(version);
  });

  test("an agent that is not authenticated is not logged in unasked", async () => {
    expect(await refusal("unauthenticated")).toMatchObject({
      code: "agent_not_authenticated",
      message: expect.stringContaining("agent.auth"),
    });
  });

  test("with configured auth it is logged in", async () => {
    await using world = await DemoWorld.create({
      transport,
      auth: { methodId: "openai-compatible", apiKey: "k", baseUrl: "http://127.0.0.1:9" },
    });
    const connection = await world.start(world.launcher({}, "unauthenticated"));
    expect((await connection.open(SESSION, forever)).history).toBe("new");
  });

  test("a login that fails is told as such", async () => {
    const error = await refusal("unauthenticated auth-fails", {}, { auth: { methodId: "oauth-iflow" } });
    expect(error).toMatchObject({
      code: "agent_not_authenticated",
      message: expect.stringContaining("login in a browser"),
    });
  });

  // Only the deadline in question is short: a busy machine must not let another one pass first.
  test.each([
    ["initialize", "agent_handshake_timeout", { handshakeMs: 2_000 }, "2 s"],
    ["session/new", "agent_session_timeout", { sessionMs: 300 }, "0.3 s"],
  ])("no answer to %s: the deadline names what was waited for", async (method, code, deadlines, time) => {
    const error = await refusal(`silent=${method}`, {}, { deadlines });
    expect(error).toMatchObject({ code, message: expect.stringContaining(`the answer to ${method} within ${time}`) });
  });

  test("no answer to session/set_model", async () => {
    const error = await refusal("silent=session/set_model", { model: "m" }, { deadlines: { sessionMs: 2_000 } });
    expect(error).toMatchObject({
      code: "agent_session_timeout",
      message: expect.stringContaining("session/set_model"),
    });
  });

  test("no answer to session/load", async () => {
    const error = await refusal("silent=session/load", { load: "x" }, { deadlines: { sessionMs: 300 } });
    expect(error).toMatchObject({ code: "agent_session_timeout", message: expect.stringContaining("session/load") });
  });

  test.each(["initialize", "session/new", "session/set_model"])("%s is refused", async (method) => {
    const error = await refusal(`refuse=${method}`, { model: "m" });
    expect(error).toMatchObject({ code: "agent_refused", message: expect.stringContaining("is refused") });
  });

  test.each(["initialize", "session/new", "session/set_model"])("the agent dies at %s", async (method) => {
    const error = await refusal(`exit-on=${method}`, { model: "m" });
    expect(error).toMatchObject({ code: "agent_exited", message: expect.stringContaining("code 9") });
  });

  test("an abort while an answer is waited for", async () => {
    await using world = await DemoWorld.create({ transport });
    const connection = await world.start(world.launcher({}, "silent=session/new"));
    const heard = new Listener(connection);
    const abort = new AbortController();
    const opening = connection.open(SESSION, abort.signal);
    const refused = expect(opening).rejects.toThrow("changed my mind");
    await heard.until(() => heard.of("log").some(({ text }) => text.includes("agentInfo")));
    abort.abort(new Error("changed my mind"));
    await refused;
  });

  test("settings reach the agent as they are, and again with a load", async () => {
    await using world = await DemoWorld.create({ transport });
    const settings = {
      mode: "plan",
      disallowedTools: ["task"],
      systemPrompt: "Be brief.",
      maxTurns: 9,
      model: "m-1",
    } as const;
    const first = await world.open(settings);
    await first.connection.prompt(1, say("settings"));
    await first.heard.turnEnd(1);
    expect(JSON.parse(first.heard.text)).toEqual({
      mode: "plan",
      model: "m-1",
      cwd: world.folder,
      settings: { permission_mode: "plan", disallowed_tools: ["task"], system_prompt: "Be brief.", max_turns: 9 },
    });
    await first.connection.stop();

    const again = await world.open({ ...settings, load: first.acpSessionId });
    await again.connection.prompt(1, say("settings"));
    await again.heard.turnEnd(1);
    // As the protocol says, the agent drops the system prompt of a load.
    expect(JSON.parse(again.heard.text)).toMatchObject({
      mode: "plan",
      model: "m-1",
      settings: { permission_mode: "plan", disallowed_tools: ["task"], max_turns: 9 },
    });
  });

  test("nothing of the gateway but the allowed reaches the agent", async () => {
    await using world = await DemoWorld.create({
      transport,
      hostEnv: {
        PATH: process.env["PATH"],
        OPENCLAW_GATEWAY_TOKEN: "secret",
        AWS_SECRET_ACCESS_KEY: "secret",
        LC_ALL: "C",
        IFLOW_X: "x",
      },
      env: { OPENCLAW_STATE_DIR: "secret", MINE: "mine" },
    });
    const { connection, heard } = await world.open();
    await connection.prompt(1, say("run: env"));
    await heard.turnEnd(1);
    const output = heard.of("tool").at(-1)?.output ?? "";
    expect(output).not.toContain("secret");
    expect(output).not.toContain("OPENCLAW");
    for (const line of ["LC_ALL=C", "IFLOW_X=x", "MINE=mine"]) expect(output).toContain(line);
  });

  test("files go as images or links, and one that is not there is said so", async () => {
    await using world = await DemoWorld.create({ transport });
    const { writeFile } = await import("node:fs/promises");
    await writeFile(`${world.folder}/图 1.png`, "png");
    await writeFile(`${world.folder}/notes.md`, "notes");
    const { connection, heard } = await world.open();
    const file = (name: string) => ({ type: "file", path: `${world.folder}/${name}` }) as const;
    await connection.prompt(1, [...say("say: ok"), file("图 1.png"), file("notes.md"), file("gone.txt")]);
    await heard.turnEnd(1);
    expect(await world.received()).toMatchObject([
      {
        text: expect.stringMatching(/^say: ok\n\(The file .*gone\.txt was attached but could not be read: ENOENT/),
        others: [
          { type: "image", mimeType: "image/png" },
          { type: "resource_link", uri: `file://${world.folder}/notes.md` },
        ],
      },
    ]);
  });
});

describe("handshake", () => {
  test("a websocket agent whose control frame and reply come in one segment", async () => {
    await using world = await DemoWorld.create({ transport: "websocket" });
    const launcher = world.launcher({}, "handshake-burst");
    for (let round = 0; round < 5; round += 1) {
      const connection = await world.start(launcher);
      expect((await connection.open(SESSION, forever)).history).toBe("new");
      await connection.stop();
    }
  });

  test("fs is declared false, and a load takes the place of the SDK's new session", async () => {
    const { transport, connection } = memoryConnection();
    const opened = connection.open({ ...SESSION, mode: "default", load: "s-7" }, forever);
    const initialize = await transport.request("initialize");
    expect(initialize["params"]).toMatchObject({
      protocolVersion: 1,
      clientCapabilities: { fs: { readTextFile: false, writeTextFile: false } },
    });
    transport.answer(initialize, INITIALIZED);
    const load = await transport.request("session/load");
    expect(load["params"]).toMatchObject({
      sessionId: "s-7",
      cwd: HERE,
      mcpServers: [],
      settings: { permission_mode: "default" },
    });
    transport.answer(load, { sessionId: "s-7" });
    expect(await opened).toMatchObject({ acpSessionId: "s-7", history: "loaded" });
    expect(transport.sent.map(({ method }) => method)).toEqual(["initialize", "session/load"]);
    transport.end();
  });

  test("updates that follow the session's reply in the same tick are heard", async () => {
    const { transport, connection } = memoryConnection();
    const heard = new Listener(connection);
    const opened = connection.open(SESSION, forever);
    transport.answer(await transport.request("initialize"), INITIALIZED);
    const request = await transport.request("session/new");
    const update = { sessionUpdate: "available_commands_update", availableCommands: [{ name: "init" }] };
    transport.say(
      { jsonrpc: "2.0", id: request["id"], result: { sessionId: "s-1", modes: {} } },
      { jsonrpc: "2.0", method: "session/update", params: { sessionId: "s-1", update } },
    );
    await opened;
    await heard.until(() => heard.of("commands").length === 1);
    transport.end();
  });

  test("a write that fails before the end is known is told as the end, not as a refusal", async () => {
    const { transport, connection } = memoryConnection();
    const opened = connection.open(SESSION, forever);
    const refused = expect(opened).rejects.toMatchObject({
      code: "agent_exited",
      message: expect.stringContaining("gone"),
    });
    const initialize = await transport.request("initialize");
    transport.broken = true;
    transport.answer(initialize, INITIALIZED);
    await new Promise((resolve) => setTimeout(resolve, 20));
    transport.end("gone");
    await refused;
  });

  test("a prompt whose write fails carries the cause of the end", async () => {
    const { transport, connection } = await openMemoryConnection();
    transport.broken = true;
    const refused = expect(connection.prompt(1, say("x"))).rejects.toMatchObject({
      code: "agent_exited",
      message: expect.stringContaining("gone"),
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    transport.end("gone");
    await refused;
  });

  test("a session reply without an id is a refusal", async () => {
    const { transport, connection } = memoryConnection();
    const opened = connection.open(SESSION, forever);
    const refused = expect(opened).rejects.toMatchObject({ code: "agent_refused" });
    transport.answer(await transport.request("initialize"), INITIALIZED);
    transport.answer(await transport.request("session/new"), { modes: {} });
    await refused;
    transport.end();
  });
});
