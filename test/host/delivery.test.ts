/** What leaves by calls of the gateway, when a call gets lost. */
import { expect, test } from "vitest";
import { createDelivery } from "../../src/host/delivery.ts";
import { apiDouble } from "./api-double.ts";

const MESSAGE = { intentId: "i", owner: { sessionKey: "agent:main:main" }, route: undefined, text: "words" };

test("[N5] a wake that got lost is repeated under its key; a message to a web chat may have arrived", async () => {
  const error = Object.assign(new Error("gateway timeout"), { name: "GatewayTransportError", kind: "timeout" });
  const callGateway = (): Promise<never> => Promise.reject(error);
  const delivery = createDelivery(apiDouble().api, {
    emitAgentEvent: undefined,
    sendDurableMessageBatch: undefined,
    callGateway,
  });
  expect(await delivery.wake(MESSAGE)).toEqual({ kind: "later", reason: "gateway timeout" });
  expect(await delivery.send(MESSAGE)).toEqual({ kind: "unknown", reason: "gateway timeout" });
});
