/**
 * A question whole: everything that has to be read before somebody consents, from the journal, however long it is.
 * Owns: what of it is said at once and where the rest is, by command, tool, RPC and the button under a notice that is cut.
 * In safe mode a chat gets no content of files and commands here either: it is read on the machine, or by RPC.
 */
import { askedHead, contentOf } from "../core/asked-text.ts";
import type { Caller } from "../core/caller.ts";
import { choiceLines } from "../core/choice.ts";
import { closedMessage } from "../core/closed-question.ts";
import { ok, refuse, type Result } from "../core/errors.ts";
import { fenced, visible } from "../core/fence.ts";
import { cutText, headOf } from "../core/output.ts";
import { withoutCode } from "../core/question-words.ts";
import { redactSecrets } from "../core/redact.ts";
import type { Question, Session } from "../core/session.ts";
import type { OutputJson } from "./answers.ts";
import { withOperators } from "./authority.ts";
import { sessionOfPress, type PressedOption, type PressOutcome } from "./chat-answers.ts";
import type { Context } from "./context.ts";
import type { Reply } from "./operation.ts";
import { pieceRow, questionRow } from "./render.ts";

/** One message of a channel, with what stands around the text of the question. */
const MAX_PRESS_CHARS = 3_900;
const AROUND_CHARS = 300;
const HIDDEN = "(content hidden in safe mode: read it with openclaw iflow output --question on the machine)";

interface Piece {
  readonly session: Session;
  readonly question: Question;
  readonly text: string;
  /** Offset of the first character, and how many there are in all. UTF-16 code units. */
  readonly start: number;
  readonly total: number;
}

/** The reply of `iflow_output` for a question, from `since` on. */
export async function questionReply(
  context: Context,
  caller: Caller,
  asked: { readonly ref: string; readonly questionId: string; readonly since: number; readonly maxChars: number },
): Promise<Result<Reply<OutputJson>>> {
  const read = await pieceOf(context, caller, asked);
  if (!read.ok) return read;
  const { session, question, text, start, total } = read.value;
  const end = start + text.length;
  const shown = question.kind === "permission" ? fenced(visible(text)) : visible(text);
  return ok({
    text: [
      `${titleOf(read.value)}${end < total ? ` More: since ${end}.` : ""}`,
      shown,
      "",
      ...allChoices(question),
    ].join("\n"),
    json: { ...pieceRow(session, text, start, total), question: questionRow(question) },
  });
}

/** A press on "Show all": as by the command, as much as one message holds. */
export async function showPress(
  context: Context,
  presser: Caller,
  { sessionId, questionId, isAuthorised }: Omit<PressedOption, "optionIndex"> & { readonly isAuthorised: boolean },
): Promise<PressOutcome> {
  const caller = withOperators(context, presser);
  const session = sessionOfPress(context, { sessionId });
  if (session === undefined) return { text: "This iFlow session is not known any more.", closed: true };
  const limit = Math.min(MAX_PRESS_CHARS, context.sessions.roster.engine.delivery.limit(caller.route));
  const maxChars = limit - AROUND_CHARS;
  const read = isAuthorised
    ? await pieceOf(context, caller, { ref: session.id, questionId, since: 0, maxChars })
    : refuse("not_allowed", "You are not authorised to read iFlow here.");
  const params = { session: session.id, question_id: questionId };
  await context.audit.record("output", caller, params, read.ok ? ok({ json: { id: session.id } }) : read);
  if (!read.ok) return { text: redactSecrets(read.refusal.message), closed: read.refusal.code === "question_closed" };
  const { text, total, question } = read.value;
  const more = `More: /iflow_output --question ${questionId} --since ${text.length} ${session.name}`;
  const rest = text.length < total ? [more] : allChoices(question);
  const shown = [titleOf(read.value), visible(text), ...rest].join("\n");
  return { text: cutText(context.config.safeMode ? redactSecrets(shown) : shown, limit), closed: false };
}

function titleOf({ session, question, text, start, total }: Piece): string {
  return `${session.name} [${session.id}] ${question.id} (${question.kind}) · characters ${start}–${start + text.length} of ${total}.`;
}

/** Those that can be named by a mark, and what to do about others. */
function allChoices(question: Question): readonly string[] {
  const isMore = question.kind === "question" && question.text.key !== undefined && question.options.length > 0;
  return [...choiceLines(question), ...(isMore ? ["The others are answered in their own words."] : [])];
}

async function pieceOf(
  context: Context,
  caller: Caller,
  { ref, questionId, since, maxChars }: { ref: string; questionId: string; since: number; maxChars: number },
): Promise<Result<Piece>> {
  const found = context.sessions.find(caller, ref);
  if (!found.ok) return found;
  const session = found.value;
  const asks = session.phase.kind === "asking" ? session.phase.asks : [];
  const question = asks.flatMap(({ questions }) => questions).find(({ id }) => id === questionId);
  if (question === undefined) return refuse("question_closed", closedMessage(session, questionId));
  const whole = await wholeOf(context, caller, session, question);
  const start = Math.min(since, whole.length);
  return ok({ session, question, text: headOf(whole.slice(start), maxChars), start, total: whole.length });
}

async function wholeOf(context: Context, caller: Caller, session: Session, question: Question): Promise<string> {
  const head = askedHead(question);
  const content = contentOf(question);
  if (content === undefined) return head;
  const isChat = caller.door !== "rpc" && caller.door !== "cli";
  const hides = context.config.safeMode && isChat;
  if (hides && question.kind === "permission") return [head, HIDDEN].join("\n");
  const stored = await context.sessions.wholeText(session, content);
  const kept =
    stored ?? `${content.text}\n(The rest is gone: its journal is not there any more, journalRetentionDays.)`;
  const text = hides ? withoutCode(kept, HIDDEN) : kept;
  return [head, text].filter((part) => part !== "").join("\n");
}
