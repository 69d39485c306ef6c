/**
 * What the agent said becomes state: words, tool calls, requests, ends of turns.
 * Owns: the effect of each agent event in each phase. Every event keeps its words, whatever the phase.
 */
import type { AgentEvent, AgentRequest, RequestId } from "./agent-event.ts";
import { countWork } from "./turn.ts";
import { agentExited, end, finishTurn } from "./turn.ts";
import { count, endChild, nextId, oneLine, owe, setPhase, startStandIn, write, type Draft } from "./draft.ts";
import type { SessionEvent } from "./event.ts";
import { openToolOf, openToolsAfter, openToolsOf } from "./open-tools.ts";
import { isInterrupted, lastWordsAfter, resultOf } from "./last-words.ts";
import { cutText, streamPiece, utf8Bytes, type StreamRules } from "./output.ts";
import { allowedUnasked, allowOption, grantFor, subjectOf } from "./permission.ts";
import { askedWords, headline } from "./asked-text.ts";
import { askFrom } from "./question.ts";
import { redactSecrets } from "./redact.ts";
import type { Ask, PermissionSubject, Session } from "./session.ts";
import { blockEnd, paragraphAfter, showQuestions } from "./voices.ts";

type Said = Extract<SessionEvent, { type: "said" }>;
type ToolEvent = Extract<AgentEvent, { kind: "tool" }>;
type PermissionRequest = Extract<AgentRequest, { kind: "permission" }>;

const MAX_FILES = 20;
const MAX_PATH_LENGTH = 4_096;
const MAX_ID_LENGTH = 300;
const MAX_ASKS = 16;
const HEADLINE_LENGTH = 120;
const CAUSE_LENGTH = 1_000;
/** With it and the beginning of stderr a cause fits into a notice. */
const EXIT_WORDS_LENGTH = 400;

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
      if (event.turn === draft.session.turn) onTurnFailed(draft, event);
      return;
    case "exited":
      agentExited(draft, { code: "agent_exited", message: exitMessage(event.report, wordsOfTurn(draft)) });
      return;
  }
}

/**
 * Sign of life, counters, the output stream and the last words. Of an ended session only the stream grows, so that its
 * offsets stay those of the journal.
 */
function listen(draft: Draft, said: Said): void {
  const { event } = said;
  const { phase, output } = draft.session;
  const piece = outputPiece(draft.session, event, draft.rules);
  const seam = seamBefore(draft.session, event, piece);
  write(draft, seam + piece);
  if (phase.kind === "ended") return;
  draft.session = { ...draft.session, ...lastWordsAfter(draft.session, event, output.end, seam) };
  if (isFrame(event)) {
    count(draft, { chunks: said.chunks, bytes: utf8Bytes(piece) });
    // A handshake and the list of commands come before the prompt: they do not say that it, or an answer, was read.
    const ofTheTurn = event.kind !== "commands" && event.kind !== "log";
    if (ofTheTurn && draft.session.unconfirmed.length > 0 && (phase.kind === "working" || phase.kind === "asking"))
      draft.session = { ...draft.session, unconfirmed: [] };
    if (event.kind === "tool" || event.kind === "asked") noteHeard(draft);
    if (phase.kind === "working") {
      const { quietToldAt: _told, ...rest } = phase;
      const prompt = ofTheTurn ? "left" : phase.prompt;
      setPhase(draft, { ...rest, prompt, lastSignAt: draft.at });
    }
  }
}

/** What it does comes when its call is over: then iFlow has stored the turn's message. */
function noteHeard(draft: Draft): void {
  const { phase, turn, heardInTurn } = draft.session;
  if ((phase.kind === "working" || phase.kind === "asking") && heardInTurn !== turn)
    draft.session = { ...draft.session, heardInTurn: turn };
}

/** Any frame of the agent is a sign of life; its prints on stdout are none, nor is its exit. */
function isFrame(event: AgentEvent): boolean {
  return event.kind !== "exited" && (event.kind !== "log" || event.source === "frame");
}

/** Words after a tool call that shows nothing, or of another message, begin a paragraph; a tool call ends an open code block. */
function seamBefore(session: Session, event: AgentEvent, piece: string): string {
  if (event.kind === "tool") return event.status === "in_progress" ? blockEnd(session) : "";
  if (event.kind !== "text" || event.agentId !== undefined || piece === "") return "";
  const begins = isInterrupted(session) || (event.starts === true && session.lastWords !== "");
  if (!begins) return "";
  return session.output.text.endsWith("\n") && event.starts !== true ? "" : paragraphAfter(session.output);
}

/** What this event adds to the output stream of this session, behind the seam. */
export function outputPiece(session: Session, event: AgentEvent, rules: StreamRules): string {
  const open = event.kind === "tool" ? openToolOf(session, event.toolCallId) : undefined;
  return streamPiece(event, open, rules);
}

function onTool(draft: Draft, event: ToolEvent): void {
  const { phase } = draft.session;
  if (phase.kind !== "working" && phase.kind !== "asking") return;
  if (openToolOf(draft.session, event.toolCallId) === undefined) count(draft, { toolCalls: 1 });
  if (event.files !== undefined && event.status === "completed") {
    const edited = event.files.filter((file) => file.length <= MAX_PATH_LENGTH).slice(-MAX_FILES);
    const others = draft.session.filesEdited.filter((file) => !edited.includes(file));
    draft.session = { ...draft.session, filesEdited: [...others, ...edited].slice(-MAX_FILES) };
  }
  setPhase(draft, { ...phase, openTools: openToolsAfter(phase.openTools, event, draft.at) });
  const title = event.title ?? event.toolName;
  if (event.status === "in_progress" && title !== undefined && draft.session.child?.as === "running") {
    draft.effects.push({
      do: "tool-progress",
      runId: draft.session.child.runId,
      name: cutText(oneLine(redactSecrets(title)), 80),
    });
  }
}

