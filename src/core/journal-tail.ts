/**
 * What the journal's lines after the last commit say about the turn that ran: tools, words, files.
 * Owns: reading them as what they were when they were heard. Only what is known is filled in: nothing ends or begins by them.
 * Words are journalled as they come, the record of a session every few seconds: after a kill the lines know more.
 */
import type { AgentEvent } from "./agent-event.ts";
import type { Rules } from "./event.ts";
import { outputPiece } from "./said.ts";
import type { Session } from "./session.ts";
import { transition } from "./transition.ts";
import { isOtherVoice } from "./voices.ts";

export type TailLine =
  | { readonly t: "out"; readonly at: number; readonly text: string }
  | { readonly t: "event"; readonly at: number; readonly event: AgentEvent };

/** What happened at the end of a turn has its own way in: it is never carried out from here. */
const FOLDED: ReadonlySet<AgentEvent["kind"]> = new Set(["text", "thought", "tool", "plan"]);

/** `best`: what the session goes on from. `committed`: as the journal's last commit has it, from which the lines go on. */
export function withTail(best: Session, committed: Session, lines: readonly TailLine[], rules: Rules): Session {
  if (best.phase.kind !== "working" || committed.phase.kind !== "working" || best.turn !== committed.turn) return best;
  let known = committed;
  for (const said of eventsOf(known, lines, rules)) {
    const next = transition(known, { type: "said", chunks: 1, ...said }, rules).session;
    if (next.phase.kind === "working") known = next;
  }
  if (known.phase.kind !== "working") return best;
  const { counters, filesEdited, lastWords, lastWordsFrom, heardInTurn, unconfirmed } = known;
  const { openTools, prompt } = known.phase;
  const lastSignAt = Math.max(best.phase.lastSignAt, known.phase.lastSignAt);
  return {
    ...best,
    counters: { ...counters, workingMs: best.counters.workingMs },
    filesEdited,
    lastWords,
    ...(lastWordsFrom === undefined ? {} : { lastWordsFrom }),
    ...(heardInTurn === undefined ? {} : { heardInTurn }),
    unconfirmed,
    phase: { ...best.phase, openTools, lastSignAt, prompt: prompt === "left" ? prompt : best.phase.prompt },
  };
}

interface Heard {
  readonly at: number;
  readonly event: AgentEvent;
}

/** A piece of output that stands before an event is that event's own where it has the same words; else iFlow said it. */
function* eventsOf(session: Session, lines: readonly TailLine[], rules: Rules): Generator<Heard> {
  let before: Extract<TailLine, { t: "out" }> | undefined;
  for (const line of lines) {
    const piece = line.t === "event" ? outputPiece(session, line.event, rules) : "";
    // A seam may stand in front of it.
    const isItsPiece = piece !== "" && before?.text.endsWith(piece) === true;
    if (before !== undefined && !isItsPiece && !isOtherVoice(before.text))
      yield { at: before.at, event: { kind: "text", text: before.text } };
    before = line.t === "out" ? line : undefined;
    if (line.t === "event" && FOLDED.has(line.event.kind)) yield { at: line.at, event: line.event };
  }
  if (before !== undefined && !isOtherVoice(before.text))
    yield { at: before.at, event: { kind: "text", text: before.text } };
}
