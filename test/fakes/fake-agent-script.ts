/**
 * Carries out a script of the demo agent's language as events, in memory.
 * Owns: which events a step leads to, in the order of a streaming agent. Does not own: connections (fake-agent.ts).
 */
import { isAbsolute, join } from "node:path";
import { echo, longLine, type Step } from "../../demo-agent/script.mjs";
import type { AgentEvent, AgentReply, AgentRequest, RequestId, StopReason } from "../../src/core/agent-event.ts";
import type { OpenSession } from "../../src/ports.ts";

export interface ScriptSession {
  readonly acpSessionId: string;
  readonly workdir: string;
  readonly settings: OpenSession;
  readonly loaded: boolean;
  readonly history: string[];
  readonly always: Set<string>;
  unfinished: readonly Step[];
  answer: string;
  carryOn: boolean;
}

export interface Stage {
  readonly session: ScriptSession;
  readonly signal: AbortSignal;
  readonly files: Map<string, string>;
  readonly after: (ms: number, run: () => void) => () => void;
  readonly emit: (...events: readonly AgentEvent[]) => void;
  readonly ask: (make: (requestId: RequestId) => AgentRequest) => Promise<AgentReply>;
  readonly crash: (how: string) => void;
  readonly stderr: (words: string) => void;
}

export type ScriptEnd =
  | { readonly kind: "ended"; readonly stopReason: StopReason }
  | { readonly kind: "failed"; readonly message: string };

const ended = (stopReason: StopReason): ScriptEnd => ({ kind: "ended", stopReason });
const NOT_AGAIN: ReadonlySet<Step["kind"]> = new Set(["ask", "plan", "hang", "crash", "fail", "sleep"]);
let calls = 0;

export async function runScript(stage: Stage, script: readonly Step[], text: string): Promise<ScriptEnd> {
  const { session, signal } = stage;
  const steps = script.length > 0 ? script : carriedOn(session, text);
  for (const [index, step] of steps.slice(0, session.settings.maxTurns ?? steps.length).entries()) {
    if (signal.aborted) return ended("cancelled");
    session.unfinished = steps.slice(index);
    const end = await runStep(stage, step);
    if (signal.aborted) return ended("cancelled");
    if (end === "plan-approved" && session.settings.mode === "plan") {
      session.unfinished = steps.slice(index + 1);
      session.carryOn = true;
      return ended("end_turn");
    }
    if (end !== undefined && end !== "plan-approved") {
      session.unfinished = [];
      return end;
    }
  }
  session.unfinished = [];
  return ended(signal.aborted ? "cancelled" : "end_turn");
}

/** In a loaded session, or after an approved plan, plain words go on with what was left. */
function carriedOn(session: ScriptSession, text: string): readonly Step[] {
  const left = session.loaded || session.carryOn ? session.unfinished : [];
  session.carryOn = false;
  const [first, ...others] = left;
  if (first === undefined) return [{ kind: "say", text: echo(text) }];
  session.answer = text.match(/(?<=^\s*Answer: ).*/gm)?.at(-1) ?? text.trim().split("\n").at(-1) ?? "";
  return [{ kind: "say", text: "I go on where I was.\n" }, ...(NOT_AGAIN.has(first.kind) ? others : left)];
}

function say({ session, emit }: Stage, text: string): void {
  const filled = text.replaceAll("{answer}", session.answer);
  if (filled !== "") emit({ kind: "text", text: filled });
}

function wait({ signal, after }: Stage, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const cancel = after(ms, resolve);
    signal.addEventListener("abort", () => {
      cancel();
      resolve();
    });
  });
}

const aborted = ({ signal }: Stage): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve())));

// ---------------------------------------------------------------- tools

interface Tool {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly toolKind: string;
  readonly title: string;
  readonly content: string;
  readonly always: string | undefined;
  readonly run: () => Promise<{ readonly failed?: true; readonly output?: string; readonly files?: readonly string[] }>;
}

const tool = (parts: Omit<Tool, "id">): Tool => ({ id: `call_${(calls += 1)}`, ...parts });

