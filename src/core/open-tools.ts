/**
 * The tool calls that are open in a turn.
 * Owns: which are known, which really run, how many are kept. A call that is rejected, blocked or turned into a question
 * never gets another frame after `pending`, so a pending call proves nothing: only one in progress counts as work.
 */
import type { AgentEvent } from "./agent-event.ts";
import { cutText, OPEN_TITLE_LENGTH } from "./output.ts";
import type { OpenTool, Session } from "./session.ts";

type ToolEvent = Extract<AgentEvent, { kind: "tool" }>;

const MAX_OPEN = 32;
const ID_LENGTH = 200;

export function openToolsOf({ phase }: Pick<Session, "phase">): readonly OpenTool[] {
  return phase.kind === "working" || phase.kind === "asking" ? phase.openTools : [];
}

export function openToolOf(session: Pick<Session, "phase">, toolCallId: string): OpenTool | undefined {
  const id = toolCallId.slice(0, ID_LENGTH);
  return openToolsOf(session).find((tool) => tool.toolCallId === id);
}

/** The list after this frame. Past the bound a pending call goes first. */
export function openToolsAfter(open: readonly OpenTool[], event: ToolEvent, at: number): readonly OpenTool[] {
  const id = event.toolCallId.slice(0, ID_LENGTH);
  const known = open.find((tool) => tool.toolCallId === id);
  const others = open.filter((tool) => tool.toolCallId !== id);
  if (event.status === "completed" || event.status === "failed") return others;
  const toolName = event.toolName ?? known?.toolName;
  const runs = event.status === "in_progress" || known?.status === "in_progress";
  const tool: OpenTool = {
    toolCallId: id,
    title: cutText(event.title ?? known?.title ?? event.toolName ?? "tool", OPEN_TITLE_LENGTH),
    status: runs ? "in_progress" : "pending",
    sinceAt: known !== undefined && (known.status === "in_progress" || !runs) ? known.sinceAt : at,
    ...(toolName === undefined ? {} : { toolName: cutText(toolName, OPEN_TITLE_LENGTH) }),
  };
  const all = [...others, tool];
  if (all.length <= MAX_OPEN) return all;
  const expendable = all.findIndex((t) => t.status === "pending");
  return all.toSpliced(Math.max(expendable, 0), 1);
}

export function runningTools(open: readonly OpenTool[]): readonly OpenTool[] {
  return open.filter((tool) => tool.status === "in_progress");
}

/** It waits for a person, and nothing else of its turn runs. */
export function onlyAsks({ phase }: Pick<Session, "phase">): boolean {
  return phase.kind === "asking" && runningTools(phase.openTools).length === 0;
}

/** The time that a person took to answer does not count against a tool that ran beside the question. */
export function withoutWaiting(open: readonly OpenTool[], askedSinceAt: number, at: number): readonly OpenTool[] {
  return open.map((tool) => ({ ...tool, sinceAt: tool.sinceAt + at - Math.max(tool.sinceAt, askedSinceAt) }));
}
