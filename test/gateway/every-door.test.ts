/**
 * Every operation through every door of a real gateway: what it answers, which calls it refuses and in which words, who may
 * do what; then a configuration that is refused at the start.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Errors } from "@sinclair/typebox/errors";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { answerSchema } from "../../scripts/reference-tables.ts";
import { skillExamples } from "../skill-examples.ts";
import { MAIN, PERSON, PluginWorld, type Row } from "./harness/plugin-world.ts";
import { RpcClient, type PushedEvent } from "./harness/rpc-client.ts";
import { DEMO_AGENT, PLUGIN_ID } from "./harness/staged-plugin.ts";

const undo = new AsyncDisposableStack();
let home: string;
let world: PluginWorld;

beforeAll(async () => {
  home = undo.adopt(mkdtempSync(join(tmpdir(), "iflow-home-")), (dir) => rmSync(dir, { recursive: true, force: true }));
  world = await PluginWorld.start({ env: { HOME: home } });
  undo.defer(async () => world.dispose());
});

afterAll(async () => undo.disposeAsync());

type Params = Readonly<Record<string, unknown>>;

/** A door shows words, or JSON, or both. */
interface Answer {
  readonly text?: string;
  readonly json?: unknown;
}

interface Door {
  readonly door: string;
  /** `args`: the same call as people type it. `says` picks the answer among what else a chat shows. */
  ask(operation: string, params: Params, args: string, says: RegExp): Promise<Answer>;
}

const wordOf = (operation: string): string => (operation === "launch" ? "/iflow" : `/iflow_${operation}`);
const CHAT = { channel: "telegram", to: `telegram:${PERSON}`, accountId: "default" };

const doors: readonly Door[] = [
  {
    door: "tool",
    async ask(operation, params) {
      const caller = { sessionKey: MAIN.sessionKey, chat: CHAT };
      const answer = await world.gateway.tool(`iflow_${operation}`, params, caller);
      if (!answer.ok) throw new Error(answer.error);
      return { text: answer.text, json: answer.details["iflow"] };
    },
  },
  {
    door: "command in Telegram",
    async ask(operation, _params, args, says) {
      world.gateway.telegram.say({ chatId: PERSON }, `${wordOf(operation)} ${args}`);
      const message = await world.gateway.telegram.heard(PERSON, says);
      return { text: message.texts[0] ?? "" };
    },
  },
  {
    door: "command in a web chat",
    async ask(operation, _params, args) {
      const rpc = await world.gateway.rpc();
      return { text: (await rpc.chat(MAIN.sessionKey, `${wordOf(operation)} ${args}`)).text };
    },
  },
  {
    door: "RPC",
    async ask(operation, params) {
      const rpc = await world.gateway.rpc();
      const route = operation === "fg" || operation === "bg" ? { route: CHAT } : {};
      return { json: await rpc.call<unknown>(`iflow.${operation}`, { ...params, ...route }) };
    },
  },
];

function check(operation: string, { text, json }: Answer, says: RegExp, tells: unknown): void {
  expect(text ?? json).toBeDefined();
  if (json !== undefined) expect([...Errors(answerSchema(operation), json)]).toEqual([]);
  if (text !== undefined) expect(text).toMatch(says);
  if (json !== undefined) expect(json).toEqual(tells);
}

async function named(name: string): Promise<Row> {
  const row = (await world.rows()).find((one) => one.name === name);
  if (row === undefined) throw new Error(`there is no session ${name}`);
  world.note(row.id);
  return row;
}

