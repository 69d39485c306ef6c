/**
 * A session full of planted secrets with a real agent and real files, on fakes of the host: where they may be found afterwards.
 * The same on a real gateway: test/gateway/secrets.test.ts.
 */
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { openQuestions } from "../src/core/question.ts";
import { ComposedWorld } from "./composed-world.ts";
import { ASKED, PLANTED, PLANTED_FILE, PLANTED_SCRIPT, foundIn, placesIn } from "./planted-secrets.ts";

/** Path below the state directory -> kinds of secrets. */
async function filesWithSecrets({ folder }: ComposedWorld): Promise<Readonly<Record<string, readonly string[]>>> {
  const state = join(folder, "state");
  const entries = await readdir(state, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = await Promise.all(
    files.map(async (file) => [relative(state, file), foundIn(await readFile(file, "utf8"))] as const),
  );
  return Object.fromEntries(found.filter(([, kinds]) => kinds.length > 0));
}

test.each([true, false])("[N7] [K7] with safeMode %s", async (safeMode) => {
  await using world = await ComposedWorld.start({ safeMode, outputMode: "verbose" });
  await writeFile(join(world.folder, "workspace", "planted.txt"), PLANTED_FILE);
  const systemPrompt = PLANTED.map(({ text }) => text).join("\n");
  const agent = { ...world.me, door: "tool" as const, isPerson: false };
  const expectClean = async (): Promise<void> => {
    const { ledger } = world.flows;
    expect(placesIn([await world.call("sessions"), await world.call("stats")])).toEqual([]);
    expect(placesIn([[...ledger.flows.values()], [...ledger.children.values()]])).toEqual([]);
    expect(placesIn([world.delivery.messages, world.delivery.wakes])).toEqual([]);
  };

  const ids: string[] = [];
  // The second finds the files of the first, and shows what it changes in them.
  for (let life = 1; life <= 2; life += 1) {
    const id = await world.launch(PLANTED_SCRIPT, { systemPrompt }, agent);
    ids.push(id);
    for (const _ of ASKED) {
      await world.untilPhase(id, "asking");
      await expectClean();
      const { phase } = world.session(id);
      const [open] = phase.kind === "asking" ? openQuestions(phase.asks) : [];
      const answer = { session: id, message: "1", question_id: open?.id };
      expect(placesIn(await world.call("respond", answer))).toEqual([]);
    }
    await world.untilPhase(id, "idle");
    const words = await world.output(id);
    expect(foundIn(words)).toEqual(safeMode ? [] : PLANTED.map(({ kind }) => kind));
    await world.call("respond", { session: id, message: "crash 3" });
    await world.untilPhase(id, "interrupted");
    await world.until(() => (world.session(id).owed.length === 0 ? true : undefined));
    await expectClean();
    await world.call("kill", { session: id });
  }

  const files = await filesWithSecrets(world);
  const journals = ids.map((id) => join("iflow-plugin", "sessions", id));
  if (safeMode) expect(files).toEqual({});
  else expect(Object.keys(files).every((file) => journals.some((journal) => file.startsWith(journal)))).toBe(true);
  expect(foundIn(world.log.join("\n"))).toEqual([]);
});
