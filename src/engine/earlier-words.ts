/**
 * What was said before, for an agent that no longer has it.
 * Owns: where it is found (this session's journal, or that of the session which this one continues) and how much of it is taken.
 */
import { tailOf } from "../core/output.ts";
import type { Session } from "../core/session.ts";
import { parseSession } from "../core/state-json.ts";
import type { Journals, SessionJournal } from "../ports.ts";

const SUMMARY_LINES = 60;
const SUMMARY_LENGTH = 12_000;

export interface EarlierWords {
  /** The first prompt, whole. */
  readonly beganWith: string;
  readonly filesEdited: readonly string[];
  /** The last output, with what was asked and answered. */
  readonly words: string;
}

/** Undefined where nothing was said or done: then there is nothing to sum up, and lost messages go along by themselves. */
export async function earlierWords(
  session: Session,
  journal: SessionJournal,
  journals: Journals,
): Promise<EarlierWords | undefined> {
  const words = await lastWords(journal);
  // What it was told, and the plugin's own question, stand there as well.
  if (session.counters.bytes > 0 || session.continues === undefined) return wordsOf(session, journal, words);
  const earlier = await journals.open(session.continues);
  if (earlier === undefined) return wordsOf(session, journal, words);
  try {
    const { lastCommit } = await earlier.tail();
    const parsed = parseSession(lastCommit?.session);
    const original = parsed.kind === "session" ? parsed.session : session;
    return await wordsOf(original, earlier, await lastWords(earlier));
  } finally {
    await earlier.close();
  }
}

async function wordsOf(
  { prompt, filesEdited, counters }: Session,
  journal: SessionJournal,
  words: string,
): Promise<EarlierWords | undefined> {
  if (words === "" && filesEdited.length === 0 && counters.toolCalls === 0) return undefined;
  const whole = prompt.key === undefined ? undefined : await journal.text(prompt.key);
  return { beganWith: whole ?? prompt.text, filesEdited, words };
}

async function lastWords(journal: SessionJournal): Promise<string> {
  const { text } = await journal.lastLines(SUMMARY_LINES);
  return tailOf(text.trim(), SUMMARY_LENGTH);
}
