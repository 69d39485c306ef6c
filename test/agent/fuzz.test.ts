/**
 * What no agent should ever send. Nothing may throw out of the room, nothing may hang, and each text must come out as an event.
 */
import fc from "fast-check";
import { realpathSync } from "node:fs";
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { AcpConnection } from "../../src/agent/agent-connection.ts";
import { DEADLINES } from "../../src/agent/agent-options.ts";
import { framesIn } from "../../src/agent/line-frames.ts";
import { StdioTransport } from "../../src/agent/stdio-transport.ts";
import type { AgentEvent, AgentReply } from "../../src/core/agent-event.ts";
import { REQUESTS, UPDATES } from "./frames.ts";
import { Listener } from "./listener.ts";
import { ACP_SESSION, INITIALIZED, NEW_SESSION, openMemoryConnection, update } from "./memory-transport.ts";

const RUNS = 10_000;

const VALID: readonly string[] = [
  ...UPDATES.map(([, fields]) => JSON.stringify(update(fields))),
  ...REQUESTS.map(([, frame]) => JSON.stringify(frame)),
  JSON.stringify({ jsonrpc: "2.0", id: 3, result: { stopReason: "end_turn" } }),
  JSON.stringify({ jsonrpc: "2.0", id: 3, error: { code: -32603, message: "x" } }),
  "//ready",
  "//stderr [WS 1] x",
];

const METHODS = [
  "session/update",
  "session/request_permission",
  "_iflow/user/questions",
  "_iflow/plan/exit",
  "fs/read_text_file",
  "made/up",
  "__proto__",
];
const KEYS = [
  "sessionUpdate",
  "content",
  "toolCallId",
  "status",
  "options",
  "optionId",
  "toolCall",
  "questions",
  "question",
  "plan",
  "entries",
  "sessionId",
  "update",
  "args",
  "type",
  "__proto__",
  "constructor",
];

const json = fc.jsonValue({ maxDepth: 3 });
const anyObject = fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), json, { noNullPrototype: true });
const id = fc.oneof(fc.integer({ min: -1, max: 12 }), fc.string(), fc.constant(null), json);

/** Frames of the right outline with anything inside. */
const wrong = fc
  .record(
    {
      jsonrpc: fc.constantFrom("2.0", "1.0"),
      id,
      method: fc.oneof(fc.constantFrom(...METHODS), json),
      params: fc.oneof(
        json,
        anyObject.map((fields) => ({ ...fields, sessionId: ACP_SESSION })),
        anyObject.map((fields) => ({ sessionId: ACP_SESSION, update: fields })),
      ),
      result: json,
      error: json,
    },
    { requiredKeys: [] },
  )
  .map((frame) => JSON.stringify(frame));

const truncated = fc
  .tuple(fc.constantFrom(...VALID), fc.nat(), fc.nat())
  .map(([text, from, to]) => text.slice(from % 3, to % (text.length + 1)));

/** One value of a good frame replaced by something else. */
const mutated = fc
  .tuple(fc.constantFrom(...VALID.filter((text) => text.startsWith("{"))), fc.nat(), json)
  .map(([text, place, value]) => {
    let count = 0;
    const at = place % 12;
    return JSON.stringify(JSON.parse(text, (_, old: unknown) => (count++ === at ? value : old))) ?? "null";
  });

const text = fc
  .oneof(
    wrong,
    truncated,
    mutated,
    fc.constantFrom(...VALID),
    fc.string({ unit: "binary" }),
    json.map((value) => JSON.stringify(value)),
  )
  .map((line) => line.replaceAll("\n", " "));

