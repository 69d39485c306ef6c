/**
 * Every kind of frame that the agent is known to send, in small, and what becomes of it.
 */
import type { AgentEvent } from "../../src/core/agent-event.ts";
import { ACP_SESSION, update } from "./memory-transport.ts";

export const request = (method: string, params: object, id: unknown = 0): object => ({
  jsonrpc: "2.0",
  id,
  method,
  params: { sessionId: ACP_SESSION, ...params },
});

export const OPTIONS = [
  { optionId: "proceed_always", name: "Allow All Edits", kind: "allow_always" },
  { optionId: "proceed_once", name: "Allow", kind: "allow_once" },
  { optionId: "cancel", name: "Reject", kind: "reject_once" },
];
const EVENT_OPTIONS = [
  { id: "proceed_always", label: "Allow All Edits", kind: "allow_always" },
  { id: "proceed_once", label: "Allow", kind: "allow_once" },
  { id: "cancel", label: "Reject", kind: "reject_once" },
];
const DIFF = { type: "diff", path: "a.txt", oldText: "", newText: "hi\n", fileDiff: "@@ -0,0 +1,1 @@\n+hi\n" };

const said = (content: object): object => ({ sessionUpdate: "agent_message_chunk", content });

export const UPDATES: readonly [string, object, AgentEvent][] = [
  [
    "a picture among words",
    said({ type: "image", mimeType: "image/png", data: "A".repeat(4_096) }),
    { kind: "text", text: "\n🖼 image/png, 3 KiB\n" },
  ],
  ["a sound", said({ type: "audio", mimeType: "audio/wav", data: "" }), { kind: "text", text: "\n🔊 audio/wav\n" }],
  [
    "a link",
    said({ type: "resource_link", name: "notes.md", uri: "file:///w/notes.md" }),
    { kind: "text", text: "\n🔗 notes.md file:///w/notes.md\n" },
  ],
  [
    "a link without a name, of two lines",
    said({ type: "resource_link", uri: "https://a.example/x\ny" }),
    { kind: "text", text: "\n🔗 https://a.example/x y\n" },
  ],
  [
    "an embedded text",
    said({ type: "resource", resource: { uri: "file:///w/a.txt", text: "body" } }),
    { kind: "text", text: "\n📄 file:///w/a.txt\nbody" },
  ],
  [
    "a tool call without a state",
    { sessionUpdate: "tool_call", toolCallId: "c1", title: "Look", kind: "read" },
    { kind: "tool", toolCallId: "c1", status: "pending", title: "Look", toolKind: "read" },
  ],
  [
    "an update without a state of a call that was not heard of",
    { sessionUpdate: "tool_call_update", toolCallId: "c1", title: "Looking" },
    { kind: "tool", toolCallId: "c1", status: "in_progress", title: "Looking" },
  ],
  [
    "a picture as a tool's output",
    {
      sessionUpdate: "tool_call_update",
      toolCallId: "c1",
      status: "completed",
      content: [{ type: "content", content: { type: "image", mimeType: "image/png", data: "AAAA" } }],
    },
    { kind: "tool", toolCallId: "c1", status: "completed", output: "\n🖼 image/png, 1 KiB\n" },
  ],
  [
    "words",
    { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "你好" } },
    { kind: "text", text: "你好" },
  ],
  [
    "words of a sub-agent",
    { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "hi" }, agentId: "subagent-1" },
    { kind: "text", text: "hi", agentId: "subagent-1" },
  ],
  [
    "a thought",
    { sessionUpdate: "agent_thought_chunk", content: { type: "text", text: "hm" } },
    { kind: "thought", text: "hm" },
  ],
  [
    "a tool call that begins",
    {
      sessionUpdate: "tool_call",
      toolCallId: "c1",
      toolName: "write_file",
      status: "pending",
      title: "Write File",
      kind: "edit",
    },
    {
      kind: "tool",
      toolCallId: "c1",
      status: "pending",
      title: "Write File",
      toolKind: "edit",
      toolName: "write_file",
    },
  ],
  [
    "a tool call at work, with its arguments",
    {
      sessionUpdate: "tool_call_update",
      toolCallId: "c1",
      toolName: "run_shell_command",
      status: "in_progress",
      title: "ls",
      args: { command: "ls" },
      content: [],
      locations: [],
      kind: "execute",
    },
    {
      kind: "tool",
      toolCallId: "c1",
      status: "in_progress",
      title: "ls",
      toolKind: "execute",
      toolName: "run_shell_command",
      input: `{"command":"ls"}`,
    },
  ],
  [
    "an edit that is done: diff, words and the absolute file",
    {
      sessionUpdate: "tool_call_update",
      toolCallId: "c1",
      toolName: "write_file",
      status: "completed",
      content: [{ ...DIFF, args: { file_path: "/w/a.txt", content: "hi\n" }, content: "Written." }],
    },
    {
      kind: "tool",
      toolCallId: "c1",
      status: "completed",
      toolName: "write_file",
      output: "Written.\n@@ -0,0 +1,1 @@\n+hi\n",
      files: ["/w/a.txt"],
    },
  ],
  [
    "an edit without arguments and without a ready diff",
    {
      sessionUpdate: "tool_call_update",
      toolCallId: "c1",
      status: "completed",
      content: [{ type: "diff", path: "a.txt", oldText: "one\n", newText: "two\n" }],
    },
    {
      kind: "tool",
      toolCallId: "c1",
      status: "completed",
      output: "--- a.txt\n+++ a.txt\n-one\n+two\n",
      files: ["a.txt"],
    },
  ],
  [
    "a command's output, whole",
    {
      sessionUpdate: "tool_call_update",
      toolCallId: "c1",
      toolName: "run_shell_command",
      status: "completed",
      content: [{ type: "content", content: { type: "text", text: "out\n" }, args: { command: "echo out" } }],
    },
    { kind: "tool", toolCallId: "c1", status: "completed", toolName: "run_shell_command", output: "out\n" },
  ],
  [
    "a command without output",
    { sessionUpdate: "tool_call_update", toolCallId: "c1", status: "completed", content: [] },
    { kind: "tool", toolCallId: "c1", status: "completed" },
  ],
  [
    "a tool call that failed",
    {
      sessionUpdate: "tool_call_update",
      toolCallId: "c1",
      status: "failed",
      content: [{ type: "content", content: { type: "text", text: "Internal Error: no" } }],
    },
    { kind: "tool", toolCallId: "c1", status: "failed", output: "Internal Error: no" },
  ],
  [
    "tool content of a kind that is not known: kept as JSON",
    {
      sessionUpdate: "tool_call_update",
      toolCallId: "c1",
      status: "completed",
      content: [{ type: "terminal", terminalId: "t" }],
    },
    { kind: "tool", toolCallId: "c1", status: "completed", output: `{"type":"terminal","terminalId":"t"}` },
  ],
  [
    "a task list",
    {
      sessionUpdate: "plan",
      entries: [
        { content: "first", priority: "high", status: "in_progress" },
        { content: "second", priority: "low", status: "done?" },
        { priority: "low" },
      ],
    },
    {
      kind: "plan",
      entries: [
        { text: "first", status: "in_progress" },
        { text: "second", status: "pending" },
      ],
    },
  ],
  [
    "the commands",
    { sessionUpdate: "available_commands_update", availableCommands: [{ name: "init" }, { name: "compress" }] },
    { kind: "commands", names: ["init", "compress"] },
  ],
];

