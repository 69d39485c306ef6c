/**
 * The demo agent against what was observed of the real one: without the plugin, by a client that knows nothing but JSON lines.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { DEMO_AGENT, DemoWorld, say } from "./demo-world.ts";
import { gone, running } from "./leftovers.ts";

type Frame = Record<string, unknown> & { id?: unknown; method?: string; params?: Record<string, unknown> };

/** Sends requests, keeps every frame, and waits for those that a test names. */
class Client {
  readonly frames: Frame[] = [];
  readonly texts: string[] = [];
  #send: (text: string) => void;
  #id = 0;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  receive(text: string): void {
    this.texts.push(text);
    if (text.startsWith("{")) this.frames.push(JSON.parse(text) as Frame);
  }

  async find(look: (frame: Frame) => boolean): Promise<Frame> {
    for (let waited = 0; waited < 60_000; waited += 5) {
      const found = this.frames.find(look);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`not among the frames: ${JSON.stringify(this.frames).slice(-2_000)}`);
  }

  post(method: string, params: object): number {
    this.#id += 1;
    this.#send(JSON.stringify({ jsonrpc: "2.0", id: this.#id, method, params }));
    return this.#id;
  }

  reply(id: number): Promise<Frame> {
    return this.find((frame) => frame.id === id && frame.method === undefined);
  }

  request(method: string, params: object): Promise<Frame> {
    return this.reply(this.post(method, params));
  }

  answer(id: unknown, result: object): void {
    this.#send(JSON.stringify({ jsonrpc: "2.0", id, result }));
  }

  asked(index = 0): Promise<Frame> {
    const asked = (): Frame[] => this.frames.filter(({ id, method }) => method !== undefined && id !== undefined);
    return this.find((frame) => frame === asked()[index]);
  }

  get updates(): readonly Record<string, unknown>[] {
    return this.frames.flatMap(({ params }) => {
      const update = params?.["update"] as Record<string, unknown> | undefined;
      return update === undefined ? [] : [update];
    });
  }

  get kinds(): readonly string[] {
    const kinds = this.updates.map((update) => [update["sessionUpdate"], update["status"]].filter(Boolean).join(":"));
    return kinds.filter((kind) => kind !== "available_commands_update");
  }
}

const ALLOW = { outcome: { outcome: "selected", optionId: "proceed_once" } };
const MODES = ["smart", "yolo", "default", "plan"];

