/**
 * What the agent sends, in the words of this project: session updates -> events, requests -> questions.
 * Owns: the shapes of the protocol's params, the tool names that permission requests leave out.
 * Does not own: JSON-RPC, which session a frame is for, answers.
 *
 * 1. What is not understood is not guessed: the translator says so, and the caller keeps the frame as it came.
 * 2. Nothing throws, whatever the frame holds: one that is nested deeper than JSON can be written is not understood.
 */
import type {
  AgentEvent,
  AgentRequest,
  AskedQuestion,
  PlanEntry,
  RequestId,
  RequestOption,
  StopReason,
} from "../core/agent-event.ts";
import { blockWords } from "./content-block.ts";
import { isRecord, type JsonRecord, listIn, recordIn, textIn } from "./json-shape.ts";
import { commandOf, KnownTools } from "./known-tools.ts";

const STOP_REASONS: ReadonlySet<unknown> = new Set<StopReason>([
  "end_turn",
  "max_tokens",
  "refusal",
  "cancelled",
  "max_turn_requests",
]);

const isStopReason = (value: unknown): value is StopReason => STOP_REASONS.has(value);

/** `unknown` for a result that names no reason, or one that the protocol does not have. */
export function stopReasonOf(result: unknown): StopReason {
  const reason = isRecord(result) ? result["stopReason"] : undefined;
  return isStopReason(reason) ? reason : "unknown";
}

export class AcpTranslator {
  /** A streaming agent says what it is about before it asks. */
  readonly #tools = new KnownTools();

  #messageId: string | undefined;

  /** The event of a session update, or undefined when it is none that is known. `of`: the sub-agent, where the update does not name it. */
  update(update: JsonRecord, of?: string): AgentEvent | undefined {
    const named = of === undefined || update["agentId"] !== undefined ? update : { ...update, agentId: of };
    return unlessThrown(() => this.#update(named));
  }

  /** The question behind a request, or undefined when its params can't be used. */
  request(method: string, requestId: RequestId, params: unknown): AgentRequest | undefined {
    return unlessThrown(() => this.#request(method, requestId, params));
  }

  /** A turn is over: tool calls that were rejected never told their end. */
  turnEnded(): void {
    this.#tools.clear();
    this.#messageId = undefined;
  }

  #update(update: JsonRecord): AgentEvent | undefined {
    switch (update["sessionUpdate"]) {
      case "agent_message_chunk":
        return this.#message(update);
      case "agent_thought_chunk":
        return words("thought", update);
      case "tool_call":
      case "tool_call_update":
        return this.#tool(update);
      case "plan":
        return plan(update);
      case "available_commands_update":
        return commands(update);
      default:
        return undefined;
    }
  }

  /** Words of another message than those before them are marked, where the agent numbers its messages. */
  #message(update: JsonRecord): AgentEvent | undefined {
    const event = words("text", update);
    const id = textIn(update, "messageId");
    if (event?.kind !== "text" || event.agentId !== undefined || id === undefined) return event;
    const starts = this.#messageId !== undefined && this.#messageId !== id;
    this.#messageId = id;
    return starts ? { ...event, starts } : event;
  }

  #request(method: string, requestId: RequestId, params: unknown): AgentRequest | undefined {
    switch (method) {
      case "session/request_permission":
        return this.#permission(requestId, params);
      case "_iflow/user/questions": {
        const questions = listIn(params, "questions").flatMap(question);
        return questions.length === 0 ? undefined : { kind: "questions", requestId, questions };
      }
      case "_iflow/plan/exit":
        return isRecord(params) ? { kind: "plan", requestId, plan: textIn(params, "plan") ?? "" } : undefined;
      default:
        return undefined;
    }
  }

  #tool(update: JsonRecord): AgentEvent | undefined {
    const toolCallId = textIn(update, "toolCallId");
    const known = toolCallId === undefined ? undefined : this.#tools.after(toolCallId, update);
    if (toolCallId === undefined || known === undefined) return undefined;
    const { status } = known;
    const over = status === "completed" || status === "failed";
    const content = listIn(update, "content");
    const input = update["args"] ?? update["rawInput"];
    const files = status === "completed" ? [...new Set(known.content.flatMap(writtenFile))] : [];
    return {
      kind: "tool",
      toolCallId,
      status,
      ...optional("title", textIn(update, "title")),
      ...optional("toolKind", known.kind),
      ...optional("toolName", textIn(update, "toolName")),
      ...optional("input", over || input === undefined ? undefined : JSON.stringify(input)),
      ...optional("output", content.length === 0 ? undefined : contentText(content)),
      ...(files.length === 0 ? {} : { files }),
      ...optional("agentId", textIn(update, "agentId")),
    };
  }

  #permission(requestId: RequestId, params: unknown): AgentRequest | undefined {
    const call = recordIn(params, "toolCall");
    const options = listIn(params, "options").flatMap(permissionOption);
    if (call === undefined || options.length === 0) return undefined;
    const toolCallId = textIn(call, "toolCallId") ?? "";
    // It is an update of its call, too: what it leaves out was said before.
    const known = this.#tools.open(toolCallId);
    const title = textIn(call, "title") ?? known.title ?? "";
    const toolKind = textIn(call, "kind") ?? known.kind ?? "other";
    const content = [listIn(call, "content"), known.content ?? []].find((list) => list.length > 0) ?? [];
    const command = commandOf(call["rawInput"] ?? known.input) ?? commandIn(title);
    return {
      kind: "permission",
      requestId,
      toolCallId,
      title,
      toolKind,
      ...optional("toolName", textIn(call, "toolName") ?? known.name),
      content: content.length > 0 ? contentText(content) : toolKind === "execute" ? command : "",
      options,
    };
  }
}

