/** One run of the `openclaw` command: what it printed and how it ended. */
import { execFile } from "node:child_process";
import { openclawScript } from "./gateway-process.ts";

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const CLI_WITHIN_MS = 120_000;

export async function runOpenclaw(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  withinMs: number = CLI_WITHIN_MS,
): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [openclawScript, ...args],
      { env: { ...env }, timeout: withinMs, killSignal: "SIGKILL", maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}
