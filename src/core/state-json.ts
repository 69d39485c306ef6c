/**
 * A session as the flow's stateJson, and back.
 * Owns: the size bound (64 KiB of JSON), what gives way first, that no secret is in it, and the careful parse: newer, foreign or broken records are told apart and left alone.
 */
import { keptWords, shownLastWords } from "./last-words.ts";
import { cutText, tailOf, utf8Bytes } from "./output.ts";
import { redactSecrets } from "./redact.ts";
import { redactInPlace, redactTail, redactValue } from "./redact-value.ts";
import { SCHEMA, type Ask, type Message, type Session, type StoredText } from "./session.ts";
import { isRecord, valueAt, wrongField } from "./state-check.ts";

export const MAX_STATE_BYTES = 64 * 1024;

/** The session as it is stored. Only the copy gives way to the bound: the buffer first (the journal has the words), then long texts. */
export function encodeSession(session: Session): Session {
  let candidate = withoutSecrets(session);
  for (const shrink of SHRINKS) {
    if (fits(candidate)) return candidate;
    candidate = shrink(candidate);
  }
  return candidate;
}

/** What the session needs whole (prompts, questions) is in the journal's commit line. Offsets of the output stay what they are. */
function withoutSecrets(session: Session): Session {
  // Same keys, same kinds of values.
  const clean = redactValue(session, redactSecrets, KEPT) as Session;
  const { output } = session;
  const text = redactInPlace(output.text, output.start > 0 ? redactTail : redactSecrets);
  const lastWords = shownLastWords(session);
  if (text === output.text && lastWords === clean.lastWords) return clean;
  return { ...clean, output: { ...output, text }, lastWords };
}

/** A character is at least a byte: a giant is not counted to its end. */
function fits(session: Session): boolean {
  const json = JSON.stringify(session);
  return json.length <= MAX_STATE_BYTES && utf8Bytes(json) <= MAX_STATE_BYTES;
}

export function jsonBytes(value: unknown): number {
  return utf8Bytes(JSON.stringify(value));
}

const SHRINKS: readonly ((session: Session) => Session)[] = [
  (s) => withBuffer(s, 16_000),
  (s) => withBuffer(s, 4_000),
  (s) => withBuffer(s, 0),
  (s) => ({ ...withShortMessages(s, 300), ...keptWords(s, 200) }),
  (s) => ({
    ...s,
    owed: s.owed.map((n) =>
      n.data.text === undefined ? n : { ...n, data: { ...n.data, text: cutText(n.data.text, 200) } },
    ),
  }),
  (s) => ({ ...s, ...(s.closed === undefined ? {} : { closed: s.closed.map(({ labels: _words, ...rest }) => rest) }) }),
  (s) => withAsks(s, 500, 100),
  (s) => withAsks(s, 120, 40),
  (s) => ({
    ...s,
    unconfirmed: [],
    filesEdited: s.filesEdited.slice(-3),
    viewers: s.viewers.slice(-4),
    ...keptWords(s, 0),
  }),
  (s) => ({
    ...withShortMessages(s, 60),
    owed: s.owed.slice(-20),
    prompt: short(s.prompt, 200),
  }),
  (s) => clamped(s, { length: 160, items: 12 }),
  (s) => clamped(s, { length: 60, items: 4 }),
  (s) => clamped({ ...s, owed: s.owed.slice(-5), grants: s.grants.slice(-5) }, { length: 24, items: 2 }),
];

function withBuffer(session: Session, length: number): Session {
  const text = tailOf(session.output.text, length);
  return { ...session, output: { text, start: session.output.end - text.length, end: session.output.end } };
}

function short<T extends { readonly text: string }>(stored: T, length: number): T {
  return { ...stored, text: cutText(stored.text, length) };
}

function withShortMessages(session: Session, length: number): Session {
  const shorter = (messages: readonly Message[]): readonly Message[] => messages.map((m) => shortMessage(m, length));
  const { inbox, undone } = session;
  return { ...session, inbox: shorter(inbox), ...(undone === undefined ? {} : { undone: shorter(undone) }) };
}

function shortMessage(message: Message, length: number): Message {
  const { files, ...rest } = { ...message, text: short(message.text, length) };
  return files === undefined || length < 100 ? rest : { ...rest, files: files.slice(0, 5).map((f) => cutText(f, 200)) };
}

