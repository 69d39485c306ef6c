/** Progress cards: one a turn, edited in place, never a second one. */
import { describe, expect, test } from "vitest";
import { World } from "./world.ts";

const cards = (world: World) => world.delivery.messages.filter((m) => m.intentId.includes(":card"));

describe("[N5] progress cards", () => {
  test("a short turn has none", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: quick");
    await world.until(session.id, "idle");
    await world.clock.advance(30_000);
    expect(cards(world)).toEqual([]);
    await world.roster.stop();
  });

  test("a long turn has one card, edited with what it does now, and closed when the turn ends", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: a\nsleep 20000\nsay: b\nsleep 20000\nsay: c");
    await world.until(session.id, "working");
    await world.clock.advance(9_000);
    expect(cards(world)).toHaveLength(1);
    expect(cards(world)[0]?.texts.at(-1)).toMatch(/^🟢 .* Turn 1 .* 8s$/u);
    await world.clock.advance(10_000);
    const edits = cards(world)[0]?.texts.length ?? 0;
    expect(edits).toBeGreaterThanOrEqual(3);
    await world.until(session.id, "idle");
    await world.clock.advance(1_000);
    expect(cards(world)).toHaveLength(1);
    expect(cards(world)[0]?.texts.at(-1)).toMatch(/^◻️ .* turn 1/u);
    await world.roster.stop();
  });

  test("goes on after somebody was asked, before its first words and in the middle", async () => {
    const world = await World.start();
    const script = "ask: Now? | A | B\nsleep 20000\nask: Again? | A | B\nsleep 20000\nsay: c";
    const { session } = await world.launch(script);
    const waitedFor = async (): Promise<void> => {
      await world.until(session.id, "asking");
      await world.clock.advance(60_000);
      await world.respond(session.id, "A");
      await world.until(session.id, "working");
    };
    await waitedFor();
    await world.clock.advance(9_000);
    expect(cards(world)).toHaveLength(1);
    await waitedFor();
    const before = cards(world)[0]?.texts.length ?? 0;
    await world.clock.advance(9_000);
    expect(cards(world)).toHaveLength(1);
    expect(cards(world)[0]?.texts.length ?? 0).toBeGreaterThan(before);
    await world.roster.stop();
  });

  test("a failed edit pauses, doubling, and never posts a new card", async () => {
    const world = await World.start();
    const { session } = await world.launch("hang");
    await world.until(session.id, "working");
    await world.clock.advance(9_000);
    const texts = () => cards(world)[0]?.texts.length ?? 0;
    const before = texts();
    world.delivery.fail("edit", { kind: "refused", reason: "429" }, 4);
    await world.clock.advance(31_000);
    expect(cards(world)).toHaveLength(1);
    expect(texts() - before).toBeLessThanOrEqual(2);
    await world.clock.advance(60_000);
    expect(texts()).toBeGreaterThan(before);
    expect(cards(world)).toHaveLength(1);
    await world.roster.stop();
  });

  test("during an outage no card waits with old words: it is posted when the chat takes again, once, with the newest", async () => {
    const world = await World.start();
    const { session } = await world.launch("hang");
    await world.until(session.id, "working");
    world.delivery.fail("send", { kind: "later", reason: "connect ECONNREFUSED" }, 3);
    await world.clock.advance(9_000);
    expect(cards(world)).toEqual([]);
    await world.clock.advance(30_000);
    expect(cards(world)).toHaveLength(1);
    expect(cards(world)[0]?.texts[0]).toMatch(/ (?:1|2|3)\ds$/);
    await world.roster.stop();
  });

  test("a card that can't be edited when its turn ends is closed later", async () => {
    const world = await World.start();
    const { session } = await world.launch("sleep 12000\nsay: done");
    await world.until(session.id, "working");
    await world.clock.advance(9_000);
    world.delivery.fail("edit", { kind: "refused", reason: "nobody listens" }, 3);
    await world.until(session.id, "idle");
    expect(cards(world)[0]?.texts.at(-1)).toMatch(/^🟢/u);
    await world.clock.advance(30_000);
    expect(cards(world)[0]?.texts.at(-1)).toMatch(/^◻️/u);
    expect(cards(world)).toHaveLength(1);
    await world.roster.stop();
  });

  test("a card that is on its way when its turn ends is closed all the same", async () => {
    const world = await World.start();
    const { session } = await world.launch("sleep 12000\nsay: done");
    await world.until(session.id, "working");
    const held = world.delivery.hold("send");
    await world.clock.advance(9_000);
    await held.reached;
    await world.until(session.id, "idle");
    held.release();
    await world.clock.advance(5_000);
    expect(cards(world)[0]?.texts.at(-1)).toMatch(/^◻️/u);
    await world.roster.stop();
  });

  test("a chat that follows, a channel that cannot edit, and outputMode minimal have none", async () => {
    const quiet = await World.start({ rules: { outputMode: "minimal" } });
    quiet.delivery.editable = true;
    const one = await quiet.launch("hang");
    await quiet.until(one.session.id, "working");
    await quiet.clock.advance(60_000);
    expect(cards(quiet)).toEqual([]);
    await quiet.roster.stop();
    const plain = await World.start();
    plain.delivery.editable = false;
    const two = await plain.launch("hang");
    await plain.until(two.session.id, "working");
    await plain.clock.advance(60_000);
    expect(cards(plain)).toEqual([]);
    await plain.roster.stop();
  });
});

test("[S2] the running child shows live what the turn does, at most once a second", async () => {
  const world = await World.start();
  const shown: string[] = [];
  world.children.progress = (_runId, line) => void shown.push(line);
  const { session } = await world.launch("say: a\nread a.txt\nread b.txt\nread c.txt\nsleep 3000\nread d.txt\nhang");
  await world.until(session.id, "working");
  await world.clock.advance(500);
  expect(shown.length).toBeLessThanOrEqual(1);
  await world.clock.advance(6_000);
  expect(shown.at(-1)).toMatch(/^Turn 1 · \d+ tool calls/u);
  expect(shown.length).toBeLessThanOrEqual(7);
  await world.roster.stop();
});
