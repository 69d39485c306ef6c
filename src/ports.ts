/**
 * The edges of the system on one page: what the engine needs from the outside, in its own words.
 * Each port has a real adapter and a fake; one contract suite runs on both.
 * Rule for every method here: it says whether it may throw, and what has settled when it resolves.
 */
import type { AgentEvent, AgentReply, RequestId } from "./core/agent-event.ts";
import type { AuditFact } from "./core/event.ts";
import type { Grant, Owner, ProcessIdentity, Route, Session, Settings } from "./core/session.ts";

// ---------------------------------------------------------------- TaskFlow

export type FlowStatus = "queued" | "running" | "waiting" | "blocked" | "succeeded" | "failed" | "cancelled" | "lost";

export interface FlowRecord {
  readonly flowId: string;
  readonly revision: number;
  readonly status: FlowStatus;
  readonly controllerId: string | undefined;
  readonly goal: string;
  readonly currentStep: string | undefined;
  readonly stateJson: unknown;
  readonly waitJson: unknown;
  /** ms since the epoch, set by anybody who asked for the flow's end. */
  readonly cancelRequestedAt: number | undefined;
  /** The same number as in the summary: a summary with a larger one has seen a write that this record has not. */
  readonly version: number;
}

/** What a poll of one owner sees without reading states. */
export interface FlowSummary {
  readonly flowId: string;
  readonly status: FlowStatus;
  readonly currentStep: string | undefined;
  readonly cancelRequestedAt: number | undefined;
  /** Grows with every mutation by anybody (the host's updatedAt in ms, or its revision). */
  readonly version: number;
}

export type FlowChange =
  | { readonly verb: "run"; readonly currentStep: string; readonly stateJson: unknown }
  | { readonly verb: "queue"; readonly currentStep: string; readonly stateJson: unknown }
  | { readonly verb: "wait"; readonly currentStep: string; readonly stateJson: unknown; readonly waitJson: unknown }
  | { readonly verb: "finish"; readonly stateJson: unknown }
  | { readonly verb: "fail"; readonly summary: string; readonly stateJson: unknown }
  | { readonly verb: "request-cancel" };

export type FlowCommit =
  | { readonly kind: "applied"; readonly record: FlowRecord }
  /** Somebody else changed it; `current` is the whole record. Never retried blindly (I7). */
  | { readonly kind: "conflict"; readonly current: FlowRecord }
  | { readonly kind: "gone"; readonly reason: string }
  /** The host says that nothing was written (disk full, read-only). */
  | { readonly kind: "not-stored"; readonly reason: string }
  /** Written or not: only a reread tells. */
  | { readonly kind: "unknown"; readonly reason: string };

export interface NewFlow {
  readonly goal: string;
  readonly status: "queued" | "running";
  readonly currentStep: string;
  readonly stateJson: unknown;
  readonly route: Route | undefined;
}

export type FlowRead =
  | { readonly kind: "found"; readonly record: FlowRecord }
  | { readonly kind: "missing" }
  /** The host can't say now (it drains, or its database is busy). Proves nothing: never taken for `missing`. */
  | { readonly kind: "unknown"; readonly reason: string };

/** Managed flows of one controller. No method throws: an outcome is always a value. Every change is revision-checked. */
export interface FlowStore {
  create(owner: Owner, flow: NewFlow): Promise<FlowCommit>;
  get(owner: Owner, flowId: string): Promise<FlowRead>;
  /**
   * Flows of this plugin's controller only where the host can tell; else all of the owner.
   * `undefined`: the host can't say now; it proves nothing about any flow.
   */
  list(owner: Owner): Promise<readonly FlowSummary[] | undefined>;
  /** Owners of live flows of this plugin's controller, as far as the host can tell; asked once a start. */
  owners(): Promise<readonly Owner[]>;
  change(owner: Owner, flowId: string, expectedRevision: number, change: FlowChange): Promise<FlowCommit>;
  /**
   * Ends a flow as `cancelled`, and with it every child that is still active. Idempotent: `applied` when it is
   * cancelled already. `conflict` with the record when it ended otherwise.
   */
  cancel(owner: Owner, flowId: string): Promise<FlowCommit>;
}

