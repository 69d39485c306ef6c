/** `npm pack` of a folder into another: the tarball that a user would install. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface Tarball {
  readonly file: string;
  dispose(): void;
}

export async function packFolder(folder: string): Promise<Tarball> {
  const dir = mkdtempSync(join(tmpdir(), "iflow-pack-"));
  const { stdout } = await promisify(execFile)("npm", [
    "pack",
    folder,
    "--pack-destination",
    dir,
    "--ignore-scripts",
    "--json",
  ]);
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  if (packed === undefined) throw new Error(`npm pack of ${folder} named no file`);
  return { file: join(dir, packed.filename), dispose: () => rmSync(dir, { recursive: true, force: true }) };
}
