/**
 * Which directories a session may work in.
 * Owns: the decision by real path (symlinks, `..` and case undone by the file system), and one message for everything that is refused,
 * so that it does not tell whether a path outside exists.
 */
import { lstat, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";
import type { Caller } from "../core/caller.ts";
import { ok, refuse, type Refused, type Result } from "../core/errors.ts";
import { redactSecrets } from "../core/redact.ts";
import type { Session } from "../core/session.ts";

export interface WorkdirOptions {
  readonly defaultWorkdir: string | undefined;
  readonly allowedWorkdirs: readonly string[];
  /** The host's state directory: always refused, with everything below it but workspaces. */
  readonly stateDir: string;
}

export class Workdirs {
  readonly #options: WorkdirOptions;

  constructor(options: WorkdirOptions) {
    this.#options = options;
  }

  /** The real path of what was asked for, or of the default. */
  async resolve(caller: Caller, asked: string | undefined): Promise<Result<string>> {
    const base = caller.workspaceDir ?? this.#options.defaultWorkdir;
    const wanted = asked ?? base;
    if (wanted === undefined)
      return refuse(
        "directory_not_allowed",
        "No directory: give workdir, or set defaultWorkdir in the plugin's config.",
      );
    if (wanted.includes("\0")) return this.#refuse(caller, wanted);
    const real = await realDirectory(absolute(wanted, base));
    const roots = await realDirectories(this.#named(caller));
    const allowed = real !== undefined && (await this.#isAllowed(caller, real, roots));
    if (allowed) return ok(real);
    // Where the caller may work the truth may be told; elsewhere nothing is said about what exists.
    if (real === undefined && (await this.#mayKnow(caller, absolute(wanted, base), roots)))
      return refuse(
        "directory_not_allowed",
        `There is no directory "${redactSecrets(wanted).slice(0, 200)}". Create it first, or give another workdir.`,
      );
    return this.#refuse(caller, wanted);
  }

  /** Before iFlow is started in the directory of a session that was launched earlier: the configuration may have changed since. */
  async stillAllowed({ name, workdir }: Pick<Session, "name" | "workdir">): Promise<Result<void>> {
    const { allowedWorkdirs } = this.#options;
    const roots = await realDirectories(allowedWorkdirs);
    if (allowedWorkdirs.length === 0 || roots.some((root) => isWithin(workdir, root))) return ok(undefined);
    return refuse(
      "directory_not_allowed",
      `${name} works in ${workdir}, which is not allowed any more. Allowed are, with what is below them: ${allowedWorkdirs.join(", ")}. Add the directory to allowedWorkdirs, or launch a new session in an allowed one.`,
    );
  }

  /** A file to send along: a regular one below the working directory, by real path. What is no file would hold up who reads it. */
  async file(workdir: string, asked: string): Promise<Result<string>> {
    const path = await realpath(absolute(asked, workdir)).catch(() => undefined);
    const isBelow = path !== undefined && isWithin(path, workdir);
    if (isBelow && (await isRegular(path))) return ok(path);
    if (isBelow)
      return refuse(
        "invalid_params",
        `"${redactSecrets(asked).slice(0, 200)}" is no regular file, but a folder, a pipe, a device or the like. Give files.`,
      );
    return refuse(
      "directory_not_allowed",
      `The file "${redactSecrets(asked).slice(0, 200)}" is not in the working directory ${workdir}. Give files below it.`,
    );
  }

  async #isAllowed(caller: Caller, real: string, roots: readonly string[]): Promise<boolean> {
    const state = await realDirectory(this.#options.stateDir);
    const inRoot = roots.some((root) => isWithin(real, root));
    // The agent's workspace often lies below the state directory; nothing else there is for agents.
    if (state !== undefined && isWithin(real, state))
      return roots.some((root) => isWithin(real, root) && isWithin(root, state) && root !== state);
    if (state !== undefined && isWithin(state, real)) return false;
    return inRoot || this.#free(caller);
  }

  /** Judged by the nearest real place above the path: a link may lead out of a root, and what is there is not told. */
  async #mayKnow(caller: Caller, path: string, roots: readonly string[]): Promise<boolean> {
    const near = await nearestReal(path);
    if (near === undefined) return false;
    const state = await realDirectory(this.#options.stateDir);
    const hidden = state !== undefined && isWithin(near, state);
    const own = roots.filter((root) => isWithin(near, root));
    if (hidden) return own.some((root) => root !== state && isWithin(root, state));
    return own.length > 0 || this.#free(caller);
  }

  /** With no allowed directories set, only the host's owner may leave the workspace and the default. */
  #free(caller: Caller): boolean {
    return this.#options.allowedWorkdirs.length === 0 && caller.seesAll && caller.isOperator !== true;
  }

  /** As the configuration writes them; allowed directories stand in the place of the workspace and the default. */
  #named(caller: Caller): readonly string[] {
    const { allowedWorkdirs, defaultWorkdir } = this.#options;
    if (allowedWorkdirs.length > 0) return allowedWorkdirs;
    return [caller.workspaceDir, defaultWorkdir].filter((dir) => dir !== undefined);
  }

  #refuse(caller: Caller, wanted: string): Refused {
    const named = this.#named(caller);
    const list = named.length === 0 ? "none is set (allowedWorkdirs, defaultWorkdir)" : named.join(", ");
    return {
      ok: false,
      refusal: {
        code: "directory_not_allowed",
        message: `The directory "${redactSecrets(wanted).slice(0, 200)}" is not allowed. Allowed are, with what is below them: ${list}.`,
      },
    };
  }
}

function absolute(path: string, base: string | undefined): string {
  if (path === "~" || path.startsWith(`~${sep}`)) return join(homedir(), path.slice(1));
  return isAbsolute(path) ? resolve(path) : resolve(base ?? homedir(), path);
}

async function realDirectories(named: readonly string[]): Promise<readonly string[]> {
  const real = await Promise.all(named.map((dir) => realDirectory(absolute(dir, undefined))));
  return real.filter((dir) => dir !== undefined);
}

async function realDirectory(path: string): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    return (await stat(real)).isDirectory() ? real : undefined;
  } catch {
    // Missing, unreadable, a loop of links: none of them is a directory to work in.
    return undefined;
  }
}

async function isRegular(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** The path itself, or what of it exists; undefined where a link leads nowhere, for nobody may learn where it would lead. */
async function nearestReal(path: string): Promise<string | undefined> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined) return real;
  const isThere = await lstat(path).then(
    () => true,
    () => false,
  );
  return isThere ? undefined : nearestReal(dirname(path));
}

/** Of real paths: the same, or below it by whole segments. */
export function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}
