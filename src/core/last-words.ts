/**
 * What the agent said last in a turn, uninterrupted: the result of the turn when it ends.
 * Owns: where these words begin (a tool call starts them anew), how much of their end is kept, and where the rest can be read.
 * Does not own: how much of them is shown (excerpt.ts).
 */
import type { AgentEvent } from "./agent-event.ts";
import { endOf, type Excerpt } from "./excerpt.ts";
import { tailOf } from "./output.ts";
import { redactSecrets } from "./redact.ts";
import { redactTail, type Redact } from "./redact-value.ts";
import type { Session } from "./session.ts";
import { openBlock } from "./stream.ts";

/** More than a notice shows, so that it can begin at a paragraph. UTF-16 code units. */
export const LAST_WORDS_LENGTH = 2_400;
/** As much as a notice shows of a result. */
export const RESULT_LENGTH = 1_500;

const KEPT_BEFORE = 1_500;
const LONGEST_LINE = 400;

export type LastWords = Pick<Session, "lastWords" | "lastWordsFrom">;

/** Stands behind words that a tool call followed. It is white space: readers trim it away. */
const SEAM = "\f";

/** Whether the next words begin anew. */
export function isInterrupted({ lastWords }: LastWords): boolean {
  return lastWords.endsWith(SEAM);
}

/** The words that go on where the next ones come; "" where something came behind them. */
export function openWords(words: LastWords): string {
  return words.lastWords === "" || isInterrupted(words) ? "" : (words.lastWordsFrom?.block ?? "") + words.lastWords;
}

/**
 * The words after this event: a tool call starts them anew, but only when words follow it.
 * `at`: where the output ended before it; `seam`: what was added there before its text.
 */
export function lastWordsAfter(before: LastWords, event: AgentEvent, at: number, seam = ""): LastWords {
  if (event.kind === "text" && event.agentId === undefined) {
    const isNew = before.lastWords === "" || isInterrupted(before);
    const from = isNew ? undefined : before.lastWordsFrom;
    const words = { lastWords: isNew ? event.text : before.lastWords + seam + event.text };
    return keptWords(
      { ...words, lastWordsFrom: from ?? { at: at + seam.length, dropped: 0, block: "" } },
      LAST_WORDS_LENGTH,
    );
  }
  return event.kind === "tool" && event.status === "in_progress" ? interrupted(before) : before;
}

/** Somebody else's voice, or a tool call, came behind them. */
export function interrupted(words: LastWords): LastWords {
  if (words.lastWords === "" || isInterrupted(words)) return words;
  return { ...words, lastWords: words.lastWords + SEAM };
}

/** The end of them, and how much of them went. */
export function keptWords({ lastWords, lastWordsFrom }: LastWords, length: number): LastWords {
  const text = fromLine(lastWords, tailOf(lastWords, length));
  if (text.length === lastWords.length || lastWordsFrom === undefined)
    return { lastWords: text, ...(lastWordsFrom === undefined ? {} : { lastWordsFrom }) };
  const gone = lastWords.slice(0, lastWords.length - text.length);
  const block = openBlock(lastWordsFrom.block + gone);
  return { lastWords: text, lastWordsFrom: { ...lastWordsFrom, dropped: lastWordsFrom.dropped + gone.length, block } };
}

/** From the next line on, where there is one soon: whole lines go, so that no fence is torn. */
function fromLine(whole: string, tail: string): string {
  if (tail.length === whole.length || whole[whole.length - tail.length - 1] === "\n") return tail;
  const newline = tail.indexOf("\n");
  return newline === -1 || newline > LONGEST_LINE ? tail : tail.slice(newline + 1);
}

/** As they may be shown: of long ones the beginning was cut off, perhaps in the middle of a secret. */
export function shownLastWords({ lastWords, lastWordsFrom }: LastWords, redact: Redact = redactSecrets): string {
  // Records of before say nothing of it: they kept this much.
  const isCut = lastWordsFrom === undefined ? lastWords.length >= KEPT_BEFORE - 1 : lastWordsFrom.dropped > 0;
  return isCut ? redactTail(lastWords, redact) : redact(lastWords);
}

/** The end of them as a notice shows it. */
export function resultOf(words: LastWords, room: number = RESULT_LENGTH): Excerpt {
  const { block = "", dropped = 0 } = words.lastWordsFrom ?? {};
  const whole = shownLastWords(words).trimEnd();
  const text = dropped > 0 ? whole : whole.trimStart();
  const { text: end, leftOut } = endOf(text, room, block);
  return { text: end.trim(), leftOut: dropped + leftOut };
}
