/**
 * The plugin's configuration as it is now: an edit is taken up by the running service, and no session hears of it.
 * Owns: telling the host that edits of our keys replace nothing, and reading the newest configuration when it is needed.
 * Does not own: what a key means (config.ts), what must be told of a change (the roster).
 * 1. An edit that the host lets pass and the parse refuses changes nothing: the last good configuration stays, and the log says why, once.
 * 2. The value changes only when the user's text did: it may be compared by identity.
 */
import { IflowError } from "../core/errors.ts";
import type { HostApi } from "./sdk.ts";

export type Parse<Config> = (
  raw: unknown,
) => { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly message: string };

export interface LiveConfig<Config> {
  /** Never throws. Cheap: parses only what is new. */
  current(): Config;
}

/** Without it the host would replace the whole plugin for each edit, and so interrupt every session that works (host fact). */
export function keepRunningOnEdits(api: HostApi): void {
  api.registerReload({ noopPrefixes: [`plugins.entries.${api.id}.config`] });
}

/** Throws IflowError config_invalid when the configuration is refused at the beginning. */
export function liveConfig<Config>(
  api: HostApi,
  parse: Parse<Config>,
  warn: (message: string) => void,
): LiveConfig<Config> {
  let raw = configOfEntry(api);
  const first = parse(raw);
  if (!first.ok) throw new IflowError("config_invalid", first.message);
  let { config } = first;
  return {
    current() {
      const newest = configOfEntry(api);
      if (newest === raw) return config;
      const before = raw;
      raw = newest;
      if (JSON.stringify(newest) === JSON.stringify(before)) return config;
      const parsed = parse(newest);
      if (parsed.ok) ({ config } = parsed);
      else warn(`${parsed.message} The configuration from before this edit stays in use.`);
      return config;
    },
  };
}

/** The host keeps one snapshot for the whole process; secrets are resolved in it. What was handed over at the registration may be older. */
function configOfEntry(api: HostApi): unknown {
  const { plugins } = api.runtime.config.current();
  const entry = plugins?.entries?.[api.id];
  return entry === undefined ? api.pluginConfig : (entry.config ?? {});
}
