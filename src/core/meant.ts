/**
 * Whether words that somebody wrote into a chat, without a command, are an answer, and to which question.
 * Owns: that rule. It rests on what was told in the chat, when, in which message, and on what was said there since.
 * 1. A reply that quotes one of our messages is meant for what that message asked, and for nothing else. Behind a no it may say why.
 * 2. Other words count only where nobody else spoke since the question was told, and only as one of its choices.
 * 3. Words that could be meant for two sessions are meant for none of them: which one is asked.
 * 4. In a group only a quote counts.
 */
import { isExactChoice, rejectedBy } from "./choice.ts";
import { numbersOf, plainWords } from "./plain-words.ts";
import type { Ask, ClosedQuestion, Question, Session } from "./session.ts";

/** A message of a person. */
export interface Words {
  readonly text: string;
  /** The channel's id of the message that it replies to. */
  readonly repliesTo?: string | undefined;
  /** The channel's own id of it. */
  readonly messageId?: string | undefined;
  /** When it was written, as far as the channel says so; ms since the epoch. */
  readonly writtenAt: number;
  /** When it came here. */
  readonly at: number;
  readonly inGroup: boolean;
}

/** A session that waits for words; without a question it ended its turn with one. */
export interface Waiting {
  readonly session: Session;
  readonly question?: Question;
}

export type Meant =
  | { readonly kind: "nothing" }
  | { readonly kind: "answer"; readonly session: Session; readonly question: Question }
  /** For a session whose last words asked something. */
  | { readonly kind: "message"; readonly session: Session }
  | { readonly kind: "unclear"; readonly waiting: readonly Waiting[] }
  /** They come after the answer. */
  | { readonly kind: "late"; readonly session: Session; readonly closed: ClosedQuestion };

/** Nobody has read a new question and chosen this quickly: what comes so soon behind an answer was meant for that one. */
export const REACTION_MS = 2_000;
/** The same again within this time is the same meant again. */
export const REPEATED_MS = 10_000;

const NOTHING: Meant = { kind: "nothing" };

/** `sessions`: those whose notices go to this chat. `saidSince`: whether anything else was said in it after that time. */
export function meantBy(words: Words, sessions: readonly Session[], saidSince: (at: number) => boolean): Meant {
  if (words.repliesTo !== undefined) return meantByQuote(words, words.repliesTo, sessions);
  if (words.inGroup) return NOTHING;
  const told = sessions.flatMap((session) => waitingIn(session, (ask) => wasTold(ask, words)));
  const isLast = told.some(
    ({ session, question }) =>
      question !== undefined && isExactChoice(question, words.text) && isLastSaid(session, question, words),
  );
  if (isLast) return oneOf(told);
  const late = sessions.flatMap((session) => {
    const closed = session.closed?.at(-1);
    return closed !== undefined && isRepeated(closed, words, saidSince)
      ? [{ kind: "late" as const, session, closed }]
      : [];
  });
  return late[0] ?? NOTHING;
}

function oneOf(waiting: readonly Waiting[]): Meant {
  const [only, ...more] = waiting;
  if (only === undefined) return NOTHING;
  if (more.length > 0) return { kind: "unclear", waiting };
  const { session, question } = only;
  return question === undefined ? { kind: "message", session } : { kind: "answer", session, question };
}

function meantByQuote({ text }: Words, repliesTo: string, sessions: readonly Session[]): Meant {
  const quoted = sessions.flatMap((session) => waitingIn(session, (ask) => ask.toldIn === repliesTo));
  const asked = quoted.filter(({ question }) => question !== undefined);
  if (asked.length > 0)
    return asked.some(({ question }) => question !== undefined && isChoice(question, text)) ? oneOf(asked) : NOTHING;
  const asksForWords = sessions.find(({ phase }) => phase.kind === "idle" && phase.toldIn === repliesTo);
  if (asksForWords !== undefined) return { kind: "message", session: asksForWords };
  for (const session of sessions) {
    const closed = session.closed?.find(({ toldIn }) => toldIn === repliesTo);
    if (closed !== undefined && soundsLike(closed, text)) return { kind: "late", session, closed };
  }
  return NOTHING;
}

/** A choice, or a no with its reason behind it. */
function isChoice(question: Question, text: string): boolean {
  return isExactChoice(question, text) || rejectedBy(question, text) !== undefined;
}

/** What a session waits for: its open questions that fit, or any words. */
export function waitingIn(session: Session, fits: (ask: Ask) => boolean = () => true): readonly Waiting[] {
  const { phase, owed } = session;
  if (phase.kind === "asking")
    return phase.asks
      .filter(fits)
      .flatMap((ask) => ask.questions.filter(({ answer }) => answer === undefined))
      .map((question) => ({ session, question }));
  const isUntold = owed.some(({ kind, parts }) => kind === "asks" && parts.includes("chat"));
  return phase.kind === "idle" && phase.expects === "answer" && !isUntold ? [{ session }] : [];
}

export function askOf({ phase }: Session, questionId: string): Ask | undefined {
  if (phase.kind !== "asking") return undefined;
  return phase.asks.find(({ questions }) => questions.some(({ id }) => id === questionId));
}

/** Before the words were written. The channel's own order is exact where its ids count up; else the times tell. */
function wasTold({ toldAt, toldIn }: Ask, { messageId, writtenAt }: Words): boolean {
  if (toldAt === undefined) return false;
  const order = orderOf(toldIn, messageId);
  return order === undefined ? toldAt <= writtenAt : order < 0n;
}

/** Negative: the first came first. Undefined: the channel does not count its messages. */
function orderOf(first: string | undefined, second: string | undefined): bigint | undefined {
  return isCount(first) && isCount(second) ? BigInt(first) - BigInt(second) : undefined;
}

function isCount(id: string | undefined): id is string {
  return id !== undefined && /^\d{1,20}$/.test(id);
}

/** Whether the question is still the last thing that was said in its chat, but for other notices of ours. */
function isLastSaid(session: Session, question: Question, words: Words): boolean {
  const ask = askOf(session, question.id);
  if (ask?.toldAt === undefined || isTooSoon(session, ask.toldAt, words.at)) return false;
  // What nobody heard can have been nothing: there is no message between these two.
  if (ask.overtaken === "perhaps") return orderOf(ask.toldIn, words.messageId) === -1n;
  return ask.overtaken === undefined;
}

/** Right behind a person's answer, and before anybody can have read what was told after it. */
export function isTooSoon({ closed }: Session, toldAt: number, at: number): boolean {
  const { at: answeredAt, by } = closed?.at(-1) ?? {};
  if (answeredAt === undefined || by !== "person" || toldAt < answeredAt) return false;
  return at - answeredAt < REPEATED_MS && at - toldAt < REACTION_MS;
}

/** The answer once more, within moments, and nobody else has spoken. */
function isRepeated(closed: ClosedQuestion, { text, at }: Words, saidSince: (at: number) => boolean): boolean {
  const { at: closedAt, by } = closed;
  if (closedAt === undefined || by !== "person" || at - closedAt >= REPEATED_MS || saidSince(closedAt)) return false;
  return soundsLike(closed, text);
}

const LETTER = /^[a-z][.):]?$/;

/** Numbers, a letter where there were choices, or one of the labels that could be chosen. */
export function soundsLike({ labels = [], answer }: ClosedQuestion, text: string): boolean {
  if (numbersOf(text) !== undefined) return true;
  const wanted = plainWords(text);
  if (labels.length > 0 && LETTER.test(wanted)) return true;
  return [...labels, ...(answer === undefined ? [] : [answer])].some((label) => plainWords(label) === wanted);
}
