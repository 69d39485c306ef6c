/**
 * What the agent said becomes state: words, tool calls, requests, ends of turns.
 * Owns: the effect of each agent event in each phase. Every event keeps its words, whatever the phase.
 */
import type { AgentEvent, AgentRequest } from "./agent-event.ts";
import { countWork } from "./turn.ts";
import { agentExited, end, finishTurn } from "./turn.ts";
import { count, endChild, nextId, oneLine, owe, setPhase, startStandIn, type Draft } from "./draft.ts";
import type { SessionEvent } from "./event.ts";
import { appendOutput, cutText, lastWordsAfter, streamPiece, type StreamRules } from "./output.ts";
import { allowedUnasked, allowOption, grantFor, subjectOf } from "./permission.ts";
import { askFrom } from "./question.ts";
import type { Ask, OpenTool, Session } from "./session.ts";

type Said = Extract<SessionEvent, { type: "said" }>;
type ToolEvent = Extract<AgentEvent, { kind: "tool" }>;

const MAX_FILES = 20;
const MAX_ASKS = 16;
const CAUSE_LENGTH = 1_000;

export function onSaid(draft: Draft, said: Said): void {
  const { event } = said;
  listen(draft, said);
  switch (event.kind) {
    case "text":
    case "thought":
    case "plan":
    case "commands":
    case "log":
      return;
    case "tool":
      onTool(draft, event);
      return;
    case "asked":
      onAsked(draft, event.request, said);
      return;
    case "turn-ended":
      if (event.turn === draft.session.turn) finishTurn(draft, event.stopReason);
      return;
    case "turn-failed":
      if (event.turn === draft.session.turn) onTurnFailed(draft, event.message);
      return;
    case "exited":
      agentExited(draft, { code: "agent_exited", message: exitMessage(event.report) });
      return;
  }
}

/** Sign of life, counters, the output stream and the last words. */
function listen(draft: Draft, said: Said): void {
  const { event } = said;
  const { phase, output } = draft.session;
  const piece = outputPiece(draft.session, event, draft.rules);
  draft.session = {
    ...draft.session,
    output: piece === "" ? output : appendOutput(output, piece, draft.rules.outputBufferBytes),
    lastWords: lastWordsAfter(draft.session.lastWords, event),
  };
  if (event.kind !== "exited" && event.kind !== "log") {
    count(draft, { chunks: said.chunks, bytes: piece.length });
    if (draft.session.unconfirmed.length > 0) draft.session = { ...draft.session, unconfirmed: [] };
    if (phase.kind === "working") {
      const { quietToldAt: _told, ...rest } = phase;
      setPhase(draft, { ...rest, prompt: "left", lastSignAt: draft.at });
    }
  }
}

/** What this event adds to the output stream of this session. */
export function outputPiece(session: Session, event: AgentEvent, rules: StreamRules): string {
  const open = event.kind === "tool" ? openToolsOf(session).find((t) => t.toolCallId === event.toolCallId) : undefined;
  return streamPiece(event, open, rules);
}

function openToolsOf({ phase }: Session): readonly OpenTool[] {
  return phase.kind === "working" || phase.kind === "asking" ? phase.openTools : [];
}

function onTool(draft: Draft, event: ToolEvent): void {
  const { phase } = draft.session;
  const open = openToolsOf(draft.session);
  const known = open.find((tool) => tool.toolCallId === event.toolCallId);
  const done = event.status === "completed" || event.status === "failed";
  if (known === undefined) count(draft, { toolCalls: 1 });
  if (event.files !== undefined && event.status === "completed") {
    const files = [...draft.session.filesEdited.filter((f) => !event.files?.includes(f)), ...event.files];
    draft.session = { ...draft.session, filesEdited: files.slice(-MAX_FILES) };
  }
  if (phase.kind !== "working" && phase.kind !== "asking") return;
  const others = open.filter((tool) => tool.toolCallId !== event.toolCallId);
  setPhase(draft, { ...phase, openTools: done ? others : [...others, openTool(draft, event, known)] });
  const title = event.title ?? event.toolName;
  if (event.status === "in_progress" && title !== undefined && draft.session.child?.as === "running") {
    draft.effects.push({ do: "tool-progress", runId: draft.session.child.runId, name: cutText(oneLine(title), 80) });
  }
}

