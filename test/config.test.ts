import { describe, expect, test } from "vitest";
import { parseConfig } from "../src/config.ts";

const HOME = "/home/ann";

function accepted(raw: unknown) {
  const parsed = parseConfig(raw, HOME);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.config;
}

function refused(raw: unknown): string {
  const parsed = parseConfig(raw, HOME);
  return parsed.ok ? "accepted" : parsed.message;
}

describe("configuration", () => {
  test("nothing configured is the documented defaults, in ms", () => {
    expect(accepted(undefined)).toEqual({
      maxSessions: 5,
      maxQueued: 20,
      maxAutoResponds: 10,
      maxPersistedSessions: 50,
      iflowTimeoutMs: 300_000,
      safetyNetIdleMs: 600_000,
      toolTimeoutMs: 7_200_000,
      idleTimeoutMs: 1_800_000,
      keepAliveMs: 180_000,
      questionTimeoutMs: 86_400_000,
      journalRetentionMs: 1_209_600_000,
      journal: "full",
      permissionMode: "auto",
      skipSafetyChecks: false,
      allowedWorkdirs: [],
      agentChannels: [],
      operators: [],
      outputMode: "balanced",
      safeMode: false,
      language: "auto",
      outputBufferBytes: 32_768,
      restartPolicy: "ask",
      agent: { args: [], env: {}, transport: "stdio", auth: {}, stream: true },
    });
  });

  test("the host's own defaults change nothing", () => {
    expect(accepted({ agent: {}, allowedWorkdirs: [] })).toEqual(accepted({}));
  });

  test("the value is frozen, and what was handed over stays as it was", () => {
    const raw = { agent: { env: { A: "1" } } };
    const config = accepted(raw);
    expect(() => Object.assign(config.agent.env, { B: "2" })).toThrow(TypeError);
    expect(() => Object.assign(config, { maxSessions: 9 })).toThrow(TypeError);
    expect(raw).toEqual({ agent: { env: { A: "1" } } });
  });

  test("minutes may be fractions", () => {
    expect(accepted({ idleTimeoutMinutes: 0.05 }).idleTimeoutMs).toBe(3000);
  });

  test("~ is the home directory", () => {
    const config = accepted({
      defaultWorkdir: "~/code",
      allowedWorkdirs: ["~", "/srv"],
      agentChannels: { "~/a": "x|1" },
    });
    expect(config.defaultWorkdir).toBe("/home/ann/code");
    expect(config.allowedWorkdirs).toEqual(["/home/ann", "/srv"]);
    expect(config.agentChannels[0]?.directory).toBe("/home/ann/a");
  });

  test("[N2] chats are channel|target or channel|account|target, and may name the agent to wake", () => {
    const config = accepted({
      fallbackChannel: "telegram|-1002:topic:7",
      agentChannels: { "/srv/shop": "telegram|work|42", "/srv": { route: "discord|9", agent: "ops" } },
    });
    expect(config.fallbackChannel).toEqual({ channel: "telegram", to: "-1002:topic:7" });
    expect(config.agentChannels).toEqual([
      { directory: "/srv/shop", route: { channel: "telegram", accountId: "work", to: "42" } },
      { directory: "/srv", route: { channel: "discord", to: "9" }, agentId: "ops" },
    ]);
  });

  test("secrets are text or the host's reference", () => {
    const apiKey = { source: "env" as const, provider: "default", id: "IFLOW_KEY" };
    expect(accepted({ agent: { auth: { apiKey } } }).agent.auth.apiKey).toEqual(apiKey);
    expect(accepted({ agent: { env: { TOKEN: apiKey, MODE: "x" } } }).agent.env).toEqual({ TOKEN: apiKey, MODE: "x" });
  });

  test.each<[string, unknown, string]>([
    ["a number out of bounds", { maxSessions: 0 }, "maxSessions must be integer greater or equal to 1, not 0"],
    ["a fraction of a session", { maxQueued: 1.5 }, "maxQueued must be integer, not 1.5"],
    [
      "an unknown word",
      { permissionMode: "yolo" },
      'permissionMode must be one of auto, selective, manual, plan, not "yolo"',
    ],
    [
      "an unknown word below",
      { agent: { transport: "tcp" } },
      'agent.transport must be one of stdio, websocket, not "tcp"',
    ],
    ["an unknown key", { maxSesions: 3 }, "maxSesions is not a key of this plugin, not 3"],
    [
      "a relative directory",
      { allowedWorkdirs: ["/a", "b"] },
      'allowedWorkdirs["1"] must be an absolute path or begin with ~/, not "b"',
    ],
    [
      "a directory that is no path",
      { agentChannels: { shop: "x|1" } },
      'agentChannels: a directory must be an absolute path or begin with ~/, not "shop"',
    ],
    [
      "a chat without a target",
      { fallbackChannel: "telegram" },
      'fallbackChannel must be channel|target or channel|account|target, not "telegram"',
    ],
    [
      "a chat of too many parts",
      { agentChannels: { "/a": "a|b|c|d" } },
      'agentChannels["/a"] must be channel|target or channel|account|target, not "a|b|c|d"',
    ],
    [
      "a buffer that outgrows the record",
      { outputBufferBytes: 50_000 },
      "outputBufferBytes must be integer less or equal to 40960, not 50000",
    ],
    [
      "an address without its transport",
      { agent: { url: "ws://127.0.0.1:1/acp" } },
      'agent.url "ws://127.0.0.1:1/acp" needs agent.transport "websocket", not "stdio"',
    ],
    [
      "an address of the web",
      { agent: { url: "http://x", transport: "websocket" } },
      'agent.url must begin with ws:// or wss://, not "http://x"',
    ],
    ["something else than an object", 7, "The whole must be object, not 7"],
    ["text for an object", { agent: "iflow" }, 'agent must be object, not "iflow"'],
  ])("[K8] %s is refused with path and value", (_what, raw, message) => {
    expect(refused(raw)).toContain(message);
  });

  test("[K8] all problems are told at once", () => {
    const message = refused({ maxSessions: "x", language: "fr", agent: { stream: 1 } });
    for (const path of ["maxSessions", "language", "agent.stream"]) expect(message).toContain(path);
  });

  test("[K8] a bad secret is never shown", () => {
    const message = refused({
      agent: { auth: { apiKey: { source: "sk-very-secret" } }, env: { "1KEY": "sk-also", K: ["sk-x"] } },
    });
    expect(message).toContain("agent.auth.apiKey");
    expect(message).toContain("agent.env");
    expect(message).not.toContain("sk-");
  });
});
