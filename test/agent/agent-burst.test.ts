/** Floods: real processes that write more, faster and in larger pieces than anybody reads. */
import { describe, expect, test } from "vitest";
import type { AgentEvent } from "../../src/core/agent-event.ts";
import { DemoWorld, say, SESSION } from "./demo-world.ts";
import { openMemoryConnection, update } from "./memory-transport.ts";

const FRAMES = 100_000;
/** Floods are work for the machine, and other tests run beside them. */
const TIME_OF_A_FLOOD_MS = 600_000;
const MIB = 1024 * 1024;
const numbers = (count: number): string => Array.from({ length: count }, (_, index) => `${index + 1}\n`).join("");

describe.each(["stdio", "websocket"] as const)("floods over %s", { timeout: TIME_OF_A_FLOOD_MS }, (transport) => {
  test("100,000 frames in one write, five times: all of them, in order", async () => {
    await using world = await DemoWorld.create({ transport });
    const { connection, heard } = await world.open();
    const expected = numbers(FRAMES);
    for (let turn = 1; turn <= 5; turn += 1) {
      const before = heard.of("text").length;
      await connection.prompt(turn, say(`burst ${FRAMES}`));
      await heard.turnEnd(turn, TIME_OF_A_FLOOD_MS);
      const texts = heard.of("text").slice(before);
      expect(texts.length).toBe(FRAMES);
      expect(texts.map(({ text }) => text).join("") === expected).toBe(true);
    }
  });

  test("15 MB of tool output in one line", async () => {
    await using world = await DemoWorld.create({ transport });
    const { connection, heard } = await world.open();
    await connection.prompt(1, say(`huge ${15 * MIB}\nsay: after`));
    await heard.turnEnd(1, TIME_OF_A_FLOOD_MS);
    const output = heard.of("tool").at(-1)?.output ?? "";
    expect(output.length).toBe(15 * MIB);
    expect(output === "0123456789abcdef".repeat(output.length / 16)).toBe(true);
    expect(heard.text).toBe("after");
  });

  test("[F6] 50 MB in one line: the tool call ends, its output is cut and says so, and the turn goes on", async () => {
    await using world = await DemoWorld.create({ transport });
    const { connection, heard } = await world.open();
    await connection.prompt(1, say(`huge ${50 * MIB}\nsay: after`));
    await heard.turnEnd(1, TIME_OF_A_FLOOD_MS);
    const last = heard.of("tool").at(-1);
    expect(last?.status).toBe("completed");
    expect(last?.output).toMatch(/^0123456789abcdef[^]*… \(cut here: The agent sent one line of 50\.0 MiB/);
    expect(last?.output?.length).toBeLessThan(100_000);
    expect(heard.text).toBe("after");
    expect(world.logged.filter((line) => line.includes("one line of 50.0 MiB"))).toHaveLength(1);
  });

  test("a flood on stderr that nobody asked for holds nothing up, and its end is kept", async () => {
    await using world = await DemoWorld.create({ transport });
    const { connection, heard } = await world.open();
    await connection.prompt(1, say(`stderr ${20 * MIB}\nsay: after`));
    await heard.turnEnd(1, TIME_OF_A_FLOOD_MS);
    expect(heard.text).toBe("after");
    await connection.stop();
    const { stderrTail } = await heard.exit();
    expect(stderrTail.length).toBeGreaterThan(3_000);
    expect(stderrTail.length).toBeLessThanOrEqual(4_096);
  });

  test("lines that are no frames, between frames", async () => {
    await using world = await DemoWorld.create({ transport });
    const { connection, heard } = await world.open();
    await connection.prompt(1, say("say: a\nraw: Data collection is disabled.\nraw: {broken\nsay: b"));
    await heard.turnEnd(1, TIME_OF_A_FLOOD_MS);
    expect(heard.text).toBe("ab");
    const stray = heard.of("log").filter(({ source }) => source === "stdout");
    expect(stray.map(({ text }) => text)).toEqual(expect.arrayContaining(["Data collection is disabled.", "{broken"]));
  });

  test("a reader that falls far behind makes the agent wait, and still gets everything", async () => {
    await using world = await DemoWorld.create({ transport });
    const connection = await world.start();
    await connection.open(SESSION, new AbortController().signal);
    await connection.prompt(1, say(`burst ${FRAMES}\nburst ${FRAMES}`));
    let text = "";
    let batches = 0;
    const isEnd = (event: AgentEvent): boolean => event.kind === "turn-ended" || event.kind === "turn-failed";
    for await (const batch of connection.events) {
      batches += 1;
      for (const event of batch) if (event.kind === "text") text += event.text;
      if (batch.some(isEnd)) break;
      if (batches < 20) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(text === numbers(FRAMES).repeat(2)).toBe(true);
  });

  test("what the agent got rid of before its death is heard, although the reader was so far behind that it was paused", async () => {
    await using world = await DemoWorld.create({ transport });
    const connection = await world.start();
    await connection.open(SESSION, new AbortController().signal);
    const reader = connection.events[Symbol.asyncIterator]();
    await reader.next();
    await connection.prompt(1, say(`burst ${FRAMES}\nsleep 1500\ncrash SIGKILL`));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    let text = "";
    let last: AgentEvent | undefined;
    for (let next = await reader.next(); !next.done; next = await reader.next()) {
      for (const event of next.value) if (event.kind === "text") text += event.text;
      last = next.value.at(-1);
    }
    // What was still in the agent's own memory died with it; there is no gap before that.
    expect(numbers(FRAMES).startsWith(text)).toBe(true);
    expect(text.split("\n").length).toBeGreaterThan(80_000);
    expect(last).toMatchObject({ kind: "exited", report: { signal: "SIGKILL", cause: "exited" } });
  });
});

describe("an unread flood", () => {
  test("pauses the transport at a high mark, once somebody reads at all, and goes on when it was taken", async () => {
    const { transport, connection } = await openMemoryConnection();
    const big = update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "x".repeat(MIB) } });
    for (let index = 0; index < 40; index += 1) transport.say(big);
    expect(transport.pauses).toBe(0);
    const reader = connection.events[Symbol.asyncIterator]();
    await reader.next();
    for (let index = 0; index < 40; index += 1) transport.say(big);
    expect(transport.paused).toBe(true);
    const { value } = await reader.next();
    expect(value).toHaveLength(40);
    expect(transport.paused).toBe(false);
    expect(transport.pauses).toBe(1);
    transport.end();
  });
});
