/**
 * Answers that come without a command: a pressed button, or a bare reply in the chat that was asked.
 * Owns: which question is meant, and when plain words are unmistakably an answer; everything else is left to the agent.
 */
import type { Caller } from "../core/caller.ts";
import { ok, refuse, type Result } from "../core/errors.ts";
import { choiceLines, isExactChoice } from "../core/choice.ts";
import { openQuestions } from "../core/question.ts";
import { redactSecrets } from "../core/redact.ts";
import type { Question, Session } from "../core/session.ts";
import { chatKey } from "../engine/governor.ts";
import type { Responded } from "../engine/orders.ts";
import { withOperators } from "./authority.ts";
import type { Context } from "./context.ts";

/** Which option of which question of which session a button stands for. */
export interface PressedOption {
  readonly sessionId: string;
  readonly questionId: string;
  /** From 0. */
  readonly optionIndex: number;
}

export interface PressOutcome {
  readonly text: string;
  /** The question is over: its buttons go. */
  readonly closed: boolean;
}

export function sessionOfPress(context: Context, pressed: Pick<PressedOption, "sessionId">): Session | undefined {
  return context.sessions.roster.sessions().find((session) => session.id === pressed.sessionId);
}

export async function answerPress(context: Context, presser: Caller, pressed: PressedOption): Promise<PressOutcome> {
  const caller = withOperators(context, presser);
  const session = sessionOfPress(context, pressed);
  if (session === undefined) return { text: "This iFlow session is not known any more.", closed: true };
  const params = paramsOf(pressed);
  const { option, question_id: questionId } = params;
  const responded = await context.sessions.respond(caller, session.id, {
    message: option,
    option,
    optionIndex: pressed.optionIndex,
    interrupt: false,
    questionId,
  });
  await audited(context, caller, params, responded);
  if (!responded.ok)
    return {
      text: redactSecrets(responded.refusal.message),
      closed: responded.refusal.code === "question_closed" || responded.refusal.code === "wrong_phase",
    };
  const label = responded.value.question?.options[pressed.optionIndex]?.label ?? option;
  return { text: `↩️ ${redactSecrets(label)}`, closed: true };
}

/** A press by somebody whom the channel does not let steer the bot: written down like every denial. */
export async function refusePress(context: Context, presser: Caller, pressed: PressedOption): Promise<PressOutcome> {
  const text = "You are not authorised to answer iFlow here.";
  await audited(context, presser, paramsOf(pressed), refuse("not_allowed", text));
  return { text, closed: false };
}

/** As the operation would have them: options count from 1. */
function paramsOf({ sessionId, questionId, optionIndex }: PressedOption) {
  return { session: sessionId, question_id: questionId, option: String(optionIndex + 1) };
}

export interface BareReply {
  readonly text: string;
  /** In a group only a reply to our own notice counts. */
  readonly repliesTo: string | undefined;
}

interface Candidate {
  readonly session: Session;
  readonly question: Question;
}

/** What became of the answer, in words for the chat; undefined when the words are not unmistakably an answer. */
export async function answerBareReply(
  context: Context,
  speaker: Caller,
  reply: BareReply,
): Promise<string | undefined> {
  const caller = withOperators(context, speaker);
  const chat = chatKey(caller.route, caller.owner.sessionKey);
  const { governor } = context.sessions.roster;
  const asked = context.sessions.roster
    .sessions()
    .filter((session) => chatKey(governor.routeOf(session), session.owner.sessionKey) === chat);
  const candidates = asked.flatMap((session): readonly Candidate[] =>
    session.phase.kind === "asking" ? openQuestions(session.phase.asks).map((question) => ({ session, question })) : [],
  );
  const { repliesTo } = reply;
  const meant =
    repliesTo === undefined ? [] : candidates.filter(({ session }) => session.askedIn?.includes(repliesTo) === true);
  if (caller.inGroup && meant.length === 0) return undefined;
  const pool = meant.length > 0 ? meant : candidates;
  const [only, ...more] = pool;
  if (only === undefined || !pool.some(({ question }) => isExactChoice(question, reply.text))) return undefined;
  if (more.length > 0) {
    const list = pool.map(
      ({ session, question }) => `${session.name} ${question.id}: ${choiceLines(question).join(" · ")}`,
    );
    return redactSecrets(
      `Several questions are open. Answer one with /iflow_respond --question ID session answer:\n${list.join("\n")}`,
    );
  }
  const responded = await context.sessions.respond({ ...caller, owner: only.session.owner }, only.session.id, {
    message: reply.text,
    interrupt: false,
    questionId: only.question.id,
    option: undefined,
  });
  const said = { session: only.session.id, question_id: only.question.id, message: reply.text };
  await audited(context, caller, said, responded);
  return responded.ok
    ? `↩️ ${only.session.name}: your answer was passed on.`
    : redactSecrets(responded.refusal.message);
}

/** As an answer by command is. */
function audited(
  { audit }: Context,
  caller: Caller,
  params: Readonly<Record<string, unknown>>,
  responded: Result<Responded>,
): Promise<void> {
  const result = responded.ok ? ok({ json: { id: responded.value.session.id } }) : responded;
  return audit.record("respond", caller, params, result);
}
