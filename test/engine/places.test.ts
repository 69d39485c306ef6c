/**
 * Where notices go: a chat that moves is followed, a web chat is told beside the configured one, and what a chat refuses comes to
 * the next place or is said to be lost.
 */
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/core/caller.ts";
import type { Route } from "../../src/core/session.ts";
import { PERSON, World } from "./world.ts";

const GROUP: Route = { channel: "telegram", to: "telegram:-1001" };
const TOPIC: Route = { ...GROUP, threadId: 7 };
const SUPERGROUP: Route = { channel: "telegram", to: "telegram:-100777" };
const FALLBACK: Route = { channel: "telegram", to: "telegram:42" };
const IN_TOPIC: Caller = {
  ...PERSON,
  owner: { sessionKey: "agent:main:telegram:group:-1001:topic:7" },
  route: TOPIC,
  inGroup: true,
};
const NO: { readonly kind: "refused"; readonly reason: string } = { kind: "refused", reason: "answered 403" };

const heads = (world: World, route: Route): readonly string[] =>
  world.delivery.texts(route).map((text) => text.split(" ").slice(0, 2).join(" "));

describe("[E1] a chat that is another one now", () => {
  test("is followed at once, and the session, its followers and its other sessions are told there", async () => {
    const world = await World.start();
    const asks = await world.launch("ask: Which? | A | B\nsay: done", {}, IN_TOPIC);
    const other = await world.launch("sleep 60000\nsay: later", {}, IN_TOPIC);
    await world.sessions.foreground(IN_TOPIC, other.session.id, 5);
    world.delivery.fail("send", { ...NO, now: GROUP }, 1, "7]");
    world.delivery.fail("send", { ...NO, now: SUPERGROUP }, 1, "-1001");
    await world.until(asks.session.id, "asking");
    await world.quiet();
    expect(world.delivery.texts(SUPERGROUP)).toEqual([expect.stringMatching(/^asks /)]);
    expect(world.session(asks.session.id)).toMatchObject({ route: SUPERGROUP, movedFrom: TOPIC });
    expect(world.session(other.session.id)).toMatchObject({ route: SUPERGROUP, viewers: [{ route: SUPERGROUP }] });
    const members: Caller = {
      ...IN_TOPIC,
      owner: { sessionKey: "agent:main:telegram:group:-100777" },
      route: SUPERGROUP,
    };
    expect(await world.sessions.respond(members, asks.session.name, order("A"))).toMatchObject({ ok: true });
    expect(world.sessions.all({ ...members, owner: { sessionKey: "other" }, route: GROUP })).toEqual([]);
    await world.restart();
    expect(world.session(other.session.id)).toMatchObject({ route: SUPERGROUP, movedFrom: TOPIC });
  });

  test("a configured chat is followed as well, without being asked twice", async () => {
    const world = await World.start({ fallback: GROUP });
    world.delivery.fail("send", { ...NO, now: SUPERGROUP }, 1, "-1001");
    const { route: _none, ...nowhere } = PERSON;
    for (const name of ["one", "two"]) await world.launch("say: done", { name, singleTurn: true }, nowhere);
    await world.quiet();
    expect(heads(world, SUPERGROUP)).toHaveLength(2);
  });
});

describe("[E1] a chat that takes nothing", () => {
  test("the fallback is told, may see and answer, and is told the rest as long as it is so", async () => {
    const world = await World.start({ fallback: FALLBACK });
    world.delivery.fail("send", NO, 2, "-1001");
    const { session } = await world.launch("ask: Which? | A | B\nsay: done", {}, IN_TOPIC);
    await world.until(session.id, "asking");
    await world.quiet();
    expect(heads(world, FALLBACK)).toEqual(["elsewhere asks"]);
    const there: Caller = { ...PERSON, owner: { sessionKey: "agent:main:main" }, route: FALLBACK };
    expect(world.session(session.id).toldIn).toEqual([FALLBACK]);
    expect(world.roster.governor.places.chatsOf(world.session(session.id))).toContain("telegram|default|42|");
    expect(await world.sessions.respond(there, session.name, order("A"))).toMatchObject({ ok: true });
    await world.until(session.id, "idle");
    await world.quiet();
    expect(heads(world, FALLBACK)).toEqual([`over ${session.name}`, "elsewhere turn-finished"]);
    expect(heads(world, TOPIC)).toEqual([]);
    expect(world.session(session.id).undelivered).toBeUndefined();
  });

  test("where nobody takes it, the session says so until somebody does", async () => {
    const world = await World.start();
    world.delivery.fail("send", NO);
    const { session } = await world.launch("ask: Which? | A | B\nsay: done", {}, IN_TOPIC);
    await world.until(session.id, "asking");
    await world.quiet();
    expect(world.session(session.id).undelivered).toMatchObject({ count: 1 });
    await world.respond(session.id, "A", {}, IN_TOPIC);
    await world.until(session.id, "idle");
    await world.quiet();
    expect(heads(world, TOPIC)).toEqual([`turn-finished ${session.name}`]);
    expect(world.session(session.id).undelivered).toBeUndefined();
  });

  test("what nobody took, and what may have arrived, goes nowhere else", async () => {
    for (const kind of ["later", "unknown"] as const) {
      const world = await World.start({ fallback: FALLBACK });
      world.delivery.fail("send", { kind, reason: "cut off" }, 1, "-1001");
      await world.launch("say: done", { singleTurn: true }, IN_TOPIC);
      await world.clock.advance(5_000);
      await world.quiet();
      expect(heads(world, FALLBACK)).toEqual([]);
    }
  });
});

