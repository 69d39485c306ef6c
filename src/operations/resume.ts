/**
 * iflow_resume: the same conversation and the same settings go on, or a fork of them.
 */
import * as Type from "@sinclair/typebox";
import { ok, refuse } from "../core/errors.ts";
import { parseSessionCommand, takeOptions } from "./command-line.ts";
import { defineOperation } from "./define.ts";
import { sessionLine, statusOf } from "./render.ts";

const GO_ON = "Continue where you stopped.";

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
        Type.String({ minLength: 1, maxLength: 200_000, description: `What to do next; default: "${GO_ON}"` }),
      ),
      fork: Type.Optional(Type.Boolean({ description: "A new session with the same history; default false." })),
    },
    { additionalProperties: false },
  ),
  parse: (args) => {
    const options = { fork: { param: "fork", kind: "flag" }, list: { param: "list", kind: "flag" } } as const;
    const taken = takeOptions(args, options);
    if (!taken.ok) return taken;
    if (taken.params["list"] === true || (taken.rest === "" && taken.params["fork"] === undefined))
      return { ok: true, params: {} };
    return parseSessionCommand(args, { fork: options.fork }, { param: "prompt", needed: false });
  },
  run: async (context, caller, given) => {
    const { sessions } = context;
    if (given.session === undefined) {
      const nowAt = sessions.nowAt();
      const resumable = sessions
        .all(caller)
        .filter((s) => ["ended", "interrupted", "idle"].includes(s.phase.kind) && s.continuedBy === undefined);
      const text =
        resumable.length === 0
          ? "Nothing to resume."
          : resumable
              .slice(0, 20)
              .map((s) => sessionLine(s, undefined, nowAt))
              .join("\n");
      return ok({
        text,
        json: resumable.map((s) => ({ id: s.id, name: s.name, status: statusOf(s), workdir: s.workdir })),
      });
    }
    const found = sessions.find(caller, given.session);
    if (!found.ok) return found;
    const prompt = given.prompt ?? GO_ON;
    if (given.fork === true) {
      const forked = await sessions.fork(caller, found.value, prompt);
      if (!forked.ok) return forked;
      const { session, flowId, history } = forked.value;
      const how = history === "copied" ? "with a copy of its history" : "fresh, with a summary of its history";
      return ok({
        text: `↩️ Forked ${found.value.name} into ${session.name} [${session.id}], ${how}. TaskFlow ${flowId}.`,
        json: { success: true, id: session.id, name: session.name, flowId, forkOf: found.value.id, history },
      });
    }
    const { kind } = found.value.phase;
    if (kind === "working" || kind === "asking" || kind === "starting" || kind === "queued") {
      return refuse(
        "wrong_phase",
        `${found.value.name} is ${kind}, there is nothing to resume. Use iflow_respond to answer it or to queue a message.`,
      );
    }
    const responded = await sessions.respond(caller, found.value.id, {
      message: prompt,
      interrupt: false,
      questionId: undefined,
      option: undefined,
    });
    if (!responded.ok) return responded;
    const { session, flowId } = responded.value;
    return ok({
      text: `↩️ Resumed ${session.name} [${session.id}]. TaskFlow ${flowId}.`,
      json: { success: true, id: session.id, name: session.name, flowId, status: statusOf(session) },
    });
  },
});
