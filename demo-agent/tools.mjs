/**
 * The tools of the demo agent: what each would do, as data to ask about, and how it is done.
 * Owns: files in the working directory and shells. Does not own: permission and frames order (turn.mjs).
 * A tool: { id, name, label, kind, title, args, locations, always, preview(), run(signal) -> { status, content } }.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative } from "node:path";
import { unifiedDiff } from "./diff.mjs";
import { output } from "./frames.mjs";

const PIPES_CLOSE_MS = 200;

let calls = 0;
const nextId = () => `call_${process.pid}_${++calls}`;
const failed = (message) => ({ status: "failed", content: output(`Internal Error: ${message}`) });

function readOr(path, otherwise) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise; // a file that is not there yet is an empty one
  }
}

/** Absolute path inside the working directory; the demo agent never writes elsewhere. */
function inside(cwd, path) {
  const absolute = isAbsolute(path) ? path : join(cwd, path);
  return relative(cwd, absolute).startsWith("..") ? undefined : absolute;
}

const diff = (name, oldText, newText, labels) => ({
  type: "diff",
  path: name,
  oldText,
  newText,
  fileDiff: unifiedDiff(name, oldText, newText, labels),
});

export function writeTool(cwd, file) {
  const path = inside(cwd, file.path);
  const name = basename(file.path);
  const args = { file_path: path ?? file.path, content: file.content };
  const before = () => (path === undefined ? "" : readOr(path, ""));
  return {
    id: nextId(),
    name: "write_file",
    label: "Write File",
    kind: "edit",
    title: `Write to ${file.path}`,
    args,
    locations: [],
    always: "Allow All Edits",
    preview: () => [diff(name, before(), file.content, ["Current", "Proposed"])],
    run: async () => {
      if (path === undefined) return failed(`${file.path} is outside of the working directory`);
      const oldText = before();
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file.content);
      const said = `Successfully ${oldText === "" ? "created and wrote to new" : "overwrote"} file: ${path}.`;
      const content = { ...diff(name, oldText, file.content, ["Original", "Written"]), args, content: said };
      return { status: "completed", content: [content] };
    },
  };
}

export function editTool(cwd, step, readText) {
  const path = inside(cwd, step.path);
  const name = basename(step.path);
  const args = { file_path: path ?? step.path, old_string: step.oldText, new_string: step.newText };
  const after = (text) => text.replace(step.oldText, () => step.newText);
  return {
    id: nextId(),
    name: "replace",
    label: "Edit",
    kind: "edit",
    title: `${step.path}: ${step.oldText} => ${step.newText}`,
    args,
    locations: path === undefined ? [] : [{ path }],
    always: "Allow All Edits",
    preview: () => {
      const text = path === undefined ? "" : readOr(path, "");
      return [diff(name, text, after(text), ["Current", "Proposed"])];
    },
    run: async () => {
      if (path === undefined) return failed(`${step.path} is outside of the working directory`);
      let text;
      try {
        text = await readText(path);
      } catch {
        return failed("[object Object]"); // what iFlow says when the client answers its read with an error
      }
      if (!text.includes(step.oldText))
        return failed(`Failed to edit, could not find the string to replace in ${path}.`);
      writeFileSync(path, after(text));
      const said = `Successfully modified file: ${path} (1 replacements).`;
      const content = { ...diff(name, text, after(text), ["Original", "Written"]), args, content: said };
      return { status: "completed", content: [content] };
    },
  };
}

export function readTool(cwd, step) {
  const path = isAbsolute(step.path) ? step.path : join(cwd, step.path);
  return {
    id: nextId(),
    name: "read_file",
    label: "Read File",
    kind: "read",
    title: step.path,
    args: { absolute_path: path },
    locations: [{ path }],
    run: async () => {
      const text = readOr(path, undefined);
      if (text === undefined) return failed(`File not found: ${path}`);
      const said = `Read all ${text.split("\n").length} lines from ${basename(path)}`;
      return { status: "completed", content: output(said, { absolute_path: path }) };
    },
  };
}

export function shellTool(cwd, step) {
  const args = { command: step.command };
  return {
    id: nextId(),
    name: "run_shell_command",
    label: "Shell",
    kind: "execute",
    title: `${step.command} [current working directory ${cwd}]`,
    args,
    locations: [],
    always: `Always Allow ${step.command.split(/\s+/)[0]}`,
    preview: () => [],
    run: (signal) => shell(cwd, step.command, signal),
  };
}

/** A shell in a process group of its own, so that it outlives the agent unless somebody looks for it: as with iFlow. */
function shell(cwd, command, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(failed("Command was not started"));
    const child = spawn("/bin/sh", ["-c", command], { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const kill = () => {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // it has ended in the meantime
      }
    };
    signal.addEventListener("abort", kill, { once: true });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => resolve(failed(error.message)));
    child.on("exit", (code, killedBy) => {
      signal.removeEventListener("abort", kill);
      const done = () => {
        clearTimeout(patience);
        child.stdout.destroy();
        child.stderr.destroy();
        if (killedBy !== null) return resolve(failed(`Command terminated by signal: ${killedBy}`));
        if (code !== 0) return resolve(failed(`Command exited with code: ${code}`));
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: "completed", content: text === "" ? [] : output(text, { command }) });
      };
      // A background child may hold the pipes for ever, so `close` is waited for only so long.
      const patience = setTimeout(done, PIPES_CLOSE_MS);
      child.once("close", done);
    });
  });
}

export function hugeTool(bytes) {
  const args = { command: `print ${bytes}` };
  return {
    id: nextId(),
    name: "run_shell_command",
    label: "Shell",
    kind: "execute",
    title: args.command,
    args,
    locations: [],
    run: async () => ({
      status: "completed",
      content: output("0123456789abcdef".repeat(Math.ceil(bytes / 16)).slice(0, bytes), args),
    }),
  };
}

export function todoTool(items) {
  const todos = items.map((task, index) => ({
    id: String(index + 1),
    task,
    status: index === 0 ? "in_progress" : "pending",
    priority: "medium",
  }));
  return {
    id: nextId(),
    name: "todo_write",
    label: "Plan",
    kind: "read",
    title: `Updating todo list (${items.length - 1} pending, 1 in progress, 0 completed)`,
    args: { todos },
    locations: [],
    run: async () => ({
      status: "completed",
      content: output(`Updated todo list\n${items.map((item) => `  ☐ ${item}`).join("\n")}`, { todos }),
    }),
  };
}

/** A tool call that only asks; nothing of it is seen after its `pending` frame. */
export function askingTool(name, label) {
  return { id: nextId(), name, label, kind: "other", title: label, args: {}, locations: [] };
}
