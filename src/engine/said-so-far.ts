/**
 * What a session has said from an offset on: its journal, and the end that only memory has while nothing can be written.
 */
import type { Step } from "../core/event.ts";
import type { OutputBuffer, Session } from "../core/session.ts";
import type { JournalLine, OutputSlice, SessionJournal } from "../ports.ts";

export async function outputFrom(session: Session, journal: SessionJournal, from: number): Promise<OutputSlice> {
  return withUnwritten(await journal.output(from), session.output, from);
}

/** The journal's line of what a step adds to the output. It is written where the step is taken over, and only there. */
export function outLines(before: Session, { written }: Step, at: number): JournalLine[] {
  return written === undefined ? [] : [{ t: "out", at, o: before.output.end, text: written }];
}

/** The part of a slice that begins at `from`; the whole one where that lies before it. */
export function sliceFrom(slice: OutputSlice, from: number): OutputSlice {
  const start = Math.min(Math.max(slice.start, from), slice.end);
  return { text: slice.text.slice(start - slice.start), start, end: slice.end };
}

/** A slice that reaches to the journal's end, with what the buffer has behind it. */
export function withUnwritten(slice: OutputSlice, buffer: OutputBuffer, from = slice.start): OutputSlice {
  const at = Math.max(slice.end, from);
  if (buffer.end <= at || buffer.start > at) return slice;
  const unwritten = buffer.text.slice(at - buffer.start);
  const written = slice.end < from ? { text: "", start: from } : slice;
  return { text: written.text + unwritten, start: written.start, end: buffer.end };
}