// ---------------------------------------------------------------- child tasks

export type ChildOutcome = "succeeded" | "failed" | "timed_out" | "cancelled";

export interface NewChild {
  readonly flowId: string;
  /** `iflow:<flowId>:t<n>` or `iflow:<flowId>:t<n>.<k>`; never reused. */
  readonly runId: string;
  readonly label: string;
  readonly as: "running" | "queued";
  readonly atMs: number;
}

export interface ChildSummary {
  readonly runId: string;
  readonly flowId: string | undefined;
  readonly status: "queued" | "running" | ChildOutcome | "lost";
}

export type ChildStart =
  | { readonly ok: true }
  /**
   * `flow`: this flow takes no child (cancel requested, ended, gone, run id used up). `now`: try later.
   * `host`: no flow takes one; from then on the plugin runs flow-only.
   */
  | { readonly ok: false; readonly refusedBy: "flow" | "now" | "host"; readonly reason: string };

/** The linked child task of a turn. No method throws. */
export interface ChildTasks {
  /** Idempotent for an active run id: after a restart it adopts the child (label and status stay), so that it is kept alive again. */
  start(owner: Owner, child: NewChild): Promise<ChildStart>;
  /** queued -> running. */
  activate(runId: string, atMs: number): void;
  /** Counts a tool call of a running child, by name. */
  tool(runId: string, name: string): void;
  /** One line that says what a running child does now, shown live by views that can. Not stored; call it at most once a second. */
  progress(runId: string, line: string): void;
  /** Resolves when the record is terminal, or after 2 s when the host does not say. Idempotent; the first outcome stays. */
  end(owner: Owner, runId: string, outcome: ChildOutcome, atMs: number, error?: string): Promise<void>;
  /** Every child of the owner with a run id of ours. `undefined`: the host can't say now. */
  list(owner: Owner): Promise<readonly ChildSummary[] | undefined>;
  /** Emits the end of every active child in the same tick, for a host that is about to drain (SIGTERM). Synchronous. */
  settleAll(outcome: ChildOutcome, atMs: number, error: string): void;
}

// ---------------------------------------------------------------- the agent

/** Approval modes of the wire. `smart` is not offered: there it honours no rejection but one. */
export type WireMode = "default" | "yolo" | "plan";

export interface AgentSpec {
  /** Carried in the agent's environment as IFLOW_PLUGIN_SESSION, so that orphans can be found. */
  readonly sessionId: string;
  /** Real path; the process starts in it. */
  readonly workdir: string;
}

export interface OpenSession {
  readonly mode: WireMode;
  readonly disallowedTools: readonly string[];
  readonly systemPrompt: string | undefined;
  readonly maxTurns: number | undefined;
  readonly model: string | undefined;
  /** Load this ACP session; absent: a new one. */
  readonly load: string | undefined;
}

export interface OpenedSession {
  readonly acpSessionId: string;
  /** `lost`: asked to load, but the agent silently started fresh (the reply carried `modes`). */
  readonly history: "new" | "loaded" | "lost";
  readonly agentVersion: string | undefined;
}

export type PromptBlock =
  | { readonly type: "text"; readonly text: string }
  /** Absolute path: sent as an image when it is one (read when it is sent), else as a resource link. */
  | { readonly type: "file"; readonly path: string };

export interface AgentLauncher {
  /**
   * Starts (or dials) an agent; resolves when a process runs or a socket is open, before any handshake.
   * Throws IflowError `agent_missing`, `agent_start_failed`. `signal` ends the start and the process.
   */
  start(spec: AgentSpec, signal: AbortSignal): Promise<AgentConnection>;
  /** Copies the agent's own stored history of a session to a new id; undefined where its format or place is not known. Never throws. */
  copyHistory(acpSessionId: string): Promise<string | undefined>;
  /** Ends what an earlier gateway left behind: the process by pid and start time, and whatever carries the session's mark. */
  reap(sessionId: string, identity: ProcessIdentity | undefined): Promise<{ readonly ended: number }>;
}

