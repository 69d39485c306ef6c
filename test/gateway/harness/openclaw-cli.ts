/** One run of the `openclaw` command: what it printed and how it ended. It has children of its own, which a late one takes along. */
import { spawn } from "node:child_process";
import type { OpenclawHost } from "./openclaw-host.ts";
import { signal, treeOf } from "./process-tree.ts";
import { PATIENCE_MS } from "./patience.ts";

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runOpenclaw(
  host: OpenclawHost,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  withinMs: number = PATIENCE_MS,
): Promise<CliResult> {
  const child = spawn(process.execPath, [host.script, ...args], {
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const late = setTimeout(() => {
    err.push(Buffer.from(`\nnot over within ${withinMs} ms`));
    for (const one of treeOf(child.pid ?? -1)) signal(one, "SIGKILL");
  }, withinMs);
  const code = await new Promise<number>((resolve) => child.once("close", (exit) => resolve(exit ?? -1)));
  clearTimeout(late);
  return { code, stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(err).toString("utf8") };
}
