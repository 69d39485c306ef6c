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

test.each([
  ["telegram", ["Allow", "Reject"], [2]],
  ["telegram", ["Approve, ask before each change", "Reject"], [1, 1]],
  ["discord", ["Approve, ask before each change", "Reject"], [2]],
])("[D6] on %s the choices %j are rows of %j buttons", async (channel, labels, rows) => {
  const sent: unknown[] = [];
  const delivery = createDelivery(apiDouble().api, {
    emitAgentEvent: undefined,
    sendDurableMessageBatch: (params) => {
      sent.push(...params.payloads);
      return Promise.reject(new Error("not sent"));
    },
    callGateway: undefined,
  });
  const buttons = labels.map((label, index) => ({ label, payload: `a:${index}` }));
  await delivery.send({ ...MESSAGE, route: { channel, to: `${channel}:1` }, buttons });
  const [payload] = sent as readonly {
    readonly presentation: { readonly blocks: readonly { buttons: unknown[] }[] };
  }[];
  expect(payload?.presentation.blocks.map((block) => block.buttons.length)).toEqual(rows);
});
