/**
 * What RPC answers (and a tool's details hold), as schemas: stable JSON.
 * Owns: the shapes. Operations take them as types only, so the compiler holds them to it; the tables of docs/reference.md and the tests take
 * the schemas. Times are ms since the epoch, offsets UTF-16 code units of the output.
 */
import * as Type from "@sinclair/typebox";
import type { Static } from "@sinclair/typebox";
import { STATUSES } from "./status.ts";

function oneOf<const T extends readonly string[]>(values: T, description: string) {
  return Type.Unsafe<T[number]>(Type.String({ enum: [...values], description }));
}

const id = Type.String({ description: "Id of the session." });
const name = Type.String({ description: "Its name." });
const status = oneOf(STATUSES, "Its state now.");
const workdir = Type.String({ description: "Real path of its directory." });
const flowId = Type.String({ description: "Its TaskFlow." });
const success = Type.Literal(true, { description: "A refusal is an error instead." });
const startOffset = Type.Integer({ description: "Where `output` begins." });
const endOffset = Type.Integer({ description: "One past its end: `since` of the next call." });
const closed = { additionalProperties: false };
const who = Type.Object({ id, name }, closed);

export const LaunchAnswer = Type.Object(
  {
    id,
    name,
    status,
    workdir,
    flowId,
    queuePosition: Type.Optional(Type.Integer({ description: "Place in line, from 1, when all slots are busy." })),
  },
  closed,
);

export const RespondAnswer = Type.Object(
  {
    success,
    id,
    name,
    flowId,
    delivered: oneOf(
      ["now", "queued", "resumed"],
      "now: iFlow has it; queued: for the next turn; resumed: iFlow is started again for it.",
    ),
  },
  closed,
);

export const FgAnswer = Type.Object(
  {
    id,
    name,
    status,
    startOffset,
    endOffset,
    following: Type.Boolean({ description: "Whether more will come (false: the session has ended)." }),
    output: Type.String({ description: "What this chat had not seen." }),
  },
  closed,
);

export const BgAnswer = Type.Object(
  { success, sessions: Type.Array(who, { description: "Which the chat does not follow any more." }) },
  closed,
);

export const KillAnswer = Type.Object(
  {
    success,
    id: Type.Optional(id),
    name: Type.Optional(name),
    status: Type.Optional(status),
    sessions: Type.Optional(
      Type.Array(Type.Object({ id, name, status }, closed), { description: "With `all`: those that were stopped." }),
    ),
  },
  closed,
);

const QuestionRow = Type.Object(
  {
    id: Type.String({ description: "For `question_id`." }),
    kind: oneOf(["permission", "question", "plan", "fresh-start"], "What is asked for."),
    text: Type.String({ description: "The question." }),
    options: Type.Array(Type.String(), { description: "Choices, in the order of their marks." }),
    marks: oneOf(["numbers", "letters"], "By what they are named: 1, 2, 3, or A, B, C where a number could mean two."),
  },
  closed,
);

export const OutputAnswer = Type.Object(
  {
    id,
    name,
    status,
    startOffset,
    endOffset,
    truncated: Type.Boolean({ description: "Whether there is more before or after." }),
    output: Type.String({
      description: "The words; with `questionId` those of the question, and the offsets are in them.",
    }),
    question: Type.Optional(QuestionRow),
  },
  closed,
);

export const SessionRow = Type.Object(
  {
    id,
    name,
    status,
    workdir,
    prompt: Type.String({ description: "Its first prompt, at most 2 KiB of it." }),
    startedAt: Type.Integer({ description: "Launched at." }),
    completedAt: Type.Union([Type.Integer(), Type.Null()], { description: "Ended at." }),
    durationMs: Type.Integer({ description: "From launch to end, or until now." }),
    turnCount: Type.Integer({ description: "Turns begun." }),
    toolCalls: Type.Integer({ description: "Tool calls of iFlow." }),
    flowId: Type.Union([Type.String(), Type.Null()], { description: "Its TaskFlow." }),
    permissionMode: oneOf(["auto", "selective", "manual", "plan"], "As it is now."),
    question: Type.Optional(Type.Array(QuestionRow, { description: "What is open, when it asks." })),
    error: Type.Optional(Type.String({ description: "Why it failed, was killed or interrupted." })),
    undelivered: Type.Optional(
      Type.Integer({ description: "Notices in a row that no chat took; none when its chat takes them." }),
    ),
    continues: Type.Optional(Type.String({ description: "Id of the session that it goes on with." })),
    continuedBy: Type.Optional(Type.String({ description: "Id of the session that went on with it." })),
  },
  closed,
);

export const SessionsAnswer = Type.Array(SessionRow, {
  description: "What waits for a person first, then what works, then the latest.",
});

const count = (description: string) => Type.Integer({ description });

export const StatsAnswer = Type.Object(
  {
    total: count("Sessions that are known."),
    byStatus: Type.Record(Type.String(), Type.Integer(), { description: "State -> sessions." }),
    workingMs: count("Time in which iFlow worked; waiting for people does not count."),
    averageDurationMs: count("From launch to end, or until now."),
    turns: count("Turns begun."),
    toolCalls: count("Tool calls."),
    longest: Type.Union([Type.Object({ id, name, durationMs: Type.Integer() }, closed), Type.Null()], {
      description: "The longest session: `{ id, name, durationMs }`.",
    }),
    questions: Type.Object(
      {
        asked: count("Questions of iFlow."),
        byPerson: count("Answered by people."),
        byAgent: count("Answered by an agent."),
        denied: count("Denied, e.g. past their deadline."),
      },
      closed,
    ),
    queue: Type.Object(
      {
        running: count("Slots taken."),
        waiting: count("Sessions in line."),
        maxSessions: count("Slots."),
        maxQueued: count("Places in line."),
      },
      closed,
    ),
    deliveries: Type.Object(
      {
        accepted: count("Notices that the host took."),
        refused: count("Notices that it or the channel refused for good."),
        unknown: count("Notices that may not have arrived (cut off while they were sent); they are not repeated."),
        noRoute: count("Notices without a chat."),
        lost: Type.Array(Type.String(), { description: "Names of sessions whose last notices no chat took." }),
        waiting: count("Notices on their way."),
        paused: count("Chats that take nothing now; what waits for them is tried again."),
        lastRefusal: Type.Optional(
          Type.String({ description: "Why the last one was not taken at once; only for who sees every session." }),
        ),
      },
      closed,
    ),
  },
  closed,
);

const Resumed = Type.Object(
  {
    success,
    id,
    name,
    flowId,
    status,
    forkOf: Type.Optional(Type.String({ description: "With `fork`: id of the original." })),
    history: Type.Optional(oneOf(["copied", "summary"], "With `fork`: what it knows of the original.")),
  },
  closed,
);

const Resumable = Type.Array(Type.Object({ id, name, status, workdir }, closed), {
  description: "Without `session`: what can be resumed; what waits for a person first, then the latest.",
});

export const ResumeAnswer = Type.Union([Resumed, Resumable]);

export type LaunchJson = Static<typeof LaunchAnswer>;
export type RespondJson = Static<typeof RespondAnswer>;
export type FgJson = Static<typeof FgAnswer>;
export type BgJson = Static<typeof BgAnswer>;
export type KillJson = Static<typeof KillAnswer>;
export type OutputJson = Static<typeof OutputAnswer>;
export type QuestionJson = Static<typeof QuestionRow>;
export type SessionJson = Static<typeof SessionRow>;
export type StatsJson = Static<typeof StatsAnswer>;
export type ResumeJson = Static<typeof ResumeAnswer>;
