/**
 * Chats as people write them in config and parameters: `channel|target` or `channel|account|target`.
 * Owns: this one format. Does not own: the host's delivery contexts, which are kept as they came.
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

export function formatRoute(route: Route): string {
  return [route.channel, ...(route.accountId === undefined ? [] : [route.accountId]), route.to].join("|");
}
