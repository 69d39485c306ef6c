/**
 * What others say into chats: the gateway's own agent, other plugins, whoever sends through the host.
 * Owns: the host's hooks for that. Does not own: what follows from it (the engine's talk).
 * 1. `message_sent` tells of what a channel was handed; a turn that the host runs by itself tells it to the copy of this plugin
 *    that was loaded for discovery (host fact), so every copy listens and passes it on.
 * 2. A web chat has no such hook: its session's transcript tells what was written into it.
 * 3. Whatever fails here is left out; the host's own work goes on.
 */
import { routeOf } from "./chat-route.ts";
import { passOn } from "./process-memory.ts";
import type { HostApi } from "./sdk.ts";

export function listenToOthers(api: HostApi): void {
  api.on("message_sent", (event, context) => {
    const { channelId: channel, accountId, sessionKey } = context;
    const route = routeOf({ channel, to: event.to, accountId });
    if (route !== undefined) passOn({ route, sessionKey }, event.content);
  });
}

/** One listener a running instance; the result ends it. */
export function listenToWebChats(api: HostApi): () => void {
  const listen = api.runtime.events?.onSessionTranscriptUpdate;
  if (typeof listen !== "function") return () => undefined;
  return listen((update) => {
    const text = wordsOf(update.message);
    if (update.sessionKey !== undefined && text !== "")
      passOn({ route: undefined, sessionKey: update.sessionKey }, text);
  });
}

/** What an agent, or somebody in its place, said aloud: calls of tools and words of people are none. */
function wordsOf(message: unknown): string {
  if (typeof message !== "object" || message === null || !("role" in message) || message.role !== "assistant")
    return "";
  const content = "content" in message ? message.content : undefined;
  if (typeof content === "string") return content.trim();
  if (!Array.isArray(content)) return "";
  return content.map(textOf).join("").trim();
}

function textOf(part: unknown): string {
  if (typeof part !== "object" || part === null || !("text" in part)) return "";
  return typeof part.text === "string" ? part.text : "";
}