/** Its two ends; that it has less than all of it can be told by its length. */
function shortAsked(stored: StoredText, length: number): StoredText {
  const text = cutText(stored.text, length);
  const isCut = text.length < stored.text.length;
  return {
    ...stored,
    text,
    length: isCut ? Math.max(stored.length, stored.text.length) : stored.length,
    ...(stored.tail === undefined ? {} : { tail: tailOf(stored.tail, length) }),
  };
}

function shortAsk(ask: Ask, text: number, label: number): Ask {
  return {
    ...ask,
    ...(ask.subject === undefined ? {} : { subject: { ...ask.subject, title: cutText(ask.subject.title, text) } }),
    questions: ask.questions.slice(0, 8).map((q) => ({
      ...q,
      text: shortAsked(q.text, text),
      ...(q.content === undefined ? {} : { content: shortAsked(q.content, text) }),
      options: q.options.slice(0, 12).map((o) => ({
        ...o,
        id: cutText(o.id, label * 2),
        label: cutText(o.label, label),
        ...(o.description === undefined ? {} : { description: cutText(o.description, label) }),
      })),
      ...(q.answer?.text === undefined ? {} : { answer: { ...q.answer, text: cutText(q.answer.text, text) } }),
    })),
  };
}

function withAsks(session: Session, text: number, label: number): Session {
  const { phase } = session;
  const unconfirmed = session.unconfirmed.map((a) => shortAsk(a, text, label));
  if (phase.kind === "asking")
    return { ...session, unconfirmed, phase: { ...phase, asks: phase.asks.map((a) => shortAsk(a, text, label)) } };
  return { ...session, unconfirmed };
}

interface Bounds {
  /** Of a text, in code units. */
  readonly length: number;
  /** Of a list. */
  readonly items: number;
}

/** Texts that are names of something: cut, they would name nothing. Those of the agent are bounded as well. */
const NAMES: Readonly<Record<string, number>> = {
  schema: 40,
  id: 80,
  name: 100,
  model: 200,
  senderId: 200,
  runId: 200,
  key: 300,
  digest: 80,
  sessionKey: 1_000,
  agentId: 200,
  workdir: 4_000,
  acpSessionId: 500,
  channel: 100,
  to: 500,
  accountId: 200,
  continues: 80,
  continuedBy: 80,
  toldIn: 200,
  startedAt: 200,
};

/** What has to stay what it is to lead anywhere; the output is masked by itself. */
const KEPT: ReadonlySet<string> = new Set(
  "sessionKey agentId workdir acpSessionId startedAt digest channel to accountId senderId toldIn output".split(" "),
);

/** The last resort: every text and list bounded. What recovery needs to find its way stays, the journal has all the rest. */
function clamped(session: Session, bounds: Bounds): Session {
  // Same keys, shorter texts and lists.
  return clamp(session, "", bounds) as Session;
}

function clamp(value: unknown, key: string, bounds: Bounds): unknown {
  if (typeof value === "string") return cutText(value, NAMES[key] ?? bounds.length);
  if (Array.isArray(value)) {
    const kept = key === "inbox" || key === "owed" ? value : value.slice(0, bounds.items);
    return kept.map((item) => clamp(item, key, bounds));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, clamp(item, name, bounds)]));
}

export type Parsed =
  | { readonly kind: "session"; readonly session: Session }
  /** Written by a newer version: left untouched and reported. */
  | { readonly kind: "newer"; readonly schema: string }
  | { readonly kind: "foreign" }
  | { readonly kind: "broken"; readonly reason: string };

/** Reads a stored state without trusting it: every field that a decision rests on is checked. */
export function parseSession(value: unknown): Parsed {
  if (!isRecord(value) || typeof value["schema"] !== "string" || !value["schema"].startsWith("iflow.session."))
    return { kind: "foreign" };
  if (value["schema"] !== SCHEMA) return { kind: "newer", schema: value["schema"] };
  const wrong = wrongField(value);
  if (wrong !== undefined)
    return { kind: "broken", reason: `${wrong} is ${cutText(JSON.stringify(valueAt(value, wrong)) ?? "missing", 80)}` };
  // Every field was checked above; the type system can't see it.
  return { kind: "session", session: value as unknown as Session };
}