describe("[D5] launched in a web chat while a chat is configured", () => {
  const { route: _none, ...web } = PERSON;
  const home = { home: {} };

  test("both are told, each once, and either answers", async () => {
    const world = await World.start({ fallback: FALLBACK });
    world.delivery.fail("send", { kind: "later", reason: "down" }, 2, '"telegram:42"');
    const { session } = await world.launch("ask: Which? | A | B\nsay: done", home, web);
    await world.until(session.id, "asking");
    await world.clock.advance(10_000);
    const inWeb = world.delivery.messages.filter(({ route }) => route === undefined);
    expect(inWeb.map(({ texts, sessionKey }) => [texts[0]?.split(" ")[0], sessionKey])).toEqual([
      ["asks", PERSON.owner.sessionKey],
    ]);
    expect(heads(world, FALLBACK)).toEqual([`asks ${session.name}`]);
    expect(world.roster.governor.places.chatsOf(world.session(session.id))).toEqual([
      "telegram|default|42|",
      `session|${PERSON.owner.sessionKey}`,
    ]);
    await world.restart();
    expect(world.session(session.id).home).toEqual({});
  });

  test("the other one hears that it was answered, and no more than once", async () => {
    const there: Caller = { ...PERSON, owner: { sessionKey: "agent:main:main" }, route: FALLBACK, seesAll: true };
    for (const [caller, inChat, inWeb] of [
      [there, ["over job here"], ["asks job Which?", "answered job"]],
      [{ ...web, door: "reply" }, ["over job elsewhere"], ["asks job Which?"]],
      // Told by a notice of its own in both.
      [{ ...there, door: "rpc" }, ["over job here", "responded job"], ["asks job Which?", "responded job"]],
      // The button has edited its own message.
      [{ ...there, door: "button" }, ["asks job Which?"], ["asks job Which?", "answered job"]],
    ] as const) {
      const world = await World.start({ fallback: FALLBACK });
      const { session } = await world.launch("ask: Which? | A | B\nhang", { ...home, name: "job" }, web);
      await world.until(session.id, "asking");
      await world.quiet();
      expect(await world.sessions.respond(caller, session.id, order("A"))).toMatchObject({ ok: true });
      await world.quiet();
      const inWebChat = world.delivery.messages.filter(({ route }) => route === undefined);
      const short = (text: string | undefined) => text?.replace(/^(responded job).*/, "$1");
      expect(world.delivery.texts(FALLBACK).map(short), caller.door).toEqual(inChat);
      expect(
        inWebChat.map(({ texts }) => short(texts.at(-1))),
        caller.door,
      ).toEqual(inWeb);
    }
  });

  test("without a configured chat the web chat is told once", async () => {
    const world = await World.start();
    await world.launch("say: done", { ...home, singleTurn: true }, web);
    await world.quiet();
    expect(world.delivery.messages.map(({ route, texts }) => [route, texts.length])).toEqual([[undefined, 1]]);
  });

  test("a configured chat that refuses is no loss: the web chat has it", async () => {
    const world = await World.start({ fallback: FALLBACK });
    world.delivery.fail("send", NO, 1, '"telegram:42"');
    const { session } = await world.launch("say: done", { ...home, singleTurn: true }, web);
    await world.quiet();
    expect(world.delivery.messages.map(({ route }) => route)).toEqual([undefined]);
    expect(world.session(session.id).undelivered).toBeUndefined();
  });
});

function order(message: string) {
  return { message, interrupt: false, questionId: undefined, option: undefined };
}