function edit(stage: Stage, path: string, title: string, name: string, change: (text: string) => string): Tool {
  const whole = isAbsolute(path) ? path : join(stage.session.workdir, path);
  const before = (): string => stage.files.get(whole) ?? "";
  const diff = (): string => `--- ${path}\n+++ ${path}\n-${before()}\n+${change(before())}\n`;
  return tool({
    name,
    label: name === "write_file" ? "Write File" : "Edit",
    toolKind: "edit",
    title,
    content: diff(),
    always: "Allow All Edits",
    run: async () => {
      const output = diff();
      stage.files.set(whole, change(before()));
      return { output, files: [whole] };
    },
  });
}

function shell(stage: Stage, command: string): Tool {
  const run = async (): ReturnType<Tool["run"]> => {
    const seconds = /^sleep ([\d.]+)/.exec(command)?.[1];
    if (seconds !== undefined) await wait(stage, Number(seconds) * 1000);
    if (stage.signal.aborted) return { failed: true, output: "Internal Error: Command terminated by signal: SIGKILL" };
    const code = /^exit (\d+)/.exec(command)?.[1];
    if (code !== undefined) return { failed: true, output: `Internal Error: Command exited with code: ${code}` };
    const words = /^echo (.*)/.exec(command)?.[1];
    return words === undefined ? {} : { output: `${words}\n` };
  };
  const title = `${command} [current working directory ${stage.session.workdir}]`;
  const always = `Always Allow ${command.split(/\s+/)[0] ?? ""}`;
  return tool({ name: "run_shell_command", label: "Shell", toolKind: "execute", title, content: command, always, run });
}

const plainTool = (name: string, label: string, toolKind: string, title: string, output: string): Tool =>
  tool({ name, label, toolKind, title, content: "", always: undefined, run: async () => ({ output }) });

async function permitted(stage: Stage, call: Tool): Promise<boolean> {
  const { settings, always } = stage.session;
  if (settings.mode === "plan" && call.toolKind === "edit") return false;
  if (settings.mode !== "default" || call.always === undefined || always.has(call.always)) return true;
  const asAlways = call.always;
  const reply = await stage.ask((requestId) => ({
    kind: "permission",
    requestId,
    toolCallId: call.id,
    title: call.title,
    toolKind: call.toolKind,
    toolName: call.name,
    content: call.content,
    options: [
      { id: "proceed_always", label: asAlways, kind: "allow_always" },
      { id: "proceed_once", label: "Allow", kind: "allow_once" },
      { id: "cancel", label: "Reject", kind: "reject_once" },
    ],
  }));
  if (reply.kind !== "selected" || reply.optionId === "cancel") return false;
  if (reply.optionId === "proceed_always") always.add(asAlways);
  return true;
}

async function use(stage: Stage, ...requested: readonly Tool[]): Promise<void> {
  const known = requested.filter((call) => !stage.session.settings.disallowedTools.includes(call.name));
  const head = (call: Tool) =>
    ({ kind: "tool", toolCallId: call.id, toolKind: call.toolKind, toolName: call.name }) as const;
  stage.emit(...known.map((call) => ({ ...head(call), status: "pending", title: call.label }) as const));
  const verdicts = await Promise.all(known.map((call) => permitted(stage, call)));
  const granted = known.filter((_, index) => verdicts[index]);
  stage.emit(...granted.map((call) => ({ ...head(call), status: "in_progress", title: call.title }) as const));
  await Promise.all(
    granted.map(async (call) => {
      const { failed, output, files } = await call.run();
      stage.emit({
        kind: "tool",
        toolCallId: call.id,
        toolName: call.name,
        status: failed ? "failed" : "completed",
        ...(output === undefined ? {} : { output }),
        ...(files === undefined ? {} : { files }),
      });
    }),
  );
}

// ---------------------------------------------------------------- steps

