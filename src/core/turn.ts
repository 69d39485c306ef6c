/**
 * The beginnings and ends of turns.
 * Owns: which phase a turn starts from and leaves behind. A message leaves the inbox exactly when its turn begins.
 */
import type { StopReason } from "./agent-event.ts";
import { endKnownBackground } from "./background.ts";
import { withoutWaiting } from "./open-tools.ts";
import {
  activateChild,
  agentGone,
  count,
  endChild,
  nextId,
  oneLine,
  owe,
  partsOf,
  setPhase,
  startStandIn,
  startTurnChild,
  stopAgent,
  type Draft,
} from "./draft.ts";
import { isInterrupted, resultOf, shownLastWords } from "./last-words.ts";
import { questionAtEnd } from "./output.ts";
import { hasAnswer } from "./question.ts";
import { breakOff } from "./voices.ts";
import type { Ask, Cause, Counters, Message, NoticeCode, NoticeData, Outcome, Phase } from "./session.ts";
import { forgetUndone, keepUndone, undoneAtEnd, undoneWhenCut } from "./undone.ts";

type Working = Extract<Phase, { kind: "working" }>;
type Stopping = NonNullable<Working["stopping"]>;
type Asking = Extract<Phase, { kind: "asking" }>;

const PREVIEW_LENGTH = 300;

/** Takes the first message of the inbox and begins its turn on the live, idle agent. */
export function beginTurn(draft: Draft): void {
  const [message, ...inbox] = draft.session.inbox;
  if (message === undefined) {
    becomeIdle(draft);
    return;
  }
  endChild(draft, "cancelled");
  breakOff(draft);
  const turn = draft.session.turn + 1;
  const { lastWordsFrom: _before, ...session } = draft.session;
  const { workingMs, toolCalls } = session.counters;
  draft.session = { ...session, inbox, turn, standIns: 0, lastWords: "", turnFrom: { workingMs, toolCalls } };
  count(draft, { turns: 1 });
  setPhase(draft, {
    kind: "working",
    sinceAt: draft.at,
    message,
    prompt: "pending",
    lastSignAt: draft.at,
    openTools: [],
  });
  startTurnChild(draft, message);
  draft.effects.push({ do: "send-prompt", turn, message });
}

/** Back to work in the same turn, when the last open question was answered. */
export function resumeTurn(draft: Draft, asking: Asking): void {
  const { message } = asking;
  if (message === undefined) {
    enterQueue(draft, "continue");
    return;
  }
  const openTools = withoutWaiting(asking.openTools, asking.sinceAt, draft.at);
  setPhase(draft, { kind: "working", sinceAt: draft.at, message, prompt: "left", lastSignAt: draft.at, openTools });
  activateChild(draft);
}

/** The next turn on the live agent; where its process is on the way out, through the queue. */
function nextTurn(draft: Draft): void {
  if (draft.session.agent?.kind === "ready") beginTurn(draft);
  else enterQueue(draft, "continue");
}

/** Waits for a slot to go on: ahead of launches, and only when the old process is gone. */
export function enterQueue(draft: Draft, reason: "launch" | "continue"): void {
  setPhase(draft, { kind: "queued", reason, sinceAt: draft.at });
  if (draft.session.agent === undefined) draft.effects.push({ do: "request-slot", ahead: reason === "continue" });
  else stopAgent(draft);
}

function becomeIdle(draft: Draft): void {
  const expects = questionAtEnd(draft.session.lastWords) === "" ? "nothing" : "answer";
  const asked = questionAtEnd(shownLastWords(draft.session));
  const isShort = asked !== "" && asked.length <= PREVIEW_LENGTH;
  const words = isShort ? asked : resultOf(draft.session, PREVIEW_LENGTH).text;
  setPhase(draft, { kind: "idle", sinceAt: draft.at, expects, preview: words });
  if (expects === "answer") startStandIn(draft, words);
}

/** A message of the plugin itself, e.g. the prompt that carries out an approved plan. */
export function pluginMessage(draft: Draft, text: string): Message {
  return {
    id: `m${nextId(draft)}`,
    text: { text, length: text.length },
    by: { kind: "plugin", door: "plugin" },
    at: draft.at,
  };
}

