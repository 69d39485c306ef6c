/**
 * The end of a journal: what recovery asks of it.
 * Owns: reading backwards until the last commit. A window is read from its beginning on and grows until it holds what
 * is asked; the cost follows what happened since the last commit, not the length of the session.
 */
import type { JournalLine, JournalTail } from "../ports.ts";
import { type LineKind, decodeLine, kindOf, outOffset } from "./line-codec.ts";
import { type RawLine, type Segment, readLines } from "./segment.ts";

/** How far back `told` and `prompted` are looked for. */
const WINDOW_BYTES = 1024 * 1024;

interface Gathered {
  commit: RawLine | undefined;
  /** Since the last commit. */
  after: RawLine[];
  readonly told: Set<string>;
  readonly prompted: Set<number>;
  lastOut: RawLine | undefined;
}

/** Where a window of so many bytes begins, counted back from the end of all segments. */
interface Start {
  readonly segment: number;
  readonly at: number;
  readonly isBeginning: boolean;
}

export async function readTail(segments: readonly Segment[]): Promise<JournalTail> {
  const sizes = await Promise.all(segments.map((segment) => segment.size()));
  for (let windowBytes = WINDOW_BYTES; ; windowBytes *= 4) {
    const start = windowStart(sizes, windowBytes);
    const gathered = await gather(segments, sizes, start);
    if (gathered.commit || start.isBeginning) {
      const lastCommit = gathered.commit && decodeLine(gathered.commit.bytes);
      return {
        lastCommit: lastCommit?.t === "commit" ? lastCommit : undefined,
        after: gathered.after.map(({ bytes }) => decodeLine(bytes)).filter((line) => line !== undefined),
        told: gathered.told,
        prompted: gathered.prompted,
        outputEnd: endOf(gathered.lastOut) ?? (await findOutputEnd(segments)),
      };
    }
  }
}

/** One past the last piece of output. At most one segment is read: its name tells where the output stood before it. */
export async function findOutputEnd(segments: readonly Segment[]): Promise<number> {
  const last = segments.at(-1);
  if (!last) return 0;
  const size = await last.size();
  for (let windowBytes = WINDOW_BYTES; size > 0; windowBytes *= 4) {
    let found: RawLine | undefined;
    const from = Math.max(0, size - windowBytes);
    for await (const lines of readLines(last.file, from, size, true)) found = lines.findLast(isWholeOut) ?? found;
    if (found) return Math.max(last.firstOffset, endOf(found) ?? 0);
    if (from === 0) break;
  }
  return last.firstOffset;
}

function isWholeOut({ bytes }: RawLine): boolean {
  return outOffset(bytes) !== undefined && decodeLine(bytes) !== undefined;
}

/** Undefined for a line that a crash cut off. */
function endOf(line: RawLine | undefined): number | undefined {
  const out = line && decodeLine(line.bytes);
  return out?.t === "out" ? out.o + out.text.length : undefined;
}

function windowStart(sizes: readonly number[], windowBytes: number): Start {
  let left = windowBytes;
  for (let segment = sizes.length - 1; segment >= 0; segment -= 1) {
    const size = sizes[segment] ?? 0;
    if (size > left) return { segment, at: size - left, isBeginning: false };
    left -= size;
  }
  return { segment: 0, at: 0, isBeginning: true };
}

async function gather(segments: readonly Segment[], sizes: readonly number[], start: Start): Promise<Gathered> {
  const gathered: Gathered = { commit: undefined, after: [], told: new Set(), prompted: new Set(), lastOut: undefined };
  for (let i = start.segment; i < segments.length; i += 1) {
    const segment = segments[i];
    const size = sizes[i] ?? 0;
    if (!segment || size === 0) continue;
    const from = i === start.segment ? start.at : 0;
    for await (const lines of readLines(segment.file, from, size, true)) {
      for (const line of lines) take(gathered, line);
    }
  }
  return gathered;
}

function take(gathered: Gathered, line: RawLine): void {
  const kind = kindOf(line.bytes);
  if (kind === undefined) return;
  // Only kinds that are looked into are parsed here.
  const parsed: JournalLine | undefined = PARSED[kind] ? decodeLine(line.bytes) : undefined;
  if (parsed?.t === "commit") {
    gathered.commit = line;
    gathered.after = [];
    return;
  }
  if (parsed?.t === "told") gathered.told.add(`${parsed.noticeId}/${parsed.part}`);
  if (parsed?.t === "prompt") gathered.prompted.add(parsed.turn);
  if (kind === "out") gathered.lastOut = line;
  gathered.after.push(line);
}

const PARSED: Readonly<Partial<Record<LineKind, true>>> = { commit: true, told: true, prompt: true };
