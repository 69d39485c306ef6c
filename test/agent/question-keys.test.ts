/** What names a question and a choice on the wire: the agent's own words, whatever the records can bear. */
import { describe, expect, test } from "vitest";
import type { AskedAnswer } from "../../src/core/agent-event.ts";
import { World } from "../engine/world.ts";
import { ComposedWorld } from "../composed-world.ts";
import { request } from "./frames.ts";
import { Listener } from "./listener.ts";
import { openMemoryConnection } from "./memory-transport.ts";

interface Asked {
  readonly question: string;
  readonly header?: string;
  readonly options?: readonly { readonly label: string; readonly description?: string }[];
  readonly multiSelect?: boolean;
}

/** What goes over the wire; "stale" when nothing does. */
async function wireOf(questions: readonly Asked[], answers: readonly AskedAnswer[]): Promise<unknown> {
  const { transport, connection } = await openMemoryConnection();
  const heard = new Listener(connection);
  transport.say(request("_iflow/user/questions", { questions }));
  const asked = await heard.request(0);
  const sent = connection.reply(asked.requestId, { kind: "answers", answers });
  transport.end();
  const { result } = transport.sent.at(-1) as { result?: { answers?: unknown } };
  return sent === "stale" ? sent : result?.answers;
}

const AB = [{ label: "A" }, { label: "B" }];
const long = "x".repeat(20_000);

describe("answers on the wire", () => {
  test("[F4] the key is the whole question, whatever its length and its characters", async () => {
    for (const question of ["Which?", long, "__proto__", "constructor", "", "\ud800", " "]) {
      const answers = await wireOf([{ question, options: AB }], [{ optionIds: ["B"] }]);
      expect(Object.entries(answers as object)).toEqual([[question, "B"]]);
    }
  });

  test("[F4] a choice is named by its whole words, also where people saw it cut or under an id of ours", async () => {
    const options = [
      { label: `${long}1` },
      { label: `${long}2` },
      { label: "Same", description: "1" },
      { label: "Same" },
    ];
    expect(await wireOf([{ question: "?", options }], [{ optionIds: ["o2"] }])).toEqual({ "?": `${long}2` });
    expect(await wireOf([{ question: "?", options }], [{ optionIds: ["o4"] }])).toEqual({ "?": "Same" });
    const several = [{ question: "?", options, multiSelect: true }];
    expect(await wireOf(several, [{ optionIds: ["o1", "Same"] }])).toEqual({ "?": [`${long}1`, "Same"] });
  });

  test.each([
    ["the same answer", [{ optionIds: ["A"] }, { optionIds: ["A"] }], [undefined, undefined], "A"],
    ["different answers", [{ optionIds: ["A"] }, { text: "none" }], [undefined, undefined], "1: A; 2: none"],
    ["by their headers", [{ optionIds: ["A"] }, { optionIds: ["B"] }], ["Test", "Live"], "Test: A; Live: B"],
    ["the same headers", [{ optionIds: ["A"] }, { optionIds: ["B"] }], ["DB", "DB"], "1: A; 2: B"],
  ] as const)("[F4] the same question twice, %s: no answer is lost", async (_name, answers, headers, expected) => {
    const questions = headers.map((header) => ({
      question: "Which?",
      options: AB,
      ...(header === undefined ? {} : { header }),
    }));
    expect(await wireOf(questions, answers)).toEqual({ "Which?": expected });
  });

  test("[F4] the same question twice with several answers each", async () => {
    const question = { question: "Which?", options: AB, multiSelect: true };
    expect(await wireOf([question, question], [{ optionIds: ["A", "B"] }, { optionIds: [] }])).toEqual({
      "Which?": ["1: A, B", "2: "],
    });
  });

  test("[F4] questions past those that people are asked are answered, too", async () => {
    const questions = Array.from({ length: 12 }, (_, index) => ({ question: `${index}?`, options: AB }));
    const answers = await wireOf(
      questions,
      Array.from({ length: 10 }, () => ({ optionIds: ["A"] })),
    );
    expect(answers).toMatchObject({ "9?": "A", "10?": expect.stringContaining("too many questions") as string });
    expect(Object.keys(answers as object)).toHaveLength(12);
  });

  test.each([
    ["an option that was not offered", [{ optionIds: ["C"] }]],
    ["two where one was asked for", [{ optionIds: ["A", "B"] }]],
    ["none where one was asked for", [{ optionIds: [] }]],
    ["more answers than questions", [{ text: "a" }, { text: "b" }]],
  ])("%s: nothing is sent", async (_name, answers) => {
    expect(await wireOf([{ question: "Which?", options: AB }], answers)).toBe("stale");
  });
});

test("[F4] a question of 20,000 characters is answered by a real agent's own key, and its turn goes on", async () => {
  await using world = await ComposedWorld.start();
  const id = await world.launch(`ask: ${"long ".repeat(4_000)}? | Yes | No\nsay: after {answer}`);
  // Only what somebody was told can be answered.
  await world.until(() => {
    const { phase } = world.session(id);
    return phase.kind === "asking" && phase.asks[0]?.toldAt !== undefined ? true : undefined;
  });
  await world.call("respond", { session: id, message: "Yes" });
  await world.untilPhase(id, "idle");
  expect(await world.output(id)).toContain("after Yes");
});

test("[F4] a reply that does not fit its request after all cancels it: the agent does not wait for ever", async () => {
  const world = await World.start();
  const { session } = await world.launch("ask: Which? | A | B\nsay: went on");
  await world.until(session.id, "asking");
  world.agent.last.refusesReplies = 1;
  await world.respond(session.id, "A");
  await world.until(session.id, "idle");
  expect(await world.output(session.id)).toContain("No answer came, so I go on without.went on");
});