/** The reply to the prompt has come: the turn is over. */
export function finishTurn(draft: Draft, stopReason: StopReason): void {
  const { phase, settings } = draft.session;
  if (phase.kind !== "working" && phase.kind !== "asking") return;
  // The plugin's own question belongs to no turn.
  if (phase.kind === "asking" && phase.message === undefined) return;
  const stopping = phase.kind === "working" ? phase.stopping : undefined;
  countWork(draft);
  withdrawAsks(draft);
  if (stopping !== undefined && stopping.why !== "interrupt") {
    end(draft, "timed_out", timeoutCause(stopping));
    return;
  }
  forgetUndone(draft);
  endChild(draft, stopReason === "cancelled" ? "cancelled" : "succeeded");
  const cut = stopReason === "cancelled";
  if (draft.session.approvedPlan?.turn === draft.session.turn) {
    carryOutPlan(draft, cut);
    return;
  }
  if (!cut && settings.singleTurn && draft.session.inbox.length === 0) {
    end(draft, "completed", undefined, { note: endCode(draft, stopReason) });
    return;
  }
  if (draft.session.inbox.length > 0) {
    if (!cut) owe(draft, "turn-finished", turnData(draft, stopReason), ["chat"]);
    nextTurn(draft);
    return;
  }
  becomeIdle(draft);
  // 🔔 when the last words ask something, else ✅ with the result.
  const asks = draft.session.phase.kind === "idle" && draft.session.phase.expects === "answer";
  owe(draft, asks ? "asks" : "turn-finished", turnData(draft, stopReason));
}

/**
 * Why it stopped; undefined: by itself. iFlow says `end_turn` also when it stops at max_turns, and then in the middle: each of its
 * model calls has asked for a tool, and no words followed the last one.
 */
function endCode({ session }: Draft, stopReason: StopReason): NoticeCode | undefined {
  if (stopReason !== "end_turn") return stopReason;
  const { settings, counters, turnFrom } = session;
  const calls = counters.toolCalls - (turnFrom?.toolCalls ?? 0);
  const isSilent = session.lastWords === "" || isInterrupted(session);
  const { maxTurns } = settings;
  return maxTurns !== undefined && isSilent && calls >= Math.max(1, maxTurns - 1) ? "may_be_cut" : undefined;
}

/** The result of the turn; why it stopped is said when it did not stop by itself. */
function turnData(draft: Draft, stopReason: StopReason): NoticeData {
  const { turn, counters } = draft.session;
  const why = endCode(draft, stopReason);
  const code = why === undefined ? {} : { code: why };
  const before = draft.session.turnFrom?.workingMs ?? 0;
  return { ...resultData(draft), ...code, turn, durationMs: counters.workingMs - before };
}

/** The end of the result, cut here and nowhere else, and where the rest of it is. */
function resultData({ session }: Draft): Pick<NoticeData, "text" | "leftOut"> {
  const { text, leftOut } = resultOf(session);
  const since = session.lastWordsFrom?.at;
  return { text, ...(leftOut === 0 || since === undefined ? {} : { leftOut: { length: leftOut, since } }) };
}

/** A request that is still open when its turn ends gets its one answer here (I4). */
function withdrawAsks(draft: Draft): void {
  const { phase, agent } = draft.session;
  if (phase.kind !== "asking" || agent?.kind !== "ready") return;
  for (const { requestId } of phase.asks) {
    if (requestId !== undefined) draft.effects.push({ do: "reply", requestId, reply: { kind: "cancelled" } });
  }
}

/**
 * Approving a plan does not leave plan mode on the wire: the session is loaded again in the approved mode.
 * A turn that somebody cut off goes on with their message instead.
 */
function carryOutPlan(draft: Draft, cut: boolean): void {
  const { approvedPlan: _done, ...rest } = draft.session;
  draft.session = rest;
  stopAgent(draft);
  if (!cut) {
    const message = pluginMessage(draft, "The plan is approved. Carry it out now.");
    draft.session = { ...draft.session, inbox: [message, ...draft.session.inbox] };
  }
  if (draft.session.inbox.length > 0) enterQueue(draft, "continue");
  else becomeIdle(draft);
}

/** The time of a turn counts while iFlow works; time spent on a person, or while no gateway ran, does not. */
export function countWork(draft: Draft, untilAt: number = draft.at): void {
  const { phase } = draft.session;
  if (phase.kind === "working") count(draft, { workingMs: Math.max(0, untilAt - phase.sinceAt) });
}

function timeoutCause({ why, tool = "A tool call" }: Stopping): Cause {
  return why === "tool_timeout"
    ? { code: why, message: `${oneLine(tool)} ran longer than toolTimeoutMinutes, and the turn was stopped` }
    : {
        code: "model_silent",
        message: "iFlow gave no sign of life while waiting for the model (iflowTimeout), and the turn was stopped",
      };
}

