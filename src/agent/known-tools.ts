/**
 * What is known of each tool call of a turn: an update of one says only what changes.
 * Owns: the state that an update without one means, what earlier frames said of a call. Does not own: shapes of events.
 */
import type { ToolStatus } from "../core/agent-event.ts";
import { isRecord, type JsonRecord, listIn, recordIn, textIn } from "./json-shape.ts";

const TOOL_STATUSES: ReadonlySet<unknown> = new Set<ToolStatus>(["pending", "in_progress", "completed", "failed"]);
/** Calls of one turn that are remembered. */
const MOST = 1_000;

export interface KnownTool {
  readonly status: ToolStatus;
  readonly name?: string | undefined;
  readonly title?: string | undefined;
  readonly kind?: string | undefined;
  /** The latest that was not empty. */
  readonly content: readonly unknown[];
  readonly input: JsonRecord;
}

const NOTHING: Omit<KnownTool, "status"> = { content: [], input: {} };

const isToolStatus = (value: unknown): value is ToolStatus => TOOL_STATUSES.has(value);
const isOver = (status: ToolStatus): boolean => status === "completed" || status === "failed";

export class KnownTools {
  readonly #tools = new Map<string, KnownTool>();

  /** Calls that were rejected never told their end: with the turn they are over. */
  clear(): void {
    this.#tools.clear();
  }

  /** A call that is not over. */
  open(toolCallId: string): Partial<KnownTool> {
    const known = this.#tools.get(toolCallId);
    return known === undefined || isOver(known.status) ? {} : known;
  }

  /** What a frame of this call means together with those before it; undefined when its state is not known, or nothing is left to change. */
  after(toolCallId: string, update: JsonRecord): KnownTool | undefined {
    const begins = update["sessionUpdate"] === "tool_call";
    const before = begins ? undefined : this.#tools.get(toolCallId);
    const status = statusOf(update["status"], begins, before);
    if (status === undefined) return undefined;
    const { name, title, kind, content, input } = before === undefined || isOver(before.status) ? NOTHING : before;
    const given = listIn(update, "content");
    const now: KnownTool = {
      status,
      name: textIn(update, "toolName") ?? name,
      title: textIn(update, "title") ?? title,
      kind: textIn(update, "kind") ?? kind,
      content: given.length > 0 ? given : content,
      input: recordIn(update, "rawInput") ?? input,
    };
    if (this.#tools.size >= MOST && !this.#tools.has(toolCallId)) {
      const [oldest = ""] = this.#tools.keys();
      this.#tools.delete(oldest);
    }
    this.#tools.set(toolCallId, isOver(status) ? { status, ...NOTHING } : now);
    return { ...now, content: given.length > 0 ? [...content, ...given] : content };
  }
}

/** A call begins as pending; an update that names no state leaves it, but is a sign of work on a call that was not heard of. */
function statusOf(given: unknown, begins: boolean, before: KnownTool | undefined): ToolStatus | undefined {
  if (given !== undefined && given !== null) return isToolStatus(given) ? given : undefined;
  if (begins) return "pending";
  if (before === undefined) return "in_progress";
  return isOver(before.status) ? undefined : before.status;
}

/** The command of a shell call, where the agent names it beside its title. */
export function commandOf(input: unknown): string | undefined {
  if (!isRecord(input)) return undefined;
  const { command } = input;
  if (Array.isArray(command)) return command.filter((part) => typeof part === "string").join(" ");
  return typeof command === "string" ? command : undefined;
}
