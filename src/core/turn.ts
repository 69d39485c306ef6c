/**
 * The beginnings and ends of turns.
 * Owns: which phase a turn starts from and leaves behind. A message leaves the inbox exactly when its turn begins.
 */
import type { StopReason } from "./agent-event.ts";
import { activateChild, agentGone, count, endChild, nextId, owe, setPhase, startStandIn, startTurnChild, stopAgent, type Draft } from "./draft.ts";
import { asksSomething, cutText } from "./output.ts";
import { preview } from "./question.ts";
import type { Ask, Cause, Message, Outcome, Phase } from "./session.ts";

type Working = Extract<Phase, { kind: "working" }>;

const PREVIEW_LENGTH = 300;

/** Takes the first message of the inbox and begins its turn on the live, idle agent. */
export function beginTurn(draft: Draft): void {
  const [message, ...inbox] = draft.session.inbox;
  if (message === undefined) {
    becomeIdle(draft);
    return;
  }
  endChild(draft, "cancelled");
  const turn = draft.session.turn + 1;
  draft.session = { ...draft.session, inbox, turn, standIns: 0, lastWords: "" };
  count(draft, { turns: 1 });
  setPhase(draft, { kind: "working", sinceAt: draft.at, message, prompt: "pending", lastSignAt: draft.at, openTools: [] });
  startTurnChild(draft, message);
  draft.effects.push({ do: "send-prompt", turn, message });
}

/** Back to work in the same turn, when the last open question was answered. */
export function resumeTurn(draft: Draft, message: Message, openTools: Working["openTools"]): void {
  setPhase(draft, { kind: "working", sinceAt: draft.at, message, prompt: "left", lastSignAt: draft.at, openTools });
  activateChild(draft);
}

/** Waits for a slot to go on: ahead of launches, and only when the old process is gone. */
export function enterQueue(draft: Draft, reason: "launch" | "continue"): void {
  setPhase(draft, { kind: "queued", reason, sinceAt: draft.at });
  if (draft.session.agent === undefined) draft.effects.push({ do: "request-slot", ahead: reason === "continue" });
  else stopAgent(draft);
}

function becomeIdle(draft: Draft): void {
  const { lastWords } = draft.session;
  const expects = asksSomething(lastWords) ? "answer" : "nothing";
  const words = cutText(lastWords.trim(), PREVIEW_LENGTH);
  setPhase(draft, { kind: "idle", sinceAt: draft.at, expects, preview: words });
  if (expects === "answer") startStandIn(draft, words);
}

/** A message of the plugin itself, e.g. the prompt that carries out an approved plan. */
export function pluginMessage(draft: Draft, text: string): Message {
  return { id: `m${nextId(draft)}`, text: preview(text), by: { kind: "plugin", door: "plugin" }, at: draft.at };
}

/** The reply to the prompt has come: the turn is over. */
export function finishTurn(draft: Draft, stopReason: StopReason): void {
  const { phase, settings } = draft.session;
  if (phase.kind !== "working" && phase.kind !== "asking") return;
  const why = phase.kind === "working" ? phase.stopping?.why : undefined;
  countWork(draft);
  if (why === "model_silent" || why === "tool_timeout") {
    end(draft, "timed_out", timeoutCause(why));
    return;
  }
  endChild(draft, stopReason === "cancelled" ? "cancelled" : "succeeded");
  if (draft.session.approvedPlan?.turn === draft.session.turn) {
    carryOutPlan(draft);
    return;
  }
  const cut = stopReason === "cancelled";
  if (!cut && settings.singleTurn && draft.session.inbox.length === 0) {
    end(draft, "completed");
    return;
  }
  if (draft.session.inbox.length > 0) {
    if (!cut) oweTurn(draft, stopReason, []);
    beginTurn(draft);
    return;
  }
  becomeIdle(draft);
  oweTurn(draft, stopReason);
}

/** 🔔 when the last words ask something, else ✅ with the result. */
function oweTurn(draft: Draft, stopReason: StopReason, parts?: readonly []): void {
  const { lastWords, phase, turn, counters } = draft.session;
  const asks = phase.kind === "idle" && phase.expects === "answer";
  const note = STOP_NOTE[stopReason];
  const text = note === undefined ? lastWords.trim() : `${lastWords.trim()}\n\n(${note})`.trim();
  const data = { text, turn, durationMs: counters.workingMs };
  if (parts === undefined) owe(draft, asks ? "asks" : "turn-finished", data);
  else owe(draft, "turn-finished", data, ["chat"]);
}

