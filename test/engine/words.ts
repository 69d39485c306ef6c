/**
 * Whether a session's journal holds exactly what its agents said: every word of a process that was heard to its end, and of
 * one that a kill cut off a beginning; nothing twice, nothing else. For worlds in which the output is the agent's text alone.
 */
import { isOtherVoice } from "../../src/core/voices.ts";
import type { JournalLine } from "../../src/ports.ts";
import type { World } from "./world.ts";

/** `mayLose`: the journal could not be written at times, so what was only in memory may have gone with a life. */
export function wordProblems(world: World, mayLose = false): readonly string[] {
  const problems: string[] = [];
  for (const [id, lines] of world.journals.files) {
    const heard = writtenIn(lines);
    const spoken = spokenOf(world, id).map((one) => (mayLose ? { ...one, mayBeCut: true } : one));
    if (isTold(heard, spoken)) continue;
    const said = spoken.map(({ texts, mayBeCut }) => `${mayBeCut ? "cut " : ""}${JSON.stringify(texts.join(""))}`);
    problems.push(
      `journal of ${id}: ${JSON.stringify(heard.slice(0, 2_000))} is not what was said: ${said.join(" + ")}`,
    );
  }
  return problems;
}

/** Where a tool call that shows nothing stood between two words. */
const SEAMS = ["", "\n", "\n\n"];

/** The words of the agent in the `out` lines, in order; what stands there twice counts once, and gaps are passed over. */
function writtenIn(lines: readonly JournalLine[]): string {
  let text = "";
  let end = 0;
  for (const line of lines) {
    if (line.t !== "out" || line.o + line.text.length <= end) continue;
    if (!isOtherVoice(line.text)) text += line.text.slice(Math.max(0, end - line.o));
    end = line.o + line.text.length;
  }
  return text;
}

interface Spoken {
  readonly texts: readonly string[];
  readonly mayBeCut: boolean;
}

function spokenOf(world: World, id: string): readonly Spoken[] {
  const connections = world.agent.connections.filter((connection) => connection.spec.sessionId === id);
  return connections.map((connection, index) => {
    const next = connections[index + 1];
    const killed = world.killedAt.some((at) => connection.number <= at && (next === undefined || next.number > at));
    const texts = connection.said.flatMap((event) => (event.kind === "text" ? [event.text] : []));
    return { texts, mayBeCut: killed };
  });
}

/** Walks all ways in which beginnings of what was said can be the whole. */
function isTold(heard: string, spoken: readonly Spoken[]): boolean {
  let places = new Set([0]);
  for (const { texts, mayBeCut } of spoken) {
    const after = new Set<number>();
    for (const place of places) {
      let at = place;
      if (mayBeCut) after.add(at);
      let fits = true;
      for (const text of texts) {
        const seam = SEAMS.find((between) => heard.startsWith(between + text, at));
        fits &&= seam !== undefined;
        if (seam === undefined) break;
        at += seam.length + text.length;
        if (mayBeCut) after.add(at);
      }
      if (fits) after.add(at);
    }
    places = after;
  }
  return places.has(heard.length);
}
