/** Runs one of the project's own command-line tools (node_modules/.bin, on PATH by way of bootstrap.mjs). */
import { spawn } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..");

export interface ToolRun {
  /** Exit code; a signal counts as 1. */
  readonly code: number;
  /** stdout and stderr as they came; empty when `shown`. */
  readonly output: string;
}

/** Never throws for a tool that fails; throws when it can't be started. */
export function runTool(command: string, args: readonly string[], { shown = false } = {}): Promise<ToolRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: shown ? "inherit" : ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") }));
  });
}
