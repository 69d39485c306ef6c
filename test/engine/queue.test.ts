/**
 * Slots and the line: how many agents live, who waits where, also over restarts; who makes room for whom.
 */
import { describe, expect, test } from "vitest";
import { noticeText } from "../../src/core/notice.ts";
import type { Session } from "../../src/core/session.ts";
import { EN } from "../../src/core/words-en.ts";
import { ZH } from "../../src/core/words-zh.ts";
import { soundProblems } from "./invariants.ts";
import type { Caller } from "../../src/core/caller.ts";
import { AGENT, PERSON, World } from "./world.ts";

async function launchMany(world: World, count: number, script: (n: number) => string, caller?: Caller) {
  const ids: string[] = [];
  for (let n = 1; n <= count; n += 1)
    ids.push((await world.launch(script(n), { singleTurn: true }, caller)).session.id);
  return ids;
}

const places = (world: World, ids: readonly string[]) => ids.map((id) => world.roster.admission.placeOf(id));

describe("slots", () => {
  test("[S1] 12 launches with 3 slots: 3 run, 9 wait with their place, all finish in order", async () => {
    const world = await World.start({ maxSessions: 3 });
    const ids = await launchMany(world, 12, (n) => `say: job ${n}\nsleep 1000`);
    await world.quiet();
    expect(world.agent.live).toHaveLength(3);
    expect(places(world, ids)).toEqual([undefined, undefined, undefined, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(world.flowOf(ids[11]!).status).toBe("queued");
    for (const id of ids) await world.until(id, "ended");
    const starts = world.agent.connections.map((connection) => connection.spec.sessionId);
    expect(starts).toEqual(ids);
    expect(await soundProblems(world)).toEqual([]);
    expect(world.roster.admission.running).toBe(0);
  });

  test("[S1] each chat is told its place once", async () => {
    const world = await World.start({ maxSessions: 1 });
    await launchMany(world, 3, (n) => `say: place ${n}\nhang`, AGENT);
    await world.quiet();
    expect(world.delivery.texts().filter((text) => text.startsWith("queued"))).toHaveLength(2);
  });

  test("[H13] whoever launched or stopped it by a command there knows it from the reply; other chats are told", async () => {
    const world = await World.start({ maxSessions: 1 });
    const ids = await launchMany(world, 3, () => "hang");
    await world.quiet();
    const [first = "", second = "", third = ""] = ids;
    const killed = (): number => world.delivery.texts().filter((text) => text.startsWith("killed")).length;
    expect(world.delivery.texts().filter((text) => text.startsWith("queued"))).toEqual([]);
    expect((await world.sessions.kill(PERSON, first)).ok).toBe(true);
    await world.quiet();
    expect(killed()).toBe(0);
    const elsewhere: Caller = { ...PERSON, seesAll: true, route: { channel: "telegram", to: "telegram:7" } };
    expect((await world.sessions.kill(elsewhere, second)).ok).toBe(true);
    await world.quiet();
    expect(killed()).toBe(1);
    expect((await world.sessions.kill({ ...PERSON, door: "rpc" }, third)).ok).toBe(true);
    await world.quiet();
    expect(killed()).toBe(2);
  });

  test("[S1] past maxQueued a launch is refused with what to do, and leaves nothing behind", async () => {
    const world = await World.start({ maxSessions: 2, maxQueued: 3 });
    await launchMany(world, 5, (n) => `say: fill ${n}\nhang`);
    const refused = await world.tryLaunch("say: one too many");
    expect(refused).toMatchObject({ ok: false, refusal: { code: "queue_full" } });
    expect(!refused.ok && refused.refusal.message).toContain("maxQueued 3");
    expect(world.flows.ledger.flows.size).toBe(5);
    expect(world.journals.files.size).toBe(5);
  });

  test("[S1] launches that come at once don't pass the bound together", async () => {
    const world = await World.start({ maxSessions: 2, maxQueued: 3 });
    const results = await Promise.all(Array.from({ length: 30 }, (_, n) => world.tryLaunch(`say: at once ${n}\nhang`)));
    expect(results.filter((result) => result.ok)).toHaveLength(5);
    expect(
      results.filter((result) => !result.ok).every((result) => !result.ok && result.refusal.code === "queue_full"),
    ).toBe(true);
    await world.quiet();
    expect(world.agent.live).toHaveLength(2);
  });

  test("[S1] names of launches at once are unique", async () => {
    const world = await World.start({ maxSessions: 4 });
    const results = await Promise.all([1, 2, 3, 4].map(() => world.launch("fix the login tests")));
    expect(new Set(results.map(({ session }) => session.name)).size).toBe(4);
    expect(results[0]?.session.name).toBe("fix-login-tests");
  });

  test("[O5] who is killed in the line gives up the place at once, and no slot leaks", async () => {
    const world = await World.start({ maxSessions: 1, maxQueued: 2 });
    const ids = await launchMany(world, 3, (n) => `say: line ${n}\nhang`);
    await world.sessions.kill(PERSON, ids[1]!);
    await world.quiet();
    expect(places(world, ids)).toEqual([undefined, undefined, 1]);
    expect(world.flowOf(ids[1]!).status).toBe("cancelled");
    expect((await world.tryLaunch("say: fits again\nhang")).ok).toBe(true);
    await world.sessions.kill(PERSON, ids[0]!);
    await world.until(ids[2]!, "working");
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("the line over restarts", () => {
  test.each([
    ["kill -9", "crash"],
    ["a stop", "restart"],
  ] as const)("[S5] after %s everybody has the same place, whoever ran is first again", async (_name, how) => {
    const world = await World.start({ maxSessions: 2 });
    const ids = await launchMany(world, 6, (n) => `say: kept ${n}\nhang`);
    await world.quiet();
    // Held back before they are ready: nothing of them was prompted.
    await world[how]();
    await world.quiet();
    const interrupted = ids.slice(0, 2).map((id) => world.session(id).phase.kind);
    expect(interrupted).toEqual(["interrupted", "interrupted"]);
    expect(world.agent.live.map((c) => c.spec.sessionId)).toEqual([ids[2], ids[3]]);
    expect(places(world, ids.slice(2))).toEqual([undefined, undefined, 1, 2]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S5] a session that was starting goes before those that waited", async () => {
    const world = await World.start({ maxSessions: 1 });
    const held = Promise.withResolvers<void>();
    world.agent.beforeOpen = () => held.promise;
    const ids = await launchMany(world, 3, (n) => `say: start ${n}`);
    expect(world.session(ids[0]!).phase.kind).toBe("starting");
    world.kill();
    world.agent.beforeOpen = async () => undefined;
    held.resolve();
    await world.boot();
    for (const id of ids) await world.until(id, "ended");
    const prompts = world.agent.prompts.map((prompt) => prompt.sessionId);
    expect(prompts).toEqual(ids);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S1] [S5] 12 launches, kill -9 in the middle: none is lost, each finishes once", async () => {
    const world = await World.start({ maxSessions: 3 });
    const ids = await launchMany(world, 12, (n) => `say: job ${n} begun\nsleep 2000\nsay: job ${n} done`);
    await world.clock.advance(3_000);
    await world.crash();
    for (const id of ids) {
      const session = world.session(id);
      if (session.phase.kind === "interrupted") await world.respond(id, `say: job of ${id} continued`);
    }
    for (const id of ids) await world.until(id, "ended", 120_000);
    expect(ids.map((id) => world.flowOf(id).status)).toEqual(ids.map(() => "succeeded"));
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("room for others", () => {
  test("[S1] a continuation goes ahead of launches, and is never refused for maxQueued", async () => {
    const world = await World.start({ maxSessions: 1, maxQueued: 1 });
    const { session: first } = await world.launch("say: first turn");
    await world.until(first.id, "idle");
    await world.clock.advance(20_000);
    const { session: busy } = await world.launch("say: busy\nhang", { singleTurn: true });
    const { session: waiting } = await world.launch("say: waits\nhang", { singleTurn: true });
    expect(await world.respond(first.id, "say: second turn")).toMatchObject({
      ok: true,
      value: { delivered: "resumed" },
    });
    expect(world.roster.admission.placeOf(first.id)).toBe(1);
    expect(world.roster.admission.placeOf(waiting.id)).toBe(2);
    await world.sessions.kill(PERSON, busy.id);
    await world.until(first.id, "idle");
    await world.until(waiting.id, "working");
    expect(world.promptsOf(first.id)).toEqual(["say: first turn", "say: second turn"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S8] an idle session keeps its process for a short while, then it is parked", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: kept alive");
    await world.until(session.id, "idle");
    expect(world.agent.live).toHaveLength(1);
    expect(await world.respond(session.id, "say: at once")).toMatchObject({ ok: true, value: { delivered: "now" } });
    await world.until(session.id, "idle");
    await world.clock.advance(15_500);
    expect(world.agent.live).toHaveLength(0);
    expect(world.session(session.id).phase.kind).toBe("idle");
    expect(world.roster.admission.running).toBe(0);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S8] under pressure it makes room at once", async () => {
    const world = await World.start({ maxSessions: 1 });
    const { session: idle } = await world.launch("say: idle");
    await world.until(idle.id, "idle");
    const { session: next } = await world.launch("say: next\nhang");
    await world.quiet();
    await world.quiet();
    expect(world.session(next.id).phase.kind).toBe("working");
    expect(world.session(idle.id).agent).toBeUndefined();
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S8] who becomes idle while others wait is parked at once", async () => {
    const world = await World.start({ maxSessions: 1 });
    const { session: first } = await world.launch("say: works\nsleep 1000");
    const { session: second } = await world.launch("say: waits\nhang");
    await world.until(first.id, "idle");
    await world.quiet();
    expect(world.session(second.id).phase.kind).toBe("working");
    expect(await soundProblems(world)).toEqual([]);
  });
});

describe("who waits for a person", () => {
  async function twoAsk() {
    const world = await World.start({ maxSessions: 2 });
    const asking: string[] = [];
    for (const n of [1, 2]) {
      const { session } = await world.launch(`ask: Question ${n}? | yes | no\nsay: chose {answer}`, {
        name: `asks-${n}`,
      });
      await world.until(session.id, "asking");
      asking.push(session.id);
      await world.clock.advance(2_000);
    }
    const third = await world.launch("say: third\nhang", { name: "third" });
    return { world, asking, third: third.session.id };
  }

  test("[H3] makes room for a launch that waits, after a moment; the question stays open, and nobody is told again", async () => {
    const { world, asking, third } = await twoAsk();
    const notice = world.delivery.texts().length;
    await world.clock.advance(100_000);
    expect(world.session(third).phase.kind).toBe("queued");
    await world.until(third, "working");
    // One is enough, and it is the one that has waited longest.
    expect(asking.map((id) => world.session(id).agent?.kind)).toEqual([undefined, "ready"]);
    expect(asking.map((id) => world.session(id).phase.kind)).toEqual(["asking", "asking"]);
    await world.clock.advance(120_000);
    expect(world.session(asking[1]!).agent?.kind).toBe("ready");
    expect(
      world.delivery
        .texts()
        .slice(notice)
        .filter((text) => text.includes("asks-")),
    ).toEqual([]);
    expect(await soundProblems(world)).toEqual([]);
    // The answer starts iFlow again, as after a restart.
    await world.sessions.kill(PERSON, third);
    expect(await world.respond(asking[0]!, "yes")).toMatchObject({ ok: true, value: { delivered: "resumed" } });
    await world.until(asking[0]!, "idle");
    expect(world.promptsOf(asking[0]!).at(-1)).toMatch(/You had asked:\n- Question 1\?\n {2}Answer: yes/);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[H3] the notice of the one that waits says who holds the slots", async () => {
    const { world, third } = await twoAsk();
    const commits = (world.journals.files.get(third) ?? []).flatMap((line) =>
      line.t === "commit" ? [line.session] : [],
    );
    const owed = commits.flatMap((session) => (session as Session).owed);
    expect(owed.find(({ kind }) => kind === "queued")?.data.asking).toEqual(["asks-1", "asks-2"]);
    const seen = { ...world.session(third), owed: [] };
    const notice = {
      id: "n9",
      kind: "queued",
      at: 0,
      parts: ["chat"],
      data: { place: 1, asking: ["asks-1", "asks-2"] },
    } as const;
    expect(noticeText(seen, notice, { words: EN, safeMode: false })).toContain(
      "asks-1, asks-2 hold slots and wait for your answer",
    );
    expect(noticeText(seen, notice, { words: ZH, safeMode: false })).toContain("asks-1、asks-2");
  });

  test("[H3] nobody who asks is parked while nobody waits, while a command of its turn runs, or where an idle process can go", async () => {
    const world = await World.start({ maxSessions: 2, rules: { keepAliveMs: 60 * 60_000 } });
    const { session } = await world.launch("ask: Question? | yes | no\nsay: chose {answer}");
    await world.until(session.id, "asking");
    const { session: idle } = await world.launch("say: idle");
    await world.until(idle.id, "idle");
    await world.clock.advance(10 * 60_000);
    expect(world.session(session.id).agent?.kind).toBe("ready");
    const { session: next } = await world.launch("say: next\nhang");
    await world.until(next.id, "working");
    expect(world.session(session.id).agent?.kind).toBe("ready");
    const runs = world.agent.connections.find(({ spec }) => spec.sessionId === session.id);
    runs?.emit({ kind: "tool", toolCallId: "c1", title: "npm test", toolKind: "execute", status: "in_progress" });
    const { session: last } = await world.launch("say: last");
    await world.clock.advance(3 * 60_000);
    expect(world.session(last.id).phase.kind).toBe("queued");
    expect(world.session(session.id).agent?.kind).toBe("ready");
  });

  test("[H3] an answer while the process is on its way out starts it again, and is not lost", async () => {
    const { world, asking, third } = await twoAsk();
    await world.clock.advance(58_000);
    void world.roster.actor(asking[0]!)?.post({ type: "park" });
    await world.respond(asking[0]!, "no");
    await world.sessions.kill(PERSON, third);
    await world.until(asking[0]!, "idle");
    expect(await world.output(asking[0]!)).not.toBe("");
    expect(await soundProblems(world)).toEqual([]);
  });
});
