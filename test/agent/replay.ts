/**
 * `npm run test:recordings -- FOLDER`: frames that were recorded from a real iFlow go through the translator, and every kind of update
 * and request must be recognised. One JSON object a line: `{ "dir": "<-", "frame": … }` is what the agent wrote.
 * Recordings are no part of this repository; whoever has some (of a newer iFlow, say) sees here what it says that is not understood.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AcpTranslator } from "../../src/agent/acp-translate.ts";
import { isRecord, recordIn, textIn } from "../../src/agent/json-shape.ts";

/** Declared as not supported, so iFlow does without. */
const REFUSED: ReadonlySet<string> = new Set(["fs/read_text_file", "fs/write_text_file"]);

const seen = new Map<string, number>();
const unknown = new Map<string, number>();
const count = (counts: Map<string, number>, what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

function replay(translator: AcpTranslator, frame: unknown): void {
  if (!isRecord(frame)) return count(seen, "control line");
  const method = textIn(frame, "method");
  const params = recordIn(frame, "params");
  if (method === undefined) return count(seen, "reply");
  if (method === "session/update") {
    const update = params === undefined ? undefined : recordIn(params, "update");
    const event = update === undefined ? undefined : translator.update(update);
    const name = `update ${textIn(update ?? {}, "sessionUpdate") ?? "without a kind"}`;
    return event === undefined ? count(unknown, name) : count(seen, `${name} -> ${event.kind}`);
  }
  const id = frame["id"];
  const isId = typeof id === "number" || typeof id === "string";
  const request = isId ? translator.request(method, id, params) : undefined;
  if (request !== undefined) return count(seen, `request ${method} -> ${request.kind}`);
  count(REFUSED.has(method) ? seen : unknown, `request ${method}`);
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Which folder? npm run test:recordings -- FOLDER");
const files = readdirSync(folder).filter((file) => file.endsWith(".jsonl"));
for (const file of files) {
  const translator = new AcpTranslator();
  for (const line of readFileSync(join(folder, file), "utf8").split("\n")) {
    const entry: unknown = line === "" ? undefined : JSON.parse(line);
    if (isRecord(entry) && entry["dir"] === "<-") replay(translator, entry["frame"]);
  }
}
const table = (counts: ReadonlyMap<string, number>, prefix: string): readonly string[] =>
  [...counts].map(([what, times]) => `${String(times).padStart(6)}  ${prefix}${what}\n`);
process.stdout.write([...table(seen, ""), ...table(unknown, "NOT UNDERSTOOD: ")].join(""));
process.stdout.write(`${files.length} recordings, ${unknown.size} kinds not understood\n`);
process.exitCode = files.length > 0 && seen.size > 0 && unknown.size === 0 ? 0 : 1;
