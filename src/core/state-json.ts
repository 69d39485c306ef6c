/**
 * A session as the flow's stateJson, and back.
 * Owns: the size bound (64 KiB of JSON), what gives way first, and the careful parse: newer, foreign or broken records are told apart and left alone.
 */
import { cutText, tailOf, utf8Bytes } from "./output.ts";
import { SCHEMA, type Ask, type Message, type Session } from "./session.ts";

export const MAX_STATE_BYTES = 64 * 1024;

/** The session as it is stored. Only the copy gives way to the bound: the buffer first (the journal has the words), then long texts. */
export function encodeSession(session: Session): Session {
  let candidate = session;
  for (const shrink of SHRINKS) {
    if (jsonBytes(candidate) <= MAX_STATE_BYTES) return candidate;
    candidate = shrink(candidate);
  }
  return candidate;
}

export function jsonBytes(value: unknown): number {
  return utf8Bytes(JSON.stringify(value));
}

const SHRINKS: readonly ((session: Session) => Session)[] = [
  (s) => withBuffer(s, 16_000),
  (s) => withBuffer(s, 4_000),
  (s) => withBuffer(s, 0),
  (s) => ({ ...s, inbox: s.inbox.map((m) => shortMessage(m, 300)), lastWords: tailOf(s.lastWords, 200) }),
  (s) => ({ ...s, owed: s.owed.map((n) => (n.data.text === undefined ? n : { ...n, data: { ...n.data, text: cutText(n.data.text, 200) } })) }),
  (s) => withAsks(s, 500, 100),
  (s) => withAsks(s, 120, 40),
  (s) => ({ ...s, grants: s.grants.slice(-5), unconfirmed: [], filesEdited: s.filesEdited.slice(-3), viewers: s.viewers.slice(-4) }),
  (s) => ({ ...s, inbox: s.inbox.map((m) => shortMessage(m, 60)), owed: s.owed.slice(-20), prompt: short(s.prompt, 200) }),
  bareSession,
];

function withBuffer(session: Session, length: number): Session {
  const text = tailOf(session.output.text, length);
  return { ...session, output: { text, start: session.output.end - text.length, end: session.output.end } };
}

function short<T extends { readonly text: string }>(stored: T, length: number): T {
  return { ...stored, text: cutText(stored.text, length) };
}

function shortMessage(message: Message, length: number): Message {
  const { files, ...rest } = { ...message, text: short(message.text, length) };
  return files === undefined || length < 100 ? rest : { ...rest, files: files.slice(0, 5).map((f) => cutText(f, 200)) };
}

function shortAsk(ask: Ask, text: number, label: number): Ask {
  return {
    ...ask,
    ...(ask.subject === undefined ? {} : { subject: { ...ask.subject, title: cutText(ask.subject.title, text) } }),
    questions: ask.questions.slice(0, 8).map((q) => ({
      ...q,
      text: short(q.text, text),
      options: q.options.slice(0, 12).map((o) => ({ ...o, id: cutText(o.id, label * 2), label: cutText(o.label, label), ...(o.description === undefined ? {} : { description: cutText(o.description, label) }) })),
      ...(q.answer?.text === undefined ? {} : { answer: { ...q.answer, text: cutText(q.answer.text, text) } }),
    })),
  };
}

function withAsks(session: Session, text: number, label: number): Session {
  const { phase } = session;
  const unconfirmed = session.unconfirmed.map((a) => shortAsk(a, text, label));
  if (phase.kind === "asking") return { ...session, unconfirmed, phase: { ...phase, asks: phase.asks.map((a) => shortAsk(a, text, label)) } };
  return { ...session, unconfirmed };
}

/** The last resort: what recovery needs to find its way, the journal has all the rest. */
function bareSession(session: Session): Session {
  const { phase } = session;
  const barePhase = phase.kind === "asking" ? { ...phase, asks: phase.asks.slice(0, 2).map((a) => shortAsk(a, 60, 30)), openTools: [] } : phase.kind === "working" ? { ...phase, openTools: [], message: shortMessage(phase.message, 60) } : phase;
  const { systemPrompt: _long, ...settings } = session.settings;
  return {
    ...session,
    phase: barePhase,
    settings: { ...settings, allowedTools: settings.allowedTools.slice(0, 20).map((t) => cutText(t, 60)) },
    prompt: short(session.prompt, 60),
    inbox: session.inbox.slice(0, 10).map((m) => shortMessage(m, 30)),
    owed: session.owed.slice(-5),
    grants: [],
    viewers: [],
    filesEdited: [],
    lastWords: "",
  };
}

