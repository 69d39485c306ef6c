/** A directory for journals that is gone after the test. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export async function journalFolder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "journal-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return join(root, "journals");
}

/** Segments of a session, in order. */
export async function segmentFiles(directory: string, sessionId = "s1"): Promise<string[]> {
  const folder = join(directory, sessionId);
  return (await readdir(folder)).toSorted().map((name) => join(folder, name));
}

/** Everything that stands on the disk. */
export async function wholeText(directory: string, sessionId = "s1"): Promise<string> {
  const texts = await Promise.all((await segmentFiles(directory, sessionId)).map((file) => readFile(file, "utf8")));
  return texts.join("");
}
