/**
 * One ACP connection of the demo agent: JSON-RPC, its own sessions, its own request ids from 0.
 * Owns: methods, replies, errors. Does not own: bytes (agent.mjs, websocket.mjs), what a turn does (turn.mjs).
 *
 * 1. A client that goes away does not end a turn: it goes on with nobody listening.
 * 2. A newer prompt in a session aborts the older one, whose `cancelled` reply comes after the newer reply.
 */
import { randomUUID } from "node:crypto";
import { appendFileSync, readFileSync, statSync } from "node:fs";
import * as frames from "./frames.mjs";
import { echo, parseScript } from "./script.mjs";
import { loadSession, saveSession } from "./session-store.mjs";
import { runTurn, TurnFailure } from "./turn.mjs";

const COMMANDS_LATE_MS = 200;
/** Steps that are not done again when a loaded session goes on: a person or luck has answered them. */
const NOT_AGAIN = new Set(["ask", "plan", "hang", "crash", "fail", "sleep"]);

class RpcError extends Error {
  constructor(code, message, details) {
    super(message);
    this.code = code;
    this.details = details;
  }
}
const invalidParams = (details) => new RpcError(-32602, "Invalid params", details);
const internal = (details) => new RpcError(-32603, `Internal Error: ${details}`, details);

/** `write(texts)` sends each text as one frame, all in one piece; `writeBytes(chunks)` sends one frame in pieces. */
export function createPeer({ write, writePieces, flags }) {
  const sessions = new Map();
  const waiting = new Map();
  let nextId = 0;
  let authenticated = !flags.has("unauthenticated");
  let client = { readTextFile: false };

  const textOf = (frame) => JSON.stringify({ jsonrpc: "2.0", ...frame });
  const sendAll = (list) => write(list.map(textOf));
  const send = (frame) => sendAll([frame]);
  const note = (session, update) => ({ method: "session/update", params: { sessionId: session.id, update } });
  const wire = {
    /** In one write, however many. */
    updates: (session, updates) => {
      // The same update many times over is written out only once.
      const texts = new Map();
      noteSaid(session, updates);
      for (const update of updates) if (!texts.has(update)) texts.set(update, textOf(note(session, update)));
      if (updates.length > 0) write(updates.map((update) => texts.get(update)));
    },
    update: (session, ...updates) => wire.updates(session, updates),
    raw: (text) => write([text]),
    split: (session, update) => {
      noteSaid(session, [update]);
      writePieces(JSON.stringify({ jsonrpc: "2.0", ...note(session, update) }));
    },
    request: async (method, params) => {
      const id = nextId++;
      send({ id, method, params });
      const reply = await new Promise((resolve) => waiting.set(id, resolve));
      transcribe(params.sessionId, "answered", JSON.stringify(reply.result ?? reply.error ?? null));
      return reply;
    },
  };

  function needsAuthentication() {
    if (!authenticated) throw new RpcError(-32000, "Authentication required");
  }

  function sessionParams(params) {
    const settings = params?.settings ?? {};
    if (typeof params?.cwd !== "string") throw invalidParams('[{"path":["cwd"],"message":"Required"}]');
    if (!Array.isArray(params.mcpServers)) throw invalidParams('[{"path":["mcpServers"],"message":"Required"}]');
    if (settings.permission_mode !== undefined && !frames.modeIds.includes(settings.permission_mode)) {
      throw invalidParams(
        `[{"path":["settings","permission_mode"],"received":${JSON.stringify(settings.permission_mode)}}]`,
      );
    }
    try {
      statSync(params.cwd);
    } catch (error) {
      throw internal(error.message);
    }
    return settings;
  }

  function open(id, cwd, settings, stored) {
    const session = {
      id,
      cwd,
      settings,
      mode: settings.permission_mode ?? flags.mode,
      model: "demo-model",
      always: new Set(),
      client,
      loaded: stored !== undefined,
      createdAt: stored?.createdAt ?? Date.now(),
      history: stored?.chatHistory ?? [],
      unfinished: stored?.unfinished ?? [],
      carryOn: false,
      generating: false,
      turn: undefined,
    };
    sessions.set(id, session);
    return session;
  }

  function fresh(id, params, settings) {
    const session = open(id, params.cwd, settings, undefined);
    const commands = () =>
      wire.update(session, { sessionUpdate: "available_commands_update", availableCommands: frames.COMMANDS });
    if (flags.has("commands-late")) setTimeout(commands, COMMANDS_LATE_MS);
    else setImmediate(commands);
    return frames.sessionOpened(session);
  }

  function found(params) {
    const session = sessions.get(params?.sessionId);
    if (session === undefined) throw new RpcError(-32600, "Invalid request", `Session not found: ${params?.sessionId}`);
    return session;
  }

  async function prompt(params) {
    const session = found(params);
    if (!Array.isArray(params.prompt)) throw invalidParams('[{"path":["prompt"],"message":"Required"}]');
    const text = params.prompt
      .filter((block) => block.type === "text")
      .map((block) => block.text)
      .join("\n");
    logPrompt(session, text, params.prompt);
    transcribe(session.id, "prompt", text);
    const older = session.turn;
    older?.abort.abort();
    const abort = new AbortController();
    let settled;
    const turn = { abort, over: new Promise((resolve) => (settled = resolve)), newer: undefined };
    if (older !== undefined) older.newer = turn;
    session.turn = turn;
    session.generating = true;
    try {
      session.history.push({ role: "user", parts: [{ text }], prompt: true });
      const save = () => !flags.has("never-save") && saveSession(session);
      const steps = stepsOf(session, text);
      const stopReason = await runTurn({ wire, flags, session, signal: abort.signal, save }, steps);
      if (session.turn === turn) save();
      return { stopReason };
    } catch (error) {
      if (error instanceof TurnFailure) throw internal(error.message);
      throw error;
    } finally {
      // The older turn answers after the newer one.
      await turn.newer?.over;
      if (session.turn === turn) session.turn = undefined;
      setImmediate(() => settled());
    }
  }

  /** Piece by piece, as a program does that reads its history while it tells it. */
  async function replay(session) {
    for (const { role, parts } of session.history) {
      const [{ text }] = parts;
      if (text === undefined) continue;
      const update =
        role === "model" ? frames.message(text) : { ...frames.message(text), sessionUpdate: "user_message_chunk" };
      send(note(session, update));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const methods = {
    initialize: (params) => {
      if (params?.clientCapabilities === undefined)
        throw invalidParams('[{"path":["clientCapabilities"],"message":"Required"}]');
      client = { readTextFile: params.clientCapabilities.fs?.readTextFile === true };
      return frames.initialized(flags);
    },
    authenticate: (params) => {
      if (flags.has("auth-fails")) throw internal("SERVER_OAUTH2_REQUIRED: open the URL in a browser");
      if (!["iflow", "openai-compatible", "oauth-iflow"].includes(params?.methodId)) throw invalidParams("methodId");
      authenticated = true;
      return { methodId: params.methodId };
    },
    "session/new": (params) => {
      needsAuthentication();
      const settings = sessionParams(params);
      return fresh(params.sessionId ?? randomUUID(), params, settings);
    },
    "session/load": (params) => {
      needsAuthentication();
      const settings = sessionParams(params);
      if (typeof params.sessionId !== "string") throw invalidParams('[{"path":["sessionId"],"message":"Required"}]');
      const stored = loadSession(params.sessionId);
      if (stored === undefined) return fresh(params.sessionId, params, settings);
      // The mode falls back to yolo, and system prompts are lost even when they are given.
      const { system_prompt: _gone, append_system_prompt: _too, ...kept } = settings;
      const session = open(params.sessionId, params.cwd, kept, stored);
      session.mode = settings.permission_mode ?? "yolo";
      if (flags.has("replay-late")) setTimeout(() => replay(session), 1);
      return { sessionId: session.id };
    },
    "session/prompt": prompt,
    "session/cancel": (params) => {
      const session = found(params);
      if (!session.generating) throw new RpcError(-32600, "Invalid request", "Not currently generating");
      if (session.turn === undefined) session.generating = false;
      if (!flags.has("ignore-cancel")) session.turn?.abort.abort();
      return null;
    },
    "session/set_mode": (params) => {
      const session = found(params);
      if (!frames.modeIds.includes(params.modeId)) throw invalidParams(`unknown mode ${params.modeId}`);
      session.mode = params.modeId;
      return { success: true, currentModeId: session.mode };
    },
    "session/set_model": (params) => {
      const session = found(params);
      session.model = params.modelId;
      return { success: true, currentModelId: session.model };
    },
    "session/set_think": (params) => ({ success: true, currentThinkEnabled: params?.thinkEnabled === true }),
  };

  async function answer({ id, method, params }) {
    if (flags.values("silent").includes(method)) return;
    if (flags.values("exit-on").includes(method)) process.exit(9);
    try {
      const handler = methods[method];
      if (handler === undefined) throw new RpcError(-32601, "Method not found", method);
      if (flags.values("refuse").includes(method)) throw internal(`${method} is refused`);
      const result = await handler(params);
      if (id !== undefined) send({ id, result });
    } catch (error) {
      if (id === undefined) return;
      const { code, message, details } = error instanceof RpcError ? error : internal(String(error?.message ?? error));
      send({ id, error: { code, message, ...(details === undefined ? {} : { data: { details } }) } });
    }
  }

  return {
    /** One text of the client: one or more JSON objects a line each. What can't be parsed is ignored, as are control frames. */
    receive(text) {
      for (const line of text.split("\n")) {
        if (line.trim() === "" || line.startsWith("//")) continue;
        let frame;
        try {
          frame = JSON.parse(line);
        } catch {
          continue; // iFlow says nothing to that either
        }
        if (typeof frame?.method === "string") void answer(frame);
        else if (waiting.has(frame?.id)) {
          const resolve = waiting.get(frame.id);
          waiting.delete(frame.id);
          resolve(frame);
        }
      }
    },
  };
}

/** Steps of a prompt; in a loaded session (or after an approved plan) plain words go on with what was left. */
function stepsOf(session, text) {
  const steps = parseScript(text);
  if (steps.length > 0) return steps;
  const left = session.loaded || session.carryOn ? session.unfinished : [];
  session.carryOn = false;
  const rest = NOT_AGAIN.has(left[0]?.kind) ? left.slice(1) : left;
  if (left.length === 0) return partFor(text) ?? [{ kind: "say", text: echo(text) }];
  session.answer = text.match(/(?<=^\s*Answer: ).*/gm)?.at(-1) ?? text.trim().split("\n").at(-1) ?? "";
  return [{ kind: "say", text: "I go on where I was.\n" }, ...rest];
}

/** The part that is played for plain words: the directives under the first words of the file that stand in the prompt. */
function partFor(text) {
  const file = process.env.DEMO_AGENT_PARTS;
  if (file === undefined) return undefined;
  const parts = Object.entries(JSON.parse(readFileSync(file, "utf8")));
  const lines = parts.find(([words]) => text.includes(words))?.[1];
  return lines === undefined ? undefined : parseScript(lines.join("\n"));
}

/** Everything that is said, before it is written: what a client may have seen is in it. */
function noteSaid(session, updates) {
  if (process.env.DEMO_AGENT_TRANSCRIPT === undefined) return;
  const words = updates.filter((one) => one.sessionUpdate === "agent_message_chunk" && one.agentId === undefined);
  if (words.length > 0) transcribe(session.id, "said", words.map((one) => one.content.text).join(""));
}

/** For crash tests: what was heard and said, in order. */
function transcribe(sessionId, kind, text) {
  const file = process.env.DEMO_AGENT_TRANSCRIPT;
  if (file === undefined) return;
  appendFileSync(file, `${JSON.stringify({ at: Date.now(), pid: process.pid, sessionId, kind, text })}\n`, {
    mode: 0o600,
  });
}

/** For tests that count the prompts that arrived twice. */
function logPrompt(session, text, blocks) {
  const file = process.env.DEMO_AGENT_LOG;
  if (file === undefined) return;
  const others = blocks
    .filter((block) => block.type !== "text")
    .map(({ type, uri, mimeType }) => ({ type, uri, mimeType }));
  appendFileSync(
    file,
    `${JSON.stringify({ at: Date.now(), pid: process.pid, sessionId: session.id, text, others })}\n`,
    { mode: 0o600 },
  );
}
