/**
 * What the host's answer to a send means for the message: who has it now, and who may try again.
 * Owns: how outcomes and errors of the host are read. Does not own: the sending (delivery), the trying again (the engine's governor).
 * Facts of the host's delivery queue (2026.9.6, run with its Telegram channel):
 * 1. What provably never left (nobody listened) is let go of, since we ask for that: `queueCustody` is "released".
 * 2. What a platform has answered with an error, or what was cut off, is kept as of unknown fate: never sent again from there, and
 *    given up at the next sweep. So what outlives a channel's own tries would be lost: a 429, or an outage that begins between two
 *    tries. Repeating those is safe: a channel repeats only what was not taken, and of the last try we see that it was not, either.
 * 3. What failed otherwise, before it was tried, is "held": the queue tries again by itself.
 * A host that says nothing of custody (2026.7.35) keeps what never left, as in 3, and gives up the rest, as in 2.
 */
import { messageOf } from "../core/errors.ts";
import type { Route } from "../core/session.ts";
import type { Handover } from "../ports.ts";
import type { SendDurableBatch } from "./sdk.ts";

type DurableResult = Awaited<ReturnType<SendDurableBatch>>;
type Fields = Readonly<Record<string, unknown>>;

const TOO_MANY_REQUESTS = 429;
/** No connection came about. */
const NOT_CONNECTED: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETDOWN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
const TOPIC_GONE = /message thread not found|TOPIC_(?:CLOSED|DELETED)/i;
const LOST_CALL = "GatewayTransportError";
const MAX_DEPTH = 8;

/** `route`: where it was sent to. */
export function handoverOf(result: DurableResult, route: Route): Handover {
  switch (result.status) {
    case "sent":
    case "partial_failed":
      return { kind: "accepted", ...messageIdOf(result.receipt.primaryPlatformMessageId) };
    case "suppressed":
      // Sent, by a channel that tells no id.
      return result.reason === "adapter_returned_no_identity"
        ? { kind: "accepted" }
        : { kind: "refused", reason: `the host suppressed the message (${result.reason})` };
    case "failed":
      return failureOf(result.error, route);
  }
}

function failureOf(error: unknown, route: Route): Handover {
  const reason = messageOf(error);
  const causes = causesOf(error);
  const now = chatNow(causes, route);
  if (now !== undefined) return { kind: "refused", reason, now };
  const custody = causes.find(({ queueCustody }) => queueCustody !== undefined)?.["queueCustody"];
  const status = causes.map(statusOf).find((one) => one !== undefined);
  const neverLeft = status === undefined && causes.some(({ code }) => NOT_CONNECTED.has(code));
  const wasTried =
    causes.some(({ sentBeforeError }) => sentBeforeError === true) ||
    (custody === undefined && !neverLeft && causes.some(({ stage }) => stage === "platform_send"));
  if ((custody === "held" && !wasTried) || (custody === undefined && neverLeft))
    return { kind: "accepted", trouble: reason };
  if (status === TOO_MANY_REQUESTS) return { kind: "later", reason, ...pauseOf(causes) };
  if (status !== undefined && status >= 400 && status < 500) return { kind: "refused", reason };
  if (neverLeft) return { kind: "later", reason };
  if (wasTried) return { kind: "unknown", reason };
  const isHopeless = causes.some(({ retryable }) => retryable === false);
  return custody === "released" && !isHopeless ? { kind: "later", reason } : { kind: "refused", reason };
}

/**
 * Of a call of the gateway that failed: what it asks to repeat has had no effect, and what got lost may have had one.
 * `isRepeatable`: the gateway takes a repeated call for the same. The error of its transport (`kind` closed or timeout) has a `code`
 * where a connection was closed, and none where no connection came about (host fact).
 */
export function failedCallOf(error: unknown, { isRepeatable = false } = {}): Handover {
  const reason = messageOf(error);
  if (!isFields(error)) return { kind: "refused", reason };
  if (error["retryable"] === true) return { kind: "later", reason };
  if (error["name"] !== LOST_CALL) return { kind: "refused", reason };
  const neverLeft = error["kind"] === "closed" && error["code"] === undefined;
  return { kind: isRepeatable || neverLeft ? "later" : "unknown", reason };
}

export function messageIdOf(id: unknown): { messageId?: string } {
  return typeof id === "string" || typeof id === "number" ? { messageId: String(id) } : {};
}

/** The error and what it was caused by, outermost first, where the host and its channels put it. */
function causesOf(error: unknown, depth = 0): readonly Fields[] {
  if (!isFields(error) || depth > MAX_DEPTH) return [];
  const nested = [error["cause"], error["error"], error["original"], error["reason"]];
  const several: readonly unknown[] = Array.isArray(error["errors"]) ? error["errors"] : [];
  return [error, ...[...nested, ...several].flatMap((one) => causesOf(one, depth + 1))];
}

/** What the platform answered, under the names that client libraries give it. */
function statusOf({ error_code: telegram, status, statusCode }: Fields): number | undefined {
  return [telegram, status, statusCode].find(
    (one): one is number => typeof one === "number" && one >= 400 && one < 600,
  );
}

/**
 * Where a chat of Telegram is from now on: a group that became a supergroup has another id, and what a topic that was closed or deleted
 * does not take goes to the group itself. A topic's end is told by its words only (host fact: nothing else comes through).
 */
function chatNow(causes: readonly Fields[], route: Route): Route | undefined {
  const { threadId, ...chat } = route;
  const prefix = chat.to.startsWith(`${chat.channel}:`) ? `${chat.channel}:` : "";
  for (const { parameters } of causes) {
    const id = isFields(parameters) ? parameters["migrate_to_chat_id"] : undefined;
    if (typeof id === "number" || typeof id === "string") return { ...chat, to: `${prefix}${id}` };
  }
  const isTopicGone = causes.some(({ description }) => typeof description === "string" && TOPIC_GONE.test(description));
  return threadId !== undefined && isTopicGone ? chat : undefined;
}

/** How long Telegram wants to be left alone. */
function pauseOf(causes: readonly Fields[]): { afterMs?: number } {
  for (const { parameters } of causes) {
    const seconds = isFields(parameters) ? parameters["retry_after"] : undefined;
    if (typeof seconds === "number" && seconds > 0) return { afterMs: seconds * 1_000 };
  }
  return {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