export type Parsed =
  | { readonly kind: "session"; readonly session: Session }
  /** Written by a newer version: left untouched and reported. */
  | { readonly kind: "newer"; readonly schema: string }
  | { readonly kind: "foreign" }
  | { readonly kind: "broken"; readonly reason: string };

const PHASES: ReadonlySet<unknown> = new Set(["queued", "starting", "working", "asking", "idle", "interrupted", "ended"]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads a stored state without trusting it: every field that a decision rests on is checked. */
export function parseSession(value: unknown): Parsed {
  if (!isRecord(value) || typeof value["schema"] !== "string" || !value["schema"].startsWith("iflow.session.")) return { kind: "foreign" };
  if (value["schema"] !== SCHEMA) return { kind: "newer", schema: value["schema"] };
  const wrong = CHECKS.find(([key, check]) => !check(value[key]));
  if (wrong !== undefined) return { kind: "broken", reason: `${wrong[0]} is ${cutText(JSON.stringify(value[wrong[0]]) ?? "missing", 80)}` };
  // Every field was checked above; the type system can't see it.
  return { kind: "session", session: value as unknown as Session };
}

const isText = (v: unknown): boolean => typeof v === "string";
const isNumber = (v: unknown): boolean => typeof v === "number" && Number.isFinite(v);
const isStored = (v: unknown): boolean => isRecord(v) && isText(v["text"]) && isNumber(v["length"]);
const isMessage = (v: unknown): boolean => isRecord(v) && isText(v["id"]) && isStored(v["text"]) && isRecord(v["by"]) && isNumber(v["at"]);

function isPhase(value: unknown): boolean {
  if (!isRecord(value) || !PHASES.has(value["kind"])) return false;
  if (value["kind"] === "asking") return Array.isArray(value["asks"]) && value["asks"].length > 0 && value["asks"].every(isAsk) && Array.isArray(value["openTools"]);
  if (value["kind"] === "working") return isMessage(value["message"]) && isText(value["prompt"]) && isNumber(value["lastSignAt"]) && Array.isArray(value["openTools"]);
  if (value["kind"] === "ended") return isNumber(value["at"]) && isText(value["outcome"]);
  return isNumber(value["sinceAt"]);
}

function isAsk(value: unknown): boolean {
  return isRecord(value) && Array.isArray(value["questions"]) && value["questions"].length > 0 && isNumber(value["deadlineAt"]) && value["questions"].every((q) => isRecord(q) && isText(q["id"]) && isStored(q["text"]) && Array.isArray(q["options"]));
}

const CHECKS: readonly (readonly [string, (value: unknown) => boolean])[] = [
  ["id", isText],
  ["name", isText],
  ["owner", (v) => isRecord(v) && isText(v["sessionKey"])],
  ["launchedBy", (v) => isRecord(v) && isText(v["kind"]) && isText(v["door"])],
  ["workdir", isText],
  ["prompt", isStored],
  ["settings", (v) => isRecord(v) && isText(v["permissionMode"]) && isNumber(v["timeoutMs"]) && Array.isArray(v["allowedTools"])],
  ["createdAt", isNumber],
  ["phase", isPhase],
  ["seq", isNumber],
  ["turn", isNumber],
  ["standIns", isNumber],
  ["counters", (v) => isRecord(v) && Object.values(v).every(isNumber) && isNumber(v["turns"])],
  ["output", (v) => isRecord(v) && isText(v["text"]) && isNumber(v["start"]) && isNumber(v["end"])],
  ["lastWords", isText],
  ["unconfirmed", (v) => Array.isArray(v) && v.every(isAsk)],
  ["inbox", (v) => Array.isArray(v) && v.every(isMessage)],
  ["grants", Array.isArray],
  ["owed", (v) => Array.isArray(v) && v.every((n) => isRecord(n) && isText(n["id"]) && isText(n["kind"]) && Array.isArray(n["parts"]))],
  ["viewers", Array.isArray],
  ["filesEdited", Array.isArray],
  ["nextId", isNumber],
];
