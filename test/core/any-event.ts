/**
 * Events for a session in any state, from a few numbers: what could come next in life, and what never could.
 */
import fc from "fast-check";
import type { AgentEvent, AgentRequest, RequestId, StopReason } from "../../src/core/agent-event.ts";
import type { Fate, SessionEvent, Untimed } from "../../src/core/event.ts";
import { openQuestions } from "../../src/core/question.ts";
import type { Answer, By, CauseCode, Message, Route, Session } from "../../src/core/session.ts";
import { AGENT, ALLOW, ALLOW_ALWAYS, PERSON, REJECT, WRITER } from "./build.ts";

export interface Draw {
  /** Sensible: what the phase waits for; else any event at all. */
  readonly sensible: boolean;
  readonly what: number;
  readonly a: number;
  readonly b: number;
  readonly dt: number;
}

const MINUTE_MS = 60_000;
/** Mostly moments, now and then long enough for a deadline, once in a while backwards. */
const STEPS_MS = [
  ...Array.from({ length: 30 }, (_, i) => (i % 5) * 700),
  30_000,
  3 * MINUTE_MS,
  6 * MINUTE_MS,
  11 * MINUTE_MS,
  45 * MINUTE_MS,
  3 * 60 * MINUTE_MS,
  26 * 60 * MINUTE_MS,
  8 * 24 * 60 * MINUTE_MS,
  -1_000,
];

export const draws: fc.Arbitrary<readonly Draw[]> = fc.array(
  fc.record({
    sensible: fc.nat(9).map((n) => n < 7),
    what: fc.nat(1_000),
    a: fc.nat(1_000),
    b: fc.nat(1_000),
    dt: fc.nat(STEPS_MS.length - 1),
  }),
  { minLength: 1, maxLength: 100, size: "max" },
);

const TEXTS = [
  "Done.",
  "Which database?",
  "",
  " ",
  "修复登录？".repeat(900),
  "\u0001".repeat(4_000),
  "\ud800",
  '"\\'.repeat(2_500),
  "😀".repeat(800),
  "`".repeat(20),
  "x".repeat(9_000),
  "line\n".repeat(300),
  "__proto__",
] as const;

export interface Facts {
  /** Grows with each event, for ids that never repeat. */
  readonly serial: number;
  readonly promptLeft: boolean;
  readonly inLine: boolean;
}

export function eventOf(draw: Draw, session: Session, facts: Facts, nowAt: number): SessionEvent {
  const at = nowAt + (STEPS_MS[draw.dt] ?? 0);
  const event = draw.sensible ? nextInLife(draw, session, facts) : anything(draw, session, facts);
  return { ...event, at };
}

