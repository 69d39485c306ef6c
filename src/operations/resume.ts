/**
 * iflow_resume: the same conversation and the same settings go on, or a fork of them.
 */
import * as Type from "@sinclair/typebox";
import type { Caller } from "../core/caller.ts";
import { ok, refuse, type Result } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { ResumeJson } from "./answers.ts";
import { parseSessionCommand, takeOptions } from "./command-line.ts";
import type { Context } from "./context.ts";
import { toResume } from "./bare-command.ts";
import { defineOperation } from "./define.ts";
import { inOrder, restLine } from "./listing.ts";
import type { Reply } from "./operation.ts";
import { sessionLine } from "./render.ts";
import { chatWords } from "./reply-words.ts";
import { statusOf } from "./status.ts";

const GO_ON = "Continue where you stopped.";
const MAX_SHOWN = 20;
const OPTIONS = { fork: { param: "fork", kind: "flag" }, list: { param: "list", kind: "flag" } } as const;

export const resume = defineOperation({
  name: "resume",
  scope: "write",
  title: "Resume an iFlow session",
  description:
    "Goes on with an ended, interrupted or idle session, with the same context and settings; fork leaves the original untouched. Without session: lists what can be resumed.",
  usage: "/iflow_resume [--fork] session [prompt] | /iflow_resume --list",
  params: Type.Object(
    {
      session: Type.Optional(
        Type.String({ minLength: 1, maxLength: 200, description: "Name or id; none: list what can be resumed." }),
      ),
      prompt: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200_000,
          description: `What to do next; default: the message of a turn that failed, else "${GO_ON}"`,
        }),
      ),
      fork: Type.Optional(Type.Boolean({ description: "A new session with the same history; default false." })),
    },
    { additionalProperties: false },
  ),
  parse: (args) => {
    const taken = takeOptions(args, OPTIONS);
    if (!taken.ok) return taken;
    // Null is not given: it says that no session is meant.
    if (taken.params["list"] === true) return { ok: true, params: { session: null } };
    if (taken.rest === "" && taken.params["fork"] === undefined) return { ok: true, params: {} };
    return parseSessionCommand(args, OPTIONS, { param: "prompt", needed: false });
  },
  bare: toResume,
  run: async (context, caller, given): Promise<Result<Reply<ResumeJson>>> => {
    if (given.session === undefined) return ok(resumable(context, caller));
    const gone = await goOn(context, caller, given.session, given.prompt, given.fork === true);
    if (!gone.ok) return gone;
    const { session, flowId, text, fork } = gone.value;
    const { id, name } = session;
    return ok({ text, json: { success: true, id, name, flowId, status: statusOf(session), ...fork } });
  },
});

function resumable({ sessions }: Context, caller: Caller): Reply<ResumeJson> {
  const nowAt = sessions.nowAt();
  const found = inOrder(
    sessions
      .all(caller)
      .filter((s) => ["ended", "interrupted", "idle"].includes(s.phase.kind) && s.continuedBy === undefined),
  );
  const lines = found.slice(0, MAX_SHOWN).map((s) => sessionLine(s, undefined, nowAt));
  const rest = restLine(found.slice(MAX_SHOWN));
  return {
    text: found.length === 0 ? "Nothing to resume." : [...lines, rest].filter((line) => line !== "").join("\n"),
    json: found.map((s) => ({ id: s.id, name: s.name, status: statusOf(s), workdir: s.workdir })),
  };
}

export interface GoneOn {
  readonly session: Session;
  readonly flowId: string;
  readonly text: string;
  readonly fork?: { readonly forkOf: string; readonly history: "copied" | "summary" };
}

/** The conversation of an idle, interrupted or ended session goes on, or a fork of it begins. */
export async function goOn(
  context: Context,
  caller: Caller,
  ref: string,
  prompt: string | undefined,
  fork = false,
): Promise<Result<GoneOn>> {
  const { sessions, workdirs } = context;
  const found = sessions.find(caller, ref);
  if (!found.ok) return found;
  const { id, name, phase } = found.value;
  const allowed = await workdirs.stillAllowed(found.value);
  if (!allowed.ok) return allowed;
  const repeats = prompt === undefined ? (true as const) : undefined;
  const message = prompt ?? GO_ON;
  if (fork) {
    const forked = await sessions.fork(caller, found.value, message, repeats);
    if (!forked.ok) return forked;
    const { session, flowId, history } = forked.value;
    const words = chatWords(context, caller, found.value);
    const how = history === "copied" ? "with a copy of its history" : "fresh, with a summary of its history";
    const text =
      words?.reply.forked(name, session.name, history) ??
      `↩️ Forked ${name} into ${session.name} [${session.id}], ${how}. TaskFlow ${flowId}.`;
    return ok({ session, flowId, text, fork: { forkOf: id, history } });
  }
  if (phase.kind === "working" || phase.kind === "asking" || phase.kind === "starting" || phase.kind === "queued") {
    return refuse(
      "wrong_phase",
      `${name} is ${phase.kind}, there is nothing to resume. Use iflow_respond to answer it or to queue a message.`,
    );
  }
  const order = {
    message,
    ...(repeats === undefined ? {} : { repeats }),
    interrupt: false,
    questionId: undefined,
    option: undefined,
    asMessage: true,
  };
  const responded = await sessions.respond(caller, id, order);
  if (!responded.ok) return responded;
  const { session, flowId, repeated } = responded.value;
  const what = repeated === true ? " Its last turn failed, so that turn's message is sent again." : "";
  const { reply } = chatWords(context, caller, found.value) ?? {};
  const inChat = reply && [reply.resumed(session.name), ...(repeated === true ? [reply.repeats] : [])].join("\n");
  const text = inChat ?? `↩️ Resumed ${session.name} [${session.id}].${what} TaskFlow ${flowId}.`;
  return ok({ session, flowId, text });
}
