/**
 * Which TaskFlow verb stores a session, and how it reads in the host's views.
 * Owns: the one table from phases to verbs, `currentStep`, `waitJson` and the goal; no secret is in any of them.
 */
import { headline } from "./asked-text.ts";
import { oneLine } from "./draft.ts";
import { runningTools } from "./open-tools.ts";
import { cutText } from "./output.ts";
import { openQuestions } from "./question.ts";
import { redactSecrets } from "./redact.ts";
import { redactValue } from "./redact-value.ts";
import type { Phase, Session } from "./session.ts";

export type FlowVerb = "queue" | "run" | "wait" | "finish" | "fail" | "cancel";

const STEP_LENGTH = 200;
const GOAL_LENGTH = 120;
/** Options and further questions that waitJson lists. */
const MAX_LISTED = 20;

export function flowVerb(session: Session): FlowVerb {
  const { phase } = session;
  switch (phase.kind) {
    case "queued":
      return "queue";
    case "starting":
    case "working":
      return "run";
    case "asking":
    case "idle":
    case "interrupted":
      return "wait";
    case "ended":
      return END_VERB[phase.outcome];
  }
}

const END_VERB = { completed: "finish", failed: "fail", timed_out: "fail", killed: "cancel" } as const;

export function flowGoal(session: Session): string {
  return cutText(`iFlow ${session.name}: ${oneLine(redactSecrets(session.prompt.text))}`, GOAL_LENGTH);
}

/** What `openclaw tasks flow show` prints as the current step. */
export function currentStep(session: Session): string {
  return cutText(oneLine(redactSecrets(stepText(session))), STEP_LENGTH);
}

function stepText(session: Session): string {
  const { phase, turn } = session;
  switch (phase.kind) {
    case "queued":
      return phase.reason === "launch" ? "Queued: waits for a free slot" : "Queued: goes on when a slot is free";
    case "starting":
      return "Starting iFlow";
    case "working": {
      const tool = runningTools(phase.openTools).at(-1);
      const doing = tool === undefined ? "" : ` · running ${tool.title}`;
      // A model that fails and is asked again says nothing.
      const isSilent = session.lastWords === "" && session.heardInTurn !== turn && phase.lastSignAt === phase.sinceAt;
      return `Turn ${turn} · ${isSilent ? "waiting for the model" : turnCalls(session)}${doing}`;
    }
    case "asking":
      return `Waiting for you: ${openQuestions(phase.asks).map(headline)[0] ?? ""}`;
    case "idle":
      return phase.expects === "answer"
        ? `Waiting for you: ${phase.preview}`
        : `Turn ${turn} finished: ${phase.preview}`;
    case "interrupted":
      return `Interrupted: ${phase.cause.message.split("\n", 1)[0] ?? ""} Say continue to go on.`;
    case "ended":
      return phase.cause?.message ?? `Ended: ${phase.outcome}`;
  }
}

/** How many tool calls this turn has made. */
export function turnCalls({ counters, turnFrom }: Session): string {
  const count = counters.toolCalls - (turnFrom?.toolCalls ?? 0);
  return `${count} tool ${count === 1 ? "call" : "calls"}`;
}

/** What the flow waits for, for other writers: the open questions with their choices, or the kind of wait. */
export function waitJson(session: Session): unknown {
  // Masked before it is cut: half a secret is not known for one. The same shape.
  return waitOf(redactValue(session.phase, redactSecrets) as Phase);
}

function waitOf(phase: Phase): unknown {
  switch (phase.kind) {
    case "asking": {
      const [question, ...more] = openQuestions(phase.asks);
      return {
        for: "answer",
        id: question?.id,
        kind: question?.kind,
        text: cutText(question === undefined ? "" : headline(question), 500),
        options: question?.options.slice(0, MAX_LISTED).map((o) => cutText(o.label, 100)),
        deadlineAt: Math.min(...phase.asks.map((ask) => ask.deadlineAt)),
        more: more.slice(0, MAX_LISTED).map((q) => q.id),
      };
    }
    case "idle":
      return { for: phase.expects === "answer" ? "answer" : "follow-up", text: phase.preview };
    case "interrupted":
      return { for: "continue", text: cutText(phase.cause.message, 500) };
    case "queued":
    case "starting":
    case "working":
    case "ended":
      return null;
  }
}
