/**
 * One turn: carries out the steps of a prompt and writes the frames that iFlow would write, in its order.
 * Owns: the order of frames, permission, cancel. Does not own: JSON-RPC (peer.mjs), what tools do (tools.mjs).
 *
 * 1. With `--stream`: text in deltas; pending -> permission -> in_progress -> completed. Without: one chunk a step; permission -> pending -> ...
 * 2. A cancel ends waiting and shells at once, but releases no open request; an edit that is allowed late is still made.
 * 3. All tools of one step are asked for together and start when all have been answered.
 */
import { readFile } from "node:fs/promises";
import { longLine } from "./script.mjs";
import * as frames from "./frames.mjs";
import { askingTool, editTool, hugeTool, readTool, shellTool, todoTool, writeTool } from "./tools.mjs";

/** Ends the turn with an error reply. */
export class TurnFailure extends Error {}

const OPTION_IDS =
  "proceed_once|proceed_always|proceed_always_server|proceed_always_tool|modify_with_editor|cancel".split("|");

const wait = (ms, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
const aborted = (signal) =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
  );

/** Resolves with the stop reason. `turn`: { wire, flags, session, signal, save() }. */
export async function runTurn(turn, steps) {
  const { session, signal } = turn;
  const limit = session.settings.max_turns ?? steps.length;
  for (const [index, step] of steps.slice(0, limit).entries()) {
    if (signal.aborted) return "cancelled";
    session.unfinished = steps.slice(index);
    turn.save();
    const end = await STEPS[step.kind](turn, step);
    if (signal.aborted) return "cancelled";
    if (end === "plan-approved" && session.mode === "plan") {
      // Approval does not leave plan mode: what is left is for the next prompt, in the mode that the client sets.
      session.unfinished = steps.slice(index + 1);
      session.carryOn = true;
      return "end_turn";
    }
    if (end !== undefined && end !== "plan-approved") {
      session.unfinished = [];
      return end;
    }
  }
  if (signal.aborted) return "cancelled";
  session.unfinished = [];
  return "end_turn";
}

// ---------------------------------------------------------------- words

function say({ wire, flags, session }, text) {
  const filled = text.replaceAll("{answer}", session.answer ?? "");
  session.history.push({ role: "model", parts: [{ text: filled }] });
  if (filled === "") return;
  const parts = flags.stream ? (filled.match(/\s*\S+\s*?|\s+/g) ?? [filled]) : [filled];
  wire.updates(
    session,
    parts.map((part) => frames.message(part)),
  );
}

const numbered = (count, text) => Array.from({ length: count }, (_, index) => text(index + 1));

async function pace({ wire, session, signal }, step) {
  const start = performance.now();
  for (let sent = 0; sent < step.frames && !signal.aborted;) {
    const due = Math.min(step.frames, Math.floor(((performance.now() - start) * step.perSecond) / 1000));
    for (; sent < due; sent += 1) wire.update(session, frames.message(`${process.hrtime.bigint()}\n`));
    await wait(1, signal);
  }
}

// ---------------------------------------------------------------- tools

/** "granted", or why the tool call goes no further; in both cases the conversation goes on. */
async function permit({ wire, session }, tool) {
  if (session.settings.disallowed_tools?.includes(tool.name)) return "unknown";
  if (session.mode === "plan" && tool.kind === "edit") return "refused";
  const smart = session.mode === "smart";
  if (tool.preview === undefined || session.always.has(tool.always)) return "granted";
  if (session.mode !== "default" && !smart) return "granted";
  const content = smart ? frames.output(`请确认: ${tool.title}`) : tool.preview();
  const answer = await wire.request(
    "session/request_permission",
    frames.permission(session.id, tool, content, tool.always, smart),
  );
  const outcome = answer.result?.outcome;
  if (outcome?.outcome !== "selected") return "refused";
  if (!OPTION_IDS.includes(outcome.optionId)) return "invalid";
  if (outcome.optionId === "cancel" && !smart) return "refused";
  if (outcome.optionId.startsWith("proceed_always")) session.always.add(tool.always);
  return "granted";
}

