/**
 * Builds the engine from the host's parts and the configuration: adapters on one side, rules and bounds on the other.
 * Owns: which adapter stands behind which port, and what the configuration means for them, also when it changes.
 */
import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { createAgentLauncher, findAgentCommand, type AgentOptions } from "./agent/agent-launcher.ts";
import type { ChannelRule, PluginConfig, Secret } from "./config.ts";
import type { Rules } from "./core/event.ts";
import { IflowError } from "./core/errors.ts";
import { redactSecrets } from "./core/redact.ts";
import { voiceOf } from "./core/voice.ts";
import type { Owner } from "./core/session.ts";
import { AwakeClock } from "./engine/awake-clock.ts";
import type { Engine } from "./engine/context.ts";
import type { Voice } from "./engine/governor.ts";
import { Roster } from "./engine/roster.ts";
import { Sessions } from "./engine/sessions.ts";
import { createJournals } from "./journal/journals.ts";
import { Audit } from "./operations/audit.ts";
import type { Context } from "./operations/context.ts";
import { isWithin, Workdirs } from "./operations/workdir.ts";
import type { AgentLauncher, ChildTasks, Clock, Delivery, FlowStore, Journals, Log } from "./ports.ts";

const COMMAND_CACHE_MS = 60_000;

export interface HostParts {
  readonly flows: FlowStore;
  readonly children: ChildTasks;
  readonly delivery: Delivery;
  readonly clock: Clock;
  readonly log: Log;
  /** The host's state directory; the plugin's files lie in a folder of it. */
  readonly stateDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The main session of an agent; absent: where the host has it by default. */
  readonly mainOwner?: (agentId: string) => Owner;
}

function rulesOf(config: PluginConfig): Rules {
  return {
    outputMode: config.outputMode,
    safeMode: config.safeMode,
    outputBufferBytes: config.outputBufferBytes,
    quietAfterMs: config.safetyNetIdleMs,
    toolTimeoutMs: config.toolTimeoutMs,
    questionTimeoutMs: config.questionTimeoutMs,
    idleTimeoutMs: config.idleTimeoutMs,
    keepAliveMs: config.keepAliveMs,
    maxAutoResponds: config.maxAutoResponds,
    afterRestart: config.restartPolicy,
  };
}

/** The plugin's own folder below the host's state directory. */
export function pluginFolder(stateDir: string): string {
  return join(stateDir, "iflow-plugin");
}

/** `config` is asked whenever something is decided: an edit holds from then on, and nothing is built anew. */
export function compose(parts: HostParts, config: () => PluginConfig): Context {
  const folder = pluginFolder(parts.stateDir);
  const agent = liveAgentParts(parts, config);
  const rules = derived(config, rulesOf);
  const workdirs = new Workdirs({
    get defaultWorkdir() {
      return config().defaultWorkdir;
    },
    get allowedWorkdirs() {
      return config().allowedWorkdirs;
    },
    stateDir: parts.stateDir,
  });
  const audit = new Audit(join(folder, "audit.jsonl"), parts.clock, parts.log);
  const engine: Engine = {
    flows: parts.flows,
    children: parts.children,
    delivery: parts.delivery,
    clock: new AwakeClock(parts.clock),
    log: parts.log,
    audit,
    launcher: {
      start: async (spec, signal) => {
        // A launch may have waited in line while the configuration was edited.
        const allowed = await workdirs.stillAllowed({ name: "This session", workdir: spec.workdir });
        if (!allowed.ok) throw new IflowError("agent_start_failed", allowed.refusal.message);
        return agent().launcher.start(spec, signal);
      },
      copyHistory: (acpSessionId) => agent().launcher.copyHistory(acpSessionId),
      reap: (sessionId, identity) => agent().launcher.reap(sessionId, identity),
    },
    journals: journalsOf(parts.stateDir, config),
    newId: () => randomBytes(5).toString("hex"),
    get rules() {
      return rules();
    },
    get bounds() {
      return boundsOf(config());
    },
    get language() {
      return config().language;
    },
  };
  const speaking = derived(config, voiceOf);
  const voice: Voice = {
    text: (session, notice) => speaking().text(session, notice),
    buttons: (session, notice) => speaking().buttons(session, notice),
    mayBeMissing: (session) => speaking().mayBeMissing(session),
    elsewhere: (session, text) => speaking().elsewhere(session, text),
    wake: (session, notice) => speaking().wake(session, notice),
    over: (session, questions, from) => speaking().over(session, questions, from),
    answered: (session, questions) => speaking().answered(session, questions),
  };
  const channels = derived(config, channelRules);
  const roster = new Roster(engine, voice, {
    routeOf: ({ route, workdir }) => route ?? ruleOf(workdir, channels())?.route ?? config().fallbackChannel,
    fallback: () => config().fallbackChannel,
  });
  return {
    sessions: new Sessions(roster),
    get config() {
      return config();
    },
    workdirs,
    audit,
    agentOf: (workdir) => {
      const agentId = ruleOf(workdir, channels())?.agentId;
      if (agentId === undefined) return undefined;
      return parts.mainOwner?.(agentId) ?? { sessionKey: `agent:${agentId}:main`, agentId };
    },
    agentReady: () => agent().ready(),
  };
}

