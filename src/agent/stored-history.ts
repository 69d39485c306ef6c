/**
 * iFlow's own store of conversations: `~/.iflow/acp/sessions/<id>.json`, read by session/load.
 * Owns: its format as far as a copy needs it. Does not own: when a copy is wanted.
 *
 * 1. The original is only read. What is not in the known form is not copied.
 */
import { randomUUID } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openRegular } from "../regular-file.ts";
import { isRecord, parseJson } from "./json-shape.ts";

/** The new id, or undefined when there is nothing that can be copied. Never throws. */
export async function copyStoredHistory(home: string, acpSessionId: string): Promise<string | undefined> {
  if (!/^[\w-]+$/.test(acpSessionId)) return undefined;
  const folder = join(home, ".iflow", "acp", "sessions");
  try {
    await using file = await openRegular(join(folder, `${acpSessionId}.json`));
    const stored = parseJson(await file.readFile("utf8"));
    if (!isRecord(stored) || stored["sessionId"] !== acpSessionId || !Array.isArray(stored["chatHistory"]))
      return undefined;
    const copy = randomUUID();
    const part = join(folder, `.${copy}.part`);
    await writeFile(part, JSON.stringify({ ...stored, sessionId: copy }), { mode: 0o600 });
    await rename(part, join(folder, `${copy}.json`));
    return copy;
  } catch {
    return undefined; // not stored, or not ours to read: the caller starts fresh and says so
  }
}
