/**
 * Where a session's directory and files really are, looked at when they are used: a link may have been put in their place since the launch.
 * Owns: this check. Does not own: which directories are allowed (that was decided on the real path, which is what a session keeps).
 */
import type { FileHandle } from "node:fs/promises";
import { realpath, stat } from "node:fs/promises";
import { sep } from "node:path";
import { messageOf } from "../core/errors.ts";
import { openRegular } from "../regular-file.ts";

/** Why nothing may run in this directory now; undefined when it is what it was. `workdir` is a real path. */
export async function directoryTrouble(workdir: string): Promise<string | undefined> {
  try {
    if ((await realpath(workdir)) !== workdir)
      return "it is not the directory any more that was allowed, but leads to another place";
    return (await stat(workdir)).isDirectory() ? undefined : "it is no directory";
  } catch (error) {
    return messageOf(error);
  }
}

/** A file that lies elsewhere than it did when it was allowed. */
export class FileElsewhere extends Error {}

/** Opens a regular file below a directory; throws FileElsewhere when it is not there by now. Both are real paths. */
export async function openBelow(path: string, workdir: string): Promise<FileHandle> {
  const handle = await openRegular(path);
  try {
    const opened = await handle.stat({ bigint: true });
    const real = await realpath(path);
    const there = await stat(real, { bigint: true });
    const isBelow = real.startsWith(workdir.endsWith(sep) ? workdir : workdir + sep);
    // What was opened is what lies at the real path: a link that is changed between two looks changes nothing.
    if (isBelow && there.dev === opened.dev && there.ino === opened.ino) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  throw new FileElsewhere(`The file ${path} leads out of the working directory ${workdir} now`);
}