/** The same value as long as the configuration is the same. */
function derived<Value>(config: () => PluginConfig, of: (config: PluginConfig) => Value): () => Value {
  let from = config();
  let value = of(from);
  return () => {
    const now = config();
    if (now !== from) [from, value] = [now, of(now)];
    return value;
  };
}

function boundsOf(config: PluginConfig): Engine["bounds"] {
  const { maxSessions, maxQueued, maxPersistedSessions, journalRetentionMs } = config;
  return { maxSessions, maxQueued, maxPersistedSessions, journalRetentionMs };
}

/** A journal stays as it was opened: what is redacted is so from its first line on. In safe mode no file keeps a secret. */
export function journalsOf(stateDir: string, config: () => PluginConfig): Journals {
  return createJournals(join(pluginFolder(stateDir), "sessions"), {
    get redact() {
      const { journal, safeMode } = config();
      return journal === "redacted" || safeMode ? redactSecrets : undefined;
    },
  });
}

interface AgentParts {
  readonly launcher: AgentLauncher;
  /** The quick check whether there is something to launch. */
  readonly ready: Context["agentReady"];
}

/** Agents that run are not touched by an edit; the next one is started with what stands there then. */
function liveAgentParts({ clock, log, env }: HostParts, config: () => PluginConfig): () => AgentParts {
  let made = config();
  let parts = agentPartsOf(made, clock, log, env);
  return () => {
    const now = config();
    if (now === made) return parts;
    if (!isDeepStrictEqual(now.agent, made.agent)) parts = agentPartsOf(now, clock, log, env);
    made = now;
    return parts;
  };
}

export function agentPartsOf(config: PluginConfig, clock: Clock, log: Log, env: HostParts["env"]): AgentParts {
  const options = agentOptions(config, log, env);
  return { launcher: createAgentLauncher(options), ready: agentCheck(options, clock) };
}

/** A session's directory is a real path, so those of the rules are too. */
function channelRules({ agentChannels }: PluginConfig): readonly ChannelRule[] {
  return agentChannels.map((rule) => {
    try {
      return { ...rule, directory: realpathSync(rule.directory) };
    } catch {
      // Not there, or not to be read: it stands as it is written.
      return { ...rule, directory: resolve(rule.directory) };
    }
  });
}

/** The longest matching directory wins. */
function ruleOf(workdir: string, channels: readonly ChannelRule[]): ChannelRule | undefined {
  const rules = channels.filter(({ directory }) => isWithin(workdir, directory));
  return rules.toSorted((a, b) => b.directory.length - a.directory.length)[0];
}

function agentOptions(config: PluginConfig, log: Log, hostEnv: HostParts["env"]): AgentOptions {
  const { command, args, env, transport, url, auth, stream } = config.agent;
  const apiKey = plain(auth.apiKey);
  const method = auth.methodId ?? (apiKey === undefined ? undefined : "openai-compatible");
  return {
    ...(command === undefined ? {} : { command }),
    ...(url === undefined ? {} : { url }),
    args,
    env: Object.fromEntries(
      Object.entries(env).flatMap(([key, value]) => (plain(value) === undefined ? [] : [[key, plain(value) ?? ""]])),
    ),
    transport,
    stream,
    ...(method === undefined
      ? {}
      : {
          auth: {
            methodId: method,
            ...(apiKey === undefined ? {} : { apiKey }),
            ...(auth.baseUrl === undefined ? {} : { baseUrl: auth.baseUrl }),
            ...(auth.modelName === undefined ? {} : { modelName: auth.modelName }),
          },
        }),
    log,
    hostEnv,
  };
}

/** The host resolves secret references before the plugin sees them; one that is left can't be used. */
function plain(secret: Secret | undefined): string | undefined {
  return typeof secret === "string" ? secret : undefined;
}

/** Found on disk, or said why not; remembered for a minute. */
function agentCheck(options: AgentOptions, clock: Clock): Context["agentReady"] {
  let last: { readonly at: number; readonly result: Awaited<ReturnType<Context["agentReady"]>> } | undefined;
  return async () => {
    if (options.url !== undefined) return { ok: true };
    if (last !== undefined && clock.now() - last.at < COMMAND_CACHE_MS) return last.result;
    const found = await findAgentCommand(options);
    const result = "missing" in found ? ({ ok: false, message: found.missing } as const) : ({ ok: true } as const);
    if (result.ok) last = { at: clock.now(), result };
    return result;
  };
}
