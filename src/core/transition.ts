/**
 * The only place where a session changes: `transition(session, event, rules) -> { session, effects }`.
 * Owns: which handler an event goes to, and the guard of the terminal phase (TaskFlow itself has none: nothing there is sticky).
 * Invariants: I1 (one event at a time, by the caller), I3 (a session is JSON), I5 (`agent` is defined exactly while a slot is held).
 */
import { onAnswered, onMessage } from "./answer.ts";
import { onBackgroundEnded, onLookedBehind } from "./background.ts";
import { noteDropped } from "./closed-question.ts";
import { onClock } from "./deadline.ts";
import { owe, replaceChild, setPhase, stopAgent, type Draft } from "./draft.ts";
import type { Rules, SessionEvent, Step } from "./event.ts";
import {
  onAgentReady,
  onAdmitted,
  onAgentStarted,
  onForeign,
  onKill,
  onRecovered,
  onSlot,
  onStartFailed,
  onStopping,
} from "./life.ts";
import { ok, refuse } from "./errors.ts";
import { onlyAsks } from "./open-tools.ts";
import { onSaid } from "./said.ts";
import { joinSettled } from "./settled-asks.ts";
import { onSlept } from "./slept.ts";
import { noteTold, overtakeAll } from "./told.ts";
import type { Session, Viewer } from "./session.ts";
import { movedChat, toldSomewhere } from "./told-chats.ts";
import { interrupt, takeBack } from "./turn.ts";
import { showPrompt } from "./voices.ts";

const MAX_VIEWERS = 16;

export function transition(session: Session, event: SessionEvent, rules: Rules): Step {
  const draft: Draft = { session, effects: [], written: "", reply: undefined, at: event.at, rules };
  handle(draft, event);
  noteDropped(draft, session.phase);
  if (draft.session.phase !== session.phase) joinSettled(draft);
  const { effects, written, reply } = draft;
  return {
    session: draft.session,
    effects,
    ...(written === "" ? {} : { written }),
    ...(reply === undefined ? {} : { reply }),
  };
}

/** Several events that happened at once, as one step: stored together or not at all. */
export function transitions(session: Session, events: readonly SessionEvent[], rules: Rules): Step {
  let step: Step = { session, effects: [] };
  for (const event of events) {
    const next = transition(step.session, event, rules);
    const written = (step.written ?? "") + (next.written ?? "");
    const effects = [...step.effects, ...next.effects];
    step = { ...next, effects, ...(written === "" ? {} : { written }) };
  }
  return step;
}

function handle(draft: Draft, event: SessionEvent): void {
  switch (event.type) {
    case "admitted":
      return onAdmitted(draft);
    case "slot-granted":
      return onSlot(draft);
    case "placed":
      return onPlaced(draft, event);
    case "agent-started":
      return onAgentStarted(draft, event);
    case "agent-ready":
      return onAgentReady(draft, event);
    case "start-failed":
      return onStartFailed(draft, event);
    case "prompt-left":
      return onPromptLeft(draft, event.turn);
    case "prompt-failed":
      return onPromptFailed(draft, event);
    case "said":
      return onSaid(draft, event);
    case "message":
      return onMessage(draft, event);
    case "answered":
      return onAnswered(draft, event);
    case "kill":
      return onKill(draft, event);
    case "foreign":
      return onForeign(draft, event);
    case "clock":
      return onClock(draft);
    case "slept":
      return onSlept(draft, event.ms);
    case "park":
      return onPark(draft);
    case "looked-behind":
      return onLookedBehind(draft, event.commands);
    case "background-ended":
      return onBackgroundEnded(draft, event.commands);
    case "stopping":
      return onStopping(draft);
    case "recovered":
      return onRecovered(draft, event);
    case "told":
      return onTold(draft, event);
    case "overtaken":
      return overtakeAll(draft, "said");
    case "moved":
      draft.session = movedChat(draft.session, event.from, event.to);
      return;
    case "viewed":
      return onViewed(draft, event.viewer);
    case "shown":
      return onShown(draft, event.key, event.seen);
    case "child-lost":
      return replaceChild(draft, event.runId);
    case "continued":
      draft.session = { ...draft.session, continuedBy: event.by };
      return;
    case "warn":
      return owe(draft, "warning", { text: event.text, ...(event.code === undefined ? {} : { code: event.code }) }, [
        "chat",
      ]);
  }
}

function onPlaced(draft: Draft, { place, told, asking = [] }: Extract<SessionEvent, { type: "placed" }>): void {
  // The reply to the command has said the place, but not who holds the slots.
  if (draft.session.phase.kind !== "queued" || (told === true && asking.length === 0)) return;
  owe(draft, "queued", { place, ...(asking.length === 0 ? {} : { asking }) }, ["chat"]);
}

/**
 * Somebody waits for the slot: a process that only waits as well ends. A question stays open without it, as after a restart;
 * its answer starts iFlow again.
 */
function onPark(draft: Draft): void {
  if (draft.session.phase.kind === "idle" || onlyAsks(draft.session)) stopAgent(draft);
}

/** The prompt may leave only when this says so: a turn that was stopped meanwhile has its message back in line. */
function onPromptLeft(draft: Draft, turn: number): void {
  const { phase, name } = draft.session;
  if (phase.kind !== "working" || draft.session.turn !== turn) {
    draft.reply = refuse("wrong_phase", `Turn ${turn} of ${name} is over before its prompt has left.`);
    return;
  }
  setPhase(draft, { ...phase, prompt: "left" });
  showPrompt(draft, phase.message);
  draft.reply = ok("now");
}

/** The line of the prompt could not be journalled, so it was not sent: it waits for somebody to say continue (I8). */
function onPromptFailed(draft: Draft, event: Extract<SessionEvent, { type: "prompt-failed" }>): void {
  const { phase } = draft.session;
  if (phase.kind !== "working" || draft.session.turn !== event.turn) return;
  interrupt(draft, event.cause);
  takeBack(draft, phase.message);
}

function onTold(draft: Draft, event: Extract<SessionEvent, { type: "told" }>): void {
  const { noticeId, part, arrived } = event;
  if (part === "chat") draft.session = toldSomewhere(draft.session, event, draft.at);
  const { session } = draft;
  const notice = session.owed.find(({ id }) => id === noticeId);
  const owed = session.owed
    .map((one) => (one.id === noticeId ? { ...one, parts: one.parts.filter((p) => p !== part) } : one))
    .filter((one) => one.parts.length > 0);
  draft.session = { ...session, owed };
  if (part === "chat" && arrived === true && notice?.kind === "asks") noteTold(draft, notice, event);
}
function onShown(draft: Draft, key: string, seen: number): void {
  const viewers = draft.session.viewers.map((v) => (v.key === key && v.seen < seen ? { ...v, seen } : v));
  draft.session = { ...draft.session, viewers };
}

/** A chat's view replaces its earlier one and never goes back; past the bound the one that was heard of longest ago goes. */
function onViewed(draft: Draft, viewer: Viewer): void {
  const before = draft.session.viewers.find((v) => v.key === viewer.key);
  const seen = Math.max(viewer.seen, before?.seen ?? 0);
  const others = draft.session.viewers.filter((v) => v.key !== viewer.key);
  draft.session = { ...draft.session, viewers: [...others, { ...viewer, seen }].slice(-MAX_VIEWERS) };
}
