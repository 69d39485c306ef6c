/**
 * Readable sessions and events for the core's tests. Sessions come about as in life: by events, from their first value.
 */
import type { AgentEvent, AgentRequest, RequestOption, StopReason, ToolStatus } from "../../src/core/agent-event.ts";
import type { Effect, Rules, SessionEvent, Step } from "../../src/core/event.ts";
import { newSession, type SessionSeed } from "../../src/core/new-session.ts";
import type { Answer, By, Cause, Message, Notice, Phase, Session, Settings } from "../../src/core/session.ts";
import { transition } from "../../src/core/transition.ts";

export const T0 = 1_750_000_000_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export const RULES: Rules = {
  outputMode: "balanced",
  safeMode: false,
  outputBufferBytes: 32_768,
  quietAfterMs: 10 * MINUTE_MS,
  toolTimeoutMs: 2 * HOUR_MS,
  questionTimeoutMs: DAY_MS,
  idleTimeoutMs: 30 * MINUTE_MS,
  keepAliveMs: 20_000,
  maxAutoResponds: 3,
  afterRestart: "ask",
};

export const PERSON: By = { kind: "person", door: "command", senderId: "42" };
export const AGENT: By = { kind: "agent", door: "tool" };
export const WRITER: By = { kind: "writer", door: "taskflow" };

export const SETTINGS: Settings = {
  permissionMode: "manual",
  allowedTools: [],
  timeoutMs: 5 * MINUTE_MS,
  singleTurn: false,
};

export interface Launch {
  readonly by?: By;
  readonly prompt?: string;
  readonly settings?: Partial<Settings>;
  readonly continues?: NonNullable<SessionSeed["continues"]>;
  readonly name?: string;
}

export function launched({
  by = PERSON,
  prompt = "Fix the login tests",
  settings = {},
  continues,
  name = "fix-login",
}: Launch = {}): Session {
  return newSession({
    id: "a1b2c3d4e5",
    name,
    owner: { sessionKey: "agent:main:telegram:direct:42", agentId: "main" },
    launchedBy: by,
    route: { channel: "telegram", to: "telegram:42", accountId: "default" },
    workdir: "/work/app",
    prompt: { text: prompt, length: prompt.length },
    files: [],
    settings: { ...SETTINGS, ...settings },
    at: T0,
    ...(continues === undefined ? {} : { continues }),
  });
}

// ------------------------------------------------------------------ events

type Untimed<E = SessionEvent> = E extends SessionEvent ? Omit<E, "at"> : never;
export type Happening = Untimed & { readonly at?: number };

export const SLOT: Happening = { type: "slot-granted" };
export const STARTED: Happening = { type: "agent-started", identity: { pid: 4711, startedAt: "100" } };
export const CLOCK: Happening = { type: "clock" };
export const STOPPING: Happening = { type: "stopping" };
export const PARK: Happening = { type: "park" };

export function ready(history: "new" | "loaded" | "lost" = "new", acpSessionId = "acp-1"): Happening {
  return { type: "agent-ready", acpSessionId, history };
}

export function startFailed(code: Cause["code"] = "agent_missing", message = "No agent command found"): Happening {
  return { type: "start-failed", cause: { code, message } };
}

export function said(event: AgentEvent, more: { chunks?: number; digest?: string; textKey?: string } = {}): Happening {
  return { type: "said", event, chunks: 1, ...more };
}

export function text(words: string, agentId?: string): Happening {
  return said({ kind: "text", text: words, ...(agentId === undefined ? {} : { agentId }) });
}

export function tool(
  toolCallId: string,
  status: ToolStatus,
  more: Partial<Extract<AgentEvent, { kind: "tool" }>> = {},
): Happening {
  return said({ kind: "tool", toolCallId, status, ...more });
}

export const ALLOW_ALWAYS: RequestOption = { id: "proceed_always", label: "Always Allow", kind: "allow_always" };
export const ALLOW: RequestOption = { id: "proceed_once", label: "Allow", kind: "allow_once" };
export const REJECT: RequestOption = { id: "cancel", label: "Reject", kind: "reject_once" };

type Permission = Extract<AgentRequest, { kind: "permission" }>;

export function permissionRequest(more: Partial<Permission> = {}): Permission {
  return {
    kind: "permission",
    requestId: 0,
    toolCallId: "call_1",
    title: "git status [current working directory /work/app] (see what changed)",
    toolKind: "execute",
    content: "",
    options: [ALLOW_ALWAYS, ALLOW, REJECT],
    ...more,
  };
}

export function permission(more: Partial<Permission> = {}, digest = "d0"): Happening {
  return said({ kind: "asked", request: permissionRequest(more) }, { digest });
}

export interface Part {
  readonly text: string;
  readonly options?: readonly string[];
  readonly multiSelect?: boolean;
}

export function questions(requestId: number | string, ...parts: readonly Part[]): Happening {
  return said({
    kind: "asked",
    request: {
      kind: "questions",
      requestId,
      questions: parts.map(({ text: words, options = [], multiSelect = false }) => ({
        text: words,
        options: options.map((label) => ({ id: label, label })),
        multiSelect,
      })),
    },
  });
}

export function plan(requestId: number, words: string): Happening {
  return said({ kind: "asked", request: { kind: "plan", requestId, plan: words } });
}