export interface AgentConnection {
  /** Absent for an agent that we only dialled. */
  readonly identity: ProcessIdentity | undefined;
  /**
   * Handshake, then session/new or session/load with all settings, then set_model. Call once.
   * Throws IflowError `agent_handshake_timeout`, `agent_not_authenticated`, `agent_too_old`, `agent_refused`, `agent_exited`.
   */
  open(session: OpenSession, signal: AbortSignal): Promise<OpenedSession>;
  /** Batches of everything that the agent said, in order, each as soon as it has arrived; ends after `exited`. Iterate once. */
  readonly events: AsyncIterable<readonly AgentEvent[]>;
  /** Resolves when the bytes are handed to the transport. Throws IflowError `agent_exited`. The result comes as an event. */
  prompt(turn: number, blocks: readonly PromptBlock[]): Promise<void>;
  /** Answers open requests with `cancelled`, then session/cancel. The turn's end comes as an event. Never throws. */
  cancel(): Promise<void>;
  /** `stale`: no such open request, or an option that it did not offer; nothing was sent. */
  reply(requestId: RequestId, reply: AgentReply): "sent" | "stale";
  /**
   * Commands that its turns left running beside it (a server, a watcher); empty for an agent that was only dialled. Masked, since they
   * are shown. Never throws.
   */
  background(): Promise<readonly string[]>;
  /** The stop ladder: cancel, SIGTERM, SIGKILL to the whole group and to every descendant. Idempotent. Never throws. */
  stop(): Promise<{ readonly clean: boolean; readonly left: readonly number[] }>;
}

// ---------------------------------------------------------------- the journal

/** One line of a session's file. `o` is the absolute offset of `text` in the output stream (UTF-16 code units). */
export type JournalLine =
  | {
      readonly t: "header";
      readonly at: number;
      readonly v: 1;
      readonly sessionId: string;
      readonly owner: Owner;
      readonly name: string;
      readonly route?: Route;
    }
  | { readonly t: "flow"; readonly at: number; readonly flowId: string }
  /** Long texts (prompts, plans, system prompts) by key; stateJson holds only their beginning. */
  | { readonly t: "text"; readonly at: number; readonly key: string; readonly text: string }
  /** Written and synced before the prompt is sent: after a crash, no line means that it never left (I8). */
  | {
      readonly t: "prompt";
      readonly at: number;
      readonly turn: number;
      readonly messageId: string;
      readonly text: string;
    }
  | { readonly t: "out"; readonly at: number; readonly o: number; readonly text: string }
  /** Everything else that the agent said: thoughts, tool details, plans, logs. */
  | { readonly t: "event"; readonly at: number; readonly event: AgentEvent }
  | { readonly t: "question"; readonly at: number; readonly id: string; readonly text: string }
  | { readonly t: "answer"; readonly at: number; readonly id: string; readonly text: string; readonly by: string }
  /** What the session may do, before the flow has it: the journal alone is believed about that. */
  | { readonly t: "rights"; readonly at: number; readonly settings: Settings; readonly grants: readonly Grant[] }
  /** The session without its buffer, at each phase commit. */
  | {
      readonly t: "commit";
      readonly at: number;
      readonly seq: number;
      readonly revision: number;
      readonly session: unknown;
    }
  /** An owed notice was handed over (`part`: chat or wake). */
  | { readonly t: "told"; readonly at: number; readonly noticeId: string; readonly part: string };

export interface OutputSlice {
  readonly text: string;
  /** Absolute offsets, UTF-16 code units. */
  readonly start: number;
  readonly end: number;
}

export interface JournalTail {
  readonly lastCommit: { readonly seq: number; readonly revision: number; readonly session: unknown } | undefined;
  /** Lines after the last commit, in order. */
  readonly after: readonly JournalLine[];
  /** Notice parts told anywhere in the last 1 MiB, as `id/part`. */
  readonly told: ReadonlySet<string>;
  /** Turns with a prompt line anywhere in the last 1 MiB. */
  readonly prompted: ReadonlySet<number>;
  readonly outputEnd: number;
}

export interface JournalHeader {
  readonly sessionId: string;
  readonly name: string;
  readonly owner: Owner;
  readonly route?: Route;
  readonly flowId?: string;
  readonly createdAt: number;
}

