/**
 * The disk is full or read-only: new launches are refused, running work keeps its words, no prompt leaves unrecorded.
 */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { inPhase } from "./phases.ts";
import { PERSON, World } from "./world.ts";

const FULL = "the disk is full";

describe("[S5] a journal that can't be written", () => {
  test("[S1] no launch, with the reason", async () => {
    const world = await World.start();
    world.journals.failing = FULL;
    expect(await world.tryLaunch("say: a")).toMatchObject({
      ok: false,
      refusal: { code: "storage_unavailable", message: expect.stringContaining(FULL) },
    });
    expect(world.flows.ledger.flows.size).toBe(0);
  });

  test("[S3] the words of running work are kept in memory, said once, and written later: none is lost", async () => {
    const world = await World.start();
    const { session } = await world.launch(
      ["say: one", "sleep 1000", "long 200", "sleep 1000", "say: two", "sleep 1000", "say: three"].join("\n"),
    );
    await world.until(session.id, "working");
    world.journals.failing = FULL;
    await world.clock.advance(2_500);
    expect(world.delivery.texts().filter((text) => text.includes(FULL))).toHaveLength(1);
    world.journals.failing = undefined;
    await world.until(session.id, "idle");
    await world.clock.advance(2_000);
    const output = await world.output(session.id);
    expect(output).toMatch(/^one[\s\S]*Line 200 of 200[\s\S]*twothree$/);
    expect(output.match(/Line \d+ of/g)).toHaveLength(200);
    expect(world.session(session.id).output.end).toBe(output.length);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[O3] [O6] they are read and followed meanwhile, each once, also after the journal is well again", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: one;\nsleep 2000\nsay: two;\nsleep 8000\nsay: three;");
    await world.until(session.id, "working");
    expect(await world.sessions.foreground(PERSON, session.id, 30)).toMatchObject({
      value: { slice: { text: "one;" } },
    });
    world.journals.failing = FULL;
    await world.clock.advance(6_000);
    expect(await world.output(session.id)).toBe("one;two;");
    world.journals.failing = undefined;
    await world.until(session.id, "idle");
    await world.clock.advance(6_000);
    const streamed = world.delivery.messages.filter((message) => /:o\d+\.\d+$/.test(message.intentId));
    expect(streamed.map((message) => message.texts[0]?.split("\n")[1])).toEqual(["two;", "three;"]);
    expect(await world.output(session.id)).toBe("one;two;three;");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a chat that follows an asking session while nothing can be written waits, and does not spin", async () => {
    const world = await World.start({ rules: { outputBufferBytes: 4_096 } });
    const { session } = await world.launch("sleep 1000\nlong 300\nask: Which? | A | B");
    await world.until(session.id, "working");
    await world.sessions.foreground(PERSON, session.id, 30);
    world.journals.failing = FULL;
    await world.clock.advance(20_000);
    expect(world.session(session.id).phase.kind).toBe("asking");
    world.journals.failing = undefined;
    await world.clock.advance(10_000);
    const words = world.delivery.messages.map((message) => message.texts[0] ?? "").join("\n");
    expect(words).toContain("Line 1 of 300");
    expect(words).toContain("Line 300 of 300");
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[S5] a prompt that can't be recorded is not sent: interrupted, and sent once when somebody says continue", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    world.journals.failing = FULL;
    await world.respond(id, "say: not yet");
    const { phase } = await world.until(id, "interrupted");
    expect(phase.cause).toMatchObject({ code: "storage", message: expect.stringContaining(FULL) });
    expect(world.promptsOf(id)).toHaveLength(1);
    world.journals.failing = undefined;
    await world.respond(id, "say: now");
    await world.until(id, "idle");
    expect(world.promptsOf(id).slice(1)).toEqual(["say: not yet", "say: now"]);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("a long message that is only held is not sent cut", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "working");
    const long = `say: long\n${"x".repeat(5_000)}`;
    world.journals.failing = FULL;
    await world.respond(id, long, { interrupt: true });
    await world.until(id, "interrupted");
    world.journals.failing = undefined;
    await world.respond(id, "say: go");
    await world.until(id, "idle");
    expect(world.promptsOf(id).slice(1)).toEqual([long, "say: go"]);
  });

  test("answers and kills still work", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "asking");
    world.journals.failing = FULL;
    expect((await world.respond(id, "B")).ok).toBe(true);
    await world.until(id, "idle");
    expect(world.session(id).output.text).toContain("chose B");
    await world.sessions.kill(PERSON, id);
    expect(world.flowOf(id).status).toBe("succeeded");
    world.journals.failing = undefined;
    expect(await soundProblems(world)).toEqual([]);
    expect(await world.output(id)).toContain("chose B");
  });

  test("past the bound the newest words are lost, and that is said once, however many more come", async () => {
    const world = await World.start();
    const { session } = await world.launch(
      `sleep 1000\n${Array.from({ length: 30 }, () => "huge 262144\nsleep 10").join("\n")}`,
      { permissionMode: "auto" },
    );
    await world.until(session.id, "working");
    world.journals.failing = FULL;
    await world.until(session.id, "idle");
    await world.clock.advance(5_000);
    const told = world.delivery.texts().filter((text) => text.includes(FULL));
    expect(told).toHaveLength(2);
    expect(told[1]).toContain("lost");
  });

  test("with the ledger failing as well, nothing is sent, and the next start finds a session that waits for a person", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    world.journals.failing = FULL;
    world.flows.fail({ on: "change" }, { kind: "not-stored" }, 1_000);
    await world.respond(id, "say: nowhere");
    await world.clock.advance(3_000);
    expect(world.promptsOf(id)).toHaveLength(1);
    world.journals.failing = undefined;
    await world.crash();
    await world.clock.advance(1_000);
    expect(["idle", "interrupted"]).toContain(world.session(id).phase.kind);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("kill -9 while the words were only in memory: what was written stays whole, and the offsets go on", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: written\nsleep 1000\nsay: held\nhang");
    await world.until(session.id, "working");
    world.journals.failing = FULL;
    await world.clock.advance(3_000);
    world.journals.failing = undefined;
    await world.crash();
    await world.respond(session.id, "say: after");
    await world.until(session.id, "idle");
    const output = await world.output(session.id);
    expect(output.startsWith("written")).toBe(true);
    expect(output.endsWith("after")).toBe(true);
    expect(output).toHaveLength(world.session(session.id).output.end);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("slow appends keep their order and hold up nobody else", async () => {
    const world = await World.start();
    const { session } = await world.launch("long 50\nask: Which? | A | B\nlong 50");
    const { session: other } = await world.launch("say: other");
    await world.until(session.id, "asking");
    await world.until(other.id, "idle");
    const release = world.journals.hold();
    const answering = world.respond(session.id, "A");
    await world.clock.advance(1_000);
    release();
    expect((await answering).ok).toBe(true);
    await world.until(session.id, "idle");
    expect((await world.output(session.id)).match(/Line \d+ of/g)).toHaveLength(100);
    expect(await soundProblems(world)).toEqual([]);
  });
});