/** A permission that the policy allows is answered at once; everything else waits for a person. */
function onAsked(draft: Draft, request: AgentRequest, said: Said): void {
  const { requestId } = request;
  // An id that is open already gets the answer of the first.
  if (isOpen(draft, requestId)) return;
  if (!mayAsk(draft) || isTooLong(requestId)) {
    draft.effects.push({ do: "reply", requestId, reply: { kind: "cancelled" } });
    return;
  }
  if (request.kind === "questions" && request.questions.length === 0) {
    draft.effects.push({ do: "reply", requestId, reply: { kind: "answers", answers: [] } });
    return;
  }
  const named = withToolName(draft, request);
  const subject = named.kind === "permission" ? subjectOf(named, said.digest ?? "") : undefined;
  if (named.kind === "permission" && allowUnasked(draft, named, subject)) return;
  const ask = askFrom(named, {
    number: nextId(draft),
    at: draft.at,
    deadlineAt: draft.at + draft.rules.questionTimeoutMs,
    ...(subject === undefined ? {} : { subject }),
    ...(said.textKey === undefined ? {} : { textKey: said.textKey }),
    hidesContent: draft.rules.safeMode,
  });
  openAsk(draft, ask);
}

/** What the policy or an earlier grant allows is answered at once. */
function allowUnasked(draft: Draft, request: PermissionRequest, subject: PermissionSubject | undefined): boolean {
  const { settings, grants } = draft.session;
  const granted = subject === undefined ? undefined : grantFor(grants, subject);
  const option = allowedUnasked(settings, request, granted) ? allowOption(request.options) : undefined;
  if (option === undefined) return false;
  if (granted?.span === "once") draft.session = { ...draft.session, grants: grants.filter((g) => g !== granted) };
  draft.effects.push({ do: "reply", requestId: request.requestId, reply: { kind: "selected", optionId: option.id } });
  return true;
}

function isOpen({ session }: Draft, requestId: RequestId): boolean {
  return session.phase.kind === "asking" && session.phase.asks.some((ask) => ask.requestId === requestId);
}

/** An id must be echoed as it is, and the records are bounded. */
function isTooLong(requestId: RequestId): boolean {
  return typeof requestId === "string" && requestId.length > MAX_ID_LENGTH;
}

/** Only a turn that goes on, on a process that lives, can wait for a person. */
function mayAsk({ session: { phase, agent } }: Draft): boolean {
  if (agent?.kind !== "ready") return false;
  return phase.kind === "asking" || (phase.kind === "working" && phase.stopping === undefined);
}

/** The tool's name is only in the `pending` frame of the same call. */
function withToolName(draft: Draft, request: AgentRequest): AgentRequest {
  if (request.kind !== "permission" || request.toolName !== undefined) return request;
  const toolName = openToolOf(draft.session, request.toolCallId)?.toolName;
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
  showQuestions(draft, ask.questions);
  for (const question of ask.questions)
    draft.effects.push({ do: "record-question", id: question.id, text: askedWords(question) });
  if (before.length === 0) {
    endChild(draft, "succeeded");
    startStandIn(draft, ask.questions[0] === undefined ? "" : headline(ask.questions[0]));
  }
  const text = ask.questions.map((question) => cutText(headline(question), HEADLINE_LENGTH)).join(" · ");
  owe(draft, "asks", { questionIds: ask.questions.map((q) => q.id), text, turn: draft.session.turn });
}

function onTurnFailed(draft: Draft, { message, needsLogin }: Extract<AgentEvent, { kind: "turn-failed" }>): void {
  const { phase } = draft.session;
  if (phase.kind !== "working" && phase.kind !== "asking") return;
  if (phase.kind === "working" && phase.stopping !== undefined) {
    finishTurn(draft, "cancelled");
    return;
  }
  countWork(draft);
  const code = needsLogin === true ? "not_authenticated" : "agent_error";
  end(draft, "failed", { code, message: cutText(message, CAUSE_LENGTH) });
}

/** What it had said in the turn that has no end now; nobody else tells it. */
function wordsOfTurn({ session }: Draft): string {
  const { kind } = session.phase;
  return kind === "working" || kind === "asking" ? oneLine(resultOf(session, EXIT_WORDS_LENGTH).text) : "";
}

function exitMessage(report: Extract<AgentEvent, { kind: "exited" }>["report"], words: string): string {
  const how =
    report.signal !== null
      ? `on signal ${report.signal}`
      : report.code !== null
        ? `with code ${report.code}`
        : "without an exit code";
  const what = report.cause === "disconnected" ? "The connection to iFlow was lost" : `iFlow ended ${how}`;
  const tail = report.stderrTail.trim();
  const said = words === "" ? "" : `\nIt had said: "${words}".`;
  return cutText(
    tail === ""
      ? `${what}.${said}`
      : `${what}.${said}\nIts last lines:\n${tail.slice(-CAUSE_LENGTH + 100 + said.length)}`,
    CAUSE_LENGTH,
  );
}
