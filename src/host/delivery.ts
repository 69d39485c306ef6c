/**
 * Delivery through the host: chats by its durable queue, web chats by injection, agents by its `agent` call.
 * Owns: the host's ways out and their outcomes in our words. Does not own: order, repetition, pace (the engine's governor).
 * 1. No method throws.
 * 2. What may have left, or what the host keeps for a try of its own, is never handed over again by anybody (see handover.ts).
 * 3. A web chat has no way out but its session; nothing is sent to a channel in its place.
 * 4. What is sent is text and nothing else: no words of an agent become an attachment, a redirection or dropped markup.
 */
import { inertText } from "../core/inert-text.ts";
import type { Owner, Route } from "../core/session.ts";
import type { Button, Delivery, Handover, OutgoingMessage } from "../ports.ts";
import { isWebChannel } from "./chat-route.ts";
import { failedCallOf, handoverOf, messageIdOf } from "./handover.ts";
import { currentConfig } from "./host-facts.ts";
import { BUTTON_NAMESPACE } from "./interactive.ts";
import { rememberOwnWords } from "./process-memory.ts";
import type { CallGateway, HostApi, HostFunctions } from "./sdk.ts";

/** A button with a longer label gets a row of its own. */
const LABEL_IN_A_ROW = 14;
/** Where a channel's configuration says nothing. */
const UNKNOWN_LIMIT_CHARS = 3_800;
/** Our cards begin with it, and nobody else's do. */
const CARD_TITLE = "**iFlow at work**";
const GATEWAY_CALL_TIMEOUT_MS = 30_000;
/** Channels on which the host documents `message.action edit` (seen on Telegram). */
const EDITABLE: ReadonlySet<string> = new Set(["telegram", "discord", "slack", "matrix", "msteams"]);

export function createDelivery(api: HostApi, functions: HostFunctions): Delivery {
  const call = gatewayCall(functions.callGateway);

  async function toChat(route: Route, { text, buttons }: OutgoingMessage): Promise<Handover> {
    const send = functions.sendDurableMessageBatch;
    if (send === undefined) {
      return {
        kind: "refused",
        reason: "this OpenClaw does not export sendDurableMessageBatch (plugin-sdk/channel-outbound)",
      };
    }
    const { channel, to, accountId, threadId } = route;
    const words = inertText(text);
    rememberOwnWords(words);
    const payload = {
      text: words,
      ...(buttons === undefined || buttons.length === 0 ? {} : { presentation: withButtons(buttons, channel) }),
    };
    const result = await send({
      cfg: currentConfig(api),
      channel,
      to,
      payloads: [payload],
      // Else the host's queue would keep what it could not send and try again by itself, behind what we send meanwhile.
      deliveryRetryOwner: "caller",
      ...(accountId === undefined ? {} : { accountId }),
      ...(threadId === undefined ? {} : { threadId }),
    });
    return handoverOf(result, route);
  }

  async function toSession(sessionKey: string, text: string): Promise<Handover> {
    const message = inertText(text);
    rememberOwnWords(message);
    const answer = await call("chat.inject", { sessionKey, message, label: "iFlow" });
    return { kind: "accepted", ...messageIdOf(answer["messageId"]) };
  }

  /** The host keeps one card a session, for its agent too; each write replaces all of it. */
  async function toCard({ sessionKey, agentId }: Owner, markdown: string | undefined): Promise<Handover> {
    const isQualified = agentId === undefined || sessionKey.startsWith("agent:");
    const session = { sessionKey, ...(isQualified ? {} : { agentId }) };
    const { card } = await call("progressCard.get", session);
    const isNone = card === null || card === undefined;
    if (!isNone && !isOurCard(card)) return { kind: "refused", reason: `${sessionKey} has a progress card of its own` };
    if (!isNone || markdown !== undefined)
      await call("progressCard.put", {
        ...session,
        ...(markdown === undefined ? {} : { markdown: `${CARD_TITLE}\n\n${inertText(markdown)}` }),
      });
    return { kind: "accepted" };
  }

  return {
    send: async (message) =>
      guarded(async () => {
        const route = chatOf(message.route);
        return route === undefined ? toSession(message.owner.sessionKey, message.text) : toChat(route, message);
      }),

    edit: async (route, messageId, text) =>
      guarded(async () => {
        const { channel, to, accountId, threadId } = route;
        const message = inertText(text);
        rememberOwnWords(message);
        await call("message.action", {
          channel,
          action: "edit",
          ...(accountId === undefined ? {} : { accountId }),
          // Without it the host takes the plugin for an agent, which may edit only what it was asked from.
          conversationReadOrigin: "direct-operator",
          idempotencyKey: `iflow-edit-${crypto.randomUUID()}`,
          params: {
            to,
            messageId,
            message,
            ...(threadId === undefined ? {} : { threadId: String(threadId) }),
          },
        });
        return { kind: "accepted", messageId };
      }),

    wake: async (message) =>
      guarded(
        async () => {
          await call("agent", wakeParams(message));
          return { kind: "accepted" };
        },
        // By its idempotencyKey.
        { isRepeatable: true },
      ),

    card: async (owner, markdown) => guarded(async () => toCard(owner, markdown)),

    limit(route) {
      const chat = chatOf(route);
      if (chat === undefined) return UNKNOWN_LIMIT_CHARS;
      const { resolveTextChunkLimit } = api.runtime.channel.text;
      return resolveTextChunkLimit(currentConfig(api), chat.channel, chat.accountId, {
        fallbackLimit: UNKNOWN_LIMIT_CHARS,
      });
    },

    canEdit(route) {
      const chat = chatOf(route);
      return chat !== undefined && functions.callGateway !== undefined && EDITABLE.has(chat.channel);
    },
  };
}