describe("the demo agent", () => {
  let folder: string;
  let agents: ChildProcess[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "iflow-demo-agent-"));
    agents = [];
  });

  afterEach(async () => {
    for (const agent of agents) {
      if (agent.exitCode !== null || agent.signalCode !== null) continue;
      agent.kill("SIGKILL");
      await once(agent, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  });

  function start(...args: readonly string[]): ChildProcess {
    const env = { PATH: process.env["PATH"], HOME: folder, IFLOW_PLUGIN_SESSION: `demo-${process.pid}` };
    const agent = spawn(process.execPath, [DEMO_AGENT, "--experimental-acp", ...args], {
      env,
      stdio: ["pipe", "pipe", "ignore"],
    });
    agents.push(agent);
    return agent;
  }

  async function client(...args: readonly string[]): Promise<Client & { readonly agent: ChildProcess }> {
    const agent = start(...args);
    const made = new Client((text) => agent.stdin?.write(`${text}\n`));
    if (agent.stdout !== null) createInterface({ input: agent.stdout }).on("line", (line) => made.receive(line));
    await made.request("initialize", { protocolVersion: 1, clientCapabilities: { fs: { readTextFile: true } } });
    return Object.assign(made, { agent });
  }

  async function listening(...args: readonly string[]): Promise<string> {
    const agent = start("--port", "0", ...args);
    if (agent.stdout === null) throw new Error("no output");
    const [line] = (await once(createInterface({ input: agent.stdout }), "line")) as [string];
    return /ws:\S+/.exec(line)?.[0] ?? "";
  }

  async function dial(url: string): Promise<Client & { readonly socket: WebSocket }> {
    const socket = new WebSocket(url);
    const made = new Client((text) => socket.send(text));
    socket.on("message", (data: Buffer) => made.receive(data.toString("utf8")));
    await once(socket, "open");
    return Object.assign(made, { socket });
  }

  async function open(made: Client, settings: object = {}, method = "session/new", more: object = {}): Promise<string> {
    const { result } = await made.request(method, { cwd: folder, mcpServers: [], settings, ...more });
    return (result as { sessionId: string }).sessionId;
  }

  const prompt = (made: Client, sessionId: string, text: string): number =>
    made.post("session/prompt", { sessionId, prompt: [{ type: "text", text }] });

  const file = (name: string): Promise<string | undefined> =>
    readFile(join(folder, name), "utf8").catch(() => undefined);

  test("a new session is answered with modes, models and commands, and one update follows", async () => {
    const made = await client();
    const { result } = await made.request("session/new", { cwd: folder, mcpServers: [] });
    expect(result).toMatchObject({
      modes: { currentModeId: "yolo" },
      _meta: { models: {}, availableCommands: [{}, {}] },
    });
    const { modes } = result as { modes: { availableModes: { id: string }[] } };
    expect(modes.availableModes.map(({ id }) => id)).toEqual(MODES);
    await made.find((frame) => JSON.stringify(frame).includes("available_commands_update"));
  });

  test.each([
    ["session/new", { mcpServers: [] }, -32602],
    ["session/new", { cwd: "/nowhere/at/all", mcpServers: [] }, -32603],
    ["session/new", { cwd: "/", mcpServers: [], settings: { permission_mode: "autoEdit" } }, -32602],
    ["session/prompt", { sessionId: "unknown", prompt: [] }, -32600],
    ["session/list", {}, -32601],
  ])("%s with %j is refused with %i", async (method, params, code) => {
    const made = await client();
    expect((await made.request(method, params)).error).toMatchObject({ code, data: { details: expect.any(String) } });
  });

  test("without --stream a tool is asked for before it is seen, with --stream after", async () => {
    for (const [args, kinds] of [
      [[], ["agent_message_chunk", "tool_call:pending", "tool_call_update:in_progress", "tool_call_update:completed"]],
      [["--stream"], ["agent_message_chunk", "agent_message_chunk", "tool_call:pending"]],
    ] as const) {
      const made = await client(...args);
      const sessionId = await open(made, { permission_mode: "default" });
      const turn = prompt(made, sessionId, "say: two words\nwrite a.txt: x");
      const { id, params } = await made.asked();
      expect(params).not.toHaveProperty("toolCall.toolName");
      const before = made.kinds;
      expect(before).toEqual(args.length === 0 ? kinds.slice(0, 1) : kinds);
      made.answer(id, ALLOW);
      await made.reply(turn);
      expect(made.kinds.length).toBe(before.length + (args.length === 0 ? 3 : 2));
    }
  });

  test("the mode smart does not honour a selected cancel, only the outcome cancelled", async () => {
    const made = await client();
    const sessionId = await open(made, { permission_mode: "smart" });
    const first = prompt(made, sessionId, "write a.txt: x");
    const { id } = await made.asked(0);
    made.answer(id, { outcome: { outcome: "selected", optionId: "cancel" } });
    await made.reply(first);
    expect(await file("a.txt")).toBe("x\n");
    const second = prompt(made, sessionId, "write b.txt: x");
    made.answer((await made.asked(1)).id, { outcome: { outcome: "cancelled" } });
    await made.reply(second);
    expect(await file("b.txt")).toBeUndefined();
  });

  test("an option that was not offered fails the tool call", async () => {
    const made = await client();
    const sessionId = await open(made, { permission_mode: "default" });
    const turn = prompt(made, sessionId, "write a.txt: x");
    made.answer((await made.asked()).id, { outcome: { outcome: "selected", optionId: "made up" } });
    await made.reply(turn);
    expect(made.kinds).toEqual(["tool_call:pending", "tool_call_update:failed"]);
  });

  test("a cancel releases no open request, and a late allow still writes", async () => {
    const made = await client();
    const sessionId = await open(made, { permission_mode: "default" });
    const turn = prompt(made, sessionId, "write a.txt: x");
    const { id } = await made.asked();
    expect(await made.request("session/cancel", { sessionId })).toMatchObject({ result: null });
    expect(made.frames.some((frame) => frame.id === turn && frame.method === undefined)).toBe(false);
    made.answer(id, ALLOW);
    expect(await made.reply(turn)).toMatchObject({ result: { stopReason: "cancelled" } });
    expect(await file("a.txt")).toBe("x\n");
  });

  test("a cancel after the end is answered once, then refused", async () => {
    const made = await client();
    const sessionId = await open(made);
    await made.reply(prompt(made, sessionId, "say: x"));
    expect(await made.request("session/cancel", { sessionId })).toMatchObject({ result: null });
    expect(await made.request("session/cancel", { sessionId })).toMatchObject({
      error: { code: -32600, data: { details: "Not currently generating" } },
    });
  });

  test("a load without settings falls back to yolo; an unknown one is fresh and says so by its modes", async () => {
    const made = await client();
    const sessionId = await open(made, { permission_mode: "default", system_prompt: "Be brief." });
    await made.reply(prompt(made, sessionId, "say: x"));
    const again = await client();
    const loaded = await again.request("session/load", { sessionId, cwd: folder, mcpServers: [] });
    expect(loaded.result).toEqual({ sessionId });
    await again.reply(prompt(again, sessionId, "settings\nwrite a.txt: x"));
    expect(JSON.stringify(again.updates)).toContain(String.raw`\"mode\":\"yolo\"`);
    expect(JSON.stringify(again.updates)).not.toContain("Be brief.");
    expect(await file("a.txt")).toBe("x\n");
    const fresh = await again.request("session/load", { sessionId: "never-seen", cwd: folder, mcpServers: [] });
    expect(fresh.result).toMatchObject({ sessionId: "never-seen", modes: { currentModeId: "yolo" } });
  });

  test("a file that goes while the stored sessions are looked through does not stop a load", async () => {
    const made = await client();
    const sessionId = await open(made);
    await made.reply(prompt(made, sessionId, "say: x"));
    const sessions = join(folder, ".iflow-demo-agent", "acp", "sessions");
    await symlink(join(sessions, "gone"), join(sessions, "passing.json.1"));
    const loaded = await made.request("session/load", { sessionId, cwd: folder, mcpServers: [] });
    expect(loaded.result).toEqual({ sessionId });
  });

  test("a file read goes through the client when it offers that, and not after a load", async () => {
    const made = await client();
    const sessionId = await open(made);
    await made.reply(prompt(made, sessionId, "write a.txt: one"));
    const turn = prompt(made, sessionId, "edit a.txt: one => two");
    const { id, method } = await made.asked();
    expect(method).toBe("fs/read_text_file");
    made.answer(id, { content: "one\n" });
    await made.reply(turn);
    expect(await file("a.txt")).toBe("two\n");
    await open(made, {}, "session/load", { sessionId });
    await made.reply(prompt(made, sessionId, "edit a.txt: two => three"));
    expect(await file("a.txt")).toBe("three\n");
  });

  test("a plan's approval does not leave the mode", async () => {
    const made = await client();
    const sessionId = await open(made, { permission_mode: "plan" });
    const turn = prompt(made, sessionId, "plan: x\nwrite a.txt: x");
    made.answer((await made.asked()).id, { approved: true });
    await made.reply(turn);
    await made.request("session/set_mode", { sessionId, modeId: "yolo" });
    await made.reply(prompt(made, sessionId, "Carry it out."));
    expect(await file("a.txt")).toBe("x\n");
  });

  test("two sessions of one connection run side by side and are told apart by their ids", async () => {
    const made = await client();
    const [one, two] = [await open(made), await open(made, {}, "session/new", { sessionId: "my-own-id" })];
    expect(two).toBe("my-own-id");
    const turns = [prompt(made, one, "sleep 50\nsay: one"), prompt(made, two, "say: two")];
    await Promise.all(turns.map((turn) => made.reply(turn)));
    const said = made.frames
      .filter((frame) => JSON.stringify(frame).includes("agent_message_chunk"))
      .map(({ params }) => params?.["sessionId"]);
    expect(said).toEqual([two, one]);
  });

  test("it does not end with its input; SIGTERM ends it with 143 and leaves its shell behind", async () => {
    const made = await client();
    const sessionId = await open(made);
    prompt(made, sessionId, "run: sleep 351");
    await made.find((frame) => JSON.stringify(frame).includes("in_progress"));
    made.agent.stdin?.end();
    const mark = `demo-${process.pid}`;
    await expect.poll(async () => (await running([mark])).length).toBeGreaterThan(1);
    made.agent.kill("SIGTERM");
    expect(await once(made.agent, "exit")).toEqual([143, null]);
    const left = await running([mark]);
    expect(left.length).toBeGreaterThan(0);
    for (const pid of left) process.kill(pid, "SIGKILL");
    await gone([mark], []);
  });

  test("over a websocket: control frames, ids of its own a connection, 400 elsewhere, a status page", async () => {
    const url = await listening();
    const made = await dial(url);
    await expect
      .poll(() => made.texts)
      .toEqual(["//ready\n", "//stderr [WS 1] Embedded iFlow ACP peer started\n"].map((text) => text.trim()));
    const sessionId = await open(made, { permission_mode: "default" });
    prompt(made, sessionId, "write a.txt: x");
    expect((await made.asked()).id).toBe(0);
    const other = await dial(url);
    const foreign = await other.request("session/prompt", { sessionId, prompt: [] });
    expect(foreign.error).toMatchObject({ code: -32600, data: { details: `Session not found: ${sessionId}` } });
    const http = url.replace("ws:", "http:").replace("/acp", "/acp-status");
    expect(await (await fetch(http)).json()).toMatchObject({ connections: 2 });
    const elsewhere = new WebSocket(url.replace("/acp", "/other"));
    const [error] = (await once(elsewhere, "error")) as [Error];
    expect(error.message).toContain("400");
    made.socket.close();
    other.socket.close();
  });

  test("a client that goes away does not end the turn", async () => {
    const made = await dial(await listening());
    const sessionId = await open(made);
    prompt(made, sessionId, "say: x\nsleep 100\nwrite a.txt: x");
    await made.find((frame) => JSON.stringify(frame).includes("agent_message_chunk"));
    made.socket.terminate();
    await expect.poll(() => file("a.txt")).toBe("x\n");
  });

  test("on a busy port it neither listens nor ends nor says anything", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const agent = start("--port", String(port));
    let said = "";
    agent.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([agent.exitCode, agent.signalCode, said]).toEqual([null, null, ""]);
    await new Promise((resolve) => server.close(resolve));
  });

  test.each([[["--nonsense"]], [["--quirk", "no-such-quirk"]]])("%j is refused with words", async (args) => {
    const agent = start(...args);
    expect(await once(agent, "exit")).toEqual([2, null]);
  });
});

describe("what the demo agent sends", () => {
  test.each([true, false])("is understood to the last frame (stream: %s)", async (stream) => {
    await using world = await DemoWorld.create({ stream });
    const { connection, heard } = await world.open();
    const script = [
      "think: x",
      "say: two words",
      "long 3",
      "burst 3",
      "write a.txt: x",
      "write2 b.txt c.txt",
      "edit a.txt: x => y",
      "read a.txt",
      "run: echo x",
      "run: exit 3",
      "todo: a; b",
      "sub-agent: x",
      "huge 100",
      "settings",
      "recall",
      "env HOME",
      "split: 你好",
    ];
    await connection.prompt(1, say(script.join("\n")));
    await heard.turnEnd(1);
    const kept = heard.of("log").filter(({ source, text }) => source === "frame" && text.includes("session/update"));
    expect(kept).toEqual([]);
    expect(new Set(heard.events.map(({ kind }) => kind))).toEqual(
      new Set(["log", "commands", "thought", "text", "tool", "plan", "turn-ended"]),
    );
  });
});
