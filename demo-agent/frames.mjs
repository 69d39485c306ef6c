/** Shapes of the frames that the agent sends: plain data, as iFlow 0.5 writes them. */

export const COMMANDS = [
  { name: "init", description: "Looks at the project and writes a guide for the agent.", _meta: { scope: "project" } },
  { name: "compress", description: "Replaces the conversation by a summary.", _meta: { scope: "project" } },
];

const MODES = [
  { id: "smart", name: "Smart", description: "Judges each tool call by itself" },
  { id: "yolo", name: "YOLO", description: "Runs every tool without asking" },
  { id: "default", name: "Default", description: "Asks before tools that change something" },
  { id: "plan", name: "Plan", description: "Looks and plans" },
];

export const modeIds = MODES.map((mode) => mode.id);

export const initialized = (flags) => ({
  isAuthenticated: !flags.has("unauthenticated"),
  protocolVersion: 1,
  authMethods: [
    { id: "oauth-iflow", name: "Log in with iFlow", description: null },
    { id: "iflow", name: "Use iFlow API key", description: "Needs the environment variable `IFLOW_API_KEY`" },
    { id: "openai-compatible", name: "OpenAI Compatible API", description: "OpenAI Compatible API" },
  ],
  agentCapabilities: { loadSession: true, promptCapabilities: { image: true, audio: false, embeddedContext: true } },
  agentInfo: { name: "iflow-agent", title: "Demo Agent", version: flags.value("version") ?? "0.5.19" },
});

export const sessionOpened = (session) => ({
  sessionId: session.id,
  modes: { currentModeId: session.mode, availableModes: MODES },
  _meta: {
    models: {
      currentModelId: session.model,
      availableModels: [{ id: "demo-model", name: "Demo", description: "Demo", capabilities: { thinking: true } }],
    },
    availableCommands: COMMANDS,
    availableAgents: [],
    availableSkills: [],
    availableMcpServers: [],
  },
});

export const message = (text, agentId) => ({
  sessionUpdate: "agent_message_chunk",
  content: { type: "text", text },
  ...(agentId === undefined ? {} : { agentId }),
});

export const thought = (text) => ({ sessionUpdate: "agent_thought_chunk", content: { type: "text", text } });

export const pending = (tool) => ({
  sessionUpdate: "tool_call",
  toolCallId: tool.id,
  toolName: tool.name,
  status: "pending",
  title: tool.label,
  kind: tool.kind,
});

export const inProgress = (tool) => ({
  sessionUpdate: "tool_call_update",
  toolCallId: tool.id,
  toolName: tool.name,
  status: "in_progress",
  title: tool.title,
  args: tool.args,
  content: [],
  locations: tool.locations,
  kind: tool.kind,
});

export const finished = (tool, status, content) => ({
  sessionUpdate: "tool_call_update",
  toolCallId: tool.id,
  toolName: tool.name,
  status,
  content,
});

export const output = (text, args) => [
  { type: "content", content: { type: "text", text }, ...(args === undefined ? {} : { args }) },
];

/** `always`: name of the first option, which depends on the tool. */
export const permission = (sessionId, tool, content, always, smart) => ({
  sessionId,
  options: smart
    ? [
        { optionId: "proceed_once", name: "同意", kind: "allow_once" },
        { optionId: "cancel", name: "拒绝", kind: "reject_once" },
      ]
    : [
        { optionId: "proceed_always", name: always, kind: "allow_always" },
        { optionId: "proceed_once", name: "Allow", kind: "allow_once" },
        { optionId: "cancel", name: "Reject", kind: "reject_once" },
      ],
  toolCall: {
    toolCallId: tool.id,
    status: "pending",
    title: tool.title,
    content,
    locations: tool.locations,
    kind: tool.kind,
  },
});

export const plan = (entries) => ({ sessionUpdate: "plan", entries });
