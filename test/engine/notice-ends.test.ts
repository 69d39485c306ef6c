/** What becomes of the notice of a question that is over. */
import { describe, expect, test } from "vitest";
import { voiceOf } from "../../src/core/voice.ts";
import { AGENT, PERSON, World } from "./world.ts";

const WHICH = "ask: Which? | A | B\nhang";
const TELEGRAM = PERSON.route!;

/** Every text that the notice of the question had, and how many messages there are. */
async function story(world: World): Promise<{ readonly texts: readonly string[]; readonly messages: number }> {
  await world.quiet();
  const found = world.delivery.messages.find(({ texts }) => /^(?:asks|🔔)/u.test(texts[0] ?? ""));
  return { texts: found?.texts ?? [], messages: world.delivery.messages.length };
}

async function asked(world: World, script = WHICH): Promise<string> {
  const { session } = await world.launch(script, { name: "job" });
  await world.until(session.id, "asking");
  await world.quiet();
  return session.id;
}

describe("[D6] [H13] the notice of a question that is over is edited once", () => {
  test("says what was answered, and from where", async () => {
    for (const [caller, from] of [
      [PERSON, "here"],
      [{ ...PERSON, route: { ...TELEGRAM, to: "telegram:43" } }, "elsewhere"],
      [AGENT, "here"],
    ] as const) {
      const world = await World.start();
      const id = await asked(world);
      await world.respond(id, "A", {}, caller);
      expect((await story(world)).texts).toEqual(["asks job Which?", `over job ${from}`]);
    }
  });

  test("at its deadline, and when its session ends", async () => {
    const world = await World.start({ rules: { questionTimeoutMs: 60_000 } });
    await asked(world);
    await world.clock.advance(61_000);
    expect((await story(world)).texts).toEqual(["asks job Which?", "over job meanwhile"]);
    const other = await World.start();
    await other.sessions.kill(PERSON, await asked(other));
    expect((await story(other)).texts).toEqual(["asks job Which?", "over job meanwhile"]);
  });

  test("with the last of its parts only, in the language of the session, without how to answer", async () => {
    const world = await World.start({ voice: voiceOf({ language: "auto", safeMode: false }) });
    const id = await asked(world, "two questions\nhang");
    const { phase } = await world.until(id, "asking");
    const [first = "", second = ""] = phase.asks.flatMap(({ questions }) => questions.map((question) => question.id));
    await world.respond(id, "SQLite", { questionId: first });
    expect((await story(world)).texts).toHaveLength(1);
    await world.respond(id, "1", { questionId: second });
    const { texts } = await story(world);
    expect(texts).toHaveLength(2);
    expect(texts[0]).toContain("/iflow_respond");
    expect(texts[1]).toMatch(
      /^🔔 job asks 2 questions\n\nq\d\.1 · .+\n↩️ \d: SQLite \(answered here\)\n\nq\d\.2 · .+\n↩️ 1: .+ \(answered here\)$/u,
    );
    const chinese = await World.start({ voice: voiceOf({ language: "zh", safeMode: false }) });
    await chinese.respond(await asked(chinese), "B");
    expect((await story(chinese)).texts[1]).toMatch(/\n\n↩️ 2: B（在此回答）$/u);
  });

  test("a failed edit is dropped, and nothing is told or sent again", async () => {
    const world = await World.start();
    const id = await asked(world);
    const { messages } = await story(world);
    world.delivery.fail("edit", { kind: "later", reason: "down" });
    await world.respond(id, "A");
    await world.clock.advance(60_000);
    expect(await story(world)).toMatchObject({ texts: ["asks job Which?"] });
    expect(world.delivery.messages.filter(({ texts }) => !texts[0]?.includes("🟢"))).toHaveLength(messages);
  });

  test("one that was answered while its notice was on its way", async () => {
    const world = await World.start();
    const held = world.delivery.hold("send");
    const { session } = await world.launch(WHICH, { name: "job" });
    await world.until(session.id, "asking");
    await held.reached;
    await world.respond(session.id, "A");
    held.release();
    expect((await story(world)).texts).toEqual(["asks job Which?", "over job meanwhile"]);
  });

  test("a chat that can't edit hears it only where the answer came from another chat", async () => {
    for (const to of ["telegram:42", "telegram:43"]) {
      const world = await World.start();
      world.delivery.editable = false;
      const id = await asked(world);
      await world.respond(id, "A", {}, { ...PERSON, route: { ...TELEGRAM, to } });
      await world.quiet();
      expect(world.delivery.texts(TELEGRAM).filter((text) => text === "answered job")).toHaveLength(
        to === "telegram:43" ? 1 : 0,
      );
    }
  });

  test("an edit is nothing that is said: the next question is still answered by bare words", async () => {
    const world = await World.start();
    const id = await asked(world, "ask: Which? | A | B\nask: Then? | C | D\nhang");
    await world.respond(id, "A");
    const { phase } = await world.until(id, "asking");
    await world.quiet();
    expect(phase.asks[0]?.questions[0]?.text.text).toContain("Then?");
    const now = world.session(id).phase;
    expect(now.kind === "asking" && now.asks.map(({ toldAt, overtaken }) => [toldAt !== undefined, overtaken])).toEqual(
      [[true, undefined]],
    );
  });
});
