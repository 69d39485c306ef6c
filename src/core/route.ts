/**
 * Chats as people write them in config and parameters: `channel|target` or `channel|account|target`.
 * Owns: this one format, and when two routes are one chat. Does not own: the host's delivery contexts, which are kept as they came.
 */
import type { Route } from "./session.ts";

/** Undefined when the text has another form. Blanks around the parts don't count. */
export function parseRoute(text: string): Route | undefined {
  const parts = text.split("|").map((part) => part.trim());
  if (parts.some((part) => part === "")) return undefined;
  const [channel, second, third, ...more] = parts;
  if (channel === undefined || second === undefined || more.length > 0) return undefined;
  return third === undefined ? { channel, to: second } : { channel, accountId: second, to: third };
}

/** The same for a chat however its route is spelled: the channel may stand before the id, the default account may be left out. */
export function chatKey(route: Route | undefined, sessionKey: string): string {
  if (route === undefined) return `session|${sessionKey}`;
  const { channel, accountId = "default", to, threadId = "" } = route;
  const id = to.startsWith(`${channel}:`) ? to.slice(channel.length + 1) : to;
  return [channel, accountId, id, threadId].join("|");
}

export function formatRoute(route: Route): string {
  return [route.channel, ...(route.accountId === undefined ? [] : [route.accountId]), route.to].join("|");
}
