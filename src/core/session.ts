/**
 * A session: one JSON value (I3), changed only by `transition`.
 * Owns: the vocabulary of a session's life. Does not own: how it changes, how it is stored, how it reads.
 * Times are ms since the epoch (`At`) or durations (`Ms`); offsets are UTF-16 code units of the output stream.
 */
import type { Chats, Route } from "./chats.ts";
import type { RequestId, RequestOption, StopReason } from "./agent-event.ts";

export type { Route };

export const SCHEMA = "iflow.session.v1";
export const CONTROLLER_ID = "openclaw-iflow-plugin/session";

export type PermissionMode = "auto" | "selective" | "manual" | "plan";

/** The OpenClaw session that launched: flows, tasks and look-ups are bound to it. */
export interface Owner {
  readonly sessionKey: string;
  readonly agentId?: string;
}

/** A process by pid and start time, since pids come round again. `startedAt` is the kernel's own value (opaque). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

export type Door = "tool" | "command" | "rpc" | "cli" | "button" | "reply" | "taskflow" | "plugin";

/** Who did something. `person` is decided from host facts, never from a parameter (decision 24). */
export interface By {
  readonly kind: "person" | "agent" | "plugin" | "writer";
  readonly door: Door;
  readonly senderId?: string;
}

/** A text of any length: the first 2 KiB here, the whole under `key` in the journal when there is more. */
export interface StoredText {
  readonly text: string;
  /** UTF-16 code units of the whole. */
  readonly length: number;
  readonly key?: string;
  readonly digest?: string;
  /** Its end, where that has to be seen as well. */
  readonly tail?: string;
}

export interface Settings {
  readonly permissionMode: PermissionMode;
  readonly model?: string;
  readonly systemPrompt?: StoredText;
  readonly allowedTools: readonly string[];
  readonly maxTurns?: number;
  /** ms without any frame of the agent while a turn waits for the model. */
  readonly timeoutMs: number;
  readonly singleTurn: boolean;
  /** Whom it wakes when no agent launched it: the agent that its directory's chat names. */
  readonly wakes?: Owner;
}

export interface Message {
  readonly id: string;
  readonly text: StoredText;
  readonly by: By;
  readonly at: number;
  /** Absolute paths or URLs that go along as resource links or images. */
  readonly files?: readonly string[];
  /** It was sent before, in a turn that failed after something had been done. */
  readonly again?: true;
}

export type QuestionKind = "permission" | "question" | "plan" | "fresh-start";

export interface Answer {
  readonly optionIds?: readonly string[];
  readonly text?: string;
  readonly by: By;
  readonly at: number;
}

export interface Question {
  /** `q7`, or `q7.1`, `q7.2` for the parts of one request. */
  readonly id: string;
  readonly kind: QuestionKind;
  /** What is asked; of a permission one line. */
  readonly text: StoredText;
  /** What a permission would do: the command, the diff. Records of before have it behind the first line of `text`. */
  readonly content?: StoredText;
  /** Exact question text, the key of the agent's `answers` (kept only when the request came as questions). */
  readonly header?: string;
  readonly options: readonly RequestOption[];
  readonly multiSelect: boolean;
  readonly freeText: boolean;
  /** By what its options are named, where that is not their numbers. */
  readonly marks?: "letters";
  readonly answer?: Answer;
}

/** A question that is over. Without an answer it was denied at its deadline, or `dropped`: its turn or its session ended before. */
export interface ClosedQuestion {
  readonly id: string;
  readonly answer?: string;
  readonly by?: By["kind"];
  readonly dropped?: true;
  readonly at?: number;
  /** The session's turn at that time, and what could be chosen: words that come late are known by them. */
  readonly turn?: number;
  readonly labels?: readonly string[];
  /** The channel's id of the message that asked it. */
  readonly toldIn?: string;
}

/** One open request of the agent with its one or more questions. */
export interface Ask {
  /** Absent when no live request stands behind it (the plugin's own question). */
  readonly requestId?: RequestId;
  readonly kind: QuestionKind;
  readonly questions: readonly Question[];
  readonly askedAt: number;
  readonly deadlineAt: number;
  /** What a permission is for: an identical request matches a one-time or lasting grant. */
  readonly subject?: PermissionSubject;
  /** When its notice had arrived in the chat, and the channel's id of that message. Absent: nobody was told yet. */
  readonly toldAt?: number;
  readonly toldIn?: string;
  /** Something else was said in that chat since, or may have been while nobody listened: bare words are no answer to it any more. */
  readonly overtaken?: "said" | "perhaps";
}

