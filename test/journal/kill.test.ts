/** A real process, killed with -9 while it appends: everything that it was told to be stored is there. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createJournals } from "../../src/journal/journals.ts";
import { journalFolder } from "./folder.ts";

const JOURNALS = join(import.meta.dirname, "..", "..", "src", "journal", "journals.ts");

/** Appends pieces of output, and prints the end of the output with each acknowledgement. */
const WRITER = `
  const { createJournals } = await import(process.argv[1]);
  const journal = await createJournals(process.argv[2], { segmentBytes: 20_000 }).create(
    { t: "header", at: 1, v: 1, sessionId: "s1", owner: { sessionKey: "k" }, name: "n" });
  for (let i = 0, o = 0; ; i += 1) {
    const text = "piece " + i + "\\n";
    const at = o;
    o += text.length;
    const appended = journal[i % 50 === 0 ? "appendSynced" : "append"]([{ t: "out", at: 1, o: at, text }]);
    void appended.then(() => process.stdout.write((at + text.length) + "\\n"));
    if (i % 5 === 0) await appended;
  }
`;

test.each([30, 60, 90, 120, 150])("[S3][S5] killed after %i ms of writing", async (afterMs) => {
  const directory = await journalFolder();
  const writer = spawn(process.execPath, ["--input-type=module", "-e", WRITER, JOURNALS, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  const closed = new Promise((resolve) => writer.once("close", resolve));
  await new Promise<void>((resolve) => {
    writer.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      resolve();
    });
  });
  setTimeout(() => writer.kill("SIGKILL"), afterMs);
  await closed;
  const acknowledged = Number(printed.slice(0, printed.lastIndexOf("\n")).split("\n").at(-1));
  const journal = await createJournals(directory).open("s1");
  const { text, end } = (await journal?.output(0)) ?? { text: "", end: 0 };
  expect(acknowledged).toBeGreaterThan(100);
  expect(end).toBeGreaterThanOrEqual(acknowledged);
  expect(text).toHaveLength(end);
  expect(text.split("\n").slice(0, -1)).toEqual(
    Array.from({ length: text.split("\n").length - 1 }, (_, i) => `piece ${i}`),
  );
  expect((await journal?.tail())?.outputEnd).toBe(end);
});
