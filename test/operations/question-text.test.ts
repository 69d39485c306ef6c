/** A question whole, by every door that reads: however long, paged, after a restart, by those who may. */
import { describe, expect, test } from "vitest";
import type { OutputJson } from "../../src/operations/answers.ts";
import { showPress } from "../../src/operations/question-text.ts";
import { OperationsWorld } from "./operations-world.ts";

const LONG = `echo begin && ${"echo more && ".repeat(1_000)}rm -rf build`;

async function asked(
  prompt: string,
  config = {},
): Promise<{ operations: OperationsWorld; id: string; questionId: string }> {
  const operations = await OperationsWorld.create(config);
  const { id } = await operations.launch(prompt, { name: "job" });
  const { phase } = await operations.world.until(id, "asking");
  return { operations, id, questionId: phase.asks[0]?.questions[0]?.id ?? "" };
}

describe("[B1] iflow_output with question_id", () => {
  test.each(["as it is", "restart", "crash"] as const)("gives all of a long command, %s", async (how) => {
    const { operations, id, questionId } = await asked(`run: ${LONG}`);
    await using world = operations;
    if (how !== "as it is") await world.world[how]();
    const context = { ...world.context, sessions: world.world.sessions };
    Object.assign(world.context, context);
    const json = await world.json<OutputJson>("output", { session: "job", question_id: questionId });
    expect(json).toEqual({
      id,
      name: "job",
      status: "asking",
      startOffset: 0,
      endOffset: LONG.length,
      truncated: false,
      output: LONG,
      question: {
        id: questionId,
        kind: "permission",
        text: expect.stringMatching(/^echo begin/) as unknown,
        options: ["Allow", "Reject"],
        marks: "numbers",
      },
    });
  });

  test("in pieces where it is asked from an offset; the reply says where, shows all choices, and can't be broken out of", async () => {
    const { operations, questionId } = await asked(`run: ${LONG} \`\`\` x`);
    await using world = operations;
    const read = (since: number) => world.call("output", { session: "job", question_id: questionId, since });
    const answered = await read(13_000);
    if (!answered.ok) throw new Error(answered.message);
    const total = LONG.length + 6;
    expect(answered.reply.text).toContain(
      `${questionId} (permission) · characters 13000–${total} of ${total}.\n\`\`\`\`\n`,
    );
    expect(answered.reply.text).toMatch(/\n````\n\n1: Allow\n2: Reject$/);
    expect(answered.reply.json).toMatchObject({ startOffset: 13_000, truncated: true });
    expect(await read(1_000_000)).toMatchObject({ ok: true, reply: { json: { startOffset: total, output: "" } } });
  });

  test("a command takes the question by its option", () => {
    const parse = async () => {
      await using world = await OperationsWorld.create();
      return world.door("output").parseCommand("--question q3 --since 100 job");
    };
    return expect(parse()).resolves.toEqual({
      ok: "params",
      params: { question_id: "q3", since: 100, session: "job" },
    });
  });

  test("a question that is over, or none, is refused with what became of it", async () => {
    const { operations, questionId } = await asked("ask: Which? | A | B\nsay: done");
    await using world = operations;
    await world.json("respond", { session: "job", message: "1" });
    expect(await world.call("output", { session: "job", question_id: questionId })).toMatchObject({
      ok: false,
      code: "question_closed",
      message: expect.stringMatching(/was already answered: A/) as unknown,
    });
    expect(await world.verdict("output", { session: "job", question_id: "q99" })).toBe("question_closed");
  });

  test("nobody reads it who may not read the session", async () => {
    const { operations, questionId } = await asked(`run: ${LONG}`);
    await using world = operations;
    const route = { channel: "telegram", to: "telegram:99" };
    const stranger = { ...world.me, route, owner: { sessionKey: "agent:main:telegram:direct:99" }, senderId: "99" };
    expect(await world.verdict("output", { session: "job", question_id: questionId }, stranger)).toBe("not_found");
  });

  test("in safe mode a chat gets no content, the machine gets it with secrets masked", async () => {
    const { operations, questionId } = await asked("write .env: KEY=sk-aB3dE5fG7hJ9kL2mN4pQ6rS8", { safeMode: true });
    await using world = operations;
    const chat = await world.json<OutputJson>("output", { session: "job", question_id: questionId });
    expect(chat.output).toMatch(/^Write to \.env\n\(content hidden in safe mode/);
    const rpc = await world.json<OutputJson>(
      "output",
      { session: "job", question_id: questionId },
      { ...world.me, door: "rpc" },
    );
    expect(rpc.output).toMatch(/^Write to \.env\n[\s\S]*KEY=\[redacted\]/);
  });
});

describe("[B1] the button Show all", () => {
  test("shows as much as a message holds, with where the rest is", async () => {
    const { operations, id, questionId } = await asked(`run: ${LONG}`);
    await using world = operations;
    const press = { sessionId: id, questionId, isAuthorised: true };
    const { text, closed } = await showPress(world.context, { ...world.me, door: "button" }, press);
    expect(closed).toBe(false);
    expect(text.length).toBeLessThanOrEqual(3_900);
    expect(text).toContain("echo begin");
    expect(text).toMatch(new RegExp(`More: /iflow_output --question ${questionId} --since \\d+ job$`));
  });

  test("tells nothing to somebody whom the channel does not let steer the bot, or who may not see the session", async () => {
    const { operations, id, questionId } = await asked(`run: ${LONG}`);
    await using world = operations;
    const press = { sessionId: id, questionId };
    const refused = await showPress(world.context, { ...world.me, door: "button" }, { ...press, isAuthorised: false });
    expect(refused).toEqual({ text: "You are not authorised to read iFlow here.", closed: false });
    const owner = { sessionKey: "agent:main:telegram:direct:99" };
    const route = { channel: "telegram", to: "telegram:99" };
    const other = await showPress(
      world.context,
      { ...world.me, owner, route, door: "button" },
      { ...press, isAuthorised: true },
    );
    expect(other.text).not.toContain("echo");
    expect((await world.audit()).slice(1)).toMatchObject([
      { operation: "output", door: "button", outcome: "not_allowed", params: { session: id, question_id: questionId } },
      { operation: "output", door: "button", outcome: "not_found" },
    ]);
  });
});

test("[B2] all choices of a question, also those that are too many to be kept", async () => {
  const labels = Array.from({ length: 40 }, (_, i) => `choice number ${i + 1}x`);
  const { operations, id, questionId } = await asked(`ask: Which? | ${labels.join(" | ")}\nsay: took {answer}`);
  await using world = operations;
  const answered = await world.call("output", { session: "job", question_id: questionId });
  if (!answered.ok) throw new Error(answered.message);
  for (const label of labels) expect(answered.reply.text).toContain(label);
  expect(answered.reply.text).toContain("\n30: choice number 30x");
  expect(answered.reply.text).toMatch(/\nThe others are answered in their own words\.$/);
  await world.json("respond", { session: "job", message: labels[39] });
  await world.world.until(id, "idle");
  expect(await world.world.output(id)).toContain("took choice number 40x");
});
