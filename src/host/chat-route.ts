/**
 * The host's delivery facts as our Route, the same text for the same chat from every door.
 * Owns: telling a web chat from a channel, forms of threads, what is a group, which session is an agent's main one.
 */
import { parseRoute } from "../core/route.ts";
import type { Route } from "../core/session.ts";
import type { HostConfig } from "./sdk.ts";

/** Channels that have no way out but the session itself (host fact: it refuses to send there). */
const WEB_CHANNELS: ReadonlySet<string> = new Set(["webchat", "internal"]);

export interface DeliveryFacts {
  readonly channel?: string | undefined;
  readonly to?: string | undefined;
  readonly accountId?: string | undefined;
  readonly threadId?: string | number | null | undefined;
}

/** Undefined for a web chat, and where the host gave no chat. */
export function routeOf({ channel, to, accountId, threadId }: DeliveryFacts): Route | undefined {
  if (channel === undefined || to === undefined || channel === "" || to === "" || isWebChannel(channel))
    return undefined;
  const thread = threadOf(threadId);
  return {
    channel,
    to: withoutTopic(to, thread),
    ...(accountId === undefined || accountId === "" ? {} : { accountId }),
    ...(thread === undefined ? {} : { threadId: thread }),
  };
}

/** A parameter: `channel|account|target`, or an object as the host writes it. */
export function routeParam(value: unknown): Route | undefined {
  if (typeof value === "string") return parseRoute(value);
  if (typeof value !== "object" || value === null) return undefined;
  const { channel, to, accountId, threadId } = value as Record<string, unknown>;
  return routeOf({
    channel: textOrNone(channel),
    to: textOrNone(to),
    accountId: textOrNone(accountId),
    threadId: typeof threadId === "number" ? threadId : textOrNone(threadId),
  });
}

export function isWebChannel(channel: string): boolean {
  return WEB_CHANNELS.has(channel);
}

/** `agent:<id>:<channel>:group:<chat>` and the like; a main session or a direct chat is none. */
export function isGroupSession(sessionKey: string): boolean {
  return /^agent:[^:]+:[^:]+:(?:group|channel|room):/.test(sessionKey);
}

/** The session of a schedule's run, of a sub-agent, of a hook: nobody reads in it. */
export function isRunSession(sessionKey: string): boolean {
  return /^agent:[^:]+:(?:cron|subagent|acp|hook|heartbeat):/.test(sessionKey);
}

export function mainSessionKey(config: HostConfig, agentId: string): string {
  return config.session?.scope === "global" ? "global" : `agent:${agentId}:${config.session?.mainKey ?? "main"}`;
}

export function agentIdOf(sessionKey: string): string | undefined {
  return /^agent:([^:]+):/.exec(sessionKey)?.[1];
}

/** The same topic comes as 7 in one call and as "7" in another; ids too long for a number stay text. */
function threadOf(threadId: string | number | null | undefined): string | number | undefined {
  if (threadId === null || threadId === undefined || threadId === "") return undefined;
  return typeof threadId === "string" && /^\d{1,15}$/.test(threadId) ? Number(threadId) : threadId;
}

/** Tools get `telegram:-1002:topic:7`, commands `telegram:-1002`; the host takes both, with the thread beside it. */
function withoutTopic(to: string, thread: string | number | undefined): string {
  const suffix = `:topic:${thread ?? ""}`;
  return thread !== undefined && to.endsWith(suffix) ? to.slice(0, -suffix.length) : to;
}

function textOrNone(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
