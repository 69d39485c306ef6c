/**
 * What people (and agents, and other writers) say to a session.
 * Owns: the first valid answer wins; late and stale ones are refused with what happened instead; messages wait in order.
 */
import { askedWords } from "./asked-text.ts";
import { closedMessage, noteAnswered, noteDenied } from "./closed-question.ts";
import type { AuditFact, Rules, SessionEvent, Taken } from "./event.ts";
import { count, endChild, nextId, oneLine, owe, setPhase, type Draft } from "./draft.ts";
import { ok, refuse, type Refused, type Result } from "./errors.ts";
import { cutText } from "./output.ts";
import {
  answerWords,
  approvedMode,
  deny,
  hasAnswer,
  isGranted,
  isLasting,
  openQuestions,
  replyOf,
  unsaidReason,
} from "./question.ts";
import type { Ask, By, Door, Message, Session } from "./session.ts";
import { beginTurn, end, enterQueue, resumeTurn } from "./turn.ts";
import { showAnswer, showDenial } from "./voices.ts";

const MAX_INBOX = 20;
const MAX_UNCONFIRMED = 4;
const REJECTED_LENGTH = 200;

export function onMessage(draft: Draft, event: Extract<SessionEvent, { type: "message" }>): void {
  const limited = automaticLimit(draft.session, event.message.by, draft.rules);
  draft.reply = limited ?? takeMessage(draft, event.message, event.interrupt);
  if (!draft.reply.ok) return;
  countVoice(draft, event.message.by);
  tellResponse(draft, event.message.by, event.message.text.text);
}

/** Doors whose own reply the chat does not show. */
const SILENT_DOORS: ReadonlySet<Door> = new Set(["tool", "rpc", "cli", "taskflow"]);

/** People see what somebody else said to their session. */
function tellResponse(draft: Draft, by: By, words: string): void {
  if (!SILENT_DOORS.has(by.door)) return;
  const code = by.kind === "person" ? "by_person" : by.kind === "agent" ? "by_agent" : "by_writer";
  owe(draft, "responded", { code, text: words }, ["chat"]);
}

function takeMessage(draft: Draft, message: Message, interrupting: boolean): Result<Taken> {
  const { session } = draft;
  const { phase, inbox } = session;
  if (phase.kind === "ended")
    return refuse("wrong_phase", `${session.name} has ended (${phase.outcome}). Resume it to go on.`);
  if (inbox.length >= MAX_INBOX) {
    return refuse(
      "queue_full",
      `${session.name} already has ${inbox.length} messages waiting. Wait for the turn to end, or respond with interrupt.`,
    );
  }
  const front = interrupting && (phase.kind === "working" || phase.kind === "asking");
  draft.session = { ...session, inbox: front ? [message, ...inbox] : [...inbox, message] };
  switch (phase.kind) {
    case "queued":
    case "starting":
      return ok("queued");
    case "working":
    case "asking":
      return ok(interrupting ? stopForMessage(draft) : "queued");
    case "idle":
      return ok(goOn(draft));
    case "interrupted":
      enterQueue(draft, "continue");
      return ok("resumed");
  }
}

/** The next turn of an idle session: at once while its process lives, else through the queue. */
function goOn(draft: Draft): Taken {
  if (draft.session.agent?.kind === "ready") {
    beginTurn(draft);
    return "now";
  }
  enterQueue(draft, "continue");
  return "resumed";
}

/** Stops the running turn, so that the message at the head of the inbox is next. */
function stopForMessage(draft: Draft): Taken {
  const { phase, agent } = draft.session;
  if (phase.kind === "asking") {
    // Nothing can be sent before somebody chose how to go on without the history.
    if (phase.asks.some((ask) => ask.kind === "fresh-start")) return "queued";
    if (agent?.kind !== "ready") {
      enterQueue(draft, "continue");
      return "resumed";
    }
    resumeTurn(draft, phase);
  }
  const working = draft.session.phase;
  if (working.kind !== "working") return "queued";
  if (working.stopping !== undefined) {
    // A stop for another reason is under way: the session goes on with the message instead of ending.
    setPhase(draft, { ...working, stopping: { ...working.stopping, why: "interrupt" } });
    return "now";
  }
  setPhase(draft, { ...working, stopping: { why: "interrupt", sinceAt: draft.at } });
  draft.effects.push({ do: "cancel-turn" });
  return "now";
}

