/**
 * What the file system refused, in words that a person can act on.
 * Owns: the sentence of a `journal_failed`. Does not own: what happens next (the engine keeps words in memory for a while).
 */
import { IflowError, messageOf } from "../core/errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "the disk quota is used up; free some space",
  EROFS: "the file system is read-only; remount it or move OpenClaw's state directory",
  EACCES: "permission is denied; the gateway's user must own the directory",
  EPERM: "permission is denied; the gateway's user must own the directory",
  ENOENT: "it is gone; was it removed by hand?",
  ENOTDIR: "a part of its path is a file, not a directory",
  EMFILE: "the gateway has too many files open",
  ENFILE: "the machine has too many files open",
  EFBIG: "the file has reached the largest size allowed",
  EIO: "the disk reported an error",
};

export function diskReason(error: unknown): string {
  const code = errorCode(error);
  const reason = code === undefined ? undefined : REASONS[code];
  return reason === undefined ? messageOf(error) : `${reason} (${code})`;
}

export function journalFailed(what: string, error: unknown): IflowError {
  if (error instanceof IflowError) return error;
  return new IflowError("journal_failed", `${what}: ${diskReason(error)}.`, { cause: error });
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
