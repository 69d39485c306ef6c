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
  /** The first prompt, as far as the session keeps it. */
  readonly beganWith: string;
  readonly filesEdited: readonly string[];
  /** The last output. */
  readonly words: string;
}

export async function earlierWords(
  session: Session,
  journal: SessionJournal,
  journals: Journals,
): Promise<EarlierWords> {
  const words = await lastWords(journal);
  if (words !== "" || session.continues === undefined)
    return { beganWith: session.prompt.text, filesEdited: session.filesEdited, words };
  const earlier = await journals.open(session.continues);
  if (earlier === undefined) return { beganWith: session.prompt.text, filesEdited: session.filesEdited, words };
  try {
    const { lastCommit } = await earlier.tail();
    const parsed = parseSession(lastCommit?.session);
    const original = parsed.kind === "session" ? parsed.session : session;
    return { beganWith: original.prompt.text, filesEdited: original.filesEdited, words: await lastWords(earlier) };
  } finally {
    await earlier.close();
  }
}

async function lastWords(journal: SessionJournal): Promise<string> {
  const { text } = await journal.lastLines(SUMMARY_LINES);
  return tailOf(text.trim(), SUMMARY_LENGTH);
}