async function useTools(turn, tools) {
  const { wire, flags, session, signal } = turn;
  const known = tools.filter((tool) => !session.settings.disallowed_tools?.includes(tool.name));
  if (flags.stream) wire.update(session, ...known.map(frames.pending));
  const verdicts = await Promise.all(known.map((tool) => permit(turn, tool)));
  const granted = known.filter((_, index) => verdicts[index] === "granted");
  const invalid = known.filter((_, index) => verdicts[index] === "invalid");
  if (!flags.stream) wire.update(session, ...[...granted, ...invalid].map(frames.pending));
  const expected = `Invalid enum value. Expected ${OPTION_IDS.map((id) => `'${id}'`).join(" | ")}`;
  wire.update(session, ...invalid.map((tool) => frames.finished(tool, "failed", frames.output(expected))));
  wire.update(session, ...granted.map(frames.inProgress));
  await Promise.all(
    granted.map(async (tool) => {
      const { status, content } = await tool.run(signal);
      wire.update(session, frames.finished(tool, status, content));
      session.history.push({ role: "user", parts: [{ functionResponse: { name: tool.name, status } }] });
    }),
  );
}

function readThroughClient({ wire, session }) {
  if (!session.client.readTextFile || session.loaded) return (path) => readFile(path, "utf8");
  return async (path) => {
    const answer = await wire.request("fs/read_text_file", { path, sessionId: session.id, line: null, limit: null });
    if (answer.error !== undefined) throw new Error(answer.error.message);
    return answer.result.content;
  };
}

// ---------------------------------------------------------------- asking

async function ask(turn, step) {
  const { wire, flags, session } = turn;
  if (flags.stream) wire.update(session, frames.pending(askingTool("ask_user_question", "Ask Question")));
  const answer = await wire.request("_iflow/user/questions", { sessionId: session.id, questions: step.questions });
  const answers = Object.values(answer.result?.answers ?? {}).flat();
  session.answer = answers.join(", ");
  session.history.push({ role: "user", parts: [{ text: session.answer }] });
  if (turn.signal.aborted) return;
  say(turn, answers.length === 0 ? "No answer came, so I go on without." : "Thank you: {answer}.");
}

async function plan(turn, step) {
  const { wire, flags, session } = turn;
  if (flags.stream) wire.update(session, frames.pending(askingTool("exit_plan_mode", "Exit Plan")));
  const answer = await wire.request("_iflow/plan/exit", { sessionId: session.id, plan: step.plan });
  if (turn.signal.aborted) return "cancelled";
  if (answer.result?.approved === true) {
    say(turn, "The plan is approved.");
    return "plan-approved";
  }
  say(turn, `The plan is not approved: ${answer.result?.reason ?? "no reason was given"}.`);
  return "end_turn";
}

async function todo(turn, step) {
  const tool = todoTool(step.items);
  await useTools(turn, [tool]);
  const entries = tool.args.todos.map(({ task, status, priority }) => ({ content: task, priority, status }));
  turn.wire.update(turn.session, frames.plan(entries));
}

/** As with iFlow: its frames name a session of their own, and it asks nobody, whatever the mode. */
async function subAgent(turn, step) {
  const { wire, session, signal } = turn;
  if (session.settings.disallowed_tools?.includes("task")) return; // the model is not offered it
  const outer = { ...askingTool("task", "Task"), kind: "execute", title: step.task };
  const id = `subagent-${outer.id}-1-${Date.now()}`;
  const [, path, content] = /^write (\S+): (.*)$/.exec(step.task) ?? [];
  const inner =
    path === undefined
      ? shellTool(session.cwd, { command: "true" })
      : writeTool(session.cwd, { path, content: `${content}\n` });
  const elsewhere = { ...session, id: "default-session" };
  wire.update(session, frames.pending(outer), frames.inProgress(outer));
  wire.update(elsewhere, frames.message("\n>️ general-purpose Agent started\n", id), {
    ...frames.pending(inner),
    title: `Running: ${inner.title}`,
    agentId: id,
  });
  const { status, content: done } = await inner.run(signal);
  wire.update(
    elsewhere,
    { ...frames.finished(inner, status, done), agentId: id },
    frames.message("\n✔ general-purpose Agent completed\n", id),
  );
  wire.update(session, frames.finished(outer, "completed", frames.output(`Done: ${step.task}`)));
}

