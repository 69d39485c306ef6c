/**
 * The configuration as the user writes it: every key of `plugins.entries["openclaw-iflow-plugin"].config`.
 * Owns: keys, kinds, bounds, defaults and their one-line descriptions. The manifest repeats this schema; a test compares.
 * Does not own: what a key leads to, nor the units inside (config.ts).
 * C1 A default stands here and nowhere else.
 */
import * as Type from "@sinclair/typebox";
import type { Static } from "@sinclair/typebox";

/** One of some words. `enum` instead of a union of literals: the host's message then lists the words. */
function oneOf<const T extends readonly string[]>(values: T, options: { default: T[number]; description: string }) {
  return Type.Unsafe<T[number]>(Type.String({ enum: [...values], ...options }));
}

/** Patterns by name: a refusal says in words what was expected. */
export const PATTERNS = {
  directory: "^(?:/|~(?:/|$))",
  variable: "^[A-Za-z_][A-Za-z0-9_]*$",
  socketUrl: "^wss?://",
  webUrl: "^https?://",
} as const;

/** Minutes and days may be fractions; the ceiling is the 7 days that iFlow keeps a conversation, where it matters. */
const WEEK_MINUTES = 10_080;

export const SecretReferenceSchema = Type.Object(
  {
    source: Type.Union([Type.Literal("env"), Type.Literal("file"), Type.Literal("exec"), Type.Literal("store")]),
    provider: Type.String({ minLength: 1 }),
    id: Type.String({ minLength: 1 }),
  },
  { additionalProperties: false, description: "The host's reference to a secret." },
);

/** Resolved by the host before the plugin sees it; a reference that arrives here could not be resolved. */
const Secret = Type.Union([Type.String({ minLength: 1 }), SecretReferenceSchema], {
  description: "A text, or the host's reference to a secret.",
});

const RouteText = Type.String({
  minLength: 3,
  description: "A chat: channel|target or channel|account|target.",
});

const AgentSchema = Type.Object(
  {
    command: Type.Optional(
      Type.String({
        minLength: 1,
        description: "Agent program: a name on PATH or a path. Default: iflow, else iflow-ce.",
      }),
    ),
    args: Type.Array(Type.String(), { default: [], description: "Arguments put before those of the plugin." }),
    env: Type.Record(Type.String({ pattern: PATTERNS.variable }), Secret, {
      additionalProperties: false,
      default: {},
      description: "Environment of the agent, besides the short list that it inherits.",
    }),
    transport: oneOf(["stdio", "websocket"], {
      default: "stdio",
      description: "How to talk to the agent. stdio opens no port.",
    }),
    url: Type.Optional(
      Type.String({
        pattern: PATTERNS.socketUrl,
        description: "Address of an agent that is already running (ws:// or wss://); needs transport websocket.",
      }),
    ),
    auth: Type.Object(
      {
        methodId: Type.Optional(
          Type.String({ minLength: 1, description: "Authentication method that the agent offers." }),
        ),
        apiKey: Type.Optional(Secret),
        baseUrl: Type.Optional(Type.String({ pattern: PATTERNS.webUrl, description: "Base URL of the model's API." })),
        modelName: Type.Optional(Type.String({ minLength: 1, description: "Model that belongs to the key." })),
      },
      {
        additionalProperties: false,
        default: {},
        description: "How the agent authenticates. Default: its own settings.",
      },
    ),
    stream: Type.Boolean({
      default: true,
      description: "Ask the agent for its live frames; without them less is known of tools.",
    }),
  },
  { additionalProperties: false, default: {}, description: "The iFlow program and how to reach it." },
);