/** One append-only file a session, mode 0600. Appends are ordered. */
export interface SessionJournal {
  /** Resolves when the operating system has the bytes (survives our death). Throws IflowError `journal_failed`. */
  append(lines: readonly JournalLine[]): Promise<void>;
  /** As append, and the bytes are on the disk. */
  appendSynced(lines: readonly JournalLine[]): Promise<void>;
  /** Whole stored text of a key, or undefined. */
  text(key: string): Promise<string | undefined>;
  output(from: number, to?: number): Promise<OutputSlice>;
  /** The last `lines` lines of the output, ending at `to` (default: its end). */
  lastLines(lines: number, to?: number): Promise<OutputSlice>;
  tail(): Promise<JournalTail>;
  close(): Promise<void>;
}

export interface Journals {
  create(header: Extract<JournalLine, { t: "header" }>): Promise<SessionJournal>;
  open(sessionId: string): Promise<SessionJournal | undefined>;
  /** Every header that can be read; a file that can't is reported by name and left as it is. */
  headers(): Promise<{
    readonly headers: readonly JournalHeader[];
    readonly unreadable: readonly { file: string; reason: string }[];
  }>;
  remove(sessionId: string): Promise<void>;
  /** What is there of a journal that can't be read is kept under another name, so that a new one can be made. Nothing there: nothing happens. */
  setAside(sessionId: string): Promise<void>;
  /** Refuses with a reason when nothing can be written (disk full, read-only): asked before a launch. */
  writable(): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
}

// ---------------------------------------------------------------- people

export interface Button {
  readonly label: string;
  /** At most 50 bytes, so that every channel's callback limit holds. */
  readonly payload: string;
}

export interface OutgoingMessage {
  /** Stable id of the intent: the same message has the same id after a restart. */
  readonly intentId: string;
  readonly owner: Owner;
  readonly route: Route | undefined;
  readonly text: string;
  readonly buttons?: readonly Button[];
}

export type Handover =
  /** The host has it, and will deliver it or has done so. Never sent again by us. */
  | {
      readonly kind: "accepted";
      readonly messageId?: string;
      /** The host's first try failed; it keeps the message and decides about further tries. */
      readonly trouble?: string;
    }
  /** Nothing has left, and nobody keeps it: to be handed over again, after `afterMs` at the earliest. */
  | { readonly kind: "later"; readonly reason: string; readonly afterMs?: number }
  /** It may have arrived, and nobody can tell. Never sent again by us. */
  | { readonly kind: "unknown"; readonly reason: string }
  /** `now`: the chat is another one from now on, and the message is to be handed over there. */
  | { readonly kind: "refused"; readonly reason: string; readonly now?: Route }
  /** Nobody knows where to: no route and no web chat. */
  | { readonly kind: "no-route"; readonly reason: string };

/** Ways out to people and agents. No method throws; each resolves when the host has answered. */
export interface Delivery {
  send(message: OutgoingMessage): Promise<Handover>;
  /** Replaces the text of a message that `send` reported with an id. */
  edit(route: Route, messageId: string, text: string): Promise<Handover>;
  /** Runs a turn of the launching agent in its own session, reply delivered to its chat. */
  wake(message: OutgoingMessage & { readonly agentId?: string }): Promise<Handover>;
  /**
   * The host's own progress card of a web chat's session, in Markdown; undefined takes ours away. Absent where the host has none.
   * A card that somebody else wrote there stays, and that is a refusal.
   */
  card?(owner: Owner, markdown: string | undefined): Promise<Handover>;
  /** Longest text of one message on this channel, in characters. */
  limit(route: Route | undefined): number;
  canEdit(route: Route | undefined): boolean;
}

// ---------------------------------------------------------------- small ones

export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Calls back once after `ms`; the result cancels. Does not keep the process alive. */
  after(ms: number, run: () => void): () => void;
}

export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** The audit log, for what no operation writes down itself. Never throws. */
export interface AuditTrail {
  happened(session: Session, fact: AuditFact): void;
}

/** Random part of ids. Injected, so that tests are reproducible. */
export type NewId = () => string;
