/** The keep-alive of a socket: whom it is for, and what it ends. The peer here reads, but answers no ping. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { WebsocketTransport } from "../../src/agent/websocket-transport.ts";
import { listenTo } from "./transport-ear.ts";

/** Longer than two pings are apart. */
const LONG_MS = 120_000;

afterEach(() => {
  vi.useRealTimers();
});

async function connected(peer: "dialled" | "started") {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, autoPong: false });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const pings: unknown[] = [];
  server.on("connection", (socket) => socket.on("ping", (data) => pings.push(data)));
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const forever = new AbortController().signal;
  const transport = await WebsocketTransport.connect(`ws://127.0.0.1:${port}`, peer, 5_000, forever);
  const heard: string[] = [];
  return { server, transport, heard, pings, over: listenTo(transport, heard) };
}

test("a dialled agent that answers no ping is gone", async () => {
  const { server, heard, over } = await connected("dialled");
  vi.advanceTimersByTime(LONG_MS);
  await over;
  expect(heard).toEqual(["(the agent has not answered a ping for 30 s)"]);
  server.close();
});

test("an agent that we started is not asked: its process tells whether it lives", async () => {
  const { server, transport, heard, pings, over } = await connected("started");
  vi.advanceTimersByTime(LONG_MS);
  for (const socket of server.clients) socket.send("late");
  await vi.waitFor(() => expect(heard).toEqual(["late"]));
  expect(pings).toEqual([]);
  transport.close();
  await over;
  server.close();
});
