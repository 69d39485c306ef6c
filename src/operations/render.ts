/**
 * How sessions read: the stable JSON rows of RPC, and the lines that people and agents see.
 */
import { currentStep } from "../core/flow-command.ts";
import { oneLine } from "../core/draft.ts";
import { cutText } from "../core/output.ts";
import { contentOf, headline } from "../core/asked-text.ts";
import { choiceLines } from "../core/choice.ts";
import { openQuestions } from "../core/question.ts";
import { redactSecrets } from "../core/redact.ts";
import type { Question, Session } from "../core/session.ts";
import type { OutputJson, QuestionJson, SessionJson } from "./answers.ts";
import { waitsForPerson } from "./listing.ts";
import { type Status, statusOf } from "./status.ts";

const LINE_LENGTH = 300;

const EMOJI: Readonly<Record<Status, string>> = {
  queued: "⏳",
  starting: "🚀",
  working: "🟢",
  asking: "🔔",
  idle: "💤",
  interrupted: "⚠️",
  completed: "✅",
  failed: "❌",
  killed: "⛔",
};

export function durationMs(session: Session, nowAt: number): number {
  return Math.max(0, (session.phase.kind === "ended" ? session.phase.at : nowAt) - session.createdAt);
}

export function readableMs(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${seconds % 60}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** One row of `iflow.sessions`; times in ms since the epoch. */
export function sessionRow(session: Session, flowId: string | undefined, nowAt: number): SessionJson {
  const { phase, counters } = session;
  const questions = phase.kind === "asking" ? openQuestions(phase.asks) : [];
  return {
    id: session.id,
    name: session.name,
    status: statusOf(session),
    workdir: session.workdir,
    prompt: session.prompt.text,
    startedAt: session.createdAt,
    completedAt: phase.kind === "ended" ? phase.at : null,
    durationMs: durationMs(session, nowAt),
    turnCount: counters.turns,
    toolCalls: counters.toolCalls,
    flowId: flowId ?? null,
    permissionMode: session.settings.permissionMode,
    ...(questions.length === 0
      ? {}
      : {
          question: questions.map(questionRow),
        }),
    ...(phase.kind === "ended" && phase.cause !== undefined && phase.outcome !== "completed"
      ? { error: phase.cause.message }
      : {}),
    ...(phase.kind === "interrupted" ? { error: phase.cause.message } : {}),
    ...(session.undelivered === undefined ? {} : { undelivered: session.undelivered.count }),
    ...(session.continues === undefined ? {} : { continues: session.continues }),
    ...(session.continuedBy === undefined ? {} : { continuedBy: session.continuedBy }),
  };
}

export function sessionLine(session: Session, place: number | undefined, nowAt: number): string {
  const status = statusOf(session);
  const where = place === undefined ? "" : ` (place ${place})`;
  const step =
    status === "working" || status === "asking" || status === "interrupted" || status === "idle"
      ? ` · ${currentStep(session)}`
      : "";
  const error =
    session.phase.kind === "ended" && session.phase.outcome !== "completed"
      ? ` · ${oneLine(session.phase.cause?.message ?? "")}`
      : "";
  const lost = session.undelivered === undefined ? "" : " · ⚠️ not delivered: no chat took its last notice";
  const emoji = waitsForPerson(session) && status === "idle" ? EMOJI.asking : EMOJI[status];
  const head = `${emoji} ${session.name} [${session.id}] ${status}${where} · ${readableMs(durationMs(session, nowAt))}${lost}`;
  // Masked before it is cut: half a secret is not known for one.
  return cutText(redactSecrets(`${head}${step}${error}\n   ${oneLine(session.prompt.text)}`), 400);
}

/** A part of the words of a session, or of one of its questions: `total` is where all of it ends. */
export function pieceRow(session: Session, text: string, start: number, total: number): OutputJson {
  const end = start + text.length;
  return {
    id: session.id,
    name: session.name,
    status: statusOf(session),
    startOffset: start,
    endOffset: end,
    truncated: start > 0 || end < total,
    output: text,
  };
}

/** Of a question what fits into a list; all of it is read by its id. */
export function questionRow(question: Question): QuestionJson {
  const { id, kind, text, options, marks } = question;
  return {
    id,
    kind,
    text: kind === "question" ? text.text : headline(question),
    options: options.map((option) => option.label),
    marks: marks ?? "numbers",
  };
}

/** The open questions of a session with their choices, ready to be answered. */
export function questionLines(session: Session): string {
  const { phase } = session;
  if (phase.kind !== "asking") return "";
  return openQuestions(phase.asks)
    .map((q) => [`🔔 ${q.id}: ${questionLine(q, session)}`, ...choiceLines(q).map((line) => `   ${line}`)].join("\n"))
    .join("\n");
}

/** Its first line, and where the rest is. */
function questionLine(question: Question, { name }: Session): string {
  const line = cutText(oneLine(headline(question)), LINE_LENGTH);
  const isAll = (contentOf(question)?.text.trim() ?? line) === line;
  return isAll ? line : `${line} (all of it: /iflow_output --question ${question.id} ${name})`;
}