export interface PermissionSubject {
  readonly toolKind: string;
  readonly toolName?: string;
  readonly title: string;
  /** Digest of the content, so that a grant fits the identical request only. */
  readonly digest: string;
}

export interface Grant {
  readonly subject: PermissionSubject;
  /** once: for the identical request; always: for the tool (or, for commands, the same first word). */
  readonly span: "once" | "always";
}

export interface OpenTool {
  readonly toolCallId: string;
  readonly title: string;
  readonly toolName?: string;
  /** Only one in progress runs: a pending call may be rejected without another frame. */
  readonly status: "pending" | "in_progress";
  readonly sinceAt: number;
}

export type CauseCode =
  | "agent_missing"
  | "agent_start_failed"
  | "agent_handshake"
  | "not_authenticated"
  | "agent_too_old"
  | "agent_error"
  | "agent_exited"
  | "gateway_restarted"
  | "gateway_stopped"
  | "model_silent"
  | "tool_timeout"
  | "stopped_by_person"
  | "stopped_by_agent"
  | "stopped_elsewhere"
  | "abandoned"
  | "prompt_unknown"
  | "storage";

export interface Cause {
  readonly code: CauseCode;
  /** Readable, at most 1 KiB, no secrets. */
  readonly message: string;
}

export type Outcome = "completed" | "failed" | "timed_out" | "killed";

export type Phase =
  | { readonly kind: "queued"; readonly reason: "launch" | "continue"; readonly sinceAt: number }
  | { readonly kind: "starting"; readonly sinceAt: number }
  | {
      readonly kind: "working";
      readonly sinceAt: number;
      /** The message that this turn carries out, journalled before it is sent. */
      readonly message: Message;
      /** `left`: the prompt's line is in the journal, so the agent may have it. Until then it never left. */
      readonly prompt: "pending" | "left";
      readonly lastSignAt: number;
      readonly quietToldAt?: number;
      readonly openTools: readonly OpenTool[];
      /** A stop of the running turn is under way; what it is for, since when, and which tool ran too long. */
      readonly stopping?: { readonly why: StopWhy; readonly sinceAt: number; readonly tool?: string };
    }
  | {
      readonly kind: "asking";
      readonly sinceAt: number;
      readonly asks: readonly Ask[];
      /** The message of the turn that asked; absent for the plugin's own questions. */
      readonly message?: Message;
      readonly openTools: readonly OpenTool[];
    }
  | {
      readonly kind: "idle";
      readonly sinceAt: number;
      readonly expects: "answer" | "nothing";
      readonly preview: string;
      /** When it was last looked whether commands of its turns still run, and which do: its process is kept while they do. */
      readonly lookedAt?: number;
      readonly background?: readonly string[];
      /** The channel's id of the message that asked for words. */
      readonly toldIn?: string;
    }
  | { readonly kind: "interrupted"; readonly sinceAt: number; readonly cause: Cause }
  | {
      readonly kind: "ended";
      readonly at: number;
      readonly outcome: Outcome;
      readonly cause?: Cause;
    };

export type StopWhy = "interrupt" | "model_silent" | "tool_timeout";

export type PhaseKind = Phase["kind"];

/** The end of the output stream, as much as fits into stateJson. */
export interface OutputBuffer {
  readonly text: string;
  /** Absolute offset of the first and one past the last code unit of `text`. */
  readonly start: number;
  readonly end: number;
}

export interface Counters {
  readonly turns: number;
  readonly toolCalls: number;
  readonly chunks: number;
  readonly bytes: number;
  /** Answers by an agent in a row since a person last answered. */
  readonly autoResponds: number;
  readonly questionsAsked: number;
  readonly answeredByPerson: number;
  readonly answeredByAgent: number;
  readonly denied: number;
  readonly workingMs: number;
}

/** The child task that stands for this session now. */
export interface Child {
  readonly runId: string;
  readonly as: "running" | "queued";
  readonly label: string;
}

export type NoticeKind =
  | "launched"
  | "queued"
  | "asks"
  | "responded"
  | "turn-finished"
  | "completed"
  | "failed"
  | "killed"
  | "interrupted"
  | "quiet"
  | "denied"
  | "warning";

export type NoticePart = "chat" | "wake";

/** A notice that is owed until handed over. Data only: the words are made when it leaves. */
export interface Notice {
  /** Unique in the session; with the session's id it is the stable intent id. */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly at: number;
  readonly parts: readonly NoticePart[];
  /** What the words need, fixed at the time of the event. */
  readonly data: NoticeData;
}

