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
  const references = [
    ...Object.entries(env).map(([name, value]) => ({ path: `agent.env.${name}`, value })),
    { path: "agent.auth.apiKey", value: auth["apiKey"] },
  ].filter(({ value }) => typeof value === "object" && value !== null);
  // What is none of them is judged as it stands.
  if (references.length === 0 || resolve === undefined) return { ok: true, raw };
  const found = new Map<string, string>();
  const problems: string[] = [];
  for (const { path, value } of references) {
    const { value: secret, unresolvedRefReason } = await resolve({
      config: currentConfig(api),
      env: processEnv,
      value,
      path: `plugins.entries.${api.id}.config.${path}`,
      unresolvedReasonStyle: "detailed",
    });
    if (secret === undefined) problems.push(`${path}: ${unresolvedRefReason ?? "the secret reference gives nothing"}`);
    else found.set(path, secret);
  }
  if (problems.length > 0) return { ok: false, message: `${problems.join("; ")}. Set it, or correct the reference.` };
  const variables = Object.entries(env).map(
    ([name, value]) => [name, found.get(`agent.env.${name}`) ?? value] as const,
  );
  const apiKey = found.get("agent.auth.apiKey");
  const given = {
    ...(agent["env"] === undefined ? {} : { env: Object.fromEntries(variables) }),
    ...(apiKey === undefined ? {} : { auth: { ...auth, apiKey } }),
  };
  return { ok: true, raw: { ...raw, agent: { ...agent, ...given } } };
}

function jsonOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
