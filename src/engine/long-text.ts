/**
 * Long texts: whole in the journal under a key, the beginning in the session.
 * Owns: when a text is long, and the digest by which identical requests are known.
 */
import { createHash } from "node:crypto";
import type { AgentEvent, AskedQuestion } from "../core/agent-event.ts";
import { preview, PREVIEW_LENGTH, wholeOf } from "../core/asked-text.ts";
import { isKeptInPart, partKey } from "../core/question.ts";
import type { Message, Session, StoredText } from "../core/session.ts";
import type { JournalLine } from "../ports.ts";
import { rightsLines } from "./commit-rule.ts";

/** What the session keeps of a text; `lines` gets the whole where it is long. */
export function shortened(text: string, lines: JournalLine[], at: number, key: string): StoredText {
  if (text.length <= PREVIEW_LENGTH) return { text, length: text.length };
  lines.push({ t: "text", at, key, text });
  return preview(text, key);
}

/** What the journal has to have before the flow has the session: long texts, and what it may do. */
export function beforeStoring(
  before: Session,
  session: Session,
  at: number,
  newKey: () => string,
): { readonly session: Session; readonly lines: readonly JournalLine[] } {
  const lines = [...rightsLines(before, session, at)];
  return { session: withShortInbox(session, lines, at, newKey), lines };
}

/** Messages that the core made itself are whole; the long ones move to the journal. */
function withShortInbox(session: Session, lines: JournalLine[], at: number, newKey: () => string): Session {
  const isLong = ({ text }: Message): boolean => text.key === undefined && text.text.length > PREVIEW_LENGTH;
  if (!session.inbox.some(isLong)) return session;
  const inbox = session.inbox.map((m) => (isLong(m) ? { ...m, text: shortened(m.text.text, lines, at, newKey()) } : m));
  return { ...session, inbox };
}

/** Words of another writer of the flow. */
export function ofWriter(text: StoredText, id: string, at: number): Message {
  return { id, text, by: { kind: "writer", door: "taskflow" }, at };
}

/** What the agent said beside its words; stands behind what is shown of it. */
export function saidLines(event: AgentEvent, at: number): readonly JournalLine[] {
  return event.kind === "text" ? [] : [{ t: "event", at, event }];
}

export interface RequestFacts {
  readonly digest?: string;
  readonly textKey?: string;
}

/** Digest of what a permission or a plan is about, and the key of the whole where less than all of it is kept. */
export function requestFacts(event: AgentEvent, lines: JournalLine[], at: number, newKey: () => string): RequestFacts {
  if (event.kind !== "asked") return {};
  const { request } = event;
  const key = newKey();
  if (request.kind === "questions") return questionFacts(request.questions, lines, at, key);
  const about = request.kind === "plan" ? request.plan : request.content;
  const digest = createHash("sha256").update(about).digest("hex").slice(0, 32);
  const stored = shortened(wholeOf(request), lines, at, key);
  return stored.key === undefined ? { digest } : { digest, textKey: key };
}

function questionFacts(
  questions: readonly AskedQuestion[],
  lines: JournalLine[],
  at: number,
  key: string,
): RequestFacts {
  const long = questions.map((question, index) => ({ question, key: partKey(key, index) }));
  const kept = long.filter(({ question }) => isKeptInPart(question));
  for (const { question, key: own } of kept) lines.push({ t: "text", at, key: own, text: allOf(question) });
  return kept.length === 0 ? {} : { textKey: key };
}

/** The question with every choice that it has, also those that are too many to be numbered. */
function allOf({ text, options }: AskedQuestion): string {
  const labels = options.map(({ label, description }) => `${label}${description ? ` — ${description}` : ""}`);
  return [text, ...labels.map((label) => `- ${label}`)].join("\n");
}
