/**
 * Opening a file in whose place anybody may have put anything.
 * Owns: what is opened at all. Does not own: where files may lie.
 *
 * 1. Only a regular file is opened: a pipe, a device, a socket or a folder is refused, and nobody waits for it. A pipe that nobody
 *    writes to would hold one of the few threads that do the file calls of a whole gateway.
 * 2. It is looked at before it is opened, since opening a device may do something, and again on what was opened.
 */
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";

/** Throws what the file system throws, or that it is no regular file. `flags` and `mode` as for `open`. */
export async function openRegular(
  path: string,
  flags: number = constants.O_RDONLY,
  mode?: number,
): Promise<FileHandle> {
  const before = await stat(path).catch(() => undefined);
  if (before !== undefined && !before.isFile()) throw notRegular(path);
  const handle = await open(path, flags | constants.O_NONBLOCK | constants.O_NOCTTY, mode);
  try {
    if ((await handle.stat()).isFile()) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  throw notRegular(path);
}

function notRegular(path: string): Error {
  return new Error(`${path} is no regular file`);
}
