/**
 * Finds the agent's executable: the configured one, else `iflow`, else `iflow-ce`, on PATH or in the usual npm folders.
 * Owns: where to look, and what to say when there is none. Does not own: whether it works (the handshake tells), caching.
 */
import { constants } from "node:fs";
import { access, readdir, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";

const NAMES = ["iflow", "iflow-ce"] as const;

export interface CommandSearch {
  /** `agent.command`: a path (`~/` allowed) or a name to look for on PATH. */
  readonly command?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The environment of the gateway. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
}

export type FoundCommand = { readonly command: string } | { readonly missing: string };

/** Never throws. `command` is an absolute path of an executable file. */
export async function findAgentCommand(search: CommandSearch): Promise<FoundCommand> {
  const { hostEnv } = search;
  const home = hostEnv["HOME"] ?? homedir();
  const onPath = (search.env?.["PATH"] ?? hostEnv["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  if (search.command !== undefined) return configured(search.command, home, onPath);
  const folders = [...new Set([...onPath, ...(await usualFolders(home, hostEnv))])];
  for (const name of NAMES) {
    const found = await firstExecutable(folders.map((folder) => join(folder, name)));
    if (found !== undefined) return { command: found };
  }
  return { missing: installHint(`Neither "iflow" nor "iflow-ce" was found on PATH or in the usual npm folders.`) };
}

async function configured(command: string, home: string, onPath: readonly string[]): Promise<FoundCommand> {
  const path = command.startsWith("~/") ? join(home, command.slice(2)) : command;
  const places = path.includes("/") ? (isAbsolute(path) ? [path] : []) : onPath.map((folder) => join(folder, path));
  const found = await firstExecutable(places);
  if (found !== undefined) return { command: found };
  if (path.includes("/") && !isAbsolute(path)) {
    return {
      missing: `agent.command is ${JSON.stringify(command)}: give an absolute path, or a name that is on PATH.`,
    };
  }
  return {
    missing: installHint(
      `agent.command is ${JSON.stringify(command)}, which is no executable file${path.includes("/") ? "" : " on PATH"}.`,
    ),
  };
}

function installHint(finding: string): string {
  return [
    finding,
    "The iFlow service closed in April 2026: install the community edition, whose command is iflow-ce,",
    "and give it your own API key and base URL (agent.auth here, or /auth in the program itself).",
    "An executable in another place is named by agent.command.",
  ].join(" ");
}

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path;
    } catch {
      continue; // not there, or not ours to run: the next place
    }
  }
  return undefined;
}

async function usualFolders(home: string, hostEnv: CommandSearch["hostEnv"]): Promise<readonly string[]> {
  const prefix = hostEnv["npm_config_prefix"];
  const pnpm = hostEnv["PNPM_HOME"];
  return [
    ...(prefix === undefined ? [] : [join(prefix, "bin")]),
    join(home, ".npm-global", "bin"),
    dirname(process.execPath),
    dirname(await realpath(process.execPath).catch(() => process.execPath)),
    "/usr/local/bin",
    "/opt/homebrew/bin",
    join(home, ".local", "bin"),
    join(home, ".yarn", "bin"),
    join(home, ".bun", "bin"),
    join(home, ".volta", "bin"),
    ...(pnpm === undefined ? [] : [pnpm]),
    join(home, "node_modules", ".bin"),
    ...(await nvmFolders(home)),
  ];
}

/** Newest version first. */
async function nvmFolders(home: string): Promise<readonly string[]> {
  const root = join(home, ".nvm", "versions", "node");
  const versions = await readdir(root).catch(() => []);
  return versions
    .toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }))
    .map((version) => join(root, version, "bin"));
}
