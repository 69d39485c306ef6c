/**
 * iflow_sessions: who is there.
 */
import * as Type from "@sinclair/typebox";
import { ok, type Result } from "../core/errors.ts";
import type { SessionJson } from "./answers.ts";
import { defineOperation } from "./define.ts";
import { inOrder, restLine } from "./listing.ts";
import type { Reply } from "./operation.ts";
import { sessionLine, sessionRow } from "./render.ts";
import { STATUSES, statusOf } from "./status.ts";
import type { Session } from "../core/session.ts";

const FILTERS = ["all", ...STATUSES, "active"] as const;
const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "killed"]);
const MAX_SHOWN = 30;

function matches(session: Session, filter: (typeof FILTERS)[number]): boolean {
  const status = statusOf(session);
  return filter === "all" || filter === status || (filter === "active" && !ENDED.has(status));
}

export const sessions = defineOperation({
  name: "sessions",
  scope: "read",
  quotesWords: true,
  title: "List iFlow sessions",
  description:
    "Lists iFlow sessions with their status: what waits for a person first, then what works, then the latest. filter: all, active (not ended), or one status.",
  usage: `/iflow_sessions [${FILTERS.join("|")}]`,
  params: Type.Object(
    {
      filter: Type.Unsafe<(typeof FILTERS)[number]>(
        Type.String({ enum: [...FILTERS], default: "all", description: "Which sessions." }),
      ),
    },
    { additionalProperties: false },
  ),
  // A filter that was typed as an option is the filter.
  parse: (args) => {
    const filter = args
      .trim()
      .toLowerCase()
      .replace(/^(?:--|[—–])/u, "");
    return { ok: true, params: filter === "" ? {} : { filter } };
  },
  run: async (context, caller, given): Promise<Result<Reply<readonly SessionJson[]>>> => {
    const nowAt = context.sessions.nowAt();
    const found = inOrder(context.sessions.all(caller).filter((session) => matches(session, given.filter)));
    const lines = found
      .slice(0, MAX_SHOWN)
      .map((session) => sessionLine(session, context.sessions.placeOf(session), nowAt));
    const rest = restLine(found.slice(MAX_SHOWN));
    const none = given.filter === "all" ? "No iFlow sessions yet." : `No ${given.filter} iFlow sessions.`;
    return ok({
      text: found.length === 0 ? none : [...lines, rest].filter((line) => line !== "").join("\n"),
      json: found.map((session) => sessionRow(session, context.sessions.flowIdOf(session), nowAt)),
    });
  },
});
