/** What terminals are told, around what the plugin is told; and lines that are too long to be read. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { closedFrame, framesIn } from "../../src/agent/line-frames.ts";
import { growth, LINEAR } from "../growth.ts";
import { DemoWorld, say } from "./demo-world.ts";
import { Listener } from "./listener.ts";
import { ACP_SESSION, openMemoryConnection, update } from "./memory-transport.ts";

/** Text of a title or a link: anything that does not end it. */
const title = fc.string({ unit: fc.constantFrom("a", " ", "{", "}", '"', "[", "]", ":", "\\", "/", "标", "0", ";") });
const decoration = fc.oneof(
  fc.constantFrom(
    "\u001b[0m",
    "\u001b[2K",
    "\u001b[?25l",
    "\u001b[38;5;12m",
    "\u001b(B",
    "\u001b=",
    "\u001b7",
    "\u001b",
  ),
  fc.constantFrom("\u0007", "\b", "\r", "\f", "\u0000", "\u000e", "\u007f", "\t", " ", "\ufeff", "\u0085", "\u009b1m"),
  fc.tuple(fc.constantFrom("\u0007", "\u001b\\"), title).map(([end, text]) => `\u001b]0;${text}${end}`),
  fc.tuple(fc.constantFrom("P", "X", "^", "_"), title).map(([kind, text]) => `\u001b${kind}${text}\u001b\\`),
  fc.constantFrom("\u001b]0;never ended ", "\u001b[", "\u001b]8;;https://a.example/\u0007link\u001b]8;;\u0007\r"),
);
const decorations = fc.array(decoration, { maxLength: 5 }).map((parts) => parts.join(""));
/** Any JSON, characters that look like decoration in its texts included. */
const frame = fc.record({
  jsonrpc: fc.constant("2.0"),
  id: fc.nat(),
  result: fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: "binary" }),
    fc.constant("\u001b]0;x\u0007 \u009b1m \ufeff { \\ "),
  ),
});

describe("decoration around frames", () => {
  test("[F1] whatever stands before, between and behind them, every frame comes out as it was", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(decorations, frame)), decorations, (parts, behind) => {
        const texts = parts.map(([, value]) => JSON.stringify(value));
        const line = parts.map(([before], index) => `${before}${texts[index] ?? ""}`).join("") + behind;
        expect(framesIn(line).frames.map(({ text }) => text)).toEqual(texts);
      }),
      { numRuns: 2_000 },
    );
  });

  test("[F1] within a frame they go as well, for JSON has none", () => {
    expect(framesIn('{"a":\u001b[1m"b\u0007c"}').frames.map(({ frame: found }) => found)).toEqual([{ a: "bc" }]);
  });

  test.each([
    ["a print with a frame in it", 'received {"jsonrpc":"2.0","id":3,"result":{}}'],
    ["in colour", '\u001b[32mreceived\u001b[0m {"jsonrpc":"2.0","id":3,"result":{}}'],
  ])("%s is a print: an echo must not end a turn", (_name, line) => {
    expect(framesIn(line).frames).toEqual([]);
  });

  test("a spinner that goes back to the beginning of the line is no part of what comes then", () => {
    for (const back of ["\r", "\u001b[1G", "\u001b[2K\u001b[G"])
      expect(framesIn(`⠋ Loading {1/3}${back}{"id":1}`)).toMatchObject({
        frames: [{ frame: { id: 1 } }],
        words: "⠋ Loading {1/3}",
      });
  });

  test("lines made to be searched through again and again cost in proportion to their length", () => {
    for (const piece of ["{", '{"', "{\r", "\u001b]", "\u001b[", "[{", '{"a":{\r'])
      expect(growth(50_000, (count) => void framesIn(piece.repeat(count)))).toBeLessThan(LINEAR);
  });

  test("[F1] a real agent: titles and colours before its frames, and the turn ends", async () => {
    await using world = await DemoWorld.create();
    const { connection, heard } = await world.open({}, world.launcher({}, "decorated"));
    await connection.prompt(1, say("say: hello\nwrite a.txt: x"));
    expect(await heard.turnEnd(1)).toMatchObject({ kind: "turn-ended", stopReason: "end_turn" });
    expect(heard.text).toBe("hello");
    expect(await world.file("a.txt")).toBe("x\n");
    expect(heard.of("log").filter(({ source }) => source === "stdout").length).toBeLessThan(3);
  });
});

