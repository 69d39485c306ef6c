/**
 * What outcomes of the host mean. The errors are as the host's queue and its Telegram channel made them, in a run against a Bot API
 * that refused, was cut off, and was gone.
 */
import { describe, expect, test } from "vitest";
import type { Route } from "../../src/core/session.ts";
import { failedCallOf, handoverOf } from "../../src/host/handover.ts";

const GROUP: Route = { channel: "telegram", to: "telegram:-1001", accountId: "default" };
const TOPIC: Route = { ...GROUP, threadId: 7 };

type Result = Parameters<typeof handoverOf>[0];

function failed(custody: "held" | "released" | undefined, sentBeforeError: boolean, cause?: Error): Result {
  const error = Object.assign(new Error("the send failed", { cause }), {
    ...(custody === undefined ? {} : { queueCustody: custody }),
    sentBeforeError,
    stage: "platform_send",
  });
  return { status: "failed", error };
}

const answered = (status: number, parameters = {}): Error =>
  Object.assign(new Error(`answered ${status}`), { error_code: status, parameters });

function network(code: string): Error {
  const connect = Object.assign(new Error(code), { code, syscall: "connect" });
  return Object.assign(new Error("Network request failed"), {
    error: new TypeError("fetch failed", { cause: connect }),
  });
}

const receipt = { primaryPlatformMessageId: "17", platformMessageIds: ["17"], parts: [], sentAt: 1 };

describe("[N5] what the host's answer means for a message", () => {
  test.each<[string, Result, object]>([
    ["sent", { status: "sent", results: [], receipt }, { kind: "accepted", messageId: "17" }],
    [
      "sent in part",
      { status: "partial_failed", results: [], receipt, error: new Error("second part"), sentBeforeError: true },
      { kind: "accepted", messageId: "17" },
    ],
    [
      "sent by a channel that tells no id",
      { status: "suppressed", results: [], receipt, reason: "adapter_returned_no_identity" },
      { kind: "accepted" },
    ],
    [
      "suppressed by another plugin",
      { status: "suppressed", results: [], receipt, reason: "cancelled_by_message_sending_hook" },
      { kind: "refused" },
    ],
    ["nobody listened", failed("released", false, network("ECONNREFUSED")), { kind: "later" }],
    ["429, then nobody listened", failed("held", true, network("ECONNREFUSED")), { kind: "later" }],
    ["429 to the last try", failed("held", true, answered(429, { retry_after: 7 })), { kind: "later", afterMs: 7_000 }],
    ["429 without a time", failed("held", true, answered(429)), { kind: "later" }],
    ["403", failed("held", true, answered(403)), { kind: "refused" }],
    ["400", failed("held", true, answered(400)), { kind: "refused" }],
    ["502: it may have arrived", failed("held", true, answered(502)), { kind: "unknown" }],
    ["cut off: it may have arrived", failed("held", true, network("UND_ERR_SOCKET")), { kind: "unknown" }],
    ["kept by the host for a try of its own", failed("held", false, network("EFOO")), { kind: "accepted" }],
    [
      "never to be sent",
      failed("released", false, Object.assign(new Error("migrated"), { retryable: false })),
      { kind: "refused" },
    ],
    [
      "2026.7.35: nobody listened, the host keeps it",
      failed(undefined, false, network("ECONNREFUSED")),
      { kind: "accepted" },
    ],
    ["2026.7.35: 429", failed(undefined, false, answered(429)), { kind: "later" }],
    ["2026.7.35: 403", failed(undefined, false, answered(403)), { kind: "refused" }],
    ["2026.7.35: 502", failed(undefined, false, answered(502)), { kind: "unknown" }],
    ["2026.7.35: cut off", failed(undefined, false, network("UND_ERR_SOCKET")), { kind: "unknown" }],
    [
      "a channel that is not there",
      { status: "failed", error: Object.assign(new Error("Outbound not configured"), { retryable: true }) },
      { kind: "refused" },
    ],
  ])("%s", (_name, result, expected) => {
    expect(handoverOf(result, GROUP)).toMatchObject(expected);
  });

  test("a message that the host keeps is said to be in trouble; no answer has a wait that was not asked for", () => {
    expect(handoverOf(failed("held", false), GROUP)).toEqual({ kind: "accepted", trouble: "the send failed" });
    expect(handoverOf(failed("held", true, answered(429)), GROUP)).not.toHaveProperty("afterMs");
  });

  test("[E1] a group that became a supergroup is refused with where it is now, whatever wraps the answer", () => {
    const answer = Object.assign(new Error("answered 400"), {
      error_code: 400,
      description: "Bad Request: group chat was upgraded to a supergroup chat",
      parameters: { migrate_to_chat_id: -100_777 },
    });
    const wrapped = new Error("Telegram rejected send: group migrated to supergroup -100777", { cause: answer });
    const now = { channel: "telegram", to: "telegram:-100777", accountId: "default" };
    expect(handoverOf(failed("released", true, wrapped), GROUP)).toMatchObject({ kind: "refused", now });
    expect(handoverOf(failed(undefined, false, answer), TOPIC)).toMatchObject({ kind: "refused", now });
    const bare = handoverOf(failed("released", true, answer), { channel: "telegram", to: "-1001" });
    expect(bare).toMatchObject({ now: { channel: "telegram", to: "-100777" } });
  });

  test.each(["Bad Request: message thread not found", "Bad Request: TOPIC_CLOSED", "Bad Request: TOPIC_DELETED"])(
    "[E1] %s: the group itself takes it; without a topic it is a refusal like any other",
    (description) => {
      const answer = Object.assign(new Error("answered 400"), { error_code: 400, description });
      const refused = handoverOf(failed("released", true, answer), TOPIC);
      expect(refused).toMatchObject({ kind: "refused", now: GROUP });
      expect(handoverOf(failed("released", true, answer), GROUP)).not.toHaveProperty("now");
      const other = Object.assign(new Error("no"), { error_code: 400, description: "Bad Request: chat not found" });
      expect(handoverOf(failed("released", true, other), TOPIC)).not.toHaveProperty("now");
    },
  );

  test("a call of the gateway that it asks to repeat is repeated, any other is refused", () => {
    expect(failedCallOf(Object.assign(new Error("draining"), { retryable: true }))).toMatchObject({ kind: "later" });
    expect(failedCallOf(Object.assign(new Error("no session"), { retryable: false }))).toMatchObject({
      kind: "refused",
    });
    expect(failedCallOf("broken")).toEqual({ kind: "refused", reason: "broken" });
  });

  test("a call that the transport lost may have had its effect, unless no connection came about", () => {
    const lost = (kind: string, code?: number): Error =>
      Object.assign(new Error("lost"), {
        name: "GatewayTransportError",
        kind,
        ...(code === undefined ? {} : { code }),
      });
    for (const error of [lost("timeout"), lost("closed", 1006), lost("closed", 1012)]) {
      expect(failedCallOf(error)).toEqual({ kind: "unknown", reason: "lost" });
      expect(failedCallOf(error, { isRepeatable: true })).toEqual({ kind: "later", reason: "lost" });
    }
    expect(failedCallOf(lost("closed"))).toEqual({ kind: "later", reason: "lost" });
  });
});
