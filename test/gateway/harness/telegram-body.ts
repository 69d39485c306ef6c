/** The parameters of a Bot API call: JSON, form, or multipart (files are named, not kept). */
import type { IncomingMessage } from "node:http";

export async function parseBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const type = request.headers["content-type"] ?? "";
  if (body.length === 0) return Object.fromEntries(new URL(request.url ?? "/", "http://local").searchParams);
  if (type.includes("json")) return JSON.parse(body.toString("utf8")) as Record<string, unknown>;
  if (!type.includes("multipart")) return Object.fromEntries(new URLSearchParams(body.toString("utf8")));
  return fromMultipart(body, /boundary="?([^";]+)/.exec(type)?.[1] ?? "");
}

function fromMultipart(body: Buffer, boundary: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const part of body.toString("latin1").split(`--${boundary}`).slice(1, -1)) {
    const split = part.indexOf("\r\n\r\n");
    const head = part.slice(0, split);
    const name = /name="([^"]+)"/.exec(head)?.[1];
    const value = part.slice(split + 4, -2);
    if (name === undefined) continue;
    const file = /filename="([^"]*)"/.exec(head)?.[1];
    fields[name] =
      file === undefined ? Buffer.from(value, "latin1").toString("utf8") : `[file ${file}, ${value.length} bytes]`;
  }
  return fields;
}
