/**
 * What every operation gets: the sessions, the configuration, and the checks that need the disk.
 */
import type { PluginConfig } from "../config.ts";
import type { Owner } from "../core/session.ts";
import type { Sessions } from "../engine/sessions.ts";
import type { Audit } from "./audit.ts";
import type { Workdirs } from "./workdir.ts";

export interface Context {
  readonly sessions: Sessions;
  readonly config: PluginConfig;
  readonly workdirs: Workdirs;
  readonly audit: Audit;
  /** The agent that `agentChannels` names for this directory, as its main session. */
  readonly agentOf: (workdir: string) => Owner | undefined;
  /** Whether an agent can be started at all (found on PATH or named by config); a refusal says how to install one. */
  readonly agentReady: () => Promise<{ readonly ok: true } | { readonly ok: false; readonly message: string }>;
}
