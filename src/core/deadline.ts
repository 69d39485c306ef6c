/**
 * Deadlines: when the next one is, and what happens when it has come.
 * Owns: what each phase waits for. There is one timer a session, set to `nextDeadline`; it comes back as a `clock` event.
 */
import { denyAsk } from "./answer.ts";
import { owe, setPhase, stopAgent, type Draft } from "./draft.ts";
import { runningTools } from "./open-tools.ts";
import type { Rules } from "./event.ts";
import type { Phase, Session, StopWhy } from "./session.ts";
import { end } from "./turn.ts";

type Working = Extract<Phase, { kind: "working" }>;
type Idle = Extract<Phase, { kind: "idle" }>;

/** How long a cancelled turn may take to end before its process is stopped. */
const STOP_PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 10_000;
const ABANDONED_AFTER_MS = 7 * 24 * 60 * 60_000;

/** A deadline that passed while no gateway ran holds for so long after the start (decision 2). */
export const GRACE_MS = 60 * 60_000;

/** Deadlines that had passed at the restart are moved; later ones stay. */
function held({ graceUntil }: Session, at: number): number {
  return graceUntil !== undefined && at <= graceUntil - GRACE_MS ? graceUntil : at;
}

/** ms since the epoch of the next moment at which something is due; undefined when nothing can become due. */
export function nextDeadline(session: Session, rules: Rules): number | undefined {
  const { phase } = session;
  switch (phase.kind) {
    case "queued":
    case "starting":
    case "ended":
      return undefined;
    case "working":
      return workingDeadline(session, phase, rules);
    case "asking":
      return Math.min(...phase.asks.map((ask) => held(session, ask.deadlineAt)));
    case "idle": {
      const over = held(session, phase.sinceAt + idleMs(phase, rules));
      return session.agent?.kind === "ready" ? Math.min(over, lookAt(phase, rules)) : over;
    }
    case "interrupted":
      return held(session, phase.sinceAt + ABANDONED_AFTER_MS);
  }
}

/** When its process has waited long enough for a follow-up; from then on it is looked again and again whether commands still run. */
function lookAt({ sinceAt, lookedAt }: Idle, { keepAliveMs }: Rules): number {
  return lookedAt === undefined ? sinceAt + keepAliveMs : lookedAt + Math.max(keepAliveMs, LOOK_AGAIN_MS);
}

function idleMs(phase: Idle, rules: Rules): number {
  return phase.expects === "answer" ? rules.questionTimeoutMs : rules.idleTimeoutMs;
}

function workingDeadline(session: Session, phase: Working, rules: Rules): number {
  if (phase.stopping !== undefined) return phase.stopping.sinceAt + STOP_PATIENCE_MS;
  const limit = activityLimit(session, phase, rules).at;
  return phase.quietToldAt === undefined ? Math.min(limit, phase.lastSignAt + rules.quietAfterMs) : limit;
}

/** While a tool call is open the turn is alive as long as the tool may run; else the model has `timeoutMs` for a sign (decision 1). */
function activityLimit(
  session: Session,
  phase: Working,
  rules: Rules,
): { readonly at: number; readonly why: StopWhy; readonly tool?: string } {
  const [oldest] = runningTools(phase.openTools).toSorted((a, b) => a.sinceAt - b.sinceAt);
  if (oldest === undefined) return { at: phase.lastSignAt + session.settings.timeoutMs, why: "model_silent" };
  return { at: oldest.sinceAt + rules.toolTimeoutMs, why: "tool_timeout", tool: oldest.title };
}

export function onClock(draft: Draft): void {
  const due = nextDeadline(draft.session, draft.rules);
  if (due === undefined || due > draft.at) return;
  const { phase } = draft.session;
  switch (phase.kind) {
    case "working":
      onWorkingDeadline(draft, phase);
      return;
    case "asking":
      for (const ask of phase.asks) {
        if (held(draft.session, ask.deadlineAt) <= draft.at) denyAsk(draft, ask, "deadline_passed");
      }
      return;
    case "idle":
      onIdleDeadline(draft, phase);
      return;
    case "interrupted":
      end(draft, "failed", { code: "abandoned", message: `${phase.cause.message} Nobody continued it for 7 days.` });
      return;
    case "queued":
    case "starting":
    case "ended":
      return;
  }
}

function onWorkingDeadline(draft: Draft, phase: Working): void {
  if (phase.stopping !== undefined) {
    stopAgent(draft);
    // The process is on its way out; its exit ends the turn. Should even that not come, this is asked again.
    setPhase(draft, { ...phase, stopping: { ...phase.stopping, sinceAt: draft.at } });
    return;
  }
  const limit = activityLimit(draft.session, phase, draft.rules);
  if (limit.at <= draft.at) {
    const { at: _due, ...why } = limit;
    setPhase(draft, { ...phase, stopping: { ...why, sinceAt: draft.at } });
    draft.effects.push({ do: "cancel-turn" });
    return;
  }
  setPhase(draft, { ...phase, quietToldAt: draft.at });
  const tool = runningTools(phase.openTools).at(-1);
  const doing =
    tool === undefined ? { code: "waiting_for_model" as const } : { code: "running_tool" as const, text: tool.title };
  owe(draft, "quiet", { ...doing, durationMs: draft.at - phase.lastSignAt });
}

function onIdleDeadline(draft: Draft, phase: Idle): void {
  const over = held(draft.session, phase.sinceAt + idleMs(phase, draft.rules));
  if (over > draft.at) {
    setPhase(draft, { ...phase, lookedAt: draft.at });
    draft.effects.push({ do: "look-behind" });
    return;
  }
  if (phase.expects === "nothing") end(draft, "completed", undefined, { silent: true });
  else end(draft, "completed", { code: "abandoned", message: "Its last question was not answered in time" });
}