function pick<T>(items: readonly T[], n: number): T {
  const item = items[n % items.length];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

function nextInLife(draw: Draw, session: Session, facts: Facts): Untimed {
  const { a, b, what } = draw;
  const { phase, turn, agent } = session;
  if (agent?.kind === "stopping" && what % 2 === 0) return said(exit());
  switch (phase.kind) {
    case "queued":
      return facts.inLine ? { type: "slot-granted" } : { type: "admitted" };
    case "starting":
      return pick<Untimed>(
        [
          { type: "agent-started", identity: { pid: 7, startedAt: "9" } },
          ready(a),
          ready(0),
          startFailed(a),
          said(log()),
        ],
        what,
      );
    case "working":
      if (phase.prompt === "pending" && what % 3 > 0) {
        return what % 7 === 0
          ? { type: "prompt-failed", turn, cause: { code: "storage", message: "full" } }
          : { type: "prompt-left", turn };
      }
      return pick<Untimed>(
        [
          said(words(a)),
          said(tool(a, b)),
          said(asked(a, b, facts)),
          said(asked(b, a, facts)),
          said({ kind: "turn-ended", turn, stopReason: pick(STOPS, a) }),
          message(a, b, facts),
          { type: "clock" },
        ],
        what,
      );
    case "asking":
      return what % 5 === 0 ? said(asked(a, b, facts)) : answer(session, a, b);
    case "idle":
    case "interrupted":
      return pick<Untimed>(
        [message(a, b, facts), message(b, a, facts), { type: "clock" }, { type: "park" }, foreign(a, facts)],
        what,
      );
    case "ended":
      return pick<Untimed>([said(exit()), told(session, a), told(session, b)], what);
  }
}

/** Whatever the phase is. */
function anything(draw: Draw, session: Session, facts: Facts): Untimed {
  const { a, b, what } = draw;
  const { turn } = session;
  return pick<Untimed>(
    [
      { type: "admitted" },
      // A late one is possible in every phase, one that nobody asked for is not.
      session.phase.kind === "queued" && !facts.inLine ? { type: "clock" } : { type: "slot-granted" },
      { type: "placed", place: a },
      { type: "agent-started", identity: a % 2 === 0 ? undefined : { pid: a, startedAt: "1" } },
      ready(a),
      mortal(b, startFailed(a)),
      said(words(a)),
      said({ kind: "thought", text: pick(TEXTS, a) }),
      said(tool(a, b)),
      said(asked(a, b, facts)),
      said({ kind: "plan", entries: [{ text: pick(TEXTS, a), status: "pending" }] }),
      said({ kind: "commands", names: [pick(TEXTS, a)] }),
      said(log()),
      said({ kind: "turn-ended", turn: turn + (a % 3) - 1, stopReason: pick(STOPS, b) }),
      mortal(a, said({ kind: "turn-failed", turn: turn + (a % 3) - 1, code: -32_603, message: pick(TEXTS, b) })),
      said(exit()),
      { type: "prompt-left", turn: turn + (a % 2) },
      { type: "prompt-failed", turn: turn + 1, cause: { code: "storage", message: "full" } },
      message(a, b, facts),
      answer(session, a, b),
      mortal(b, { type: "kill", by: pick(BYS, a) }),
      foreign(a, facts),
      { type: "clock" },
      { type: "park" },
      { type: "stopping" },
      { type: "recovered", promptLeft: facts.promptLeft ? "yes" : "no", outputEnd: session.output.end + (a % 2) * b },
      told(session, a),
      {
        type: "viewed",
        viewer: {
          key: `k${a % 20}`,
          route: { channel: "c", to: pick(TEXTS, b) },
          seen: b,
          mode: a % 2 === 0 ? "live" : "background",
        },
      },
      { type: "shown", key: `k${a % 20}`, seen: b },
      ...(session.child === undefined ? [] : [{ type: "child-lost" as const, runId: session.child.runId }]),
      { type: "child-lost", runId: "iflow:<flow>:t99" },
      { type: "continued", by: "other" },
      { type: "warn", text: pick(TEXTS, a) },
    ],
    what,
  );
}

/** What ends sessions is rarer, so that they live long enough to meet everything. */
function mortal(n: number, event: Untimed): Untimed {
  return n % 6 === 0 ? event : { type: "clock" };
}

const STOPS: readonly StopReason[] = [
  "end_turn",
  "end_turn",
  "end_turn",
  "cancelled",
  "max_tokens",
  "refusal",
  "unknown",
];
const BYS: readonly By[] = [PERSON, AGENT, WRITER];
const CAUSES: readonly CauseCode[] = ["agent_missing", "not_authenticated", "agent_exited"];

function said(event: AgentEvent): Untimed {
  return { type: "said", event, chunks: 1, digest: "d" };
}

function ready(a: number): Untimed {
  return {
    type: "agent-ready",
    acpSessionId: pick(["acp-1", ...TEXTS], a),
    history: pick(["new", "loaded", "lost", "new"] as const, a),
  };
}

function startFailed(a: number): Untimed {
  return { type: "start-failed", cause: { code: pick(CAUSES, a), message: pick(TEXTS, a).slice(0, 1_000) } };
}

function words(a: number): AgentEvent {
  return { kind: "text", text: pick(TEXTS, a), ...(a % 5 === 0 ? { agentId: "sub" } : {}) };
}

function log(): AgentEvent {
  return { kind: "log", source: "stdout", text: "noise" };
}

function exit(): AgentEvent {
  return { kind: "exited", report: { code: 1, signal: null, stderrTail: pick(TEXTS, 5), cause: "exited" } };
}

function tool(a: number, b: number): AgentEvent {
  const status = pick(["pending", "in_progress", "completed", "failed"] as const, b);
  const files = status === "completed" ? { files: [pick(TEXTS, a)] } : {};
  return { kind: "tool", toolCallId: `${a % 40}${pick(TEXTS, a % 3)}`, status, title: pick(TEXTS, b), ...files };
}

/** Ids repeat now and then, as a confused agent might. */
function asked(a: number, b: number, { serial }: Facts): AgentEvent {
  const requestId: RequestId = pick<RequestId>([serial, serial, serial, `s${serial}`, a % 3, pick(TEXTS, b)], b);
  return { kind: "asked", request: request(a, requestId) };
}

function request(a: number, requestId: RequestId): AgentRequest {
  const text = pick(TEXTS, a);
  if (a % 4 === 0) return { kind: "plan", requestId, plan: text };
  if (a % 4 === 1) {
    const options = Array.from({ length: a % 7 }, (_, i) => ({ id: `${i}${text}`, label: text }));
    return {
      kind: "questions",
      requestId,
      questions: Array.from({ length: a % 5 }, () => ({ text, header: text, options, multiSelect: a % 2 === 0 })),
    };
  }
  const options = a % 11 === 0 ? [REJECT] : [ALLOW_ALWAYS, { ...ALLOW, label: text }, REJECT];
  return {
    kind: "permission",
    requestId,
    toolCallId: `${a % 40}`,
    title: text,
    toolKind: pick(["execute", "edit", "read", "other"], a),
    content: text,
    options,
  };
}

function message(a: number, b: number, { serial }: Facts): Untimed {
  const text = pick(TEXTS, a).slice(0, 2_000);
  const made: Message = {
    id: `m-${serial}`,
    text: { text, length: text.length },
    by: pick(BYS, b),
    at: 0,
    ...(a % 4 === 0 ? { files: [pick(TEXTS, b)] } : {}),
  };
  return { type: "message", message: made, interrupt: b % 3 === 0 };
}

function answer(session: Session, a: number, b: number): Untimed {
  const open = session.phase.kind === "asking" ? openQuestions(session.phase.asks) : [];
  const question = open.length === 0 ? undefined : pick(open, a);
  const options = question?.options ?? [];
  const given: Answer =
    options.length === 0 || b % 4 === 0
      ? { text: pick(TEXTS, b), by: pick(BYS, a), at: 0 }
      : { optionIds: b % 9 === 0 ? ["never offered"] : [pick(options, b).id], by: pick(BYS, a), at: 0 };
  return { type: "answered", questionId: a % 13 === 0 ? "q1" : (question?.id ?? "q1"), answer: given };
}

function foreign(a: number, { serial }: Facts): Untimed {
  const kind = pick(
    ["resumed", "resumed", "resumed", "resumed", "finished", "failed", "cancelled", "removed"] as const,
    a,
  );
  if (kind !== "resumed") return { type: "foreign", change: { kind }, message: undefined };
  const text = pick([...TEXTS, "Allow", "approve", "1"], a);
  const made: Message = { id: `w-${serial}`, text: { text, length: text.length }, by: WRITER, at: 0 };
  return {
    type: "foreign",
    change: { kind, text: a % 3 === 0 ? undefined : text },
    message: a % 3 === 0 ? undefined : made,
  };
}

function told(session: Session, a: number): Untimed {
  const noticeId = session.owed.length === 0 ? "n0" : pick(session.owed, a).id;
  if (a % 5 === 4) return { type: "overtaken" };
  if (a % 2 !== 0) return { type: "told", noticeId, part: "wake" };
  const to: Route = { channel: "telegram", to: `telegram:${a % 5}` };
  if (a % 10 === 0) return { type: "moved", from: session.route ?? to, to };
  const fates: readonly Fate[] = [{}, { messageId: `m${a}` }, { isLost: true }, { messageId: `m${a}`, elsewhere: to }];
  const arrival = { arrived: a % 7 !== 0, overtaken: a % 11 === 0 };
  return { type: "told", noticeId, part: "chat", ...arrival, ...pick(fates, a / 2) };
}
