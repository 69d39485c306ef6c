/**
 * What a chat was told of a session's questions, and whether something else was said there since.
 * Owns: these marks in the session. Does not own: what words in a chat then mean (meant.ts).
 */
import { setPhase, type Draft } from "./draft.ts";
import type { SessionEvent } from "./event.ts";
import type { Ask, Notice } from "./session.ts";

type Told = Extract<SessionEvent, { type: "told" }>;

/** The notice stands in the chat: from now on its questions can be answered there. */
export function noteTold(draft: Draft, { data }: Notice, { messageId, overtaken }: Told): void {
  const { phase } = draft.session;
  const toldIn = messageId === undefined ? {} : { toldIn: messageId };
  if (phase.kind === "idle" && data.questionIds === undefined) setPhase(draft, { ...phase, ...toldIn });
  if (phase.kind !== "asking" || data.questionIds === undefined) return;
  const ids = new Set(data.questionIds);
  const mark = { toldAt: draft.at, ...toldIn, ...(overtaken === true ? { overtaken: "said" as const } : {}) };
  const asks = phase.asks.map((ask) => (ask.questions.some(({ id }) => ids.has(id)) ? { ...ask, ...mark } : ask));
  setPhase(draft, { ...phase, asks });
}

/** What was told before is not the last thing in its chat any more. What is still to be told will come after. */
export function overtakeAll(draft: Draft, how: NonNullable<Ask["overtaken"]>): void {
  const { phase } = draft.session;
  if (phase.kind !== "asking" || !phase.asks.some((ask) => isOvertakenBy(ask, how))) return;
  const asks = phase.asks.map((ask) => (isOvertakenBy(ask, how) ? { ...ask, overtaken: how } : ask));
  setPhase(draft, { ...phase, asks });
}

/**
 * After a restart: what nobody is owed any more was told, though when is not known, and what was said while nobody listened is
 * not known either.
 */
export function recoverTold(draft: Draft): void {
  const { phase, owed } = draft.session;
  if (phase.kind !== "asking") return;
  const untold = new Set(
    owed.filter(({ parts }) => parts.includes("chat")).flatMap(({ data }) => data.questionIds ?? []),
  );
  const isOwed = ({ questions }: Ask): boolean => questions.some(({ id }) => untold.has(id));
  if (phase.asks.some((ask) => ask.toldAt === undefined && !isOwed(ask))) {
    const asks = phase.asks.map((ask) => (isOwed(ask) ? ask : { toldAt: ask.askedAt, ...ask }));
    setPhase(draft, { ...phase, asks });
  }
  overtakeAll(draft, "perhaps");
}

/** Known is more than perhaps. */
function isOvertakenBy({ toldAt, overtaken }: Ask, how: NonNullable<Ask["overtaken"]>): boolean {
  return toldAt !== undefined && overtaken !== "said" && overtaken !== how;
}
