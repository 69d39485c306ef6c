/**
 * Messages whose turns did not come to their end: iFlow may have lost them, and whoever goes on gets them whole.
 */
import { describe, expect, test } from "vitest";
import { IflowError } from "../../src/core/errors.ts";
import type { Session } from "../../src/core/session.ts";
import { soundProblems } from "./invariants.ts";
import { PERSON, World } from "./world.ts";

const LONG = `fail: model error\n${"All of this is the task. ".repeat(200)}\nThe last line.`;
const FILES = ["/w/plan.pdf", "/w/shot.png"];

async function launchWithFiles(world: World, prompt: string): Promise<Session> {
  const launched = await world.sessions.launch(PERSON, { ...world.order(prompt), files: FILES });
  if (!launched.ok) throw new Error(launched.refusal.message);
  return launched.value.session;
}

/** As /iflow_resume without words. */
async function resume(world: World, id: string, message = "Continue where you stopped."): Promise<string> {
  const order = { message, repeats: true, interrupt: false, questionId: undefined, option: undefined } as const;
  const going = await world.sessions.respond(PERSON, id, order);
  if (!going.ok) throw new Error(going.refusal.message);
  return going.value.session.id;
}

const blocksOf = (world: World, at: number) => world.agent.prompts.at(at)?.blocks ?? [];
const textOf = (world: World, at: number) =>
  blocksOf(world, at)
    .flatMap((block) => (block.type === "text" ? [block.text] : []))
    .join("\n");
const filesOf = (world: World, at: number) =>
  blocksOf(world, at).flatMap((block) => (block.type === "file" ? [block.path] : []));

describe("a resume after a turn that failed", () => {
  test("[H1] sends that turn's message again, whole and with its files", async () => {
    const world = await World.start();
    const { id } = await launchWithFiles(world, LONG);
    await world.until(id, "ended");
    const next = await resume(world, id);
    await world.until(next, "ended");
    expect(world.promptsOf(next)).toEqual([LONG]);
    expect(filesOf(world, -1)).toEqual(FILES);
    expect(blocksOf(world, -1)).toHaveLength(1 + FILES.length);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[H1] after a start that came to nothing the task arrives whole, also at the second try", async () => {
    const world = await World.start();
    world.agent.failOpen = new IflowError("agent_not_authenticated", "no key");
    const task = `say: done\n${"x".repeat(5_000)}`;
    const { id } = await launchWithFiles(world, task);
    await world.until(id, "ended");
    world.agent.failOpen = new IflowError("agent_not_authenticated", "still no key");
    const second = await resume(world, id);
    await world.until(second, "ended");
    const third = await resume(world, second);
    await world.until(third, "idle");
    expect(world.agent.prompts).toHaveLength(1);
    expect(world.promptsOf(third)).toEqual([task]);
    expect(filesOf(world, -1)).toEqual(FILES);
    expect(textOf(world, -1)).not.toContain("Summary");
  });

  test("[H1] words of the person go with it: what was lost stands before them, with its files", async () => {
    const world = await World.start();
    const { id } = await launchWithFiles(world, LONG);
    await world.until(id, "ended");
    const going = await world.respond(id, "say: try once more");
    const next = going.ok ? going.value.session.id : "";
    await world.until(next, "idle");
    expect(world.promptsOf(next)).toEqual(["say: try once more"]);
    expect(textOf(world, -1)).toContain("> The last line.");
    expect(filesOf(world, -1)).toEqual(FILES);
    // A turn has come to its end: it is in iFlow's own history from now on.
    expect(world.session(next).undone).toBeUndefined();
  });

  test("[H1] where something had been done, it is said that the message comes again", async () => {
    const world = await World.start();
    const { session } = await world.launch("write a.txt: x\nfail: model error", { permissionMode: "auto" });
    await world.until(session.id, "ended");
    const next = await resume(world, session.id);
    await world.until(next, "ended");
    expect(textOf(world, -1)).toMatch(
      /You were sent this before[^]*look first[^]*\nwrite a\.txt: x\nfail: model error$/,
    );
  });

  test("[H1] a turn that ended well is not repeated", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: done", { singleTurn: true });
    await world.until(session.id, "ended");
    const next = await resume(world, session.id, "say: go on");
    await world.until(next, "ended");
    expect(world.promptsOf(next)).toEqual(["say: go on"]);
    expect(blocksOf(world, -1)).toHaveLength(1);
  });
});

describe("what else may be lost on its way", () => {
  test("[H1] a follow-up that was cut off before the model did anything goes along when somebody says continue", async () => {
    const world = await World.start();
    const { session } = await world.launch("say: first");
    await world.until(session.id, "idle");
    await world.respond(session.id, "say: more\nhang");
    await world.until(session.id, "working");
    await world.crash();
    await world.until(session.id, "interrupted");
    await world.respond(session.id, "continue");
    await world.until(session.id, "idle");
    expect(textOf(world, -1)).toMatch(/you may not have it\]\n> say: more\n> hang\n[^]*\ncontinue$/);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[H1] one that the model had begun to carry out is not said twice", async () => {
    const world = await World.start();
    const { session } = await world.launch("write a.txt: x\nhang", { permissionMode: "auto" });
    await world.until(session.id, "working");
    await world.clock.advance(1_000);
    await world.crash();
    await world.until(session.id, "interrupted");
    await world.respond(session.id, "continue");
    await world.until(session.id, "idle");
    expect(textOf(world, -1)).toBe("continue");
  });

  test("[H1] a job that was withdrawn in the line is taken up whole", async () => {
    const world = await World.start({ maxSessions: 1 });
    const first = await world.launch("hang");
    const waits = await world.launch("say: the job");
    await world.quiet();
    await world.sessions.kill(PERSON, waits.session.id);
    await world.sessions.kill(PERSON, first.session.id);
    await world.quiet();
    const next = await resume(world, waits.session.id);
    await world.until(next, "idle");
    expect(world.promptsOf(next)).toEqual(["say: the job"]);
  });
});