export function turnEnded(turn: number, stopReason: StopReason = "end_turn"): Happening {
  return said({ kind: "turn-ended", turn, stopReason });
}

export function turnFailed(turn: number, message = "Internal Error: generate data error"): Happening {
  return said({ kind: "turn-failed", turn, code: -32603, message });
}

export function loginOver(
  turn: number,
  message = "The agent is not authenticated (Authentication required).",
): Happening {
  return said({ kind: "turn-failed", turn, code: -32000, message, needsLogin: true });
}

export function exited(code: number | null = 1, stderrTail = ""): Happening {
  return said({ kind: "exited", report: { code, signal: null, stderrTail, cause: "exited" } });
}

export function messageOf(words: string, by: By = PERSON): Message {
  return { id: `m-${words.slice(0, 20)}`, text: { text: words, length: words.length }, by, at: T0 };
}

export function messaged(
  words: string,
  { by = PERSON, interrupt = false }: { by?: By; interrupt?: boolean } = {},
): Happening {
  return { type: "message", message: messageOf(words, by), interrupt };
}

export function answered(
  questionId: string,
  choice: { option?: string; options?: readonly string[]; text?: string },
  by: By = PERSON,
): Happening {
  const ids = choice.options ?? (choice.option === undefined ? undefined : [choice.option]);
  const answer: Answer = {
    by,
    at: T0,
    ...(ids === undefined ? {} : { optionIds: ids }),
    ...(choice.text === undefined ? {} : { text: choice.text }),
  };
  return { type: "answered", questionId, answer };
}

export function kill(by: By = PERSON): Happening {
  return { type: "kill", by };
}

export function foreign(
  change: "finished" | "failed" | "cancelled" | { readonly resumed: string | undefined },
): Happening {
  if (typeof change === "string") return { type: "foreign", change: { kind: change }, message: undefined };
  const { resumed } = change;
  return {
    type: "foreign",
    change: { kind: "resumed", text: resumed },
    message: resumed === undefined ? undefined : messageOf(resumed, WRITER),
  };
}

export function recovered(promptLeft: "yes" | "no" = "yes", outputEnd = 0): Happening {
  return { type: "recovered", promptLeft, outputEnd };
}

// ------------------------------------------------------------------ stories

export interface Told extends Step {
  /** Everything that followed from all events, in order. */
  readonly all: readonly Effect[];
}

/** The latest time that the session knows of. */
function nowOf({ phase }: Session): number {
  if (phase.kind === "ended") return phase.at;
  return phase.kind === "working" ? phase.lastSignAt : phase.sinceAt;
}

/** Plays events one after another, each one second after the one before unless it says when. */
export function play(start: Session, events: readonly Happening[], rules: Rules = RULES): Told {
  let session = start;
  let now = nowOf(start);
  let step: Step = { session, effects: [] };
  const all: Effect[] = [];
  for (const event of events) {
    now = event.at ?? now + 1_000;
    step = transition(session, { ...event, at: now }, rules);
    session = step.session;
    all.push(...step.effects);
  }
  return { ...step, session, all };
}

export function starting(launch?: Launch): Session {
  return play(launched(launch), [SLOT, STARTED]).session;
}

/** In its first turn, the prompt handed over. */
export function working(launch?: Launch): Session {
  return play(starting(launch), [ready(), { type: "prompt-left", turn: 1 }]).session;
}

export function asking(request: Happening = permission(), launch?: Launch): Session {
  return play(working(launch), [request]).session;
}

export function idle(words = "Done.", launch?: Launch): Session {
  return play(working(launch), [text(words), turnEnded(1)]).session;
}

/** Idle, and its process gone. */
export function parked(words = "Done.", launch?: Launch): Session {
  return play(idle(words, launch), [PARK, exited(143)]).session;
}

export function interrupted(launch?: Launch): Session {
  return play(working(launch), [text("Half way"), exited(137)]).session;
}

export function ended(launch?: Launch): Session {
  return play(working(launch), [kill(), exited(143)]).session;
}

/** A question that a restart left without a process. */
export function orphaned(request: Happening = permission(), launch?: Launch): Session {
  return play(asking(request, launch), [recovered()]).session;
}

// ------------------------------------------------------------------ readers

export function phaseOf<K extends Phase["kind"]>(session: Session, kind: K): Extract<Phase, { kind: K }> {
  const { phase } = session;
  if (phase.kind !== kind) throw new Error(`the session is ${JSON.stringify(phase)}, not ${kind}`);
  return phase as Extract<Phase, { kind: K }>;
}

export function effectsOf<D extends Effect["do"]>(
  effects: readonly Effect[],
  what: D,
): readonly Extract<Effect, { do: D }>[] {
  return effects.filter((effect): effect is Extract<Effect, { do: D }> => effect.do === what);
}

export function notices(session: Session, kind?: Notice["kind"]): readonly Notice[] {
  return session.owed.filter((notice) => kind === undefined || notice.kind === kind);
}

export function lastNotice(session: Session): Notice {
  const notice = session.owed.at(-1);
  if (notice === undefined) throw new Error("nothing is owed");
  return notice;
}

export function questionIds(session: Session): readonly string[] {
  return phaseOf(session, "asking").asks.flatMap((ask) => ask.questions.map((question) => question.id));
}
