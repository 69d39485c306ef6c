/**
 * The outer life of a session: slots and starts, kills, other writers, service stop and recovery.
 * Owns: what a session becomes when something outside of its conversation happens.
 */
import type { AuditFact, ForeignChange, SessionEvent } from "./event.ts";
import { headline } from "./asked-text.ts";
import { endKnownBackground } from "./background.ts";
import { audit, onAnswered, onMessage } from "./answer.ts";
import { GRACE_MS, nextDeadline } from "./deadline.ts";
import {
  agentGone,
  count,
  endChild,
  nextId,
  oneLine,
  owe,
  setPhase,
  startStandIn,
  stopAgent,
  type Draft,
} from "./draft.ts";
import { FRESH_START_OPTIONS, isExactChoice } from "./choice.ts";
import { ok, refuse } from "./errors.ts";
import { resultOf } from "./last-words.ts";
import { runningTools } from "./open-tools.ts";
import { cutText } from "./output.ts";
import { openAsk } from "./said.ts";
import { FRESH_START_TEXT, openQuestions, readAnswer } from "./question.ts";
import type { Ask, By, Cause, Door, Message, Session } from "./session.ts";
import { recoverTold } from "./told.ts";
import { agentExited, beginTurn, countWork, end, enterQueue, interrupt, pluginMessage, takeBack } from "./turn.ts";
import { keepUndone } from "./undone.ts";

type Working = Extract<Session["phase"], { kind: "working" }>;
type Of<T extends SessionEvent["type"]> = Extract<SessionEvent, { type: T }>;

export function onAdmitted(draft: Draft): void {
  const { phase, agent } = draft.session;
  if (phase.kind !== "queued" || agent !== undefined) return;
  // A new value, so that it is stored once more: a flow at its very first value is one whose launch was refused (recovery).
  draft.session = { ...draft.session };
  draft.effects.push({ do: "request-slot", ahead: phase.reason === "continue" });
}

/** Who left the line has given the slot back already, and who holds one has asked for no other: then this is late. */
export function onSlot(draft: Draft): void {
  if (draft.session.phase.kind !== "queued" || draft.session.agent !== undefined) return;
  setPhase(draft, { kind: "starting", sinceAt: draft.at });
  draft.session = { ...draft.session, agent: { kind: "starting" } };
  draft.effects.push({ do: "start-agent" });
}

export function onAgentStarted(draft: Draft, event: Of<"agent-started">): void {
  const { agent } = draft.session;
  if (agent === undefined || event.identity === undefined) return;
  draft.session = { ...draft.session, agent: { ...agent, identity: event.identity } };
}

export function onAgentReady(draft: Draft, event: Of<"agent-ready">): void {
  const { phase, agent } = draft.session;
  if (phase.kind !== "starting" || agent?.kind !== "starting") return;
  if (event.history === "lost" && saidSomething(draft)) {
    askFreshStart(draft);
    return;
  }
  draft.session = { ...draft.session, agent: { ...agent, kind: "ready" }, acpSessionId: event.acpSessionId };
  beginTurn(draft);
}

/** A session in which nothing was said or done has no history to lose. */
function saidSomething({ session }: Draft): boolean {
  const { counters, continues } = session;
  return counters.bytes > 0 || counters.toolCalls > 0 || counters.questionsAsked > 0 || continues !== undefined;
}

/** The agent has no history of this session any more: nothing is sent before a person chose (decision 3). */
function askFreshStart(draft: Draft): void {
  const id = `q${nextId(draft)}`;
  const text = FRESH_START_TEXT;
  const ask: Ask = {
    kind: "fresh-start",
    askedAt: draft.at,
    deadlineAt: draft.at + draft.rules.questionTimeoutMs,
    questions: [
      {
        id,
        kind: "fresh-start",
        text: { text, length: text.length },
        options: FRESH_START_OPTIONS,
        multiSelect: false,
        freeText: false,
      },
    ],
  };
  stopAgent(draft);
  openAsk(draft, ask);
}

export function onStartFailed(draft: Draft, event: Of<"start-failed">): void {
  agentExited(draft, event.cause);
}

/** Killing an idle session that expects nothing closes it as completed (decision 10). */
export function onKill(draft: Draft, event: Of<"kill">): void {
  const { phase, name } = draft.session;
  if (phase.kind === "ended") {
    draft.reply = refuse("wrong_phase", `${name} has already ended (${phase.outcome}).`);
    return;
  }
  draft.reply = ok("now");
  if (phase.kind === "idle" && phase.expects === "nothing") {
    end(draft, "completed", undefined, { silent: true });
    return;
  }
  countWork(draft);
  const told = event.told === true ? { told: true as const } : {};
  end(draft, "killed", STOPPED[event.by.kind](event.by.door), told);
}