export const configSchema = Type.Object(
  {
    maxSessions: Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 5,
      description: "Sessions with a live agent process at a time.",
    }),
    maxQueued: Type.Integer({
      minimum: 0,
      maximum: 1000,
      default: 20,
      description: "Launches that may wait for a slot.",
    }),
    maxAutoResponds: Type.Integer({
      minimum: 0,
      maximum: 1000,
      default: 10,
      description: "Answers by an agent in a row before a person must answer.",
    }),
    iflowTimeout: Type.Integer({
      minimum: 1000,
      maximum: 86_400_000,
      default: 300_000,
      description: "Milliseconds without a sign of life while a turn waits for the model.",
    }),
    safetyNetIdleSeconds: Type.Number({
      exclusiveMinimum: 0,
      maximum: 604_800,
      default: 600,
      description: "Seconds of silence after which a working session is reported once as quiet.",
    }),
    toolTimeoutMinutes: Type.Number({
      exclusiveMinimum: 0,
      maximum: WEEK_MINUTES,
      default: 120,
      description: "Minutes that one tool call of the agent may take.",
    }),
    idleTimeoutMinutes: Type.Number({
      exclusiveMinimum: 0,
      maximum: WEEK_MINUTES,
      default: 30,
      description: "Minutes after which an idle session ends as completed.",
    }),
    keepAliveSeconds: Type.Number({
      minimum: 0,
      maximum: 86_400,
      default: 180,
      description:
        "Seconds that the agent process of an idle session waits for a follow-up. It goes sooner when another session needs its slot.",
    }),
    questionTimeoutMinutes: Type.Number({
      exclusiveMinimum: 0,
      maximum: WEEK_MINUTES,
      default: 1440,
      description: "Minutes after which an open question is denied.",
    }),
    maxPersistedSessions: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 50,
      description: "Ended sessions that stay resumable (each for a day at least).",
    }),
    journalRetentionDays: Type.Number({
      exclusiveMinimum: 0,
      maximum: 3650,
      default: 14,
      description: "Days that the journal of an ended session is kept.",
    }),
    journal: oneOf(["full", "redacted"], {
      default: "full",
      description: "What the journal keeps: all words, or all words with secrets masked (always so with safeMode).",
    }),
    permissionMode: oneOf(["auto", "selective", "manual", "plan"], {
      default: "auto",
      description: "What iFlow may do unasked: everything, the allowed tools, nothing, or only plan.",
    }),
    skipSafetyChecks: Type.Boolean({
      default: false,
      description: "Launch without the checks that come before it. For tests only.",
    }),
    defaultWorkdir: Type.Optional(
      Type.String({
        pattern: PATTERNS.directory,
        description: "Directory of a launch that names none and has no workspace.",
      }),
    ),
    allowedWorkdirs: Type.Array(Type.String({ pattern: PATTERNS.directory }), {
      default: [],
      description:
        "Directories below which sessions may work. Empty: the workspace and defaultWorkdir; the owner anywhere.",
    }),
    defaultModel: Type.Optional(Type.String({ minLength: 1, description: "Model of a launch that names none." })),
    agentChannels: Type.Record(
      Type.String(),
      Type.Union([
        RouteText,
        Type.Object(
          { route: RouteText, agent: Type.Optional(Type.String({ minLength: 1 })) },
          { additionalProperties: false },
        ),
      ]),
      {
        default: {},
        description: "Directory to chat, for sessions launched from no chat; optionally the agent to wake.",
      },
    ),
    fallbackChannel: Type.Optional(RouteText),
    operators: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        "Senders (id, or channel:id) who see and steer every session and grant in groups, as the host's owner does.",
    }),
    outputMode: oneOf(["minimal", "balanced", "verbose"], {
      default: "balanced",
      description: "How much of a session is shown in chats.",
    }),
    safeMode: Type.Boolean({
      default: false,
      description:
        "Hide file contents and command output in chats; mask secrets in the words of sessions too, also in the journal.",
    }),
    language: oneOf(["auto", "en", "zh"], { default: "auto", description: "Language of notices." }),
    outputBufferBytes: Type.Integer({
      minimum: 4096,
      maximum: 40_960,
      default: 32_768,
      description: "Bytes of the latest output kept in the flow's record; the journal has all of it.",
    }),
    restartPolicy: oneOf(["ask", "continue"], {
      default: "ask",
      description: "After a gateway restart, a session that was working waits for a person, or goes on by itself.",
    }),
    agent: AgentSchema,
  },
  { additionalProperties: false },
);

export type RawConfig = Static<typeof configSchema>;
export type SecretReference = Static<typeof SecretReferenceSchema>;

/** The schema as the manifest carries it: what has a default may be left out. */
export function manifestSchema(): unknown {
  return JSON.parse(JSON.stringify(configSchema, (_key, value: unknown) => withoutDefaulted(value)));
}

function withoutDefaulted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("required" in value) || !("properties" in value)) return value;
  const { required, ...rest } = value;
  const properties = Object.entries(value.properties ?? {});
  const asked = properties.filter(([, schema]: [string, object]) => !("default" in schema)).map(([key]) => key);
  const still = Array.isArray(required) ? required.filter((key) => asked.includes(String(key))) : [];
  return still.length > 0 ? { ...rest, required: still } : rest;
}
