/**
 * A gateway with the product's doors on stub operations, and what tests of it share: chats, routes, the probe's hatch.
 */
import { fileURLToPath } from "node:url";
import type { Owner, Route } from "../../../src/core/session.ts";
import { Gateway } from "../harness/gateway.ts";
import { bundlePlugin } from "../harness/plugin-root.ts";
import type { DoorsRequest, Seen } from "./doors-plugin.ts";
import { stubSigns, type StubCall } from "./stub-operations.ts";

export const PLUGIN = "openclaw-iflow-plugin";
export const DIRECT: Route = { channel: "telegram", to: "telegram:42", accountId: "default" };
export const GROUP: Route = { channel: "telegram", to: "telegram:-1001", accountId: "default" };
export const TOPIC: Route = { channel: "telegram", to: "telegram:-1002", accountId: "default", threadId: 7 };
export const MAIN: Owner = { sessionKey: "agent:main:main", agentId: "main" };
export const person = { chatId: 42 };
export const inGroup = { chatId: -1001, from: 42 };
export const strangerInGroup = { chatId: -1001, from: 99 };
export const inTopic = { chatId: -1002, from: 42, forum: true, threadId: 7 };

export interface DoorsWorld {
  readonly gateway: Gateway;
  hatch<Answer>(wish: DoorsRequest): Promise<Answer>;
  seen(): Promise<Seen>;
  /** The newest call whose parameters hold the word. */
  lastCall(word: string): Promise<StubCall>;
  dispose(): Promise<void>;
}

export async function doorsWorld(): Promise<DoorsWorld> {
  const plugin = await bundlePlugin({
    id: PLUGIN,
    entry: fileURLToPath(new URL("./doors-plugin.ts", import.meta.url)),
    exportName: "doorsPlugin",
    manifest: {
      contracts: { tools: stubSigns.map((sign) => sign.tool) },
      cliCommands: [{ name: "iflow", description: "The iFlow plugin", hasSubcommands: true }],
    },
  });
  let gateway: Gateway;
  try {
    gateway = await Gateway.start({
      pluginRoots: { [plugin.id]: plugin.dir },
      telegram: true,
      config: { commands: { ownerAllowFrom: ["telegram:77"] } },
    });
  } catch (error) {
    plugin.dispose();
    throw error;
  }

  async function hatch<Answer>(wish: DoorsRequest): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${gateway.port}/iflow-doors`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.token}`, "content-type": "application/json" },
      body: JSON.stringify(wish),
    });
    return (await response.json()) as Answer;
  }

  return {
    gateway,
    hatch,
    seen: async () => hatch<Seen>({ do: "seen" }),
    async lastCall(word) {
      const { calls } = await hatch<Seen>({ do: "seen" });
      const call = calls.findLast(({ params }) => JSON.stringify(params).includes(word));
      if (call === undefined) throw new Error(`no call with ${word} reached the operations`);
      return call;
    },
    async dispose() {
      await gateway.dispose();
      plugin.dispose();
    },
  };
}