// ---------------------------------------------------------------- mishaps

async function fail(turn, step) {
  await wait(Number(turn.flags.value("model-retry-ms") ?? 0), turn.signal);
  if (turn.signal.aborted) return "cancelled";
  throw new TurnFailure(step.message);
}

function crash(_turn, step) {
  if (step.how.startsWith("SIG")) process.kill(process.pid, step.how);
  else process.exit(Number(step.how));
  return new Promise(() => {});
}

function settingsOf(session) {
  const { mode, model, cwd, settings } = session;
  return JSON.stringify({ mode, model, cwd, settings });
}

function recall(session) {
  const prompts = session.history.filter((entry) => entry.prompt === true);
  return prompts
    .slice(0, -1)
    .map((entry, index) => `${index + 1}. ${entry.parts[0].text}\n`)
    .join("");
}

const STEPS = {
  say: (turn, step) => (say(turn, step.text), step.last ? "end_turn" : undefined),
  think: ({ wire, session }, step) => wire.update(session, frames.thought(step.text)),
  long: (turn, step) => {
    const lines = numbered(step.lines, (n) => longLine(n, step.lines));
    const { wire, flags, session } = turn;
    wire.updates(
      session,
      (flags.stream ? lines : [lines.join("")]).map((text) => frames.message(text)),
    );
  },
  stamps: ({ wire, session }, step) => {
    const frame = frames.message(`${process.hrtime.bigint()}\n`);
    wire.updates(
      session,
      Array.from({ length: step.frames }, () => frame),
    );
  },
  burst: ({ wire, session }, step) =>
    wire.updates(
      session,
      numbered(step.frames, (n) => frames.message(`${n}\n`)),
    ),
  pace,
  write: (turn, step) => {
    const filled = step.files.map((file) => ({
      ...file,
      content: file.content.replaceAll("{answer}", turn.session.answer ?? ""),
    }));
    return useTools(
      turn,
      filled.map((file) => writeTool(turn.session.cwd, file)),
    );
  },
  edit: (turn, step) => useTools(turn, [editTool(turn.session.cwd, step, readThroughClient(turn))]),
  read: (turn, step) => useTools(turn, [readTool(turn.session.cwd, step)]),
  run: (turn, step) => useTools(turn, [shellTool(turn.session.cwd, step)]),
  huge: (turn, step) => useTools(turn, [hugeTool(step.bytes)]),
  ask,
  plan,
  todo,
  "sub-agent": subAgent,
  sleep: ({ signal }, step) => wait(step.ms, signal),
  stop: (_turn, step) => step.reason,
  fail,
  crash,
  hang: ({ signal }) => aborted(signal),
  stderr: (_turn, step) => void process.stderr.write(`${"e".repeat(99)}\n`.repeat(Math.ceil(step.bytes / 100))),
  raw: ({ wire }, step) => wire.raw(step.text),
  split: ({ wire, session }, step) => wire.split(session, frames.message(step.text)),
  env: (turn, step) =>
    say(turn, `${step.name}${process.env[step.name] === undefined ? " is not set" : `=${process.env[step.name]}`}\n`),
  settings: (turn) => say(turn, settingsOf(turn.session)),
  recall: (turn) => say(turn, recall(turn.session)),
};
