/**
 * Secret references in the plugin's configuration, for a process to which the host gives them as they are written (its command line;
 * in the gateway they are resolved before the plugin sees them).
 * Owns: which settings may hold one. Resolving is the host's.
 */
import { currentConfig } from "./host-facts.ts";
import { loadResolveSecret, type HostApi } from "./sdk.ts";

type Json = Readonly<Record<string, unknown>>;

/** The configuration with every reference replaced; or which one can't be resolved, and why. */
export async function withResolvedSecrets(
  api: HostApi,
  raw: Json,
  processEnv: NodeJS.ProcessEnv,
): Promise<{ readonly ok: true; readonly raw: Json } | { readonly ok: false; readonly message: string }> {
  const agent = jsonOf(raw["agent"]);
  const auth = jsonOf(agent["auth"]);
  const env = jsonOf(agent["env"]);
  const resolve = await loadResolveSecret();
  const problems: string[] = [];
  const resolved = async (value: unknown, path: string): Promise<unknown> => {
    if (typeof value !== "object" || value === null) return value;
    if (resolve === undefined) return value;
    const { value: secret, unresolvedRefReason } = await resolve({
      config: currentConfig(api),
      env: processEnv,
      value,
      path: `plugins.entries.${api.id}.config.${path}`,
      unresolvedReasonStyle: "detailed",
    });
    if (secret === undefined) problems.push(`${path}: ${unresolvedRefReason ?? "the secret reference gives nothing"}`);
    return secret;
  };
  const variables = Object.entries(env).map(
    async ([name, value]) => [name, await resolved(value, `agent.env.${name}`)] as const,
  );
  const apiKey = await resolved(auth["apiKey"], "agent.auth.apiKey");
  const known = Object.fromEntries(await Promise.all(variables));
  if (problems.length > 0) return { ok: false, message: `${problems.join("; ")}. Set it, or correct the reference.` };
  const given = apiKey === undefined ? {} : { auth: { ...auth, apiKey } };
  return { ok: true, raw: { ...raw, agent: { ...agent, env: known, ...given } } };
}

function jsonOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