const STOPPED = {
  agent: (door) => ({ code: "stopped_by_agent", message: `Stopped by the agent that launched it (${door})` }),
  person: (door) => ({ code: "stopped_by_person", message: `Stopped by a person (${door})` }),
  writer: (door) => ({ code: "stopped_elsewhere", message: `Stopped by another writer of its TaskFlow (${door})` }),
  plugin: (door) => ({ code: "stopped_elsewhere", message: `Stopped by the plugin (${door})` }),
} as const satisfies Record<By["kind"], (door: Door) => Cause>;

export function onForeign(draft: Draft, event: Of<"foreign">): void {
  const { phase } = draft.session;
  if (phase.kind === "ended") return;
  const { kind } = event.change;
  if (kind !== "resumed") draft.effects.push({ do: "audit", fact: endedElsewhere(kind) });
  const elsewhere = (what: string) => ({
    code: "stopped_elsewhere" as const,
    message: `Its TaskFlow was ${what} outside of this plugin`,
  });
  switch (event.change.kind) {
    case "cancelled":
      countWork(draft);
      end(draft, "killed", elsewhere("cancelled"));
      return;
    case "finished":
      countWork(draft);
      end(draft, "completed", elsewhere("finished"));
      return;
    case "failed":
      countWork(draft);
      end(draft, "failed", elsewhere("failed"));
      return;
    case "removed":
      countWork(draft);
      end(draft, "failed", elsewhere("removed"));
      return;
    case "unreadable":
      end(draft, "failed", { code: "storage", message: event.change.reason });
      return;
    case "resumed":
      onForeignResume(draft, event.change, event.message);
      return;
  }
}

/** As the audit log has it. */
export function endedElsewhere(how: string): AuditFact {
  return { operation: "kill", door: "taskflow", outcome: "ok", params: { flow: how } };
}

/** Another writer's resume answers only with an open option's exact words; a plain "continue" suits idle and interrupted (decision 8). */
function onForeignResume(
  draft: Draft,
  change: Extract<ForeignChange, { kind: "resumed" }>,
  message: Message | undefined,
): void {
  const { phase } = draft.session;
  const by = { kind: "writer" as const, door: "taskflow" as const };
  if (phase.kind === "asking") {
    const [question, ...more] = openQuestions(phase.asks);
    const words = change.text ?? "";
    const strict = question?.kind !== "question";
    const read =
      question === undefined || words === "" || (strict && !isExactChoice(question, words))
        ? undefined
        : readAnswer(question, words);
    if (question !== undefined && more.length === 0 && read?.ok === true) {
      onAnswered(draft, {
        type: "answered",
        at: draft.at,
        questionId: question.id,
        answer: { ...read.value, by, at: draft.at },
      });
      return;
    }
    owe(draft, "warning", { code: "foreign_resume", text: words });
    return;
  }
  if (phase.kind !== "idle" && phase.kind !== "interrupted") return;
  const words = message ?? pluginMessage(draft, change.text ?? "continue");
  onMessage(draft, { type: "message", at: draft.at, interrupt: false, message: words });
  audit(draft, "taskflow", draft.reply?.ok === false ? draft.reply.refusal.code : "ok", { message: words.text.text });
  // Nobody reads the refusal, so it is told.
  if (draft.reply?.ok === false) owe(draft, "warning", { text: draft.reply.refusal.message });
}

/** The service stops: the process ends, nothing is answered, everything can be resumed (decision 15). */
export function onStopping(draft: Draft): void {
  const { phase } = draft.session;
  switch (phase.kind) {
    case "starting":
      // It had its place already: it is the first again.
      setPhase(draft, { kind: "queued", reason: launchOrContinue(draft), sinceAt: draft.session.createdAt });
      break;
    case "working":
      if (phase.prompt === "pending") {
        // It never left, so the job has not begun.
        takeBack(draft, phase.message);
        setPhase(draft, { kind: "queued", reason: launchOrContinue(draft), sinceAt: draft.session.createdAt });
        break;
      }
      if (phase.stopping?.why === "interrupt") {
        goOnWithMessage(draft, draft.at);
        break;
      }
      interrupt(draft, { code: "gateway_stopped", message: "The gateway was stopped while iFlow worked" });
      break;
    case "queued":
    case "asking":
    case "idle":
    case "interrupted":
    case "ended":
      break;
  }
  endChild(draft, "cancelled", "The gateway was stopped");
  stopAgent(draft);
}

