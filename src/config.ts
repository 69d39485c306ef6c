/**
 * The plugin's configuration, parsed once into one frozen value with units in its names.
 * Owns: the parse, and what a schema can't say (formats of chats, keys that need each other).
 * Does not own: keys, bounds and defaults (config-schema.ts), nor paths on disk (checked where they are used).
 * C2 A refusal names the path and the bad value, but never a secret.
 */
import { KindGuard, type TSchema } from "@sinclair/typebox";
import { Errors } from "@sinclair/typebox/errors";
import { Check, Default } from "@sinclair/typebox/value";
import { type RawConfig, type SecretReference, PATTERNS, configSchema } from "./config-schema.ts";
import { redactSecrets } from "./core/redact.ts";
import { parseRoute } from "./core/route.ts";
import type { PermissionMode, Route } from "./core/session.ts";

export type Secret = string | SecretReference;

export interface ChannelRule {
  /** Absolute; a session below it matches, the longest rule wins. */
  readonly directory: string;
  readonly route: Route;
  readonly agentId?: string;
}

export interface AgentConfig {
  readonly command?: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, Secret>>;
  readonly transport: "stdio" | "websocket";
  readonly url?: string;
  readonly auth: {
    readonly methodId?: string;
    readonly apiKey?: Secret;
    readonly baseUrl?: string;
    readonly modelName?: string;
  };
  readonly stream: boolean;
}

export interface PluginConfig {
  readonly maxSessions: number;
  readonly maxQueued: number;
  readonly maxAutoResponds: number;
  readonly maxPersistedSessions: number;
  readonly iflowTimeoutMs: number;
  readonly safetyNetIdleMs: number;
  readonly toolTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly questionTimeoutMs: number;
  readonly journalRetentionMs: number;
  readonly journal: "full" | "redacted";
  readonly permissionMode: PermissionMode;
  readonly skipSafetyChecks: boolean;
  readonly defaultWorkdir?: string;
  readonly allowedWorkdirs: readonly string[];
  readonly defaultModel?: string;
  readonly agentChannels: readonly ChannelRule[];
  readonly fallbackChannel?: Route;
  readonly operators: readonly string[];
  readonly outputMode: "minimal" | "balanced" | "verbose";
  readonly safeMode: boolean;
  readonly language: "auto" | "en" | "zh";
  readonly outputBufferBytes: number;
  readonly restartPolicy: "ask" | "continue";
  readonly agent: AgentConfig;
}

export type ParsedConfig =
  | { readonly ok: true; readonly config: PluginConfig }
  /** One line: every problem with its path and the bad value. */
  | { readonly ok: false; readonly message: string };

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** `raw` is what the host hands over, with its defaults or without. `homeDir` replaces a leading `~`. */
export function parseConfig(raw: unknown, homeDir: string): ParsedConfig {
  const filled = Default(configSchema, structuredClone(raw ?? {}));
  const problems = schemaProblems(filled);
  if (problems.length > 0 || !Check(configSchema, filled)) return refused(problems);
  const config = withUnits(filled, homeDir);
  const more = meaningProblems(filled);
  return more.length > 0 ? refused(more) : { ok: true, config: deepFreeze(config) };
}

function refused(problems: readonly string[]): ParsedConfig {
  return {
    ok: false,
    message: redactSecrets(`The configuration of openclaw-iflow-plugin was refused: ${problems.join("; ")}.`),
  };
}

function withUnits(raw: RawConfig, homeDir: string): PluginConfig {
  const atHome = (path: string): string => (path.startsWith("~") ? homeDir + path.slice(1) : path);
  const { iflowTimeout, safetyNetIdleSeconds, toolTimeoutMinutes, idleTimeoutMinutes, ...rest } = raw;
  const { keepAliveSeconds, questionTimeoutMinutes, journalRetentionDays, defaultWorkdir, fallbackChannel, ...same } =
    rest;
  const fallback = parseRoute(fallbackChannel ?? "");
  return {
    ...same,
    iflowTimeoutMs: iflowTimeout,
    safetyNetIdleMs: safetyNetIdleSeconds * SECOND_MS,
    toolTimeoutMs: toolTimeoutMinutes * MINUTE_MS,
    idleTimeoutMs: idleTimeoutMinutes * MINUTE_MS,
    keepAliveMs: keepAliveSeconds * SECOND_MS,
    questionTimeoutMs: questionTimeoutMinutes * MINUTE_MS,
    journalRetentionMs: journalRetentionDays * DAY_MS,
    ...(defaultWorkdir === undefined ? {} : { defaultWorkdir: atHome(defaultWorkdir) }),
    allowedWorkdirs: raw.allowedWorkdirs.map(atHome),
    agentChannels: Object.entries(raw.agentChannels).flatMap(([directory, value]) => {
      const rule = typeof value === "string" ? { route: value } : value;
      const route = parseRoute(rule.route);
      if (!route) return [];
      return [{ directory: atHome(directory), route, ...(rule.agent === undefined ? {} : { agentId: rule.agent }) }];
    }),
    ...(fallback ? { fallbackChannel: fallback } : {}),
    agent: raw.agent,
  };
}

