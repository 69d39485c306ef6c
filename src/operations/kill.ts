/**
 * iflow_kill: stops a session, or all of the caller's own.
 */
import * as Type from "@sinclair/typebox";
import { ok, refuse, type Result } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { Words } from "../core/words.ts";
import type { KillJson } from "./answers.ts";
import { parseSessionCommand, takeOptions } from "./command-line.ts";
import { toKill } from "./bare-command.ts";
import { defineOperation } from "./define.ts";
import type { Reply } from "./operation.ts";
import { chatWords } from "./reply-words.ts";
import { statusOf } from "./status.ts";

/** What a person reads who stopped it by a command: no notice says it again there. */
function stoppedText({ name, counters, phase }: Session, unsent: number, words: Words): string {
  const { reply, next } = words;
  const took = counters.workingMs < 1_000 ? undefined : words.duration(counters.workingMs);
  const head = statusOf({ phase }) === "completed" ? reply.closed(name) : reply.stopped(name, took);
  return [head, ...(unsent === 0 ? [] : [words.unsent(unsent)]), next.resumeLater(name)].join("\n");
}

const ALL = { all: { param: "all", kind: "flag" } } as const;

export const kill = defineOperation({
  name: "kill",
  scope: "write",
  title: "Stop an iFlow session",
  description:
    "Stops an iFlow session for good: its process group ends, its TaskFlow becomes cancelled. An idle session is closed as completed. Give session, or all.",
  usage: "/iflow_kill session|--all",
  params: Type.Object(
    {
      session: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Name or id." })),
      all: Type.Optional(Type.Boolean({ description: "Stop every live session of this chat; default false." })),
    },
    { additionalProperties: false },
  ),
  parse: (args) => {
    const taken = takeOptions(args, ALL);
    if (!taken.ok) return taken;
    return taken.rest === "" ? { ok: true, params: taken.params } : parseSessionCommand(args, ALL);
  },
  bare: toKill,
  run: async (context, caller, given): Promise<Result<Reply<KillJson>>> => {
    if ((given.session === undefined) === (given.all !== true))
      return refuse("invalid_params", "Give either a session (name or id), or all.");
    if (given.session === undefined) {
      const killed = await context.sessions.killAll(caller);
      const text =
        killed.length === 0 ? "No iFlow session was running." : `⛔ Stopped ${killed.map((s) => s.name).join(", ")}.`;
      return ok({
        text,
        json: { success: true, sessions: killed.map((s) => ({ id: s.id, name: s.name, status: statusOf(s) })) },
      });
    }
    const before = context.sessions.find(caller, given.session);
    const unsent = before.ok && before.value.counters.turns > 0 ? before.value.inbox.length : 0;
    const killed = await context.sessions.kill(caller, given.session);
    if (!killed.ok) return killed;
    const { id, name } = killed.value;
    const status = statusOf(killed.value);
    const words = chatWords(context, caller, killed.value);
    const text =
      words !== undefined
        ? stoppedText(killed.value, unsent, words)
        : status === "completed"
          ? `✅ Closed ${name} [${id}]; it was idle.`
          : `⛔ Stopped ${name} [${id}].`;
    return ok({ text, json: { success: true, id, name, status } });
  },
});
