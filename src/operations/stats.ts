/**
 * iflow_stats: counts over the sessions that the caller may see.
 */
import * as Type from "@sinclair/typebox";
import { ok, type Result } from "../core/errors.ts";
import type { Counters, Session } from "../core/session.ts";
import type { DeliveryCounts } from "../engine/governor.ts";
import type { StatsJson } from "./answers.ts";
import { defineOperation } from "./define.ts";
import type { Reply } from "./operation.ts";
import { durationMs, readableMs } from "./render.ts";
import { STATUSES, statusOf } from "./status.ts";

function sum(sessions: readonly Session[], key: keyof Counters): number {
  return sessions.reduce((total, session) => total + session.counters[key], 0);
}

const MAX_NAMED = 10;

/** What people were told, and what stands in the way; the doctor shows the same. */
export function deliveryLine(counts: DeliveryCounts & { readonly lost?: readonly string[] }): string {
  const { accepted, refused, unknown, noRoute, waiting, paused, lastRefusal, lost = [] } = counts;
  const line = `delivered ${accepted}, refused ${refused}, of unknown fate ${unknown}, without a chat ${noRoute}, on their way ${waiting}`;
  const standing = paused === 0 ? "" : `, chats that take nothing now ${paused}`;
  const missed = lost.length === 0 ? "" : `; ⚠️ not delivered to anybody: the last notice of ${lost.join(", ")}`;
  return lastRefusal === undefined ? line + missed : `${line}${standing} (last trouble: ${lastRefusal})${missed}`;
}

export const stats = defineOperation({
  name: "stats",
  scope: "read",
  title: "iFlow statistics",
  description:
    "Counts of iFlow sessions by status, durations, turns, tool calls, questions and how they were answered, queue and deliveries.",
  usage: "/iflow_stats",
  params: Type.Object({}, { additionalProperties: false }),
  parse: (args) => (args.trim() === "" ? { ok: true, params: {} } : { ok: false, message: "It takes nothing." }),
  run: async (context, caller): Promise<Result<Reply<StatsJson>>> => {
    const nowAt = context.sessions.nowAt();
    const found = context.sessions.all(caller);
    const { admission, governor } = context.sessions.roster;
    // A channel's own words may name a chat that is not the caller's.
    const all = governor.counts;
    const { lastRefusal: _anyones, ...bare } = all;
    const lost = found
      .filter((session) => session.undelivered !== undefined)
      .map(({ name }) => name)
      .slice(0, MAX_NAMED);
    const deliveries: StatsJson["deliveries"] = { ...(caller.seesAll ? all : bare), lost };
    const byStatus = Object.fromEntries(
      STATUSES.map((status) => [status, found.filter((s) => statusOf(s) === status).length]),
    );
    const longest = found.toSorted((a, b) => durationMs(b, nowAt) - durationMs(a, nowAt))[0];
    const questions = {
      asked: sum(found, "questionsAsked"),
      byPerson: sum(found, "answeredByPerson"),
      byAgent: sum(found, "answeredByAgent"),
      denied: sum(found, "denied"),
    };
    const json = {
      total: found.length,
      byStatus,
      workingMs: sum(found, "workingMs"),
      averageDurationMs:
        found.length === 0 ? 0 : Math.round(found.reduce((t, s) => t + durationMs(s, nowAt), 0) / found.length),
      turns: sum(found, "turns"),
      toolCalls: sum(found, "toolCalls"),
      longest:
        longest === undefined ? null : { id: longest.id, name: longest.name, durationMs: durationMs(longest, nowAt) },
      questions,
      queue: {
        running: admission.running,
        waiting: admission.waiting,
        maxSessions: context.config.maxSessions,
        maxQueued: context.config.maxQueued,
      },
      deliveries,
    };
    const statuses = STATUSES.filter((status) => byStatus[status] !== 0).map(
      (status) => `${status} ${byStatus[status]}`,
    );
    const lines = [
      `iFlow sessions: ${found.length}${statuses.length === 0 ? "" : ` (${statuses.join(", ")})`}`,
      `Slots ${admission.running}/${context.config.maxSessions}, waiting ${admission.waiting}/${context.config.maxQueued}`,
      `Turns ${json.turns}, tool calls ${json.toolCalls}, working time ${readableMs(json.workingMs)}`,
      `Questions ${questions.asked}: by people ${questions.byPerson}, by the agent ${questions.byAgent}, denied ${questions.denied}`,
      `Notices: ${deliveryLine(deliveries)}`,
      ...(longest === undefined ? [] : [`Longest: ${longest.name}, ${readableMs(durationMs(longest, nowAt))}`]),
    ];
    return ok({ text: lines.join("\n"), json });
  },
});
