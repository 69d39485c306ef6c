/**
 * Refusals of the verbs that need more than a line: each names the thing, its state and the next step.
 */
import { refuse, type Refusal } from "../core/errors.ts";
import { choiceLines } from "../core/question.ts";
import type { Question, Session } from "../core/session.ts";
import type { Roster } from "./roster.ts";

type Failed = { readonly ok: false; readonly refusal: Refusal };

export function queueFull({ engine, admission }: Roster): Failed {
  return refuse(
    "queue_full",
    `All ${engine.bounds.maxSessions} slots are busy and ${admission.waiting} sessions wait (maxQueued ${engine.bounds.maxQueued}). Wait for one to finish, or end one with iflow_kill.`,
  );
}

/** Who answers a question does not mean to begin a new conversation. */
export function questionOfEnded({ name, phase }: Session, questionId: string): Failed {
  const how = phase.kind === "ended" ? phase.outcome : phase.kind;
  return refuse(
    "question_closed",
    `Question ${questionId} of ${name} is not open any more: the session has ended (${how}). Respond without question_id to go on with it.`,
  );
}

export function severalOpen(session: Session, open: readonly Question[]): Failed {
  const list = open
    .map((q) => `${q.id}: ${q.text.text.split("\n")[0] ?? ""} [${choiceLines(q).join(" · ")}]`)
    .join("\n");
  return refuse(
    "question_ambiguous",
    `${session.name} has ${open.length} open questions. Say which with question_id:\n${list}`,
  );
}
