/**
 * Buttons under our messages: a press comes back as the payload that was sent with it.
 * Owns: the host's shapes of a press, one a channel. Does not own: what a payload means.
 * 1. Every press says whether the channel lets its sender steer the bot: the host calls the handler for those whom it does
 *    not let as well, in a group that everybody may write in (host fact).
 */
import { messageOf } from "../core/errors.ts";
import type { Route } from "../core/session.ts";
import type { Log } from "../ports.ts";
import type { HostFacts } from "./caller.ts";
import { routeOf } from "./chat-route.ts";
import { rememberOwnWords } from "./process-memory.ts";
import type { HostApi } from "./sdk.ts";

/** Prefix of every callback of ours, in the host's `namespace:payload` form. */
export const BUTTON_NAMESPACE = "iflow";

/** The first lines of a notice: its head, and what was asked. */
const HEAD_LINES = 2;
const CHANNELS = ["telegram", "discord", "slack"] as const;

export interface ButtonPress {
  readonly isAuthorised: boolean;
  readonly payload: string;
  readonly route: Route | undefined;
  readonly senderId: string | undefined;
  readonly inGroup: boolean;
  /** The message that the button stands under. */
  readonly messageId: string | undefined;
  isOwner(): Promise<boolean>;
}

/**
 * What is shown for a press. `closed`: the question is over, so its buttons go and the words stand in their place; `whole`: in
 * place of all of the message.
 */
export interface PressReply {
  readonly text: string;
  readonly closed: boolean;
  readonly whole?: true;
}

export type TakePress = (press: ButtonPress) => Promise<PressReply>;

/** Parts of the host's contexts that count here; channels name them differently, so each is looked at with care. */
interface PressContext {
  readonly channel?: unknown;
  readonly accountId?: unknown;
  readonly conversationId?: unknown;
  readonly threadId?: unknown;
  readonly senderId?: unknown;
  readonly isGroup?: unknown;
  readonly auth?: { readonly isAuthorizedSender?: unknown };
  readonly callback?: {
    readonly payload?: unknown;
    readonly messageId?: unknown;
    readonly messageText?: unknown;
    readonly chatId?: unknown;
  };
  readonly interaction?: { readonly payload?: unknown; readonly messageId?: unknown };
  readonly respond?: Responders;
}

interface Responders {
  reply?(message: { text: string; ephemeral?: boolean }): Promise<void>;
  editMessage?(message: { text: string }): Promise<void>;
  clearButtons?(): Promise<void>;
}

export function registerButtons(api: HostApi, host: HostFacts, take: TakePress, log: Log): void {
  for (const channel of CHANNELS) {
    api.registerInteractiveHandler({
      channel,
      namespace: BUTTON_NAMESPACE,
      handler: async (context) => {
        await pressed(channel, context as PressContext, host, take, log);
        return { handled: true };
      },
    });
  }
}

async function pressed(
  channel: string,
  context: PressContext,
  host: HostFacts,
  take: TakePress,
  log: Log,
): Promise<void> {
  try {
    const respond = context.respond ?? {};
    // What is shown for a press is plain text: the host takes nothing in it for markup.
    const reply = await take(pressOf(channel, context, host));
    rememberOwnWords(reply.text);
    if (!reply.closed) {
      await respond.reply?.({ text: reply.text, ephemeral: true });
      return;
    }
    const before = reply.whole === true ? "" : headOf(words(context.callback?.messageText));
    if (respond.editMessage === undefined) await respond.clearButtons?.();
    else await respond.editMessage({ text: before === "" ? reply.text : `${before}\n\n${reply.text}` });
  } catch (error) {
    // The answer itself is taken or refused by now; only its echo in the chat is missing.
    log.warn(`a button press on ${channel} could not be shown: ${messageOf(error)}`);
  }
}

function pressOf(channel: string, context: PressContext, host: HostFacts): ButtonPress {
  const accountId = words(context.accountId);
  const senderId = words(context.senderId);
  const inGroup = context.isGroup === true;
  const { threadId } = context;
  const chat = words(context.callback?.chatId) ?? words(context.conversationId);
  const to = chat === undefined ? undefined : `${channel}:${chat}`;
  const callback = context.callback ?? context.interaction;
  return {
    isAuthorised: context.auth?.isAuthorizedSender === true,
    payload: words(callback?.payload) ?? "",
    route: routeOf({
      channel,
      to,
      accountId,
      threadId: typeof threadId === "number" ? threadId : words(threadId),
    }),
    senderId,
    inGroup,
    messageId: words(callback?.messageId),
    isOwner: () => host.isOwner({ channel, from: to, to, accountId, senderId, inGroup }),
  };
}

/** Who asked what. What stands behind it says how to answer, or would lose its code block: what is edited here has no markup. */
function headOf(message: string | undefined): string {
  const [head = ""] = (message ?? "").split("\n\n", 1);
  return head.split("\n").slice(0, HEAD_LINES).join("\n");
}

function words(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}