function schemaProblems(filled: unknown): string[] {
  const problems = new Map<string, string>();
  for (const { path, value, schema, message } of [...Errors(configSchema, filled), ...wrongWords(filled)]) {
    const where = dotted(path);
    if (!problems.has(where))
      problems.set(where, `${where} ${expectation(schema, message)}, not ${shown(where, value)}`);
  }
  return [...problems.values()];
}

interface Problem {
  /** JSON pointer. */
  readonly path: string;
  readonly value: unknown;
  readonly schema: TSchema;
  readonly message: string;
}

/** typebox leaves `enum` to the host's validator, which an RPC or a test may not have asked. */
function wrongWords(value: unknown, schema: TSchema = configSchema, path = ""): Problem[] {
  const words: unknown = schema["enum"];
  if (Array.isArray(words)) {
    const wrong = typeof value === "string" && !words.includes(value);
    return wrong ? [{ path, value, schema, message: `must be one of ${words.join(", ")}` }] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  const properties: Readonly<Record<string, TSchema>> = KindGuard.IsObject(schema) ? schema.properties : {};
  const values = new Map<string, unknown>(Object.entries(value));
  return Object.entries(properties).flatMap(([key, of]) => wrongWords(values.get(key), of, `${path}/${key}`));
}

function expectation(schema: TSchema, message: string): string {
  switch (schema["pattern"]) {
    case PATTERNS.directory:
      return "must be an absolute path or begin with ~/";
    case PATTERNS.socketUrl:
      return "must begin with ws:// or wss://";
    case PATTERNS.webUrl:
      return "must begin with http:// or https://";
    default:
  }
  if (schema["anyOf"] !== undefined) return "has the wrong form";
  if (message === "Unexpected property") return "is not a key of this plugin";
  return message
    .replace(/^Expected /, "must be ")
    .replace("to be greater", "greater")
    .replace("to be less", "less");
}

/** `/agentChannels/~1srv~1a` -> `agentChannels["/srv/a"]`. */
function dotted(pointer: string): string {
  const keys = pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (keys.length === 0) return "The whole";
  return keys
    .map((key, i) => (/^[A-Za-z_]\w*$/.test(key) ? (i > 0 ? "." : "") + key : `[${JSON.stringify(key)}]`))
    .join("");
}

function shown(where: string, value: unknown): string {
  if (/^agent\.(?:env|auth\.apiKey)/.test(where)) return "the value that is set (kept secret)";
  return redactSecrets(JSON.stringify(value) ?? "nothing").slice(0, 100);
}

/** What a schema can't say. */
function meaningProblems(raw: RawConfig): string[] {
  const problems: string[] = [];
  const chat = (where: string, text: string): void => {
    if (!parseRoute(text)) problems.push(`${where} must be channel|target or channel|account|target, not "${text}"`);
  };
  if (raw.fallbackChannel !== undefined) chat("fallbackChannel", raw.fallbackChannel);
  for (const [directory, value] of Object.entries(raw.agentChannels)) {
    if (!/^(?:\/|~(?:\/|$))/.test(directory)) {
      problems.push(`agentChannels: a directory must be an absolute path or begin with ~/, not "${directory}"`);
    }
    chat(`agentChannels["${directory}"]`, typeof value === "string" ? value : value.route);
  }
  const { transport, url } = raw.agent;
  if (url !== undefined && transport === "stdio") {
    problems.push(`agent.url "${url}" needs agent.transport "websocket", not "stdio"`);
  }
  return problems;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
