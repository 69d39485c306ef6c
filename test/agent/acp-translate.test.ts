/**
 * Every kind of frame (frames.ts) through the whole connection, so nothing can be dropped on the way unseen.
 */
import { describe, expect, test } from "vitest";
import type { AgentEvent } from "../../src/core/agent-event.ts";
import { AcpTranslator } from "../../src/agent/acp-translate.ts";
import { SESSION } from "./demo-world.ts";
import { KEPT, OPTIONS, request, REQUESTS, UPDATES } from "./frames.ts";
import { heardOf } from "./heard-of.ts";
import { Listener } from "./listener.ts";
import { INITIALIZED, memoryConnection, NEW_SESSION, openMemoryConnection, update } from "./memory-transport.ts";

describe("frames", () => {
  test.each(UPDATES)("%s", async (_name, fields, event) => {
    expect(await heardOf(update(fields))).toEqual([event]);
  });

  test.each(REQUESTS)("%s", async (_name, frame, expected) => {
    const [event, ...more] = await heardOf(frame);
    expect(event).toMatchObject({ kind: "asked", request: expected });
    expect(more).toEqual([]);
  });

  test.each(KEPT)("%s is kept as it came", async (_name, frame) => {
    expect(await heardOf(frame)).toEqual([{ kind: "log", source: "frame", text: JSON.stringify(frame) }]);
  });

  test.each([
    ["stdout", "Data collection is disabled."],
    ["stdout", "{not json"],
    ["stdout", "[1,2,3]"],
    ["stdout", '"a string"'],
    ["control", "//stderr [WS 1] Embedded iFlow ACP peer started"],
    ["control", "//ready"],
  ])("a line that is no frame is kept: %s %s", async (source, text) => {
    expect(await heardOf(text)).toEqual([{ kind: "log", source, text }]);
  });

  test("blank lines are nothing", async () => {
    expect(await heardOf("", "  ", "\r")).toEqual([]);
  });

  test("a frame between blanks and with a carriage return is a frame", async () => {
    const frame = JSON.stringify(
      update({ sessionUpdate: "agent_thought_chunk", content: { type: "text", text: "x" } }),
    );
    expect(await heardOf(` ${frame}\r`)).toEqual([{ kind: "thought", text: "x" }]);
  });

  test("a permission request gets the tool name of the pending frame before it", async () => {
    const call = { toolCallId: "c1", title: "Write to a.txt", kind: "edit", content: [] };
    const events = await heardOf(
      update({ sessionUpdate: "tool_call", toolName: "write_file", status: "pending", ...call }),
      request("session/request_permission", { options: OPTIONS, toolCall: call }),
    );
    expect(events[1]).toMatchObject({ kind: "asked", request: { toolName: "write_file" } });
  });

  test.each([
    ["a request that is not offered", request("fs/read_text_file", { path: "/w/a" }), -32601],
    ["a request of another session", request("_iflow/plan/exit", { sessionId: "other", plan: "x" }), -32602],
    ["a permission without options", request("session/request_permission", { options: [], toolCall: {} }), -32602],
    ["questions without a question", request("_iflow/user/questions", { questions: [{}] }), -32602],
    ["params that are no object", { jsonrpc: "2.0", id: 0, method: "_iflow/plan/exit", params: 7 }, -32602],
  ])("%s is kept and refused, so that the agent does not wait for ever", async (_name, frame, code) => {
    const { transport, connection } = await openMemoryConnection();
    const heard = new Listener(connection);
    transport.say(frame);
    await heard.until(() => heard.events.some((event) => event.kind === "log" && event.text === JSON.stringify(frame)));
    expect(transport.sent.at(-1)).toMatchObject({ id: 0, error: { code } });
    expect(heard.asked).toEqual([]);
    transport.end();
  });
});