/** V8 reads JSON of any depth, but writes only some thousand levels of it. */
function unlessThrown<T>(translate: () => T | undefined): T | undefined {
  try {
    return translate();
  } catch {
    return undefined; // not understood: the caller keeps the frame, so nothing is lost
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

function words(kind: "text" | "thought", update: JsonRecord): AgentEvent | undefined {
  const text = blockWords(update["content"]);
  if (text === undefined) return undefined;
  const agentId = update["agentId"];
  return typeof agentId === "string" ? { kind, text, agentId } : { kind, text };
}

function plan(update: JsonRecord): AgentEvent {
  const entries = listIn(update, "entries").flatMap((entry): readonly PlanEntry[] => {
    const text = textIn(entry, "content");
    const status = textIn(entry, "status");
    if (text === undefined) return [];
    return [{ text, status: status === "in_progress" || status === "completed" ? status : "pending" }];
  });
  return { kind: "plan", entries };
}

function commands(update: JsonRecord): AgentEvent {
  const names = listIn(update, "availableCommands").flatMap((command) => textIn(command, "name") ?? []);
  return { kind: "commands", names };
}

function permissionOption(option: unknown): readonly RequestOption[] {
  const id = textIn(option, "optionId");
  if (id === undefined) return [];
  return [{ id, label: textIn(option, "name") ?? id, ...optional("kind", textIn(option, "kind")) }];
}

function question(asked: unknown): readonly AskedQuestion[] {
  const text = textIn(asked, "question");
  if (text === undefined) return [];
  const options = listIn(asked, "options").flatMap((option): readonly RequestOption[] => {
    const label = textIn(option, "label");
    return label === undefined ? [] : [{ id: label, label, ...optional("description", textIn(option, "description")) }];
  });
  const multiSelect = isRecord(asked) && asked["multiSelect"] === true;
  return [{ text, ...optional("header", textIn(asked, "header")), options, multiSelect }];
}

/** The command in the title of a shell call: `CMD [current working directory DIR] (description)`. */
function commandIn(title: string): string {
  const end = title.lastIndexOf(" [current working directory ");
  return end === -1 ? title : title.slice(0, end);
}

/** Text of tool content: words as they are, edits as unified diff, pictures and links by their names, anything else as JSON. */
function contentText(content: readonly unknown[]): string {
  return content.map(itemText).join("\n");
}

function itemText(item: unknown): string {
  if (textIn(item, "type") === "diff") {
    const said = textIn(item, "content");
    const diff = textIn(item, "fileDiff") ?? plainDiff(item);
    return said === undefined ? diff : `${said}\n${diff}`;
  }
  return blockWords(recordIn(item, "content")) ?? JSON.stringify(item) ?? "";
}

function plainDiff(item: unknown): string {
  const path = textIn(item, "path") ?? "";
  const lines = (sign: string, text: string | undefined): string =>
    text === undefined || text === "" ? "" : `${text.replace(/\n$/, "").replace(/^/gm, sign)}\n`;
  return `--- ${path}\n+++ ${path}\n${lines("-", textIn(item, "oldText"))}${lines("+", textIn(item, "newText"))}`;
}

/** The file of a diff: the argument is absolute, `path` is only its base name. */
function writtenFile(item: unknown): readonly string[] {
  if (textIn(item, "type") !== "diff") return [];
  const file = textIn(recordIn(item, "args"), "file_path") ?? textIn(item, "path");
  return file === undefined ? [] : [file];
}
