/**
 * What is streamed into a chat reads well wherever it was cut: code blocks, Chinese, secrets, a host that refuses a piece.
 */
import { expect, test } from "vitest";
import type { Rules } from "../../src/core/event.ts";
import { inertText } from "../../src/core/inert-text.ts";
import { PERSON, World } from "./world.ts";

async function following(
  script: string,
  options: Parameters<typeof World.start>[0] = {},
  limit = 3_800,
): Promise<World> {
  const world = await World.start(options);
  world.delivery.limitChars = limit;
  const { session } = await world.launch(script);
  await world.quiet();
  const shown = await world.sessions.foreground(PERSON, session.id, 1_000);
  expect(shown.ok).toBe(true);
  await world.until(session.id, "idle");
  await world.clock.advance(6_000);
  return world;
}

const pieces = (world: World): readonly string[] =>
  world.delivery.messages.filter(({ intentId }) => /:o\d+\.\d+$/.test(intentId)).map(({ texts }) => texts.at(-1) ?? "");
const fences = (piece: string): number => piece.match(/^```/gm)?.length ?? 0;

test("[N3] a code block that comes in two deliveries is one in each of them", async () => {
  const world = await following(
    "sleep 500\nsay: See:\\n```ts\\nconst first = 1;\\n\nsleep 6000\nsay: const second = 2;\\n```\\nThat is all.",
  );
  expect(pieces(world).map((piece) => piece.split("\n").slice(1).join("\n"))).toEqual([
    "See:\n```ts\nconst first = 1;\n```",
    "```ts\nconst second = 2;\n```\nThat is all.",
  ]);
});

test("[N3] also when the block was open in what the chat was caught up with", async () => {
  const world = await following("say: ```py\\nx = 1\\n\nsleep 5000\nsay: y = 2\\n```");
  expect(pieces(world).at(-1)).toMatch(/^▍[^\n]+\n```py\ny = 2\n```$/);
});

test("[N3] every piece keeps the limit and closes what it opens, in Chinese as well, and no character is lost or cut", async () => {
  const line = "敏捷的狐狸😀跳过懒狗。";
  const code = Array.from({ length: 120 }, (_, n) => `${line}${n}`).join("\\n");
  const world = await following(`sleep 500\nsay: \`\`\`\\n${code}\\n\`\`\`\\n${line.repeat(90)}`, {}, 400);
  const all = pieces(world);
  expect(all.length).toBeGreaterThan(5);
  for (const piece of all) {
    expect(piece.length).toBeLessThanOrEqual(400);
    expect(fences(piece) % 2).toBe(0);
    expect(piece.isWellFormed()).toBe(true);
  }
  expect(all.join("").match(/😀/gu)).toHaveLength(210);
});

test("[N7] in safe mode a secret is masked in the stream", async () => {
  const world = await following("sleep 500\nsay: the key is sk-abcdefghijklmnopqrstuvwxyz012345 there", {
    rules: { safeMode: true },
  });
  expect(pieces(world).join("\n")).not.toContain("abcdefghijklmnop");
  expect(pieces(world).join("\n")).toContain("the key is");
});

test("[N7] in safe mode also one that comes in two deliveries, and nothing of a line is lost", async () => {
  const world = await following(
    "sleep 500\nsay: first line\\nthe key is sk-abcdefghij\nsleep 6000\nsay: klmnopqrstuvwxyz012345 there",
    { rules: { safeMode: true } },
  );
  const shown = pieces(world).join("\n");
  expect(shown).not.toMatch(/abcdefghij|klmnopqrst/);
  expect(shown).toContain("first line");
  expect(shown).toMatch(/the key is .* there/);
  expect(pieces(world)).toHaveLength(2);
});

test("[N3] a piece that the host refuses holds up nothing, and is not sent again", async () => {
  const world = await World.start();
  const { session } = await world.launch("sleep 500\nsay: one\nsleep 6000\nsay: two\nsleep 6000\nsay: three");
  await world.quiet();
  await world.sessions.foreground(PERSON, session.id, 10);
  world.delivery.fail("send", { kind: "refused", reason: "blocked" });
  await world.until(session.id, "idle");
  await world.clock.advance(6_000);
  expect(pieces(world).map((piece) => piece.split("\n").at(-1))).toEqual(["two", "three"]);
});

test("[N3] words that are on their way when an ended session leaves memory are said once", async () => {
  const world = await World.start();
  const { session } = await world.launch("sleep 500\nsay: the last words\nhang");
  await world.until(session.id, "working");
  await world.sessions.foreground({ ...PERSON, route: { channel: "telegram", to: "telegram:77" } }, session.id, 1_000);
  await world.clock.advance(500);
  await world.sessions.kill(PERSON, session.id);
  await world.quiet();
  const { release } = world.delivery.hold("send");
  // The machine sleeps, and the session is put away before the chat has answered.
  await world.clock.jump(3_600_000);
  await world.clock.jump(6 * 60_000);
  expect(world.roster.actor(session.id)).toBeUndefined();
  release();
  await world.clock.advance(60_000);
  expect(pieces(world).filter((piece) => piece.includes("the last words"))).toHaveLength(1);
});