/** What a notice is about, for words in the reader's language; `text` then holds only the details. */
export type NoticeCode =
  | CauseCode
  | StopReason
  | "by_agent"
  | "by_person"
  | "by_writer"
  | "deadline_passed"
  | "deadline_held"
  | "foreign_resume"
  | "record_ignored"
  | "rights_unknown"
  | "background_kept"
  | "background_ended"
  | "waiting_for_model"
  | "running_tool"
  | "may_be_cut"
  | "limit_reached";

export interface NoticeData {
  readonly text?: string;
  /** So many code units of the result stand before `text`; the result begins at this offset of the output. */
  readonly leftOut?: { readonly length: number; readonly since: number };
  readonly code?: NoticeCode;
  readonly questionIds?: readonly string[];
  readonly turn?: number;
  readonly durationMs?: number;
  readonly place?: number;
  /** Sessions that hold a slot while they wait for a person. */
  readonly asking?: readonly string[];
  /** Messages that waited and were not sent when the session ended. */
  readonly unsent?: number;
}

/** The agent's process as far as this session knows. `stopping`: told to end, not gone yet. */
export interface LiveAgent {
  readonly kind: "starting" | "ready" | "stopping";
  /** Absent for an agent that was only dialled. */
  readonly identity?: ProcessIdentity;
}

/** A chat that follows the output. `seen` is the absolute offset up to which it has been shown. */
export interface Viewer {
  readonly key: string;
  readonly route?: Route;
  /** A web chat has no route: what it follows is put into this OpenClaw session. */
  readonly sessionKey?: string;
  readonly seen: number;
  /** live: new output is sent as it comes; background: only remembered, for an exact catch-up later. */
  readonly mode: "live" | "background";
}

/** Where words that are kept in part begin. */
export interface WordsFrom {
  /** Absolute offset of the first of them in the output. */
  readonly at: number;
  /** So many code units of them are not kept any more. */
  readonly dropped: number;
  /** The line that began the code block which is open where the kept ones begin; "" for none. */
  readonly block: string;
}

export interface Session extends Chats {
  readonly schema: typeof SCHEMA;
  readonly id: string;
  readonly name: string;
  readonly owner: Owner;
  readonly launchedBy: By;
  readonly workdir: string;
  readonly prompt: StoredText;
  readonly settings: Settings;
  readonly createdAt: number;
  readonly phase: Phase;
  /** Grows by one at each commit; with the flow's revision it tells our writes from foreign ones. */
  readonly seq: number;
  /** Turn number now or last; child runIds carry it. */
  readonly turn: number;
  /** Number of queued children made in this turn (`t<n>.<k>`). */
  readonly standIns: number;
  readonly counters: Counters;
  readonly output: OutputBuffer;
  /** Defined while an agent process lives or starts; a slot is held exactly then (I5). */
  readonly agent?: LiveAgent;
  readonly acpSessionId?: string;
  /** Answers handed to the agent and not yet followed by any frame of it (they survive its death). */
  readonly unconfirmed: readonly Ask[];
  /** Set when a plan was approved: after this turn the session is loaded again in the settings' mode to carry it out. */
  readonly approvedPlan?: { readonly turn: number };
  /** The end of the last uninterrupted words of the agent in this turn, at most 2,400 code units. */
  readonly lastWords: string;
  readonly lastWordsFrom?: WordsFrom;
  /** The counters when this turn began. */
  readonly turnFrom?: { readonly workingMs: number; readonly toolCalls: number };
  /** Deadlines that passed while no gateway ran hold until then. */
  readonly graceUntil?: number;
  readonly inbox: readonly Message[];
  /** Messages whose turns did not come to their end, oldest first: iFlow may not have them any more. */
  readonly undone?: readonly Message[];
  /** The last turn in which the model did something: from then on iFlow's own history has the turn's message. */
  readonly heardInTurn?: number;
  readonly grants: readonly Grant[];
  /** The last questions that are over, oldest first. */
  readonly closed?: readonly ClosedQuestion[];
  readonly child?: Child;
  readonly owed: readonly Notice[];
  readonly viewers: readonly Viewer[];
  /** Files that edits of this session wrote, newest last, at most 20. */
  readonly filesEdited: readonly string[];
  readonly continues?: string;
  readonly continuedBy?: string;
  readonly nextId: number;
}
