/**
 * iflow_output: what a session said, from its journal.
 */
import * as Type from "@sinclair/typebox";
import { ok, type Result } from "../core/errors.ts";
import { cutText, headOf, tailOf } from "../core/output.ts";
import type { OutputJson } from "./answers.ts";
import { countOf, parseSessionCommand } from "./command-line.ts";
import { toLookAt } from "./bare-command.ts";
import { defineOperation } from "./define.ts";
import type { Reply } from "./operation.ts";
import { questionReply } from "./question-text.ts";
import { pieceRow, questionLines } from "./render.ts";
import { statusOf } from "./status.ts";

const MAX_LINES = 10_000;
const PROMPT_LENGTH = 1_000;
/** More than this is told with the offset to go on from, so that no answer chokes a model or a socket. UTF-16 code units. */
export const MAX_CHARS = 200_000;

export const output = defineOperation({
  name: "output",
  scope: "read",
  showsWords: true,
  title: "Read an iFlow session's output",
  description:
    "Shows the last lines of a session's output, all of it (full), or what came after an offset (since). Says which offsets it covers. With question_id, all of an open question: read it before you answer it.",
  usage: "/iflow_output [--full] [--since offset] [--question id] session [lines]",
  params: Type.Object(
    {
      session: Type.String({ minLength: 1, maxLength: 200, description: "Name or id." }),
      lines: Type.Integer({ minimum: 1, maximum: MAX_LINES, default: 50, description: "How many of the last lines." }),
      full: Type.Optional(Type.Boolean({ description: "Everything from the beginning; default false." })),
      since: Type.Optional(
        Type.Integer({
          minimum: 0,
          description: "Absolute offset (UTF-16 code units) to start from; wins over lines and full.",
        }),
      ),
      question_id: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 40,
          description: "Instead of output, all of this open question: command, diff or plan, and every choice.",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  parse: (args) => {
    const parsed = parseSessionCommand(
      args,
      {
        full: { param: "full", kind: "flag" },
        since: { param: "since", kind: "number" },
        question: { param: "question_id", kind: "text" },
      },
      { param: "lines", needed: false },
    );
    if (!parsed.ok || parsed.params["lines"] === undefined) return parsed;
    return { ok: true, params: { ...parsed.params, lines: countOf(parsed.params["lines"]) } };
  },
  bare: toLookAt("/iflow_output"),
  run: async (context, caller, given): Promise<Result<Reply<OutputJson>>> => {
    const { session: ref, question_id: questionId, since = 0 } = given;
    if (questionId !== undefined)
      return questionReply(context, caller, { ref, questionId, since, maxChars: MAX_CHARS });
    const read = await context.sessions.output(caller, given.session, {
      lines: given.lines,
      full: given.full ?? false,
      since: given.since,
    });
    if (!read.ok) return read;
    const { session, slice } = read.value;
    const forwards = given.full === true || given.since !== undefined;
    const text = forwards ? headOf(slice.text, MAX_CHARS) : tailOf(slice.text, MAX_CHARS);
    const start = forwards ? slice.start : slice.start + slice.text.length - text.length;
    const end = start + text.length;
    const total = Math.max(session.output.end, slice.end);
    const more =
      end < total ? ` More: since ${end}.` : start > 0 ? " Earlier output exists: full, or since an offset." : "";
    const questions = questionLines(session);
    // Everything that it was told later stands in the output itself.
    const began = start === 0 && end > 0 ? `\n👤 ${cutText(session.prompt.text.trim(), PROMPT_LENGTH)}\n` : "";
    return ok({
      text: `${session.name} [${session.id}] ${statusOf(session)} · output ${start}–${end} of ${total}.${more}${began}\n${text}${questions === "" ? "" : `\n${questions}`}`,
      json: pieceRow(session, text, start, total),
    });
  },
});