/** The first event after a restart. No process of before counts as alive; nothing is replayed (I8). */
export function onRecovered(draft: Draft, event: Of<"recovered">): void {
  agentGone(draft);
  draft.effects.length = 0;
  const { phase, output } = draft.session;
  if (phase.kind === "ended") {
    // Its flow may not say so yet: a new value is stored again.
    draft.session = { ...draft.session };
    if (phase.outcome === "killed") draft.effects.push({ do: "end-flow-cancelled" });
    return;
  }
  if (event.outputEnd > output.end)
    draft.session = { ...draft.session, output: { text: "", start: event.outputEnd, end: event.outputEnd } };
  endChild(draft, "failed", "The gateway was restarted");
  holdDeadline(draft);
  recoverTold(draft);
  switch (phase.kind) {
    case "queued":
    case "starting":
      recoverQueued(draft, event.promptLeft);
      return;
    case "working":
      recoverWorking(draft, phase, phase.prompt === "left" ? "yes" : event.promptLeft);
      return;
    case "asking":
      startStandIn(draft, openQuestions(phase.asks).map(headline)[0] ?? "");
      return;
    case "idle":
      endKnownBackground(draft);
      if (phase.expects === "answer") startStandIn(draft, phase.preview);
      return;
    case "interrupted":
      if (phase.cause.code === "gateway_stopped") goOnUnasked(draft);
      return;
  }
}

/** A deadline that passed while no gateway ran holds for an hour more, and people are told once (decision 2). */
function holdDeadline(draft: Draft): void {
  const { phase } = draft.session;
  const due = nextDeadline(draft.session, draft.rules);
  if (phase.kind === "working" || due === undefined || due > draft.at) return;
  draft.session = { ...draft.session, graceUntil: draft.at + GRACE_MS };
  const awaited =
    phase.kind === "asking" || phase.kind === "interrupted" || (phase.kind === "idle" && phase.expects === "answer");
  if (awaited) owe(draft, "warning", { code: "deadline_held", durationMs: GRACE_MS });
}

function launchOrContinue({ session }: Draft): "launch" | "continue" {
  return session.counters.turns === 0 && session.continues === undefined ? "launch" : "continue";
}

/** Back in line, at the place it had. The prompt's line of the turn that was to begin tells whether it had begun after all (decision 12). */
function recoverQueued(draft: Draft, promptLeft: "yes" | "no"): void {
  const { phase, inbox, turn, createdAt } = draft.session;
  if (promptLeft === "yes") {
    draft.session = { ...draft.session, turn: turn + 1, inbox: inbox.slice(1) };
    keepUndone(draft, inbox.slice(0, 1));
    count(draft, { turns: 1 });
    interrupt(draft, { code: "gateway_restarted", message: knownWork(draft) });
    return;
  }
  const waited = phase.kind === "queued" ? phase : { reason: launchOrContinue(draft), sinceAt: createdAt };
  setPhase(draft, { kind: "queued", reason: waited.reason, sinceAt: waited.sinceAt });
  draft.effects.push({ do: "request-slot", ahead: waited.reason === "continue" });
}

function recoverWorking(draft: Draft, phase: Working, promptLeft: "yes" | "no"): void {
  if (promptLeft === "no") {
    // Its line is not in the journal, so it never left. The next turn has a new number: the child's run id is used up.
    takeBack(draft, phase.message);
    setPhase(draft, { kind: "queued", reason: launchOrContinue(draft), sinceAt: draft.session.createdAt });
    draft.effects.push({ do: "request-slot", ahead: true });
    return;
  }
  if (phase.stopping?.why === "interrupt" && draft.session.inbox.length > 0) {
    goOnWithMessage(draft, phase.lastSignAt);
    return;
  }
  setPhase(draft, { ...phase, prompt: "left" });
  // Nobody knows when it stopped; the last sign of life is the safe guess.
  interrupt(draft, { code: "gateway_restarted", message: knownWork(draft) }, phase.lastSignAt);
  goOnUnasked(draft);
}

/** Somebody had stopped the turn to say something else: that goes on by itself. */
function goOnWithMessage(draft: Draft, workedUntilAt: number): void {
  countWork(draft, workedUntilAt);
  endChild(draft, "cancelled");
  enterQueue(draft, "continue");
}

/** By `restartPolicy: continue`, a session that a restart interrupted goes on with words that say so. */
function goOnUnasked(draft: Draft): void {
  if (draft.rules.afterRestart === "ask") return;
  const text =
    "The gateway was restarted while you worked on this. Check what is already done, then go on where you stopped.";
  draft.session = { ...draft.session, inbox: [pluginMessage(draft, text), ...draft.session.inbox] };
  enterQueue(draft, "continue");
}

const LAST_WORDS_LENGTH = 200;
const RUNNING_LENGTH = 200;

function knownWork(draft: Draft): string {
  const { phase, counters, filesEdited, turn } = draft.session;
  const [running] = phase.kind === "working" ? runningTools(phase.openTools) : [];
  const tool = running === undefined ? "" : ` It was running: ${cutText(oneLine(running.title), RUNNING_LENGTH)}.`;
  const files = filesEdited.length === 0 ? "" : ` Files edited: ${filesEdited.slice(-5).join(", ")}.`;
  const said = oneLine(resultOf(draft.session, LAST_WORDS_LENGTH).text);
  const words = said === "" ? "" : ` Last words: "${said}".`;
  return `The gateway went down in turn ${turn}, after ${counters.toolCalls} tool ${counters.toolCalls === 1 ? "call" : "calls"}.${tool}${files}${words}`;
}