describe("lines that are too long", () => {
  const long = (head: string, tail = "") => ({ head, tail, length: 100 * 1024 * 1024 });

  test("[F6] the reply to a prompt: by its reason where that can be read, else the turn fails and says why", async () => {
    for (const [head, tail, expected] of [
      ['{"jsonrpc":"2.0","id":ID,"result":{"stopReason":"end_turn","more":"xxx', "", { stopReason: "end_turn" }],
      ['{"jsonrpc":"2.0","id":ID,"result":{"more":"xxx', "", { message: /one line of 100\.0 MiB/ }],
      ['{"result":{"more":"xxx', 'x"},"id":ID}', { message: /one line of 100\.0 MiB/ }],
      ['{"jsonrpc":"2.0","result":{"more":"xxx', 'x"},"id":ID,"jsonrpc":"2.0"}', { message: /one line of/ }],
    ] as const) {
      const { transport, connection } = await openMemoryConnection();
      const heard = new Listener(connection);
      await connection.prompt(1, say("x"));
      const { id } = await transport.request("session/prompt");
      transport.sayCut(long(head.replace("ID", String(id)), tail.replace("ID", String(id))));
      const end = await heard.turnEnd(1);
      if ("stopReason" in expected) expect(end).toMatchObject(expected);
      else expect(end.kind === "turn-failed" ? end.message : "").toMatch(expected.message);
      expect(transport.warned).toHaveLength(1);
      transport.end();
    }
  });

  test("[F6] a request is refused, so that the agent does not wait, and nobody consents to what was cut", async () => {
    const { transport, connection } = await openMemoryConnection();
    const heard = new Listener(connection);
    const params = `{"sessionId":"${ACP_SESSION}","options":[{"optionId":"a","name":"Allow"}],"toolCall":{"title":"xxx`;
    transport.sayCut(long(`{"jsonrpc":"2.0","id":5,"method":"session/request_permission","params":${params}`));
    transport.sayCut(long(`{"jsonrpc":"2.0","method":"session/request_permission","params":${params}`, 'x"}},"id":6}'));
    await heard.until(() => heard.of("log").length >= 2);
    expect(transport.sent.slice(-2)).toMatchObject([
      { id: 5, error: { message: expect.stringContaining("100.0 MiB") as string } },
      { id: 6, error: {} },
    ]);
    expect(heard.asked).toEqual([]);
    transport.end();
  });

  test("[F6] words are shown as far as they were read; what is no frame is a log; what comes then is heard", async () => {
    const { transport, connection } = await openMemoryConnection();
    const heard = new Listener(connection);
    const words = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "hello" } };
    transport.sayCut(long(JSON.stringify(update(words)).replace(/"\}+$/, "")));
    transport.sayCut(long("\u001b[1mnoise"));
    transport.sayCut(long('{"a":["b", {"c'));
    transport.say(update(words));
    await heard.until(() => heard.of("text").length === 2);
    expect(heard.of("text")[0]?.text).toMatch(/^hello… \(cut here: The agent sent one line of 100\.0 MiB/);
    expect(heard.of("text")[1]?.text).toBe("hello");
    expect(heard.of("log").slice(-2)).toMatchObject([{ source: "stdout" }, { source: "frame" }]);
    transport.end();
  });

  test("whatever the object and wherever it is cut, closing it gives an object that begins as it did", () => {
    fc.assert(
      fc.property(frame, fc.nat(), (value, at) => {
        const text = JSON.stringify(value);
        const head = text.slice(0, 16 + (at % (text.length - 15)));
        expect(closedFrame(head, "…")).toMatchObject({ jsonrpc: "2.0" });
      }),
    );
  });
});