describe("fuzz", () => {
  test(`${RUNS} texts of any kind: each becomes one event, none throws, and the connection still works`, async () => {
    const { transport, connection } = await openMemoryConnection();
    const heard = new Listener(connection);
    // A failed turn, and one that ended for no known reason, are told beside the text as it came.
    const beside = ({ kind, ...event }: AgentEvent): boolean =>
      kind === "turn-failed" || ("stopReason" in event && event.stopReason === "unknown");
    const seen = (): number => heard.events.filter((event) => !beside(event)).length;
    await connection.prompt(1, [{ type: "text", text: "x" }]);
    const texts = fc.sample(text, { numRuns: RUNS, seed: 20_261_121 });
    await heard.until(() => heard.events.length >= 2);
    const before = seen();
    for (const line of texts) transport.say(line);
    const expected = texts.filter((line) => line.trim() !== "").length;
    await heard.until(() => seen() >= before + expected);
    expect(seen()).toBe(before + expected);
    for (const request of heard.asked) connection.reply(request.requestId, { kind: "cancelled" });

    await connection.prompt(2, [{ type: "text", text: "y" }]);
    const { id: prompt } = await transport.request("session/prompt", 1);
    transport.say({ jsonrpc: "2.0", id: prompt, result: { stopReason: "end_turn" } });
    await heard.turnEnd(2);
    transport.end();
    await heard.until(() => heard.over);
    expect(heard.of("exited")).toHaveLength(1);
  });

  test(`${RUNS} pieces of random bytes over pipes, in the handshake and after it: no line is lost, the turn ends`, async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    const connection = new AcpConnection({
      transport: new StdioTransport(input, output),
      agent: undefined,
      name: "the agent",
      workdir: realpathSync(import.meta.dirname),
      auth: undefined,
      deadlines: DEADLINES,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    });
    const heard = new Listener(connection);
    const pieces = fc
      .sample(
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          text.map((line) => Buffer.from(`${line}\n`)),
        ),
        { numRuns: RUNS, seed: 7 },
      )
      // A whole frame that the handshake takes for its own would end it, rightly.
      .map((piece) => Buffer.from(piece))
      .filter((piece) => !piece.includes(`"id"`));
    const half = Math.floor(pieces.length / 2);
    let sent = "";
    input.setEncoding("utf8").on("data", (chunk: string) => (sent += chunk));
    const asked = (method: string): Promise<unknown> => expect.poll(() => sent).toContain(`"method":"${method}"`);
    const fed: Buffer[] = [];
    const feed = (...list: readonly Buffer[]): void => {
      for (const piece of list) {
        fed.push(piece);
        output.write(piece);
      }
    };
    const say = (frame: object): void => feed(Buffer.from(`\n${JSON.stringify({ jsonrpc: "2.0", ...frame })}\n`));

    const opened = connection.open(
      {
        mode: "yolo",
        disallowedTools: [],
        systemPrompt: undefined,
        maxTurns: undefined,
        model: undefined,
        load: undefined,
      },
      new AbortController().signal,
    );
    feed(...pieces.slice(0, half));
    await asked("initialize");
    say({ id: 1, result: INITIALIZED });
    await asked("session/new");
    say({ id: 2, result: NEW_SESSION });
    await opened;
    await connection.prompt(1, [{ type: "text", text: "x" }]);
    feed(...pieces.slice(half));
    say({ id: 3, result: { stopReason: "end_turn" } });
    await heard.turnEnd(1);
    output.end();
    await heard.until(() => heard.over);
    const lines = Buffer.concat(fed)
      .toString("utf8")
      .split("\n")
      .filter((line) => line.trim() !== "");
    // A line may hold several frames, or words beside them.
    const partsOf = (line: string): number => {
      const { frames, words } = framesIn(line);
      return frames.length === 0 ? 1 : frames.length + (words === "" ? 0 : 1);
    };
    const parts = lines.reduce((count, line) => count + partsOf(line), 0);
    expect(parts).toBeGreaterThanOrEqual(lines.length);
    // Beside them: the words of the end and `exited`.
    expect(heard.events.length).toBe(parts + 2);
  });

  test("replies of any kind to requests of any kind: what does not fit is stale, and the first that fits is the last", async () => {
    const reply: fc.Arbitrary<AgentReply> = fc.oneof(
      fc.record({
        kind: fc.constant("selected" as const),
        optionId: fc.oneof(fc.constantFrom("proceed_once", "cancel"), fc.string()),
      }),
      fc.constant({ kind: "cancelled" as const }),
      fc.record({
        kind: fc.constant("answers" as const),
        answers: fc.array(
          fc.oneof(
            fc.record({ text: fc.string() }),
            fc.record({
              optionIds: fc.array(fc.oneof(fc.constantFrom("A", "B", "o1"), fc.string()), { maxLength: 3 }),
            }),
          ),
          { maxLength: 3 },
        ),
      }),
      fc.record({ kind: fc.constant("plan" as const), approved: fc.boolean() }),
    );
    const { transport, connection } = await openMemoryConnection();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 5 }), reply), { maxLength: 20 }), (replies) => {
        const before = transport.sent.length;
        transport.say(...REQUESTS.map(([, frame], index) => ({ ...frame, id: index })));
        const sent = replies
          .filter(([index, given]) => connection.reply(index, given) === "sent")
          .map(([index]) => index);
        expect(new Set(sent).size).toBe(sent.length);
        for (const index of REQUESTS.keys()) connection.reply(index, { kind: "cancelled" });
        const answered = transport.sent.slice(before);
        expect(answered.length).toBe(REQUESTS.length);
        expect(JSON.stringify(answered)).not.toContain(`"optionId":"cancel"`);
      }),
    );
    transport.end();
  });
});
