/**
 * Everything that can happen to a session, and everything that can follow from it.
 * Owns: the event and effect unions and the rules that a decision needs. Time comes in on the event (`at`, ms since the epoch).
 */
import type { AgentEvent, AgentReply, RequestId } from "./agent-event.ts";
import type { RefusalCode, Result } from "./errors.ts";
import type {
  Answer,
  By,
  Cause,
  Child,
  Door,
  Message,
  NoticeCode,
  NoticePart,
  ProcessIdentity,
  Route,
  Session,
  Viewer,
} from "./session.ts";

/** What another writer of the flow did. */
export type ForeignChange =
  | { readonly kind: "resumed"; readonly text: string | undefined }
  | { readonly kind: "finished" }
  | { readonly kind: "failed" }
  | { readonly kind: "cancelled" }
  /** Nothing of it can be read, so nobody can carry it on. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** The host has no such flow any more. */
  | { readonly kind: "removed" };

export type SessionEvent = { readonly at: number } &
  /** Its flow exists: it may get in line. */
  (
    | { readonly type: "admitted" }
    | { readonly type: "slot-granted" }
    /** `asking`: who holds a slot while waiting for a person, by name. */
    | { readonly type: "placed"; readonly place: number; readonly asking?: readonly string[]; readonly told?: true }
    | { readonly type: "agent-started"; readonly identity: ProcessIdentity | undefined }
    | { readonly type: "agent-ready"; readonly acpSessionId: string; readonly history: "new" | "loaded" | "lost" }
    | { readonly type: "start-failed"; readonly cause: Cause }
    /** `chunks`: how many frames were joined into this event. `digest`: of a permission's content. */
    | {
        readonly type: "said";
        readonly event: AgentEvent;
        readonly chunks: number;
        readonly digest?: string;
        readonly textKey?: string;
      }
    | { readonly type: "prompt-left"; readonly turn: number }
    | { readonly type: "prompt-failed"; readonly turn: number; readonly cause: Cause }
    | { readonly type: "message"; readonly message: Message; readonly interrupt: boolean }
    | { readonly type: "answered"; readonly questionId: string; readonly answer: Answer }
    | { readonly type: "kill"; readonly by: By; readonly told?: true }
    | { readonly type: "foreign"; readonly change: ForeignChange; readonly message: Message | undefined }
    | { readonly type: "clock" }
    /** Nothing ran for so long, since the machine slept; negative: the clock was set back. */
    | { readonly type: "slept"; readonly ms: number }
    /** Somebody waits for a slot: an idle process goes before its keep-alive. */
    | { readonly type: "park" }
    | { readonly type: "stopping" }
    /** What the idle session's turns left running, looked up before its process would end. */
    | { readonly type: "looked-behind"; readonly commands: readonly string[] }
    /** That ended with its process. */
    | { readonly type: "background-ended"; readonly commands: readonly string[] }
    | { readonly type: "recovered"; readonly promptLeft: "yes" | "no"; readonly outputEnd: number }
    | ({ readonly type: "told"; readonly noticeId: string; readonly part: NoticePart } & Fate)
    /** Something else was said in the chat that was asked. */
    | { readonly type: "overtaken" }
    /** A chat is another one from now on. */
    | { readonly type: "moved"; readonly from: Route; readonly to: Route }
    | { readonly type: "viewed"; readonly viewer: Viewer }
    /** The chat that follows was sent the output up to `seen`. Whether it still follows is not touched. */
    | { readonly type: "shown"; readonly key: string; readonly seen: number }
    /** The child that stood for the session was ended by the host: another one takes its place. */
    | { readonly type: "child-lost"; readonly runId: string }
    | { readonly type: "continued"; readonly by: string }
    /** Something that people should know, in words. */
    | { readonly type: "warn"; readonly text: string; readonly code?: NoticeCode }
  );

/** What became of a notice that was handed over. */
export interface Fate {
  /** The channel's, where it gave one. */
  readonly messageId?: string | undefined;
  /** It stands in the chat. */
  readonly arrived?: boolean;
  /** Something else was said there while it was on its way. */
  readonly overtaken?: boolean;
  /** The chat that took it in place of the session's own. */
  readonly elsewhere?: Route;
  /** No chat took it. */
  readonly isLost?: true;
}

/** Carried out after the commit; what an effect leads to comes back as an event. */
export type Effect =
  | { readonly do: "request-slot"; readonly ahead: boolean }
  | { readonly do: "release-slot" }
  | { readonly do: "start-agent" }
  | { readonly do: "send-prompt"; readonly turn: number; readonly message: Message }
  | { readonly do: "reply"; readonly requestId: RequestId; readonly reply: AgentReply }
  | { readonly do: "cancel-turn" }
  | { readonly do: "stop-agent" }
  | { readonly do: "look-behind" }
  | { readonly do: "start-child"; readonly child: Child }
  | { readonly do: "activate-child"; readonly runId: string }
  | { readonly do: "tool-progress"; readonly runId: string; readonly name: string }
  | {
      readonly do: "end-child";
      readonly runId: string;
      readonly outcome: "succeeded" | "failed" | "timed_out" | "cancelled";
      readonly error?: string;
    }
  | { readonly do: "record-question"; readonly id: string; readonly text: string }
  | { readonly do: "record-answer"; readonly id: string; readonly text: string; readonly by: By }
  | { readonly do: "end-flow-cancelled" }
  | { readonly do: "audit"; readonly fact: AuditFact };

/** What became of a session through no door of ours: another writer's doing, or a deadline's. */
export interface AuditFact {
  readonly operation: "respond" | "kill";
  readonly door: Door;
  readonly outcome: "ok" | "deadline_passed" | RefusalCode;
  readonly params: Readonly<Record<string, string>>;
}

/** The part of the configuration that decisions depend on. */
export interface Rules {
  readonly outputMode: "minimal" | "balanced" | "verbose";
  readonly safeMode: boolean;
  readonly outputBufferBytes: number;
  readonly quietAfterMs: number;
  readonly toolTimeoutMs: number;
  readonly questionTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly maxAutoResponds: number;
  readonly afterRestart: "ask" | "continue";
}

/** An event without its time: the mailbox stamps it when its turn comes. */
export type Untimed<E = SessionEvent> = E extends SessionEvent ? Omit<E, "at"> : never;

/** How a message or an answer was taken. */
export type Taken = "now" | "queued" | "resumed";

export interface Step {
  readonly session: Session;
  readonly effects: readonly Effect[];
  /** What was added to the end of the output stream; absent: nothing. */
  readonly written?: string;
  /** For `message`, `answered` and `kill`: what the caller is told. For `prompt-left`: whether it may leave. */
  readonly reply?: Result<Taken>;
}