/** An agent may answer so many times in a row; then a person must (decision 24). */
export function automaticLimit(
  { name, counters }: Session,
  by: By,
  { maxAutoResponds }: Pick<Rules, "maxAutoResponds">,
): Refused | undefined {
  if (by.kind !== "agent" || counters.autoResponds < maxAutoResponds) return undefined;
  return refuse(
    "limit_reached",
    `${name} was answered automatically ${maxAutoResponds} ${maxAutoResponds === 1 ? "time" : "times"} in a row (maxAutoResponds). A person must answer now: ask them, they can reply in the chat or with /iflow_respond ${name}.`,
  );
}

function countVoice(draft: Draft, by: By): void {
  const { counters } = draft.session;
  count(draft, { autoResponds: voicesAfter(counters.autoResponds, by) - counters.autoResponds });
}

/** Answers of the agent in a row, after this voice: a person's begins the count anew, a writer's leaves it. */
export function voicesAfter(before: number, by: By): number {
  if (by.kind === "person") return 0;
  return by.kind === "agent" ? before + 1 : before;
}

export function onAnswered(draft: Draft, event: Extract<SessionEvent, { type: "answered" }>): void {
  const { session } = draft;
  const { phase } = session;
  const asks = phase.kind === "asking" ? phase.asks : [];
  const ask = asks.find((a) => a.questions.some((q) => q.id === event.questionId));
  const question = ask?.questions.find((q) => q.id === event.questionId);
  if (ask === undefined || question === undefined || question.answer !== undefined) {
    draft.reply = refuse("question_closed", closedMessage(session, event.questionId));
    return;
  }
  const limited = automaticLimit(draft.session, event.answer.by, draft.rules);
  if (limited !== undefined) {
    draft.reply = limited;
    return;
  }
  countVoice(draft, event.answer.by);
  count(draft, event.answer.by.kind === "agent" ? { answeredByAgent: 1 } : { answeredByPerson: 1 });
  draft.effects.push({
    do: "record-answer",
    id: question.id,
    text: answerWords(question, event.answer),
    by: event.answer.by,
  });
  noteAnswered(draft, question, event.answer);
  showAnswer(draft, question, event.answer);
  if (event.answer.by.door === "taskflow")
    audit(draft, "taskflow", "ok", { question_id: question.id, message: answerWords(question, event.answer) });
  const answered: Ask = {
    ...ask,
    questions: ask.questions.map((q) => (q.id === question.id ? { ...q, answer: event.answer } : q)),
  };
  const live = ask.requestId !== undefined && session.agent?.kind === "ready";
  const complete = openQuestions([answered]).length === 0;
  if (complete) closeAsk(draft, answered);
  else replaceAsk(draft, answered);
  tellResponse(draft, event.answer.by, answerWords(question, event.answer));
  draft.reply = ok(live || !complete ? "now" : draft.session.phase.kind === "asking" ? "queued" : "resumed");
}

function replaceAsk(draft: Draft, ask: Ask): void {
  const { phase } = draft.session;
  if (phase.kind !== "asking") return;
  setPhase(draft, { ...phase, asks: phase.asks.map((a) => (a.questions[0]?.id === ask.questions[0]?.id ? ask : a)) });
}

/** Every part is answered: the one reply leaves, or, without a live request, the answer becomes the next prompt. */
function closeAsk(draft: Draft, ask: Ask): void {
  const { phase, agent } = draft.session;
  if (phase.kind !== "asking") return;
  const rest = phase.asks.filter((a) => a.questions[0]?.id !== ask.questions[0]?.id);
  if (ask.kind === "fresh-start") {
    settleFreshStart(draft, ask);
    return;
  }
  applyPlan(draft, ask);
  keepGrant(draft, ask, agent?.kind === "ready" ? "lasting" : "late");
  if (agent?.kind === "ready" && ask.requestId !== undefined) {
    keepUnconfirmed(draft, ask);
    sendReason(draft, ask);
    draft.effects.push({ do: "reply", requestId: ask.requestId, reply: replyOf(ask) });
    if (rest.length > 0) setPhase(draft, { ...phase, asks: rest });
    else resumeTurn(draft, phase);
    return;
  }
  const message = lateMessage(draft, ask);
  draft.session = { ...draft.session, inbox: [...draft.session.inbox, message] };
  if (rest.length > 0) setPhase(draft, { ...phase, asks: rest });
  else enterQueue(draft, "continue");
}

/** Why a permission was rejected, as the next message of whoever said so; without a live request it stands in the late answer. */
function sendReason(draft: Draft, ask: Ask): void {
  const reason = unsaidReason(ask);
  const [question] = ask.questions;
  if (reason === undefined || question?.answer === undefined) return;
  const text = `I rejected "${cutText(oneLine(question.text.text), REJECTED_LENGTH)}": ${reason}`;
  const message = {
    id: `m${nextId(draft)}`,
    text: { text, length: text.length },
    by: question.answer.by,
    at: draft.at,
  };
  draft.session = { ...draft.session, inbox: [...draft.session.inbox, message] };
}

