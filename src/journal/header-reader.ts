/**
 * What the beginning of a session's journal says: whose it is, and which flow.
 * Owns: telling a header from what can't be read. Does not own: which folders there are.
 */
import type { JournalHeader, JournalLine } from "../ports.ts";
import { diskReason } from "./disk-error.ts";
import { decodeLine, kindOf } from "./line-codec.ts";
import { type RawLine, type Segment, listSegments, readLines } from "./segment.ts";

export type HeaderRead =
  | { readonly kind: "header"; readonly header: JournalHeader }
  | { readonly kind: "unreadable"; readonly file: string; readonly reason: string }
  /** A folder whose first line was never begun: nothing was acknowledged. */
  | { readonly kind: "nothing" };

/** Never throws. */
export async function readHeader(folder: string): Promise<HeaderRead> {
  let file = folder;
  try {
    const segments = await listSegments(folder);
    const first = segments[0];
    if (!first || (await first.size()) === 0) return { kind: "nothing" };
    file = first.file;
    const { line, flowId } = await readBeginning(segments);
    if (line?.t !== "header") return { kind: "unreadable", file, reason: "its first line is no whole header" };
    const version: unknown = line.v;
    if (version !== 1)
      return { kind: "unreadable", file, reason: `this plugin doesn't know version ${String(version)} of it` };
    const { sessionId, name, owner, route, at } = line;
    const header = { sessionId, name, owner, createdAt: at };
    return {
      kind: "header",
      header: { ...header, ...(route === undefined ? {} : { route }), ...(flowId === undefined ? {} : { flowId }) },
    };
  } catch (error) {
    return { kind: "unreadable", file, reason: diskReason(error) };
  }
}

/** The first line, and the flow's id. The flow is known before the first commit: behind it nobody has to look. */
async function readBeginning(
  segments: readonly Segment[],
): Promise<{ readonly line: JournalLine | undefined; readonly flowId: string | undefined }> {
  let line: JournalLine | undefined;
  for await (const { bytes } of linesOf(segments)) {
    line ??= decodeLine(bytes);
    if (line?.t !== "header") break;
    const kind = kindOf(bytes);
    const flow = kind === "flow" ? decodeLine(bytes) : undefined;
    if (flow?.t === "flow") return { line, flowId: flow.flowId };
    if (kind === "commit") break;
  }
  return { line, flowId: undefined };
}

async function* linesOf(segments: readonly Segment[]): AsyncGenerator<RawLine> {
  for (const segment of segments) {
    for await (const lines of readLines(segment.file, 0, await segment.size())) yield* lines;
  }
}
