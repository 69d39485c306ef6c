import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createJournals } from "../../src/journal/journals.ts";
import { FakeJournals } from "../fakes/fake-journal.ts";
import { describeJournals } from "./journal.ts";

describeJournals("in memory", () => {
  const journals = new FakeJournals();
  return Promise.resolve({ journals, restart: () => journals.restart(), dispose: () => Promise.resolve() });
});

for (const [name, options] of [
  ["files", {}],
  // So small that every few lines begin a new segment.
  ["files of 200 bytes", { segmentBytes: 200 }],
  ["files that close at once", { idleCloseMs: 0 }],
  ["files without secrets", { redact: (text: string) => text }],
] as const) {
  describeJournals(name, async () => {
    const root = await mkdtemp(join(tmpdir(), "journals-"));
    const directory = join(root, "journals");
    return {
      journals: createJournals(directory, options),
      restart: () => createJournals(directory, options),
      dispose: () => rm(root, { recursive: true, force: true }),
    };
  });
}