/** A turn of the agent in its own session; its reply goes to the chat, or stays in the web chat. Queued while the session is busy. */
function wakeParams({
  owner,
  agentId,
  route,
  text,
  intentId,
}: OutgoingMessage & { readonly agentId?: string }): Record<string, unknown> {
  const chat = chatOf(route);
  const agent = agentId ?? owner.agentId;
  return {
    sessionKey: owner.sessionKey,
    ...(agent === undefined ? {} : { agentId: agent }),
    message: text,
    idempotencyKey: intentId,
    inputProvenance: { kind: "internal_system", sourceTool: "openclaw-iflow-plugin" },
    deliver: chat !== undefined,
    ...(chat === undefined ? {} : { replyChannel: chat.channel, replyTo: chat.to }),
    ...(chat?.accountId === undefined ? {} : { replyAccountId: chat.accountId }),
    ...(chat?.threadId === undefined ? {} : { threadId: String(chat.threadId) }),
  };
}

function isOurCard(card: unknown): boolean {
  const markdown = typeof card === "object" && card !== null && "markdown" in card ? card.markdown : undefined;
  return typeof markdown === "string" && markdown.startsWith(`${CARD_TITLE}\n`);
}

/** Telegram puts three in a row, which leaves no room for long labels; a block of its own is a row of its own there (host fact). */
function withButtons(buttons: readonly Button[], channel: string) {
  const shown = buttons.map(({ label, payload }) => ({
    label,
    action: { type: "callback" as const, value: `${BUTTON_NAMESPACE}:${payload}` },
  }));
  const areLong = channel === "telegram" && buttons.some(({ label }) => label.length > LABEL_IN_A_ROW);
  const rows = areLong ? shown.map((button) => [button]) : [shown];
  return { blocks: rows.map((row) => ({ type: "buttons" as const, buttons: row })) };
}

function chatOf(route: Route | undefined): Route | undefined {
  return route === undefined || isWebChannel(route.channel) ? undefined : route;
}

/** In-process calls of the running gateway with an operator's scopes, which it grants to its own plugins (host fact). */
function gatewayCall(callGateway: CallGateway | undefined) {
  return async (method: string, params: Record<string, unknown>): Promise<Record<string, unknown>> => {
    if (callGateway === undefined) throw new Error(`this OpenClaw has no way to call ${method} from a plugin`);
    return callGateway(method, { timeout: String(GATEWAY_CALL_TIMEOUT_MS) }, params, { progress: false });
  };
}

async function guarded(run: () => Promise<Handover>, call = { isRepeatable: false }): Promise<Handover> {
  try {
    return await run();
  } catch (error) {
    return failedCallOf(error, call);
  }
}