export const END_NOTICE = { completed: "completed", failed: "failed", timed_out: "failed", killed: "killed" } as const;
const CHILD_OUTCOME = {
  completed: "succeeded",
  failed: "failed",
  timed_out: "timed_out",
  killed: "cancelled",
} as const;

export interface EndWords {
  /** People know already (an idle session that times out). */
  readonly silent?: true;
  /** The chat knows from the reply to its command. */
  readonly told?: true;
  readonly note?: NoticeCode | undefined;
}

/** The one way into the terminal phase. */
export function end(draft: Draft, outcome: Outcome, cause?: Cause, words: EndWords = {}): void {
  const { phase, agent, counters, turn, inbox } = draft.session;
  if (phase.kind === "ended") return;
  // Who waits in line leaves it; a slot that is held goes back when the process is gone.
  if (phase.kind === "queued" && agent === undefined) draft.effects.push({ do: "release-slot" });
  const waiting = phase.kind === "asking" ? phase.asks : [];
  if (agent?.kind === "ready" && (phase.kind === "working" || waiting.length > 0))
    draft.effects.push({ do: "cancel-turn" });
  keepUndone(draft, undoneAtEnd(draft.session, outcome));
  setPhase(draft, { kind: "ended", at: draft.at, outcome, ...(cause === undefined ? {} : { cause }) });
  draft.session = { ...draft.session, inbox: [], unconfirmed: [] };
  endChild(draft, CHILD_OUTCOME[outcome], cause?.message);
  if (outcome === "killed") draft.effects.push({ do: "end-flow-cancelled" });
  stopAgent(draft);
  if (words.silent === true) return;
  const said = outcome === "completed" ? resultData(draft) : { text: cause?.message ?? "" };
  const code = cause?.code ?? words.note;
  const told = { ...said, ...(code === undefined ? {} : { code }), turn, durationMs: counters.workingMs };
  const kind = END_NOTICE[outcome];
  const parts = partsOf(draft.session, kind).filter((part) => part !== "chat" || words.told !== true);
  if (parts.length > 0) owe(draft, kind, { ...told, ...unsentOf(inbox, counters) }, parts);
}

/** Messages that waited and were not sent; of a session that never began its job, that is no news. */
export function unsentOf(inbox: readonly Message[], { turns }: Pick<Counters, "turns">): Pick<NoticeData, "unsent"> {
  return inbox.length > 0 && turns > 0 ? { unsent: inbox.length } : {};
}

/** The turn is cut off for a reason that a person should decide about; nothing is replayed (I8). */
export function interrupt(draft: Draft, cause: Cause, workedUntilAt: number = draft.at): void {
  countWork(draft, workedUntilAt);
  const { phase, unconfirmed } = draft.session;
  const open: readonly Ask[] = phase.kind === "asking" ? phase.asks : [];
  keepUndone(draft, undoneWhenCut(draft.session));
  setPhase(draft, { kind: "interrupted", sinceAt: draft.at, cause });
  draft.session = {
    ...draft.session,
    unconfirmed: [...unconfirmed, ...open.filter(hasAnswer)],
  };
  endChild(draft, "failed", cause.message);
  stopAgent(draft);
  owe(draft, "interrupted", { text: cause.message, code: cause.code, turn: draft.session.turn });
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
      if (phase.stopping !== undefined) afterForcedStop(draft, phase.stopping);
      else {
        interrupt(draft, cause);
        if (phase.prompt === "pending") takeBack(draft, phase.message);
      }
      return;
    case "asking":
      // Ended by us (the service stops), or a question of the plugin itself: it stays open without a process.
      if (agent.kind !== "stopping" && phase.asks.some((ask) => ask.requestId !== undefined)) interrupt(draft, cause);
      return;
    case "queued":
      draft.effects.push({ do: "request-slot", ahead: phase.reason === "continue" });
      return;
    case "idle":
      if (agent.kind !== "stopping") endKnownBackground(draft);
      return;
    case "interrupted":
    case "ended":
      return;
  }
}

/** The message of a turn whose prompt never left waits again. */
export function takeBack(draft: Draft, message: Message): void {
  count(draft, { turns: -1 });
  draft.session = { ...draft.session, inbox: [message, ...draft.session.inbox] };
}

function afterForcedStop(draft: Draft, stopping: Stopping): void {
  countWork(draft);
  if (stopping.why !== "interrupt") {
    end(draft, "timed_out", timeoutCause(stopping));
    return;
  }
  endChild(draft, "cancelled");
  if (draft.session.inbox.length > 0) enterQueue(draft, "continue");
  else becomeIdle(draft);
}
