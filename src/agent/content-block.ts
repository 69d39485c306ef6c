/**
 * Blocks of content in words: what is no text is named on a line of its own, so that nobody takes it for nothing.
 * Owns: the kinds of blocks of the protocol. Does not own: where the words go.
 */
import { isRecord, recordIn, textIn } from "./json-shape.ts";

const LONGEST_NAME = 300;

/** Undefined for a block of a kind that is not known. */
export function blockWords(block: unknown): string | undefined {
  if (!isRecord(block)) return undefined;
  switch (block["type"]) {
    case "text":
      return textIn(block, "text");
    case "image":
    case "audio": {
      const size = Math.ceil(((textIn(block, "data")?.length ?? 0) * 3) / 4 / 1024);
      const where = textIn(block, "uri");
      const what = [textIn(block, "mimeType") ?? String(block["type"]), size > 0 ? `${size} KiB` : "", where ?? ""];
      return line(block["type"] === "image" ? "🖼" : "🔊", what.filter((part) => part !== "").join(", "));
    }
    case "resource_link": {
      const uri = textIn(block, "uri") ?? "";
      const name = textIn(block, "title") ?? textIn(block, "name") ?? "";
      return line("🔗", [name === uri ? "" : name, uri].filter((part) => part !== "").join(" "));
    }
    case "resource": {
      const resource = recordIn(block, "resource");
      const named = line("📄", textIn(resource, "uri") ?? textIn(resource, "mimeType") ?? "");
      return `${named}${textIn(resource, "text") ?? ""}`;
    }
    default:
      return undefined;
  }
}

function line(mark: string, what: string): string {
  const one = what.replace(/\s+/g, " ");
  return `\n${mark} ${one.length > LONGEST_NAME ? `${one.slice(0, LONGEST_NAME - 1)}…` : one}\n`;
}
