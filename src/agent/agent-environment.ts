/**
 * The environment of an agent: an allowlist, so that no secret of the gateway reaches what a model runs.
 * Owns: which names pass. Nothing that begins with OPENCLAW_ ever does, not even from the configuration.
 */
import { delimiter, dirname } from "node:path";

/** Found by recovery in the environment of whatever an agent left behind. */
export const SESSION_MARK = "IFLOW_PLUGIN_SESSION";

const PASSED: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "USER",
  "SHELL",
  "LANG",
  "TMPDIR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
  "no_proxy",
]);

function passes(name: string): boolean {
  return PASSED.has(name) || name.startsWith("LC_") || /^iflow_/i.test(name);
}

/**
 * `configured` (agent.env) wins over what is inherited; `own` (marks, credentials) over both.
 * The folders of the command and of the running node end the PATH: a gateway under a service manager often lacks them.
 */
export function agentEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  configured: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
  command: string,
): Record<string, string> {
  const environment: Record<string, string> = {};
  const take = (name: string, value: string | undefined): void => {
    if (value !== undefined && !/^openclaw_/i.test(name)) environment[name] = value;
  };
  for (const [name, value] of Object.entries(inherited)) if (passes(name)) take(name, value);
  for (const [name, value] of Object.entries(configured)) take(name, value);
  for (const [name, value] of Object.entries(own)) take(name, value);
  const path = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const folder of [dirname(command), dirname(process.execPath)]) if (!path.includes(folder)) path.push(folder);
  environment["PATH"] = path.join(delimiter);
  return environment;
}