function openTool(draft: Draft, event: ToolEvent, known: OpenTool | undefined): OpenTool {
  const toolName = event.toolName ?? known?.toolName;
  return {
    toolCallId: event.toolCallId,
    title: cutText(event.title ?? known?.title ?? event.toolName ?? "tool", 200),
    sinceAt: known?.sinceAt ?? draft.at,
    ...(toolName === undefined ? {} : { toolName }),
  };
}

/** A permission that the policy allows is answered at once; everything else waits for a person. */
function onAsked(draft: Draft, request: AgentRequest, said: Said): void {
  const { phase } = draft.session;
  const named = withToolName(draft, request);
  const subject = named.kind === "permission" ? subjectOf(named, said.digest ?? "") : undefined;
  const stopping = phase.kind === "working" && phase.stopping !== undefined;
  if ((phase.kind !== "working" && phase.kind !== "asking") || stopping) {
    draft.effects.push({ do: "reply", requestId: request.requestId, reply: { kind: "cancelled" } });
    return;
  }
  if (named.kind === "permission" && subject !== undefined && allowedUnasked(draft.session.settings, named, subject, draft.session.grants)) {
    const option = allowOption(named.options);
    if (option !== undefined) {
      const used = grantFor(draft.session.grants, subject);
      if (used?.span === "once") draft.session = { ...draft.session, grants: draft.session.grants.filter((g) => g !== used) };
      draft.effects.push({ do: "reply", requestId: request.requestId, reply: { kind: "selected", optionId: option.id } });
      return;
    }
  }
  const ask = askFrom(named, {
    number: nextId(draft),
    at: draft.at,
    deadlineAt: draft.at + draft.rules.questionTimeoutMs,
    ...(subject === undefined ? {} : { subject }),
    ...(said.textKey === undefined ? {} : { textKey: said.textKey }),
  });
  openAsk(draft, ask);
}

/** The tool's name is only in the `pending` frame of the same call. */
function withToolName(draft: Draft, request: AgentRequest): AgentRequest {
  if (request.kind !== "permission" || request.toolName !== undefined) return request;
  const toolName = openToolsOf(draft.session).find((tool) => tool.toolCallId === request.toolCallId)?.toolName;
  return toolName === undefined ? request : { ...request, toolName };
}

export function openAsk(draft: Draft, ask: Ask): void {
  const { phase } = draft.session;
  const before = phase.kind === "asking" ? phase.asks : [];
  if (before.length >= MAX_ASKS && ask.requestId !== undefined) {
    draft.effects.push({ do: "reply", requestId: ask.requestId, reply: { kind: "cancelled" } });
    return;
  }
  countWork(draft);
  const message = phase.kind === "working" || phase.kind === "asking" ? phase.message : undefined;
  setPhase(draft, {
    kind: "asking",
    sinceAt: phase.kind === "asking" ? phase.sinceAt : draft.at,
    asks: [...before, ask],
    openTools: openToolsOf(draft.session),
    ...(message === undefined ? {} : { message }),
  });
  count(draft, { questionsAsked: ask.questions.length });
  for (const question of ask.questions) draft.effects.push({ do: "record-question", id: question.id, text: question.text.text });
  if (before.length === 0) {
    endChild(draft, "succeeded");
    startStandIn(draft, ask.questions[0]?.text.text ?? "");
  }
  owe(draft, "asks", { questionIds: ask.questions.map((q) => q.id), turn: draft.session.turn });
}

function onTurnFailed(draft: Draft, message: string): void {
  const { phase } = draft.session;
  if (phase.kind !== "working" && phase.kind !== "asking") return;
  if (phase.kind === "working" && phase.stopping !== undefined) {
    finishTurn(draft, "cancelled");
    return;
  }
  countWork(draft);
  end(draft, "failed", { code: "agent_error", message: cutText(message, CAUSE_LENGTH) });
}

function exitMessage(report: Extract<AgentEvent, { kind: "exited" }>["report"]): string {
  const how = report.signal !== null ? `on signal ${report.signal}` : report.code !== null ? `with code ${report.code}` : "without an exit code";
  const what = report.cause === "disconnected" ? "The connection to iFlow was lost" : `iFlow ended ${how}`;
  const tail = report.stderrTail.trim();
  return cutText(tail === "" ? `${what}.` : `${what}. Its last lines:\n${tail.slice(-CAUSE_LENGTH + 100)}`, CAUSE_LENGTH);
}