describe("frames that are nested deeper than JSON can be written", () => {
  const DEEP = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  /** With DEEP in place of "DEEP". */
  const deep = (frame: object): string => JSON.stringify(frame).replace('"DEEP"', DEEP);
  const call = { sessionUpdate: "tool_call_update", toolCallId: "c1" };

  test.each([
    ["arguments", update({ ...call, status: "in_progress", args: { x: "DEEP" } })],
    ["output", update({ ...call, status: "completed", content: ["DEEP"] })],
    ["an update that is not known", update({ sessionUpdate: "news", news: "DEEP" })],
    ["an update of another session", update({ ...call, status: "in_progress", args: "DEEP" }, "other")],
    ["a notification that is not known", { jsonrpc: "2.0", method: "_iflow/news", params: "DEEP" }],
    ["a reply to nothing", { jsonrpc: "2.0", id: 99, error: "DEEP" }],
  ])("%s: the frame is kept, and the next one is heard", async (_name, frame) => {
    const next = update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "x" } });
    expect(await heardOf(deep(frame), next)).toEqual([
      { kind: "log", source: "frame", text: deep(frame) },
      { kind: "text", text: "x" },
    ]);
  });

  test("what a person would be asked can't be shown: the request is refused", async () => {
    const { transport, connection } = await openMemoryConnection();
    const heard = new Listener(connection);
    const toolCall = { toolCallId: "c1", title: "t", content: ["DEEP"] };
    const frame = deep(request("session/request_permission", { options: OPTIONS, toolCall }));
    transport.say(frame);
    await heard.until(() => heard.of("log").some(({ text }) => text === frame));
    expect(transport.sent.at(-1)).toMatchObject({ id: 0, error: { code: -32602 } });
    expect(heard.asked).toEqual([]);
    transport.end();
  });

  test("answers to the handshake and to prompts mean what they mean elsewhere", async () => {
    const { transport, connection } = memoryConnection();
    const heard = new Listener(connection);
    const opening = connection.open(SESSION, new AbortController().signal);
    const answer = async (method: string, result: object, index = 0): Promise<void> => {
      const { id } = await transport.request(method, index);
      transport.say(deep({ jsonrpc: "2.0", id, ...result }));
    };
    await answer("initialize", { result: { ...INITIALIZED, more: "DEEP" } });
    await answer("session/new", { result: { ...NEW_SESSION, modes: "DEEP" } });
    expect(await opening).toMatchObject({ acpSessionId: NEW_SESSION.sessionId });
    await connection.prompt(1, [{ type: "text", text: "x" }]);
    await answer("session/prompt", { result: { stopReason: "end_turn", more: "DEEP" } });
    expect(await heard.turnEnd(1)).toMatchObject({ kind: "turn-ended" });
    await connection.prompt(2, [{ type: "text", text: "x" }]);
    await answer("session/prompt", { error: { code: 7, message: "no", data: "DEEP" } }, 1);
    expect(await heard.turnEnd(2)).toMatchObject({ kind: "turn-failed", code: 7, message: "no" });
    transport.end();
  });
});

describe("replies to prompts", () => {
  async function turnOf(reply: object): Promise<readonly AgentEvent[]> {
    const { transport, connection } = await openMemoryConnection();
    const heard = new Listener(connection);
    await connection.prompt(4, [{ type: "text", text: "x" }]);
    const { id } = await transport.request("session/prompt");
    const before = heard.events.length;
    transport.say({ jsonrpc: "2.0", id, ...reply });
    await heard.turnEnd(4);
    transport.end();
    return heard.events.slice(before).filter(({ kind }) => kind !== "exited" && kind !== "log");
  }

  test.each(["end_turn", "max_tokens", "refusal", "cancelled", "max_turn_requests"])("%s", async (stopReason) => {
    expect(await turnOf({ result: { stopReason } })).toEqual([{ kind: "turn-ended", turn: 4, stopReason }]);
  });

  test.each([{ stopReason: "made_up" }, {}, null, 7])(
    "a result without a known reason (%o) ends the turn all the same",
    async (result) => {
      expect(await turnOf({ result })).toEqual([{ kind: "turn-ended", turn: 4, stopReason: "unknown" }]);
    },
  );

  test("an error", async () => {
    const error = { code: -32603, message: "Internal Error: x", data: { details: "x" } };
    expect(await turnOf({ error })).toEqual([{ kind: "turn-failed", turn: 4, code: -32603, message: "x" }]);
  });

  test("[E4] an error that wants a login says so", async () => {
    const error = { code: -32000, message: "Authentication required" };
    expect(await turnOf({ error })).toMatchObject([{ kind: "turn-failed", turn: 4, needsLogin: true }]);
  });

  test("a second reply to the same prompt is only kept", async () => {
    const { transport, connection } = await openMemoryConnection();
    const heard = new Listener(connection);
    await connection.prompt(1, [{ type: "text", text: "x" }]);
    const { id } = await transport.request("session/prompt");
    transport.say(
      { jsonrpc: "2.0", id, result: { stopReason: "end_turn" } },
      { jsonrpc: "2.0", id, result: { stopReason: "refusal" } },
    );
    await heard.turnEnd(1);
    transport.end();
    await heard.until(() => heard.over);
    expect(heard.of("turn-ended")).toHaveLength(1);
  });

  test("turns are told apart by the id of their prompt, in whatever order the replies come", async () => {
    const { transport, connection } = await openMemoryConnection();
    const heard = new Listener(connection);
    await Promise.all([1, 2, 3].map((turn) => connection.prompt(turn, [{ type: "text", text: `${turn}` }])));
    const prompts = transport.sent.filter(({ method }) => method === "session/prompt");
    for (const { id, params } of prompts.toReversed()) {
      const { prompt } = params as { prompt: [{ text: string }] };
      transport.say({ jsonrpc: "2.0", id, error: { code: Number(prompt[0].text), message: "x" } });
    }
    await heard.turnEnd(1);
    expect(heard.of("turn-failed").map(({ turn, code }) => [turn, code])).toEqual([
      [3, 3],
      [2, 2],
      [1, 1],
    ]);
    transport.end();
  });
});

test("[H6] words of another message than those before them are marked, where the agent numbers its messages", () => {
  const translator = new AcpTranslator();
  const heard = (text: string, messageId?: string): unknown =>
    translator.update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text }, messageId });
  expect([heard("a", "1"), heard("b", "1"), heard("c", "2"), heard("d")]).toEqual([
    { kind: "text", text: "a" },
    { kind: "text", text: "b" },
    { kind: "text", text: "c", starts: true },
    { kind: "text", text: "d" },
  ]);
  translator.turnEnded();
  expect(heard("e", "3")).toEqual({ kind: "text", text: "e" });
});