async function ask(stage: Stage, step: Extract<Step, { kind: "ask" }>): Promise<void> {
  const reply = await stage.ask((requestId) => ({
    kind: "questions",
    requestId,
    questions: step.questions.map(({ question, header, options, multiSelect }) => ({
      text: question,
      header,
      multiSelect,
      options: options.map(({ label, description }) => ({
        id: label,
        label,
        ...(description === undefined ? {} : { description }),
      })),
    })),
  }));
  const answers =
    reply.kind === "answers" ? reply.answers.flatMap((one) => ("text" in one ? one.text : one.optionIds)) : [];
  stage.session.answer = answers.join(", ");
  if (!stage.signal.aborted)
    say(stage, answers.length === 0 ? "No answer came, so I go on without." : "Thank you: {answer}.");
}

async function plan(stage: Stage, step: Extract<Step, { kind: "plan" }>): Promise<ScriptEnd | "plan-approved"> {
  const reply = await stage.ask((requestId) => ({ kind: "plan", requestId, plan: step.plan }));
  if (stage.signal.aborted) return ended("cancelled");
  const approved = reply.kind === "plan" && reply.approved;
  const reason = reply.kind === "plan" ? reply.reason : undefined;
  say(stage, approved ? "The plan is approved." : `The plan is not approved: ${reason ?? "no reason was given"}.`);
  return approved ? "plan-approved" : ended("end_turn");
}

async function todo(stage: Stage, items: readonly string[]): Promise<void> {
  await use(stage, plainTool("todo_write", "Plan", "read", "Updating todo list", items.join("\n")));
  stage.emit({
    kind: "plan",
    entries: items.map((text, index) => ({ text, status: index === 0 ? "in_progress" : "pending" })),
  });
}

async function runStep(stage: Stage, step: Step): Promise<ScriptEnd | "plan-approved" | undefined | void> {
  const { session } = stage;
  switch (step.kind) {
    case "say":
      say(stage, step.text);
      return step.last ? ended("end_turn") : undefined;
    case "think":
      return stage.emit({ kind: "thought", text: step.text });
    case "long":
      return sayEach(stage, step.lines, (n) => longLine(n, step.lines));
    case "burst":
    case "stamps":
    case "pace":
      return sayEach(stage, step.frames, (n) => `${n}\n`);
    case "write":
      return use(
        stage,
        ...step.files.map(({ path, content }) =>
          edit(stage, path, `Write to ${path}`, "write_file", () => content.replaceAll("{answer}", session.answer)),
        ),
      );
    case "edit":
      return use(
        stage,
        edit(stage, step.path, `${step.path}: ${step.oldText} => ${step.newText}`, "replace", (text) =>
          text.replace(step.oldText, step.newText),
        ),
      );
    case "read":
      return use(stage, plainTool("read_file", "Read File", "read", step.path, `Read all lines from ${step.path}`));
    case "run":
      return use(stage, shell(stage, step.command));
    case "huge":
      return use(
        stage,
        plainTool(
          "run_shell_command",
          "Shell",
          "execute",
          `print ${step.bytes}`,
          "0123456789abcdef".repeat(step.bytes / 16),
        ),
      );
    case "ask":
      return ask(stage, step);
    case "plan":
      return plan(stage, step);
    case "todo":
      return todo(stage, step.items);
    case "sub-agent":
      return stage.emit({ kind: "text", text: "\n✔ general-purpose Agent completed\n", agentId: "subagent-1" });
    case "sleep":
      return wait(stage, step.ms);
    case "stop":
      return ended(step.reason);
    case "fail":
      return { kind: "failed", message: step.message };
    case "crash":
      stage.crash(step.how);
      return new Promise(() => undefined);
    case "hang":
      return aborted(stage);
    case "stderr":
      return stage.stderr("e".repeat(step.bytes));
    case "raw":
      return stage.emit({ kind: "log", source: "stdout", text: step.text });
    case "split":
      return say(stage, step.text);
    case "env":
      return say(stage, `${step.name} is not set\n`);
    case "settings":
      return say(stage, JSON.stringify(session.settings));
    case "recall":
      return say(
        stage,
        session.history
          .slice(0, -1)
          .map((text, index) => `${index + 1}. ${text}\n`)
          .join(""),
      );
  }
}

function sayEach(stage: Stage, count: number, text: (n: number) => string): void {
  for (let n = 1; n <= count; n += 1) stage.emit({ kind: "text", text: text(n) });
}
