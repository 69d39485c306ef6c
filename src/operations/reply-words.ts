/**
 * For whom a reply is.
 * Owns: that people who typed a command read it in the language of the session, with its name and without ids and paths, and that
 * agents and programs get English with the ids that they need.
 */
import type { Caller } from "../core/caller.ts";
import { pickLanguage, wordsOf } from "../core/language.ts";
import { openQuestions } from "../core/question.ts";
import type { Session } from "../core/session.ts";
import type { Words } from "../core/words.ts";
import type { Responded } from "../engine/orders.ts";
import type { Context } from "./context.ts";

/** Undefined: no person reads it in a chat. */
export function chatWords({ config }: Context, caller: Caller, session: Session): Words | undefined {
  if (caller.door !== "command") return undefined;
  return wordsOf(pickLanguage(config.language, session.prompt.text));
}

/** What a command says that answered a question, or gave a message. */
export function takenText({ reply }: Words, { session, delivered, question }: Responded): string {
  const { name, closed, phase } = session;
  const answer = question === undefined ? undefined : (closed?.findLast(({ id }) => id === question.id)?.answer ?? "");
  const open = question === undefined || phase.kind !== "asking" ? [] : openQuestions(phase.asks).map(({ id }) => id);
  const still = open.length === 0 ? [] : [reply.stillOpen(open)];
  return [reply.taken(name, answer, delivered), ...still].join("\n");
}
