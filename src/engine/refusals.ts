/**
 * Refusals of the verbs that need more than a line: each names the thing, its state and the next step.
 */
import { whatBecame } from "../core/closed-question.ts";
import { refuse, type Refused } from "../core/errors.ts";
import { headline } from "../core/asked-text.ts";
import { choiceLines } from "../core/choice.ts";
import { cutText } from "../core/output.ts";
import type { Question, Session } from "../core/session.ts";
import type { Roster } from "./roster.ts";

export function queueFull({ engine, admission }: Roster): Refused {
  const { maxSessions, maxQueued } = engine.bounds;
  const slots = maxSessions === 1 ? "The only slot is busy" : `All ${maxSessions} slots are busy`;
  const line = admission.waiting === 1 ? "1 session waits" : `${admission.waiting} sessions wait`;
  return refuse(
    "queue_full",
    `${slots} and ${line} (maxQueued ${maxQueued}). Nothing was launched. Wait for one to finish, or end one with iflow_kill; iflow_sessions lists them.`,
  );
}

/** Who answers a question does not mean to begin a new conversation. */
export function questionOfEnded(session: Session, questionId: string): Refused {
  const { phase } = session;
  const how = phase.kind === "ended" ? phase.outcome : phase.kind;
  return refuse(
    "question_closed",
    `${whatBecame(session, questionId)}. The session has ended (${how}). Respond without question_id to go on with it.`,
  );
}

export function severalOpen(session: Session, open: readonly Question[]): Refused {
  const list = open.map((q) => `${q.id}: ${cutText(headline(q), 120)} [${choiceLines(q).join(" · ")}]`).join("\n");
  return refuse(
    "question_ambiguous",
    `${session.name} has ${open.length} open questions. Say which with question_id:\n${list}`,
  );
}