/** Eight lines that make a piece each, in a channel that takes 200 ms for every message. */
async function backlog(rules: Partial<Rules> = {}): Promise<{ world: World; id: string }> {
  const world = await World.start({ rules });
  world.delivery.limitChars = 100;
  const send = world.delivery.send.bind(world.delivery);
  world.delivery.send = async (message) => {
    await new Promise<void>((resolve) => void world.clock.after(200, resolve));
    return send(message);
  };
  const lines = Array.from({ length: 8 }, (_, n) => `line number ${n} ${SECRET} ${"x".repeat(20)}`);
  const { session } = await world.launch(`sleep 500\nsay: ${lines.join("\\n")}\\n\nhang`);
  await world.quiet();
  await world.sessions.foreground(PERSON, session.id, 1_000);
  for (let i = 0; i < 100 && pieces(world).length < 4; i += 1) await world.clock.advance(50);
  expect(pieces(world)).toHaveLength(4);
  return { world, id: session.id };
}

const SECRET = "sk-abcdefghijklmnopqrstuvwxyz012345";
const lineNumbers = (text: string): readonly number[] =>
  [...text.matchAll(/line number (\d)/g)].map((match) => Number(match[1]));
const ALL = [0, 1, 2, 3, 4, 5, 6, 7];

test("[N3] a stop in the middle of many pieces: the next start goes on behind the last that was delivered", async () => {
  const { world } = await backlog();
  await world.stop();
  expect(pieces(world).length).toBeLessThan(8);
  await world.boot();
  await world.clock.advance(20_000);
  expect(lineNumbers(pieces(world).join("\n"))).toEqual(ALL);
  const ids = world.delivery.messages.map(({ intentId }) => intentId);
  expect(new Set(ids).size).toBe(ids.length);
});

test("[N3] a stop does not repeat the piece of which nobody knows whether it arrived", async () => {
  const { world } = await backlog();
  const { reached, release } = world.delivery.hold("send");
  const stopping = world.stop();
  await world.clock.advance(1_000);
  await reached;
  world.delivery.fail("send", { kind: "unknown", reason: "cut off" });
  release();
  await stopping;
  await world.boot();
  await world.clock.advance(20_000);
  expect(lineNumbers(pieces(world).join("\n"))).toEqual(ALL.filter((n) => n !== 4));
});

test("[N3] [N7] so it does in safe mode, where a mask is as long as its secret", async () => {
  const { world } = await backlog({ safeMode: true });
  await world.stop();
  await world.boot();
  await world.clock.advance(20_000);
  expect(lineNumbers(pieces(world).join("\n"))).toEqual(ALL);
  expect(pieces(world).join("\n")).not.toContain(SECRET);
});

test("[N3] after kill -9 what the last checkpoint had as shown is not shown again", async () => {
  const { world } = await backlog();
  const { send } = world.delivery;
  world.delivery.send = () => new Promise(() => undefined);
  await world.clock.advance(10_000);
  expect(pieces(world).length).toBeLessThan(8);
  world.kill();
  world.delivery.send = send;
  await world.boot();
  await world.clock.advance(20_000);
  expect(lineNumbers(pieces(world).join("\n"))).toEqual(ALL);
});

test("[N3] fg while a piece is on its way answers with what comes after it, and nothing is streamed twice", async () => {
  const { world, id } = await backlog();
  const again = await world.sessions.foreground(PERSON, id, 10);
  await world.clock.advance(10_000);
  const streamed = lineNumbers(pieces(world).join("\n"));
  const replied = lineNumbers(again.ok ? again.value.slice.text : "");
  expect(replied.length).toBeGreaterThan(0);
  expect([...streamed, ...replied]).toEqual(ALL);
});

test("[N3] a piece keeps the limit also with the marks that make it inert", async () => {
  const items = Array.from({ length: 200 }, (_, n) => `<li>item ${n}</li>`).join("\\n");
  const world = await following(`sleep 500\nsay: ${items}`, {}, 1_000);
  const all = pieces(world);
  expect(all.length).toBeGreaterThan(3);
  for (const piece of all) expect(inertText(piece).length).toBeLessThanOrEqual(1_000);
  expect(all.join("\n").match(/<li>/g)).toHaveLength(200);
});

test("[H6] a follower hears each voice once, and what the journal has is what was streamed, at the same offsets", async () => {
  const world = await World.start();
  const { session } = await world.launch("sleep 500\nsay: One.\nask: Which? | A | B\nsay: Chose {answer}.");
  await world.sessions.foreground(PERSON, session.id, 1_000);
  await world.until(session.id, "asking");
  await world.respond(session.id, "A");
  await world.until(session.id, "idle");
  await world.respond(session.id, "say: Two.");
  await world.until(session.id, "idle");
  await world.clock.advance(20_000);
  const read = await world.sessions.output(PERSON, session.id, { lines: 1, full: true, since: undefined });
  if (!read.ok) throw new Error(read.refusal.message);
  const { text, end } = read.value.slice;
  expect(text).toMatch(
    /^One\.\n\n🔔 (q\d+): Which\?\n\n👤 \1: A\n\nThank you: A\.Chose A\.\n\n👤 say: Two\.\n\nTwo\.$/,
  );
  expect(end).toBe(text.length);
  expect(read.value.session.output.end).toBe(text.length);
  const streamed = pieces(world).map((piece) => piece.split("\n").slice(1).join("\n"));
  expect(streamed.join("\n").replaceAll(/\s+/g, " ")).toBe(text.replaceAll(/\s+/g, " "));
});

test("[H13] no word is broken between two pieces, and none waits for ever", async () => {
  const world = await following(
    "sleep 500\nsay: The first wor\nsleep 2500\nsay: d is whole. The la\nsleep 20000\nsay: st",
  );
  const streamed = pieces(world).map((piece) => piece.split("\n").slice(1).join("\n"));
  expect(streamed[0]).toBe("The first");
  expect(streamed.join("|")).toContain("word is whole.");
  expect(streamed.join("").replaceAll(" ", "")).toBe("Thefirstwordiswhole.Thelast");
});