const STOP_NOTE: Partial<Record<StopReason, string>> = {
  max_tokens: "iFlow stopped: the model reached its output limit",
  refusal: "iFlow stopped: the model refused",
  cancelled: "the turn was stopped",
  max_turn_requests: "iFlow stopped: the limit of model requests in one turn was reached",
  unknown: "iFlow gave no known reason for stopping",
};

/** Approving a plan does not leave plan mode on the wire: the session is loaded again in the approved mode. */
function carryOutPlan(draft: Draft): void {
  const { approvedPlan: _done, ...rest } = draft.session;
  draft.session = rest;
  const message = pluginMessage(draft, "The plan is approved. Carry it out now.");
  draft.session = { ...draft.session, inbox: [message, ...draft.session.inbox] };
  stopAgent(draft);
  enterQueue(draft, "continue");
}

/** The time of a turn counts while iFlow works; time spent on a person does not. */
export function countWork(draft: Draft): void {
  const { phase } = draft.session;
  if (phase.kind === "working") count(draft, { workingMs: Math.max(0, draft.at - phase.sinceAt) });
}

export function timeoutCause(why: "model_silent" | "tool_timeout"): Cause {
  return why === "model_silent"
    ? { code: "model_silent", message: "iFlow gave no sign of life while waiting for the model, and the turn was stopped" }
    : { code: "tool_timeout", message: "A tool call ran longer than toolTimeoutMinutes, and the turn was stopped" };
}

const END_NOTICE = { completed: "completed", failed: "failed", timed_out: "failed", killed: "killed" } as const;
const CHILD_OUTCOME = { completed: "succeeded", failed: "failed", timed_out: "timed_out", killed: "cancelled" } as const;

/** The one way into the terminal phase. `tell: false` where people know already (an idle session that times out). */
export function end(draft: Draft, outcome: Outcome, cause?: Cause, tell = true): void {
  const { phase, counters, turn, lastWords } = draft.session;
  if (phase.kind === "ended") return;
  const waiting = phase.kind === "asking" ? phase.asks : [];
  if (draft.session.agent?.kind === "ready" && (phase.kind === "working" || waiting.length > 0)) draft.effects.push({ do: "cancel-turn" });
  setPhase(draft, { kind: "ended", at: draft.at, outcome, ...(cause === undefined ? {} : { cause }) });
  draft.session = { ...draft.session, inbox: [], unconfirmed: [] };
  endChild(draft, CHILD_OUTCOME[outcome], cause?.message);
  if (outcome === "killed") draft.effects.push({ do: "end-flow-cancelled" });
  stopAgent(draft);
  if (!tell) return;
  const text = outcome === "completed" ? lastWords.trim() : (cause?.message ?? "");
  owe(draft, END_NOTICE[outcome], { text, turn, durationMs: counters.workingMs });
}

/** The turn is cut off for a reason that a person should decide about; nothing is replayed (I8). */
export function interrupt(draft: Draft, cause: Cause): void {
  countWork(draft);
  const { phase, unconfirmed } = draft.session;
  const open: readonly Ask[] = phase.kind === "asking" ? phase.asks : [];
  setPhase(draft, { kind: "interrupted", sinceAt: draft.at, cause });
  draft.session = { ...draft.session, unconfirmed: [...unconfirmed, ...open.filter((a) => a.questions.some((q) => q.answer !== undefined))] };
  endChild(draft, "failed", cause.message);
  stopAgent(draft);
  owe(draft, "interrupted", { text: cause.message, turn: draft.session.turn });
}

/** The process ended by itself, or after our stop. The slot is free in any case. */
export function agentExited(draft: Draft, cause: Cause): void {
  const { phase, agent } = draft.session;
  if (agent === undefined) return;
  agentGone(draft);
  switch (phase.kind) {
    case "starting":
      end(draft, "failed", cause);
      return;
    case "working":
      if (phase.stopping === undefined) interrupt(draft, cause);
      else afterForcedStop(draft, phase.stopping.why);
      return;
    case "asking":
      // Ended by us (the service stops), or a question of the plugin itself: it stays open without a process.
      if (agent.kind !== "stopping" && phase.asks.some((ask) => ask.requestId !== undefined)) interrupt(draft, cause);
      return;
    case "queued":
      draft.effects.push({ do: "request-slot", ahead: phase.reason === "continue" });
      return;
    case "idle":
    case "interrupted":
    case "ended":
      return;
  }
}

function afterForcedStop(draft: Draft, why: NonNullable<Working["stopping"]>["why"]): void {
  countWork(draft);
  if (why !== "interrupt") {
    end(draft, "timed_out", timeoutCause(why));
    return;
  }
  endChild(draft, "cancelled");
  if (draft.session.inbox.length > 0) enterQueue(draft, "continue");
  else becomeIdle(draft);
}
