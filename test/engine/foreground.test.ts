/**
 * A chat that follows: exactly what it has not seen, then what comes as it comes, over buffers, restarts and several chats.
 */
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/core/caller.ts";
import { World, PERSON } from "./world.ts";

const TOPIC: Caller = { ...PERSON, route: { channel: "telegram", to: "telegram:-1", threadId: 7 } };
const RPC: Caller = { ...PERSON, door: "rpc", seesAll: true };

async function fg(world: World, id: string, caller: Caller = PERSON, lines = 30): Promise<string> {
  const shown = await world.sessions.foreground(caller, id, lines);
  if (!shown.ok) throw new Error(shown.refusal.message);
  return shown.value.slice.text;
}

/** Everything that a chat was streamed, without the marks of the pieces. */
function streamed(world: World, caller: Caller = PERSON): string {
  return world.delivery.messages
    .filter((message) => message.route?.to === caller.route?.to && /:o\d+\.\d+$/.test(message.intentId))
    .map((message) => (message.texts.at(-1) ?? "").replace(/^▍[^\n]*\n/, ""))
    .join("\n");
}

const numbers = (text: string): readonly number[] =>
  [...text.matchAll(/Line (\d+) of/g)].map((match) => Number(match[1]));
const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("[O3] [O4] [N3] fg and bg", () => {
  test("a chat that is new sees the last lines; then it sees what comes", async () => {
    const world = await World.start();
    const { session } = await world.launch("long 100\nsleep 5000\nsay: and now");
    await world.clock.advance(1_000);
    expect(numbers(await fg(world, session.id, PERSON, 10))).toEqual(range(91, 100));
    await world.until(session.id, "idle");
    await world.clock.advance(5_000);
    expect(streamed(world)).toBe("and now");
  });

  test("after bg the chat gets nothing; the next fg catches up with exactly that", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one;\nsleep 2000\nsay: two;\nsleep 2000\nsay: three;");
    await world.quiet();
    expect(await fg(world, session.id)).toBe("one;");
    expect((await world.sessions.background(PERSON, session.id)).ok).toBe(true);
    await world.until(session.id, "idle");
    await world.clock.advance(10_000);
    expect(streamed(world)).toBe("");
    expect(await fg(world, session.id)).toBe("two;three;");
    expect(await fg(world, session.id)).toBe("");
  });

  test.each([
    ["kill -9", "crash"],
    ["a stop", "restart"],
  ] as const)("exact also after the buffer wrapped and %s", async (_name, how) => {
    const world = await World.start({ rules: { outputBufferBytes: 4_096 } });
    const { session } = await world.launch("long 50\nsleep 2000\nlong 400\nsleep 1000");
    await world.quiet();
    expect(numbers(await fg(world, session.id, PERSON, 1_000))).toEqual(range(1, 50));
    await world.sessions.background(PERSON, session.id);
    await world.clock.advance(2_500);
    await world[how]();
    expect(world.session(session.id).output.text.length).toBeLessThanOrEqual(4_096);
    const missed = await fg(world, session.id);
    expect(numbers(missed)).toEqual(range(1, 400));
    expect(await fg(world, session.id)).toBe("");
  });

  test("a chat that follows when the gateway dies goes on after the restart where it was, no word twice, none lost", async () => {
    const world = await World.start();
    const { session } = await world.launch("long 40\nsleep 4000\nlong 30\nsleep 60000");
    await world.clock.advance(500);
    await fg(world, session.id, PERSON, 1_000);
    await world.clock.advance(9_000);
    expect(numbers(streamed(world))).toEqual(range(1, 30));
    await world.crash();
    await world.clock.advance(5_000);
    expect(numbers(streamed(world))).toEqual(range(1, 30));
    await world.respond(session.id, "long 20");
    await world.until(session.id, "idle");
    await world.clock.advance(5_000);
    expect(numbers(streamed(world))).toEqual([...range(1, 30), ...range(1, 20)]);
  });

  test("a long text comes in pieces of the channel's limit, each with an id of its own", async () => {
    const world = await World.start();
    world.delivery.limitChars = 500;
    const { session } = await world.launch("sleep 1000\nlong 60\nsleep 1000");
    await fg(world, session.id);
    await world.until(session.id, "idle");
    await world.clock.advance(5_000);
    const pieces = world.delivery.messages.filter((message) => message.intentId.includes(":o"));
    expect(pieces.length).toBeGreaterThan(5);
    expect(new Set(pieces.map((piece) => piece.intentId)).size).toBe(pieces.length);
    expect(pieces.every((piece) => (piece.texts[0] ?? "").length <= 500)).toBe(true);
    expect(numbers(streamed(world))).toEqual(range(1, 60));
  });

  test("words wait for a pause, but not for longer than 4 s", async () => {
    const world = await World.start();
    const steps = Array.from({ length: 30 }, (_, n) => `say: w${n} \nsleep 500`).join("\n");
    const { session } = await world.launch(steps);
    await world.until(session.id, "working");
    await fg(world, session.id);
    await world.clock.advance(13_000);
    const count = world.delivery.messages.filter((message) => message.intentId.includes(":o")).length;
    expect(count).toBeGreaterThanOrEqual(2);
    expect(count).toBeLessThanOrEqual(5);
  });

  test("each chat has its own view; bg without a session stops all of this chat only", async () => {
    const world = await World.start();
    const { session: a } = await world.launch("say: a\nsleep 3000\nsay: a2");
    const { session: b } = await world.launch("say: b\nsleep 3000\nsay: b2");
    await world.clock.advance(500);
    for (const session of [a, b]) {
      await fg(world, session.id);
      await fg(world, session.id, TOPIC);
    }
    const stopped = await world.sessions.background(PERSON, undefined);
    expect(stopped.ok && stopped.value.map((session) => session.id).toSorted()).toEqual([a.id, b.id].toSorted());
    await world.until(b.id, "idle");
    await world.clock.advance(6_000);
    expect(streamed(world)).toBe("");
    expect(streamed(world, TOPIC)).toMatch(/a2[\s\S]*b2|b2[\s\S]*a2/);
  });

  test.each([
    ["in other words", { channel: "telegram", to: "42" }, "telegram|default|42|"],
    ["and kept under another key", { channel: "telegram", to: "telegram:42", accountId: "default" }, "another key"],
  ])("a chat that follows is the same one when its route is given %s", async (_name, route, key) => {
    const world = await World.start();
    const { session } = await world.launch("say: one;\nsleep 3000\nsay: two;\nsleep 3000\nsay: three;");
    await world.quiet();
    const viewer = { key, route, seen: 4, mode: "live" as const };
    await world.roster.actor(session.id)?.post({ type: "viewed", viewer });
    expect(await fg(world, session.id)).toBe("");
    await world.clock.advance(5_000);
    expect(streamed(world)).toBe("two;");
    await world.sessions.background(PERSON, session.id);
    await world.until(session.id, "idle");
    await world.clock.advance(10_000);
    expect(streamed(world)).toBe("two;");
    expect(await fg(world, session.id)).toBe("three;");
    expect(world.session(session.id).viewers).toHaveLength(1);
  });

  test("bg that comes while a piece is on its way wins", async () => {
    const world = await World.start();
    const { session } = await world.launch("sleep 1000\nsay: first.\nsleep 5000\nsay: second");
    await fg(world, session.id);
    const held = world.delivery.hold("send");
    await world.clock.advance(3_000);
    await held.reached;
    await world.sessions.background(PERSON, session.id);
    held.release();
    await world.until(session.id, "idle");
    await world.clock.advance(10_000);
    expect(streamed(world)).toBe("first.");
    expect(await fg(world, session.id)).toBe("second");
  });

  test("it needs a chat; of an ended session it only shows", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: words", { singleTurn: true });
    const { route: _none, ...nowhere } = RPC;
    expect(await world.sessions.foreground(nowhere, session.id, 5)).toMatchObject({
      ok: false,
      refusal: { code: "invalid_params" },
    });
    await world.until(session.id, "ended");
    await world.clock.advance(3_600_000 + 360_000);
    expect(await fg(world, session.id)).toBe("words");
  });

  test("[S3] a burst of any size arrives whole, and cheaply", async () => {
    const world = await World.start();
    const { session } = await world.launch("burst 50000\nsay: end");
    await world.until(session.id, "idle");
    const output = await world.output(session.id);
    expect(output).toBe(`${Array.from({ length: 50_000 }, (_, n) => `${n + 1}\n`).join("")}end`);
    expect(world.flows.changes.length).toBeLessThan(15);
    expect(world.flows.ledger.largestStateBytes).toBeLessThanOrEqual(65_536);
  });
});

describe("[O6] output offsets", () => {
  test("since an offset, full, and the last lines agree with one another", async () => {
    const world = await World.start({ rules: { outputBufferBytes: 4_096 } });
    const { session } = await world.launch("long 300\nsay: 敏捷的狐狸 🦊");
    await world.until(session.id, "idle");
    const read = async (want: { lines?: number; full?: boolean; since?: number }) => {
      const result = await world.sessions.output(PERSON, session.id, {
        lines: want.lines ?? 50,
        full: want.full ?? false,
        since: want.since,
      });
      if (!result.ok) throw new Error(result.refusal.message);
      return result.value.slice;
    };
    const full = await read({ full: true });
    expect([full.start, full.end]).toEqual([0, full.text.length]);
    expect(world.session(session.id).output.end).toBe(full.end);
    for (const since of [0, 1, 4_097, full.end - 1, full.end, full.end + 10]) {
      const slice = await read({ since });
      expect(slice.text).toBe(full.text.slice(since));
      expect(slice.end).toBe(full.end);
    }
    const last = await read({ lines: 3 });
    expect(full.text.endsWith(last.text)).toBe(true);
    expect(last.start).toBe(full.end - last.text.length);
  });
});
