/** The configuration file of a test gateway: loopback only, offline, one mock model, one Telegram account. */
import type { JsonObject } from "./json.ts";

export interface ConfigParts {
  readonly port: number;
  readonly token: string;
  readonly workspace: string;
  readonly modelUrl: string;
  readonly telegramUrl: string | undefined;
  /** Plugins that load straight from a folder: id -> root. */
  readonly pluginRoots: Readonly<Record<string, string>>;
  /** Merged over the top level, for what a single test needs. */
  readonly more: JsonObject;
}

export function gatewayConfig(parts: ConfigParts): JsonObject {
  const ids = Object.keys(parts.pluginRoots);
  return {
    gateway: { mode: "local", port: parts.port, bind: "loopback", auth: { mode: "token", token: parts.token } },
    discovery: { mdns: { mode: "off" } },
    update: { checkOnStart: false },
    agents: { defaults: { workspace: parts.workspace, skipBootstrap: true, model: { primary: "mock/mock-1" } } },
    models: { mode: "merge", providers: { mock: mockProvider(parts.modelUrl) } },
    plugins: {
      allow: [...ids, "telegram"],
      slots: { memory: "none" },
      load: { paths: Object.values(parts.pluginRoots) },
      entries: Object.fromEntries(ids.map((id) => [id, { enabled: true, config: {} }])),
    },
    ...(parts.telegramUrl === undefined ? {} : { channels: { telegram: telegramChannel(parts.telegramUrl) } }),
    ...parts.more,
  };
}

function mockProvider(baseUrl: string): JsonObject {
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const model = {
    id: "mock-1",
    name: "Mock",
    reasoning: false,
    input: ["text"],
    cost,
    contextWindow: 128_000,
    maxTokens: 4_096,
  };
  return { baseUrl, apiKey: "x", api: "openai-completions", models: [model] };
}

function telegramChannel(apiRoot: string): JsonObject {
  return {
    enabled: true,
    botToken: "123456:LAB",
    apiRoot,
    dmPolicy: "allowlist",
    allowFrom: ["42"],
    groupPolicy: "open",
    groups: { "*": { requireMention: false } },
  };
}