export const REQUESTS: readonly [string, object, object][] = [
  [
    "permission to edit",
    request("session/request_permission", {
      options: OPTIONS,
      toolCall: {
        toolCallId: "c1",
        status: "pending",
        title: "Write to a.txt",
        kind: "edit",
        locations: [],
        content: [DIFF],
      },
    }),
    {
      kind: "permission",
      requestId: 0,
      toolCallId: "c1",
      title: "Write to a.txt",
      toolKind: "edit",
      content: "@@ -0,0 +1,1 @@\n+hi\n",
      options: EVENT_OPTIONS,
    },
  ],
  [
    "permission to run a command: the command alone",
    request("session/request_permission", {
      options: OPTIONS,
      toolCall: {
        toolCallId: "c2",
        title: "echo [x] [current working directory /w [y]] (says x)",
        kind: "execute",
        content: [],
      },
    }),
    { kind: "permission", toolKind: "execute", content: "echo [x]" },
  ],
  [
    "permission with words as content, under a string id",
    request(
      "session/request_permission",
      {
        options: OPTIONS,
        toolCall: {
          toolCallId: "c3",
          title: "t",
          content: [{ type: "content", content: { type: "text", text: "请确认" } }],
        },
      },
      "p-7",
    ),
    { kind: "permission", requestId: "p-7", toolKind: "other", content: "请确认" },
  ],
  [
    "questions",
    request("_iflow/user/questions", {
      questions: [
        {
          question: "Which?",
          header: "W",
          options: [{ label: "A", description: "a" }, { label: "B" }, {}],
          multiSelect: true,
        },
        { question: "Why?" },
      ],
    }),
    {
      kind: "questions",
      questions: [
        {
          text: "Which?",
          header: "W",
          options: [
            { id: "A", label: "A", description: "a" },
            { id: "B", label: "B" },
          ],
          multiSelect: true,
        },
        { text: "Why?", options: [], multiSelect: false },
      ],
    },
  ],
  ["a plan", request("_iflow/plan/exit", { plan: "1. this" }), { kind: "plan", plan: "1. this" }],
];

export const KEPT: readonly [string, unknown][] = [
  [
    "an update of another session",
    update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: "x" } }, "other"),
  ],
  ["words of the person", update({ sessionUpdate: "user_message_chunk", content: { type: "text", text: "x" } })],
  ["an update that is not known", update({ sessionUpdate: "current_mode_update", currentModeId: "plan" })],
  ["a block that is not known", update({ sessionUpdate: "agent_message_chunk", content: { type: "video", data: "" } })],
  [
    "a tool call with a status that is not known",
    update({ sessionUpdate: "tool_call", toolCallId: "c", status: "paused" }),
  ],
  ["a notification that is not known", { jsonrpc: "2.0", method: "_iflow/news", params: {} }],
  ["a reply to nothing", { jsonrpc: "2.0", id: 99, result: { stopReason: "end_turn" } }],
  ["a frame that is nothing", { jsonrpc: "2.0" }],
  ["a request with a null id", { jsonrpc: "2.0", id: null, method: "session/request_permission" }],
];
