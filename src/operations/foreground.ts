/**
 * iflow_fg and iflow_bg: a chat follows a session, and stops following it.
 */
import * as Type from "@sinclair/typebox";
import { ok, refuse, type Result } from "../core/errors.ts";
import type { BgJson, FgJson } from "./answers.ts";
import { parseSessionCommand } from "./command-line.ts";
import { toLookAt } from "./bare-command.ts";
import { defineOperation } from "./define.ts";
import type { Reply } from "./operation.ts";
import { questionLines } from "./render.ts";
import { chatWords } from "./reply-words.ts";
import { statusOf } from "./status.ts";

export const fg = defineOperation({
  name: "fg",
  scope: "write",
  showsWords: true,
  title: "Follow an iFlow session here",
  description: "Shows what this chat has not seen of a session's output, then streams new output into this chat.",
  usage: "/iflow_fg session",
  params: Type.Object(
    {
      session: Type.String({ minLength: 1, maxLength: 200, description: "Name or id." }),
      lines: Type.Integer({
        minimum: 1,
        maximum: 1_000,
        default: 30,
        description: "How many lines to catch up at most, in a chat that is new to it.",
      }),
    },
    { additionalProperties: false },
  ),
  parse: (args) => parseSessionCommand(args, { lines: { param: "lines", kind: "number" } }),
  bare: toLookAt("/iflow_fg"),
  run: async (context, caller, given): Promise<Result<Reply<FgJson>>> => {
    const shown = await context.sessions.foreground(caller, given.session, given.lines);
    if (!shown.ok) return shown;
    const { session, slice } = shown.value;
    const status = statusOf(session);
    const live = session.phase.kind !== "ended";
    const { text } = slice;
    const words = chatWords(context, caller, session);
    const head = live
      ? (words?.reply.following(session.name) ??
        `▍Following ${session.name} [${session.id}] (${status}); /iflow_bg stops it.`)
      : `${session.name} [${session.id}] has ended (${status}).`;
    const body = text.trim() === "" ? (words?.reply.nothingNew ?? "(nothing new)") : text;
    return ok({
      text: [head, body, questionLines(session)].filter((part) => part !== "").join("\n"),
      json: {
        id: session.id,
        name: session.name,
        status,
        startOffset: slice.start,
        endOffset: slice.end,
        following: live,
        output: text,
      },
    });
  },
});

export const bg = defineOperation({
  name: "bg",
  scope: "write",
  title: "Stop following iFlow sessions here",
  description: "Stops streaming a session's output into this chat (no session: all of them). The sessions go on.",
  usage: "/iflow_bg [session]",
  params: Type.Object(
    {
      session: Type.Optional(
        Type.String({ minLength: 1, maxLength: 200, description: "Name or id; none: all that this chat follows." }),
      ),
    },
    { additionalProperties: false },
  ),
  parse: (args) => (args.trim() === "" ? { ok: true, params: {} } : parseSessionCommand(args, {})),
  run: async (context, caller, given): Promise<Result<Reply<BgJson>>> => {
    if (caller.door === "rpc" && caller.route === undefined)
      return refuse("invalid_params", "Which chat shall stop following? Give its route (channel|account|target).");
    const stopped = await context.sessions.background(caller, given.session);
    if (!stopped.ok) return stopped;
    const names = stopped.value.map((s) => s.name);
    return ok({
      text: names.length === 0 ? "This chat follows no iFlow session." : `No longer following ${names.join(", ")}.`,
      json: { success: true, sessions: stopped.value.map((s) => ({ id: s.id, name: s.name })) },
    });
  },
});
