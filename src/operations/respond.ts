/**
 * iflow_respond: answers a question, continues a conversation, or queues a message.
 */
import * as Type from "@sinclair/typebox";
import type { Caller } from "../core/caller.ts";
import { ok } from "../core/errors.ts";
import { headline } from "../core/asked-text.ts";
import { oneLine } from "../core/draft.ts";
import { cutText } from "../core/output.ts";
import { openQuestions } from "../core/question.ts";
import { redactSecrets } from "../core/redact.ts";
import type { Question, Session } from "../core/session.ts";
import type { Words } from "../core/words.ts";
import type { Responded } from "../engine/orders.ts";
import type { RespondJson } from "./answers.ts";
import { parseSessionCommand } from "./command-line.ts";
import { toAnswer } from "./bare-command.ts";
import { defineOperation } from "./define.ts";
import type { Reply } from "./operation.ts";
import { chatWords, takenText } from "./reply-words.ts";

export const respond = defineOperation({
  name: "respond",
  scope: "write",
  title: "Respond to an iFlow session",
  description:
    "Answers an open question of an iFlow session (by option number, option text or free text), continues an idle, interrupted or ended one, or queues a message for a working one. interrupt stops the running turn first.",
  usage: "/iflow_respond [--interrupt] [--question id] [--message] session message",
  params: Type.Object(
    {
      session: Type.String({ minLength: 1, maxLength: 200, description: "Name or id." }),
      message: Type.String({ minLength: 1, maxLength: 200_000, description: "The answer, or what to do next." }),
      interrupt: Type.Optional(Type.Boolean({ description: "Stop the running turn first; default false." })),
      question_id: Type.Optional(
        Type.String({ minLength: 1, maxLength: 40, description: "Which question, when several are open." }),
      ),
      option: Type.Optional(
        Type.String({ minLength: 1, maxLength: 2_000, description: "The chosen option, by number, id or text." }),
      ),
      as_message: Type.Optional(
        Type.Boolean({
          description: "Send it as a message, also where it reads like an answer and nothing is asked; default false.",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  parse: (args) =>
    parseSessionCommand(
      args,
      {
        interrupt: { param: "interrupt", kind: "flag" },
        question: { param: "question_id", kind: "text" },
        message: { param: "as_message", kind: "flag" },
      },
      { param: "message", needed: true },
    ),
  bare: toAnswer,
  run: async (context, caller, given) => {
    const found = context.sessions.find(caller, given.session);
    const allowed =
      found.ok && startsAgain(found.value) ? await context.workdirs.stillAllowed(found.value) : ok(undefined);
    if (!allowed.ok) return allowed;
    const responded = await context.sessions.respond(caller, given.session, {
      message: given.message,
      interrupt: given.interrupt ?? false,
      questionId: given.question_id,
      option: given.option,
      asMessage: given.as_message ?? false,
    });
    return responded.ok
      ? ok(reply(caller, responded.value, found.ok ? chatWords(context, caller, found.value) : undefined))
      : responded;
  },
});

/** Whether iFlow has to be started for it once more. */
function startsAgain({ phase, agent }: Session): boolean {
  return phase.kind === "ended" || (agent === undefined && phase.kind !== "queued");
}

function reply(caller: Caller, responded: Responded, words: Words | undefined): Reply<RespondJson> {
  const { session, flowId, delivered, question } = responded;
  const json = { success: true, id: session.id, name: session.name, flowId, delivered } as const;
  if (words !== undefined) return { text: takenText(words, responded), json };
  const what = question === undefined ? "Message" : `Answer to ${question.id}${aboutOf(caller, question)}`;
  const { phase } = session;
  const open = question === undefined || phase.kind !== "asking" ? [] : openQuestions(phase.asks).map(({ id }) => id);
  const how = {
    now: open.length === 0 ? "was passed on; iFlow goes on." : `was taken. Still open: ${open.join(", ")}.`,
    queued: "waits for the running turn to end.",
    resumed: "was taken; iFlow is started again and goes on.",
  }[delivered];
  return { text: `↩️ ${session.name} [${session.id}]: ${what} ${how}`, json };
}

/** What was asked, in short; not for a model, since iFlow chose the words. */
function aboutOf({ door }: Caller, question: Question): string {
  return door === "tool" ? "" : ` (${cutText(oneLine(redactSecrets(headline(question))), 60)})`;
}