/** Until iFlow has read it: it goes along with a prompt that comes before that. */
function keepUnconfirmed(draft: Draft, ask: Ask): void {
  draft.session = { ...draft.session, unconfirmed: [...draft.session.unconfirmed, ask].slice(-MAX_UNCONFIRMED) };
}

/** An approved plan changes the session's mode; the turn is let end, then the session is loaded in that mode. */
function applyPlan(draft: Draft, ask: Ask): void {
  const mode = approvedMode(ask);
  if (mode === undefined) return;
  const { session } = draft;
  const live = session.agent?.kind === "ready" ? { approvedPlan: { turn: session.turn } } : {};
  draft.session = { ...session, settings: { ...session.settings, permissionMode: mode }, ...live };
}

/** "Always" holds for the session; an allow without a live request holds once, for the identical request (decision 14). */
function keepGrant(draft: Draft, ask: Ask, when: "lasting" | "late"): void {
  if (ask.kind !== "permission" || ask.subject === undefined || !isGranted(ask)) return;
  const lasting = isLasting(ask);
  if (!lasting && when === "lasting") return;
  const grant = { subject: ask.subject, span: lasting ? ("always" as const) : ("once" as const) };
  draft.session = { ...draft.session, grants: [...draft.session.grants, grant].slice(-20) };
}

/** The words that carry an answer to an agent whose request is gone. */
function lateMessage(draft: Draft, ask: Ask): Message {
  const lines = ask.questions.map(
    (q) => `- ${cutText(askedWords(q), 400)}\n  Answer: ${q.answer === undefined ? "" : answerWords(q, q.answer)}`,
  );
  // Whole: a person's words are in it, and nobody else keeps them for the prompt.
  const text = `You were interrupted while you waited for an answer. You had asked:\n${lines.join("\n")}\nGo on from there.`;
  const by = ask.questions.at(-1)?.answer?.by ?? { kind: "plugin" as const, door: "plugin" as const };
  return { id: `m${nextId(draft)}`, text: { text, length: text.length }, by, at: draft.at };
}

function settleFreshStart(draft: Draft, ask: Ask): void {
  if (!isGranted(ask)) {
    end(draft, "killed", { code: "stopped_by_person", message: "Stopped, since iFlow no longer has the history" });
    return;
  }
  const { acpSessionId: _lost, ...rest } = draft.session;
  draft.session = rest;
  enterQueue(draft, "continue");
}

/** Nobody answered in time: denied, and the turn goes on (decision 15). */
export function denyAsk(draft: Draft, ask: Ask, code: "deadline_passed"): void {
  const { phase, name, agent } = draft.session;
  if (phase.kind !== "asking") return;
  const reason = DENIAL[code];
  count(draft, { denied: openQuestions([ask]).length });
  showDenial(draft, openQuestions([ask]));
  for (const question of openQuestions([ask])) {
    noteDenied(draft, question);
    audit(draft, "plugin", code, { question_id: question.id });
  }
  owe(draft, "denied", { code, questionIds: openQuestions([ask]).map((q) => q.id) });
  if (ask.kind === "fresh-start") {
    end(
      draft,
      "completed",
      { code: "abandoned", message: `${name} had lost its history, and nobody chose how to go on` },
      { silent: true },
    );
    return;
  }
  const rest = phase.asks.filter((a) => a !== ask);
  const live = agent?.kind === "ready" && ask.requestId !== undefined;
  // Parts that somebody did answer go along with the next prompt.
  if (!live && hasAnswer(ask)) keepUnconfirmed(draft, ask);
  if (live) draft.effects.push({ do: "reply", requestId: ask.requestId, reply: replyOf(deny(ask, reason, draft.at)) });
  if (rest.length > 0) setPhase(draft, { ...phase, asks: rest });
  else if (live) resumeTurn(draft, phase);
  else if (draft.session.inbox.length > 0) enterQueue(draft, "continue");
  else {
    const cause = { code: "abandoned" as const, message: `A question was not answered: ${reason}` };
    setPhase(draft, { kind: "interrupted", sinceAt: draft.at, cause });
    endChild(draft, "cancelled");
    owe(draft, "interrupted", { text: cause.message, code: cause.code, turn: draft.session.turn });
  }
}

/** An answer that came through no operation, which would write it down itself. */
export function audit(draft: Draft, door: Door, outcome: AuditFact["outcome"], params: AuditFact["params"]): void {
  draft.effects.push({ do: "audit", fact: { operation: "respond", door, outcome, params } });
}

const DENIAL = { deadline_passed: "nobody answered before the deadline (questionTimeoutMinutes)" } as const;
