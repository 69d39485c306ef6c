/** Lines of chats that take nothing for a while: who waits, who is tried again, who is not held up. */
import { describe, expect, test } from "vitest";
import { ChatLines, type Errand } from "../../src/engine/chat-lines.ts";
import type { Handover } from "../../src/ports.ts";
import { FakeClock } from "../fakes/fake-clock.ts";

const LATER: Handover = { kind: "later", reason: "nobody listens" };

class Lines {
  readonly clock = new FakeClock();
  readonly errors: string[] = [];
  readonly lines = new ChatLines(this.clock, {
    info: () => undefined,
    warn: () => undefined,
    error: (message) => void this.errors.push(message),
  });
  /** Every try, in its order. */
  readonly tries: string[] = [];
  readonly dropped: string[] = [];
  down = new Set<string>();

  add(chat: string, name: string, rank: number, dueAt: number, of?: string): void {
    const errand: Errand = {
      rank,
      dueAt,
      ...(of === undefined ? {} : { of }),
      run: async () => {
        this.tries.push(name);
        return this.down.has(chat) ? LATER : { kind: "accepted" };
      },
      drop: () => void this.dropped.push(name),
    };
    this.lines.add(chat, errand);
  }
}

describe("[N5] a chat that takes nothing", () => {
  test("its results come in the order in which they became due, however often they are tried; nothing overtakes them", async () => {
    const world = new Lines();
    world.down.add("a");
    world.add("a", "first", 0, 10);
    await world.clock.advance(5_000);
    world.add("a", "event", 2, 1);
    world.add("a", "third", 0, 30);
    world.add("a", "second", 0, 20);
    await world.clock.advance(30_000);
    expect(new Set(world.tries)).toEqual(new Set(["first"]));
    expect(world.lines).toMatchObject({ waiting: 4, paused: 1 });
    world.down.delete("a");
    await world.clock.advance(60_000);
    expect(world.tries.slice(world.tries.lastIndexOf("first"))).toEqual(["first", "second", "third", "event"]);
    expect(world.lines).toMatchObject({ waiting: 0, paused: 0 });
  });

  test("holds up no other chat, and what weighs more goes first when it takes again", async () => {
    const world = new Lines();
    world.down.add("a");
    world.add("a", "event", 2, 1);
    await world.clock.advance(100);
    world.add("b", "elsewhere", 4, 0);
    world.add("a", "final", 0, 2);
    await world.clock.advance(0);
    expect(world.tries).toEqual(["event", "elsewhere"]);
    world.down.delete("a");
    await world.clock.advance(2_000);
    expect(world.tries).toEqual(["event", "elsewhere", "final", "event"]);
  });

  test("is tried after 1, 2, 4 ... 30 seconds, as long as it takes; a wait that the channel asks for is kept", async () => {
    const world = new Lines();
    const at: number[] = [];
    let left = 12;
    world.lines.add("a", {
      rank: 0,
      dueAt: 0,
      run: async () => {
        at.push(world.clock.now());
        left -= 1;
        if (left === 0) return { kind: "accepted" };
        return left === 1 ? { ...LATER, afterMs: 300_000 } : LATER;
      },
    });
    await world.clock.advance(0);
    await world.clock.advance(3_600_000);
    const pauses = at.slice(1).map((ms, index) => (ms - (at[index] ?? 0)) / 1_000);
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 300]);
  });

  test("a stop ends the pause: what waits is dropped, each once, and nothing is tried any more", async () => {
    const world = new Lines();
    world.down.add("a");
    world.add("a", "first", 0, 1);
    world.add("a", "second", 0, 2);
    await world.clock.advance(10_000);
    const tries = world.tries.length;
    await world.lines.close();
    world.add("a", "late", 0, 3);
    await world.clock.advance(120_000);
    expect(world.dropped).toEqual(["first", "second", "late"]);
    expect(world.tries).toHaveLength(tries);
  });

  test("an errand that breaks is said, and holds up nobody", async () => {
    const world = new Lines();
    world.lines.add("a", { rank: 0, dueAt: 0, run: async () => Promise.reject(new Error("no words")) });
    world.add("a", "next", 0, 1);
    await world.clock.advance(0);
    expect(world.tries).toEqual(["next"]);
    expect(world.errors.join()).toContain("no words");
  });
});

test("[H13] of one thing nothing is told before what came before it, and others still wait behind results", async () => {
  const world = new Lines();
  world.down.add("a");
  world.add("a", "other result", 0, 1);
  await world.clock.advance(100);
  world.add("a", "queued", 2, 10, "one");
  world.add("a", "somebody else's event", 2, 5, "two");
  world.add("a", "failed", 0, 20, "one");
  world.add("a", "denied", 2, 15, "one");
  world.add("a", "later event", 2, 30, "one");
  world.down.delete("a");
  await world.clock.advance(60_000);
  expect(world.tries.slice(world.tries.lastIndexOf("other result"))).toEqual([
    "other result",
    "queued",
    "denied",
    "failed",
    "somebody else's event",
    "later event",
  ]);
});
