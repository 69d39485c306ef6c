/** Planted secrets, through every way into a session on fakes: none comes out but in the words of the session itself. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { redactSecrets } from "../../src/core/redact.ts";
import { voiceOf } from "../../src/core/voice.ts";
import { AGENT } from "../engine/world.ts";
import { PLANTED, foundIn, type Planted } from "../planted-secrets.ts";
import { OperationsWorld } from "./operations-world.ts";

/** A choice ends at `|`, its explanation begins at `=`. */
const inChoice = ({ text }: Planted): boolean => !/[|=]/.test(text);

const SCRIPT = [
  ...PLANTED.flatMap(({ text }, n) => [
    `say: here is ${text} of yours`,
    `think: ${text}`,
    `run: echo ${text}`,
    `write f${n}.txt: ${text}`,
  ]),
  `todo: ${PLANTED.map(({ text }) => text).join("; ")}`,
  // The host keeps the last tool's name.
  `run: echo ${PLANTED[1]?.text ?? ""}`,
  `say: at the end ${PLANTED[0]?.text ?? ""}`,
];

async function planted(safeMode: boolean): Promise<OperationsWorld> {
  return OperationsWorld.create(
    { safeMode, permissionMode: "auto" },
    { rules: { safeMode, outputMode: "verbose" }, voice: voiceOf({ language: "en", safeMode }) },
  );
}

/** Everything that the fakes of the host were given, and what was written beside. */
async function everything(operations: OperationsWorld): Promise<Readonly<Record<string, string>>> {
  const { flows, delivery, log } = operations.world;
  const { ledger } = flows;
  return {
    flows: JSON.stringify([...ledger.flows.values()]),
    children: JSON.stringify([...ledger.children.values()]),
    delivery: JSON.stringify(delivery),
    log: log.join("\n"),
    audit: await readFile(operations.auditFile, "utf8"),
  };
}

async function expectClean(operations: OperationsWorld): Promise<void> {
  for (const [where, text] of Object.entries(await everything(operations))) expect(foundIn(text), where).toEqual([]);
}

test("[G3] each planted secret is one", () => {
  for (const { text, kind } of PLANTED) {
    expect(foundIn(text), kind).toContain(kind);
    expect(foundIn(redactSecrets(text)), kind).toEqual([]);
  }
});

describe.each([{ safeMode: true }, { safeMode: false }])("[K7] [N7] with safeMode $safeMode", ({ safeMode }) => {
  test("what iFlow says, does and asks leaves no secret in records, notices, labels and the audit log", async () => {
    await using operations = await planted(safeMode);
    const asked = PLANTED.filter(inChoice).map(({ text }) => `ask: Take ${text}? | yes ${text} | no`);
    const { id } = await operations.json<{ id: string }>(
      "launch",
      { prompt: [...SCRIPT, ...asked].join("\n"), systemPrompt: PLANTED.map(({ text }) => text).join("\n") },
      { ...operations.me, ...AGENT, workspaceDir: operations.workspace },
    );
    await operations.json("fg", { session: id });
    for (const _ of asked) {
      await operations.world.until(id, "asking");
      await expectClean(operations).catch((error: unknown) => {
        // While fg streams, the words of the session itself are in the chat.
        if (safeMode) throw error;
      });
      for (const name of ["sessions", "stats"] as const) {
        const answered = await operations.call(name);
        expect(foundIn(JSON.stringify(answered)), name).toEqual([]);
      }
      const shown = foundIn(JSON.stringify(await operations.call("output", { session: id, full: true })));
      expect(shown).toEqual(safeMode ? [] : PLANTED.map(({ kind }) => kind));
      const { phase } = operations.world.session(id);
      const open = phase.kind === "asking" ? phase.asks[0]?.questions[0]?.id : undefined;
      await operations.json("respond", { session: id, message: "1", question_id: open });
    }
    await operations.world.until(id, "idle");
    if (safeMode) await expectClean(operations);
    else expect(foundIn((await everything(operations))["flows"] ?? "")).toEqual([]);
  });

  test("prompts, names, answers and refusals neither", async () => {
    await using operations = await planted(safeMode);
    for (const { text, kind } of PLANTED) {
      const launched = await operations.call("launch", { prompt: `${text}\nhang`, name: text });
      expect(foundIn(JSON.stringify(launched)), kind).toEqual([]);
      const derived = await operations.call("launch", { prompt: `${text}\nfail: ${text}` });
      expect(foundIn(JSON.stringify(derived)), kind).toEqual([]);
      for (const params of [
        { session: text },
        { session: "x", since: text },
        { session: "x", [text]: 1 },
        { session: "x", lines: { text } },
      ])
        expect(foundIn(JSON.stringify(await operations.call("output", params))), kind).toEqual([]);
      const outside = await operations.call("launch", { prompt: "x", workdir: `/${text}`, route: text, files: [text] });
      expect(foundIn(JSON.stringify(outside)), kind).toEqual([]);
      await operations.call("respond", { session: text, message: text, question_id: "q1", option: text });
      await operations.json("kill", { all: true });
      await operations.world.quiet();
      expect(foundIn(JSON.stringify(await operations.call("sessions"))), kind).toEqual([]);
    }
    await expectClean(operations);
  });
});

test("[O7] lists of sessions cut prompts, and no secret with them", async () => {
  await using operations = await planted(false);
  for (const { text } of PLANTED)
    for (let words = 0; words < 6; words += 1)
      await operations.call("launch", { prompt: `${"x".repeat(310 + words * 12)} ${text}\nhang`, name: `n${words}` });
  const listed = await operations.call("sessions");
  expect(foundIn(JSON.stringify(listed))).toEqual([]);
});

test("[O2] a prompt, a message and an answer reach iFlow as they were said, also those that waited over a restart", async () => {
  await using operations = await planted(false);
  const { world } = operations;
  // As many as a message holds that is kept in the session itself.
  const some = PLANTED.slice(0, 18);
  const words = some.map(({ text }) => text).join(" ");
  const { id } = await operations.launch(`say: ${words}\nask: What? | a\nsay: {answer}`, { name: "job" });
  await world.until(id, "asking");
  await operations.json("respond", { session: id, message: words });
  await world.until(id, "idle");
  expect(foundIn(await world.output(id))).toHaveLength(some.length);
  await operations.json("respond", { session: id, message: "hang" });
  await world.until(id, "working");
  await operations.json("respond", { session: id, message: `say: later ${words}` });
  await world.crash();
  expect(foundIn(JSON.stringify(world.session(id).inbox))).toHaveLength(some.length);
  expect(foundIn(JSON.stringify(world.flowOf(id)))).toEqual([]);
});
