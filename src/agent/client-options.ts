/**
 * What the SDK's client is told about a session: its settings and credentials, in the protocol's names.
 * `allowed_tools` is never sent: on the wire it lists the tools that exist. An empty list or an absent value is left out.
 */
import type { OpenSession } from "../ports.ts";
import type { AgentAuth } from "./agent-options.ts";
import type { ClientOptions } from "./iflow-client.ts";

export function clientOptions(session: OpenSession, workdir: string, auth: AgentAuth | undefined): ClientOptions {
  return {
    cwd: workdir,
    sessionSettings: {
      permission_mode: session.mode,
      ...(session.disallowedTools.length === 0 ? {} : { disallowed_tools: [...session.disallowedTools] }),
      ...(session.systemPrompt === undefined ? {} : { system_prompt: session.systemPrompt }),
      ...(session.maxTurns === undefined ? {} : { max_turns: session.maxTurns }),
    },
    ...(auth === undefined ? {} : { authMethodId: auth.methodId, authMethodInfo: methodInfo(auth) }),
  };
}

function methodInfo({ apiKey, baseUrl, modelName }: AgentAuth): NonNullable<ClientOptions["authMethodInfo"]> {
  return {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(modelName === undefined ? {} : { modelName }),
  };
}
