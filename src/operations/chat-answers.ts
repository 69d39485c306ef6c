/**
 * Answers that come without a command: a pressed button, or a bare reply in the chat that was asked.
 * Owns: carrying it out and saying what was chosen. What words mean is core/meant; what is no answer is left to the agent.
 */
import type { Caller } from "../core/caller.ts";
import { ok, refuse, type Result } from "../core/errors.ts";
import { pickLanguage, wordsOf } from "../core/language.ts";
import { askOf, meantBy, waitingIn, type Meant } from "../core/meant.ts";
import { overText } from "../core/over-question.ts";
import { saidOnce } from "../core/plain-words.ts";
import { redactSecrets } from "../core/redact.ts";
import { chatKey } from "../core/route.ts";
import type { Session } from "../core/session.ts";
import { chosenWords, whichText, type StyleOf } from "../core/which.ts";
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
  /** The words say all that is left to say of the question: its notice goes with the buttons. */
  readonly whole?: true;
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
  return shownFor(context, session, responded.value);
}

/** The notice in its last form; where other parts of it are still open, it stays as it is. */
function shownFor(context: Context, before: Session, { session, question, answer }: Responded): PressOutcome {
  const style = stylesOf(context)(session);
  const asked = question === undefined ? undefined : askOf(before, question.id)?.questions;
  if (question === undefined || answer === undefined || asked === undefined) return { text: "↩️", closed: true };
  const open = waitingIn(session, ({ questions }) => questions.some(({ id }) => id === question.id));
  if (open.length === 0) return { text: overText(session, asked, "here", style), closed: true, whole: true };
  const ids = open.flatMap((one) => one.question?.id ?? []);
  const taken = `↩️ ${question.id} · ${redactSecrets(chosenWords(question, answer, style.words))}`;
  return { text: `${taken}\n${style.words.reply.stillOpen(ids)}`, closed: false };
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
  /** The channel's id of the message that it replies to. */
  readonly repliesTo: string | undefined;
  readonly messageId?: string | undefined;
  /** When it was written, where the channel says so. */
  readonly writtenAt?: number | undefined;
}

/** What became of the answer, in words for the chat; undefined when the words are not unmistakably an answer. */
export async function answerBareReply(
  context: Context,
  speaker: Caller,
  reply: BareReply,
): Promise<string | undefined> {
  const caller = withOperators(context, speaker);
  const { sessions } = context;
  const { talk, governor } = sessions.roster;
  const chat = chatKey(caller.route, caller.owner.sessionKey);
  const asked = sessions.roster.sessions().filter((session) => governor.places.chatsOf(session).includes(chat));
  if (asked.length === 0) return undefined;
  // What was told and what was heard before these words is known before they are judged: a channel shows a message before it answers for it.
  await governor.handedOver(chat);
  await talk.settled();
  const at = sessions.nowAt();
  const text = saidOnce(reply.text);
  const words = { ...reply, text, at, writtenAt: reply.writtenAt ?? at, inGroup: caller.inGroup };
  const now = asked.map(({ id }) => sessions.roster.actor(id)?.session).filter((session) => session !== undefined);
  const meant = meantBy(words, now, (since) => talk.saidSince(chat, since));
  const styleOf = stylesOf(context);
  switch (meant.kind) {
    case "nothing":
      overhear(context, caller);
      return undefined;
    case "unclear":
      return whichText(meant.waiting, text, styleOf);
    case "late": {
      const { answers } = styleOf(meant.session).words;
      return `↩️ ${redactSecrets(answers.already(meant.session.name, meant.closed.answer))}. ${answers.nothingAnswered}`;
    }
    case "answer":
    case "message":
      return said(context, caller, meant, text);
  }
}

/** Somebody said something else in this chat. */
export function overhear({ sessions }: Context, { route, owner }: Caller): void {
  sessions.roster.talk.saidIn(route, owner.sessionKey);
}

async function said(
  context: Context,
  caller: Caller,
  { session, ...more }: Extract<Meant, { kind: "answer" | "message" }>,
  text: string,
): Promise<string> {
  const questionId = more.kind === "answer" ? more.question.id : undefined;
  const asMessage = questionId === undefined;
  const params = { session: session.id, ...(asMessage ? {} : { question_id: questionId }), message: text };
  const allowed = asMessage ? await context.workdirs.stillAllowed(session) : ok(undefined);
  const order = { message: text, interrupt: false, questionId, option: undefined, asMessage };
  const responded = allowed.ok
    ? await context.sessions.respond({ ...caller, owner: session.owner }, session.id, order)
    : allowed;
  await audited(context, caller, params, responded);
  if (!responded.ok) return redactSecrets(responded.refusal.message);
  const { words } = stylesOf(context)(session);
  const { question, answer } = responded.value;
  return question === undefined || answer === undefined
    ? `↩️ ${words.answers.passedOn(session.name)}`
    : `↩️ ${session.name}: ${chosenWords(question, answer, words)}`;
}

export function stylesOf({ config }: Context): StyleOf {
  return (session) => ({
    words: wordsOf(pickLanguage(config.language, session.prompt.text)),
    safeMode: config.safeMode,
  });
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