describe("[O1] [O2] [O3] [O4] [O5] [O6] [O7] [O8] [O9] nine operations", () => {
  test.each(doors)("[S4] by $door, its question answered there", async ({ door, ask }) => {
    const name = `job-${door.replaceAll(" ", "-").toLowerCase()}`;
    const script = `say: hello\nask: Which? | first | second\nsay: chose {answer}`;
    const step = async (operation: string, params: Params, args: string, says: RegExp, tells: unknown): Promise<void> =>
      check(operation, await ask(operation, params, args, says), says, tells);

    await step(
      "launch",
      { name, prompt: script },
      `--name ${name} ${script}`,
      new RegExp(`Launched ${name} \\[|↩️ ${name} launched`),
      {
        id: expect.any(String),
        name,
        status: "starting",
        workdir: world.gateway.workspace,
        flowId: expect.any(String),
      },
    );
    const { id, flowId } = await named(name);
    await world.until(id, "asking");
    const known = { id, name };

    const row = expect.objectContaining({ ...known, status: "asking", flowId, turnCount: 1 }) as unknown;
    const question = { id: "q3", kind: "question", text: "Which?", options: ["first", "second"], marks: "numbers" };
    await step("sessions", { filter: "asking" }, "asking", new RegExp(`🔔 ${name} \\[${id}\\] asking`), [row]);
    expect((await named(name)).question).toEqual([{ ...question, id: expect.any(String) }]);

    const output = { ...known, startOffset: 0, endOffset: expect.any(Number), truncated: false };
    const said = new RegExp(`${name} \\[${id}\\] asking · output 0–\\d+ of \\d+[^]*hello`);
    const words = expect.stringContaining("hello") as unknown;
    await step("output", { session: name }, name, said, { ...output, status: "asking", output: words });

    const follows = { ...known, status: "asking", startOffset: 0, endOffset: expect.any(Number), following: true };
    await step("fg", { session: name }, name, new RegExp(`Following ${name}[^]*hello`), { ...follows, output: words });

    const passedOn = new RegExp(
      `${name} \\[${id}\\]: Answer to q\\d+ was passed on|${name}: your answer was passed on: second`,
    );
    const answered = { success: true, ...known, flowId, delivered: "now" };
    await step("respond", { session: id, message: "2" }, `${id} 2`, passedOn, answered);
    await world.until(id, "idle");
    expect(world.journalWords(id)).toContain("chose second");

    const stopped = { success: true, sessions: [known] };
    await step("bg", {}, "", new RegExp(`No longer following ${name}`), stopped);

    const stats = {
      byStatus: expect.objectContaining({ idle: 1 }),
      total: expect.any(Number),
      questions: expect.objectContaining({ asked: expect.any(Number), byPerson: expect.any(Number) }),
    };
    await step("stats", {}, "", /iFlow sessions: \d+ \(/, expect.objectContaining(stats));

    const closed = { success: true, ...known, status: "completed" };
    await step("kill", { session: name }, name, new RegExp(`Closed ${name} \\[${id}\\]|${name} closed`), closed);

    const goesOn = {
      success: true,
      id: expect.any(String),
      name,
      flowId: expect.any(String),
      status: expect.any(String),
    };
    const again = "say: back again";
    await step(
      "resume",
      { session: id, prompt: again },
      `${id} ${again}`,
      new RegExp(`Resumed ${name} \\[|${name} goes on`),
      goesOn,
    );
    const next = await named(name);
    expect(next.id).not.toBe(id);
    expect(next.flowId).not.toBe(flowId);
    await world.until(next.id, "idle");
    expect(world.journalWords(next.id)).toContain("back again");
    await world.kill(next.id);
  });

  test("the words reach the chat that follows, a web chat too", async () => {
    const rpc = await world.gateway.rpc();
    const hold = world.hold();
    const job = await world.launch([hold.line, "say: for those who follow"], { name: "followed" });
    await rpc.call("iflow.fg", { session: job.id, route: CHAT });
    expect((await rpc.chat("agent:main:w1", "/iflow_fg followed")).text).toContain("Following followed");
    hold.letGo();
    const isInjected = ({ event, payload }: PushedEvent): boolean =>
      event === "chat" &&
      payload["sessionKey"] === "agent:main:w1" &&
      /▍followed\\n.*for those who follow/.test(JSON.stringify(payload));
    await rpc.next(isInjected);
    await world.gateway.telegram.heard(PERSON, /▍followed\n[\s\S]*for those who follow/);
    await world.killAll();
  });

  test("the examples of the skill are carried out as they stand", async () => {
    mkdirSync(join(home, "src", "webapp"), { recursive: true });
    for (const { tool, params } of skillExamples()) {
      const active = async (): Promise<readonly string[]> => (await world.rows("active")).map((row) => row.status);
      await expect.poll(active).not.toContainEqual(expect.not.stringMatching("idle"));
      expect(await world.gateway.tool(tool, params, { sessionKey: MAIN.sessionKey, chat: CHAT })).toMatchObject({
        ok: true,
      });
    }
    for (const row of (await world.rows()).filter(({ name }) => name === "fix-login")) world.note(row.id);
    await world.killAll();
  });
});

describe("wrong calls", () => {
  const cases: readonly { operation: string; params: Params; says: string | RegExp }[] = [
    { operation: "launch", params: {}, says: "Parameter prompt of iflow_launch: required, but missing." },
    {
      operation: "launch",
      params: { prompt: "x", turns: 3 },
      says: 'iflow_launch has no parameter "turns". Did you mean max_turns? It takes: prompt,',
    },
    { operation: "launch", params: { prompt: 5 }, says: "Parameter prompt of iflow_launch: must be string, got 5." },
    {
      operation: "launch",
      params: { prompt: "x", permission_mode: "yolo" },
      says: /permission_mode .*auto.*plan.*got "yolo"/,
    },
    { operation: "launch", params: { prompt: "x", workdir: "/no/such" }, says: 'There is no directory "/no/such".' },
    {
      operation: "launch",
      params: { prompt: "x", workdir: "/etc/passwd" },
      says: 'There is no directory "/etc/passwd".',
    },
    { operation: "launch", params: { prompt: "x", route: "nowhere" }, says: /"?nowhere"?/ },
    {
      operation: "launch",
      params: { prompt: "x", files: ["../up"] },
      says: 'The file "../up" is not in the working directory',
    },
    { operation: "launch", params: { prompt: "x", fork_session: true }, says: "fork_session needs resume_session_id" },
    { operation: "respond", params: { session: "nobody", message: "x" }, says: 'No iFlow session is called "nobody".' },
    { operation: "respond", params: { session: "nobody" }, says: /^Parameter message of iflow_respond/ },
    { operation: "fg", params: { session: "nobody", lines: 0 }, says: /lines of iflow_fg: .*1.*got 0/ },
    { operation: "kill", params: {}, says: "Give either a session (name or id), or all." },
    { operation: "output", params: { session: "nobody", since: -1 }, says: /since of iflow_output: .*0.*got -1/ },
    { operation: "sessions", params: { filter: "dead" }, says: /filter of iflow_sessions: .*queued.*got "dead"/ },
    { operation: "stats", params: { session: "x" }, says: 'iflow_stats has no parameter "session".' },
    { operation: "resume", params: { session: "nobody" }, says: 'No iFlow session is called "nobody".' },
  ];

  test.each(cases)("$operation $params: the same words by tool and RPC", async ({ operation, params, says }) => {
    const words =
      typeof says === "string" ? (expect.stringContaining(says) as unknown) : (expect.stringMatching(says) as unknown);
    const tool = await world.gateway.tool(`iflow_${operation}`, params, { sessionKey: MAIN.sessionKey });
    expect(tool).toMatchObject({ ok: false, error: words });
    expect([400, 403]).toContain(tool.status);
    const rpc = await world.gateway.rpc();
    const refused = await rpc.refused(`iflow.${operation}`, { ...params });
    expect(refused.message).toEqual(words);
    expect(refused.code).toMatch(/^(?:invalid_params|not_found|directory_not_allowed)$/);
  });

  test("[C1] [C2] what people mistype is answered with the usage, a call for help with help", async () => {
    const rpc = await world.gateway.rpc();
    const typed = async (line: string): Promise<string> => (await rpc.chat(MAIN.sessionKey, line)).text;
    for (const help of ["/iflow", "/iflow help", "/iflow --help"])
      expect(await typed(help)).toMatch(/\/iflow_respond: [\s\S]*\/iflow \[--name n\]/);
    expect(await typed("/iflow --once")).toMatch(/The prompt is missing\. Usage: \/iflow \[--name n\]/);
    expect(await typed("/iflow fix it --mode manual")).toMatch(/\/iflow --mode manual fix it/);
    expect(await typed("/iflow --mod auto fix it")).toMatch(/Unknown option --mod\. Did you mean --mode\?/);
    expect(await typed("/iflow --mode yolo fix it")).toMatch(/permission_mode/);
    expect(await typed("/iflow_respond someone")).toMatch(/The message is missing\. Usage: \/iflow_respond/);
    expect(await typed("/iflow_output nobody many")).toMatch(/Parameter lines of iflow_output/);
    expect(await typed("/iflow_kill")).toMatch(/There is no iFlow session that this could be for/);
    expect(await world.rows("active")).toEqual([]);
  });
});

describe("[K1] who may do what", () => {
  const group = { chatId: -1001, from: PERSON };
  /** A group of their own: Telegram lets a bot say little in one. */
  const stranger = { chatId: -1003, from: 99 };
  let secret: Row;

  beforeAll(async () => {
    const job = await world.launch("ask: The secret question? | a | b", { name: "private-job" });
    secret = await world.until(job.id, "asking");
  });

  /** Whatever was tried, nobody has touched it. */
  afterEach(async () => void (await world.until(secret.id, "asking", 0)));

  afterAll(async () => world.killAll());

  const steering = [
    "/iflow_respond private-job 1",
    "/iflow_fg private-job",
    "/iflow_bg private-job",
    "/iflow_kill private-job",
    "/iflow_output private-job",
    "/iflow_resume private-job",
    "/iflow_resume --fork private-job go on",
  ];

  test("another chat's session is told nothing, by name or by id", async () => {
    for (const line of steering) world.gateway.telegram.say(group, line);
    const answers = (): number => world.gateway.telegram.said(-1001).length;
    await expect.poll(answers).toBe(steering.length);
    const told = world.gateway.telegram.said(-1001).map((message) => message.texts[0]);
    expect(told).toEqual(
      steering.map(() => 'No iFlow session is called "private-job". You have no iFlow sessions yet.'),
    );
    world.gateway.telegram.say(group, `/iflow_output ${secret.id}`);
    await world.gateway.telegram.heard(-1001, new RegExp(`No iFlow session is called "${secret.id}"`));
    world.gateway.telegram.say(group, "/iflow_kill --all");
    await world.gateway.telegram.heard(-1001, /No iFlow session was running/);
    world.gateway.telegram.say(group, "/iflow_sessions");
    await world.gateway.telegram.heard(-1001, /No iFlow sessions yet/);
    world.gateway.telegram.say(group, "/iflow_stats");
    await world.gateway.telegram.heard(-1001, /iFlow sessions: 0/);
  });

  test("an agent of another chat as little", async () => {
    world.gateway.telegram.say(group, 'CALL iflow_respond {"session":"private-job","message":"1"}');
    await world.gateway.telegram.heard(-1001, /after tool: .*No iFlow session is called "private-job"/);
  });

  test("a stranger's commands are refused by the host, and a stranger's plain answer is none", async () => {
    const all = [...steering, "/iflow make something", "/iflow_sessions", "/iflow_stats"];
    for (const line of all) world.gateway.telegram.say(stranger, line);
    world.gateway.telegram.say({ chatId: 99 }, "1");
    world.gateway.telegram.say({ chatId: 99 }, "/iflow_kill private-job");
    const told = (): readonly (string | undefined)[] => world.gateway.telegram.said(-1003).map(({ texts }) => texts[0]);
    await expect.poll(told).toEqual(all.map(() => expect.stringContaining("not authorized") as unknown));
  });

  test("an operator sees all; one who may only read steers nothing", async () => {
    const reader = await RpcClient.connect({
      port: world.gateway.port,
      token: world.gateway.token,
      env: world.gateway.env,
      scopes: ["operator.read"],
    });
    try {
      const others = { sessionKey: "agent:main:elsewhere" };
      expect(await reader.call("iflow.output", { session: "private-job", ...others })).toMatchObject({ id: secret.id });
      expect(await reader.call("iflow.sessions", others)).toContainEqual(expect.objectContaining({ id: secret.id }));
      const steer = { session: "private-job", message: "1", prompt: "x" };
      for (const method of ["launch", "respond", "fg", "bg", "kill", "resume"]) {
        expect((await reader.refused(`iflow.${method}`, steer)).message).toMatch(/operator\.write/);
      }
    } finally {
      await reader.close();
    }
  });
});

describe("[K8] a bad configuration", () => {
  const configure = (config: Record<string, string | number>): void =>
    world.gateway.configure({ [PLUGIN_ID]: { agent: { command: DEMO_AGENT }, ...config } });

  test("that the host can judge: the gateway does not start, and `config validate` names the key", async () => {
    await world.gateway.stop();
    configure({ maxSessions: "many" });
    await expect(world.gateway.start()).rejects.toThrow(/config is invalid/);
    const { stdout, stderr } = await world.gateway.cli(["config", "validate"]);
    expect(stdout + stderr).toContain(
      `plugins.entries.${PLUGIN_ID}.config.maxSessions: invalid config: must be integer`,
    );
  });

  test("that the host can't judge: the plugin does not start, and every door says which key and value", async () => {
    configure({ fallbackChannel: "nowhere" });
    await world.gateway.start();
    const why = 'fallbackChannel must be channel|target or channel|account|target, not "nowhere"';
    const says = expect.stringContaining(why) as unknown;
    expect(await world.gateway.tool("iflow_sessions", {})).toMatchObject({ ok: false, error: says });
    const rpc = await world.gateway.rpc();
    expect(await rpc.refused("iflow.launch", { prompt: "x" })).toMatchObject({ code: "not_available", message: says });
    expect((await rpc.chat(MAIN.sessionKey, "/iflow_stats")).text).toContain(why);
    const { plugins } = await rpc.call<{ plugins: { errors: unknown } }>("health");
    expect(JSON.stringify(plugins.errors)).toContain("fallbackChannel");
  });
});
