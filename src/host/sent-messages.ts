/**
 * What the host says of messages that have left: a message that it keeps after a failed try is out when it says so.
 * Owns: the host's hook, and who waits for it. Does not own: what is sent.
 * Messages are told apart by chat and first line, for the host changes markup on the way.
 */
import type { Route } from "../core/session.ts";
import type { HostApi } from "./sdk.ts";

/** The host may give a message up without a word: nobody waits for longer. */
const WAIT_AT_MOST_MS = 10 * 60_000;

export interface Watched {
  /** Resolves when the host has sent it, or when nobody waits any more. */
  readonly out: Promise<void>;
  forget(): void;
}

interface Waiting {
  readonly channel: string;
  readonly to: string;
  readonly head: string;
  readonly done: () => void;
}

export class SentMessages {
  readonly #waiting = new Set<Waiting>();

  listen(api: HostApi): void {
    api.on("message_sent", (event, context) => {
      if (event.success) this.#note(context.channelId, event.to, event.content);
    });
  }

  /** To be called before the message is handed over. */
  watch(route: Route, text: string): Watched {
    const out = Promise.withResolvers<void>();
    const waiting: Waiting = {
      channel: route.channel,
      to: bareChat(route.channel, route.to),
      head: firstLine(text),
      done: () => forget(),
    };
    const timer = setTimeout(() => forget(), WAIT_AT_MOST_MS);
    timer.unref();
    const forget = (): void => {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
      out.resolve();
    };
    this.#waiting.add(waiting);
    return { out: out.promise, forget };
  }

  #note(channel: string, to: string, content: string): void {
    const chat = bareChat(channel, to);
    for (const waiting of this.#waiting)
      if (waiting.channel === channel && waiting.to === chat && content.trim().startsWith(waiting.head)) waiting.done();
  }
}

/** `telegram:-1002:topic:7`, `telegram:-1002` and `-1002` are one chat. */
function bareChat(channel: string, to: string): string {
  const bare = to.startsWith(`${channel}:`) ? to.slice(channel.length + 1) : to;
  return bare.replace(/:topic:[^:]*$/, "");
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]?.trim() ?? "";
}
