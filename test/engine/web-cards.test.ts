/** The host's progress card in a web chat: one a chat, a line for each session at work, gone when nobody works. */
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/core/caller.ts";
import { PERSON, World } from "./world.ts";

const { route: _route, ...elsewhere } = PERSON;
const WEB: Caller = { ...elsewhere, owner: { sessionKey: "agent:main:web-1", agentId: "main" } };
const cards = (world: World): readonly (string | undefined)[] => world.delivery.cards.get("agent:main:web-1") ?? [];

describe("[N5] progress in a web chat", () => {
  test("a long turn has a line in the card, which says what it does now; the card goes with the turn", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: a\nsleep 20000\nread b.txt\nsleep 9000\nsay: c", {}, WEB);
    await world.until(session.id, "working");
    await world.clock.advance(7_000);
    expect(cards(world).filter((text) => text !== undefined)).toEqual([]);
    await world.clock.advance(6_000);
    expect(cards(world).at(-1)).toMatch(/^🟢 \S+ · Turn 1 · 0 tool calls · \d+s$/u);
    await world.until(session.id, "idle");
    await world.clock.advance(100);
    expect(cards(world).at(-1)).toBeUndefined();
    const count = cards(world).length;
    expect(count).toBeLessThan(12);
    await world.clock.advance(60_000);
    expect(cards(world)).toHaveLength(count);
    await world.roster.stop();
  });

  test("two sessions of a chat share its card; a short turn and a chat of a channel have no line", async () => {
    const world = await World.start({ maxSessions: 9 });
    await world.launch("hang", { name: "first" }, WEB);
    await world.launch("hang", { name: "second" }, WEB);
    await world.launch("say: quick", { name: "quick" }, WEB);
    await world.launch("hang", { name: "in-telegram" });
    await world.clock.advance(15_000);
    expect(cards(world).at(-1)).toMatch(/^🟢 first · .*\n\n🟢 second · .*$/u);
    expect([...world.delivery.cards.keys()]).toEqual(["agent:main:web-1"]);
    await world.sessions.kill(WEB, "first");
    await world.clock.advance(5_000);
    expect(cards(world).at(-1)).toMatch(/^🟢 second · .*$/u);
    await world.roster.stop();
    expect(cards(world).at(-1)).toBeUndefined();
  });

  test("a card that can't be written is tried at a growing distance; what an earlier life left is taken away", async () => {
    const world = await World.start();
    await world.launch("hang", { name: "job" }, WEB);
    await world.clock.advance(9_000);
    world.delivery.fail("card", { kind: "refused", reason: "a card of its own" }, 4);
    await world.clock.advance(120_000);
    expect(cards(world).at(-1)).toMatch(/^🟢 job · /u);
    await world.crash();
    await world.clock.advance(1_000);
    expect(cards(world).at(-1)).toBeUndefined();
    await world.roster.stop();
  });

  test("a host that does not answer holds up no stop", async () => {
    const world = await World.start();
    await world.launch("hang", {}, WEB);
    await world.clock.advance(12_000);
    const held = world.delivery.hold("card");
    const stopping = world.roster.stop();
    await held.reached;
    await world.clock.advance(1_000);
    await stopping;
    expect(world.log.join()).not.toContain("not everything was settled");
    held.release();
  });

  test("outputMode minimal has none", async () => {
    const world = await World.start({ rules: { outputMode: "minimal" } });
    await world.launch("hang", {}, WEB);
    await world.clock.advance(60_000);
    expect(cards(world).filter((text) => text !== undefined)).toEqual([]);
    await world.roster.stop();
  });
});
