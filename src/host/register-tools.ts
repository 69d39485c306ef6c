/**
 * The tool door: what an agent calls, and what `/tools/invoke` reaches.
 * Owns: the host's shape of a tool and of its errors. Does not own: what an operation does or says.
 * 1. Registered in every mode of registration: agents' calls run in the copy that the host loads for discovery (host fact).
 * 2. The host does not validate calls over HTTP; the operation does.
 * 3. `details` holds one key of ours, since the host gives meaning to `status`, `ok`, `error` and others in it.
 */
import type { Answered, OperationDoor, OperationName } from "../operations/operation.ts";
import { toolCaller, type HostFacts } from "./caller.ts";
import type { AskOperation } from "./process-memory.ts";
import type { HostApi, ToolContext } from "./sdk.ts";

/** What can be said about an operation before any session exists. */
export type DoorSign = Omit<OperationDoor, "invoke">;

/** Always shown to the model; the others wait in its deferred catalogue (host fact). */
const ALWAYS_SHOWN: ReadonlySet<OperationName> = new Set(["launch", "respond", "output"]);

export function registerTools(api: HostApi, signs: readonly DoorSign[], ask: AskOperation, host: HostFacts): void {
  for (const sign of signs) {
    api.registerTool((context: ToolContext) => tool(sign, ask, host, context), { name: sign.tool });
  }
}

function tool(sign: DoorSign, ask: AskOperation, host: HostFacts, context: ToolContext) {
  return {
    name: sign.tool,
    label: sign.title,
    description: sign.description,
    parameters: sign.params,
    ...(ALWAYS_SHOWN.has(sign.name) ? { catalogMode: "direct-only" as const } : {}),
    async execute(_callId: string, params: unknown) {
      const answered = await ask(sign.name, toolCaller(context, host), params);
      if (!answered.ok) throw toolError(answered);
      const { text, json } = answered.reply;
      return { content: [{ type: "text" as const, text }], details: { iflow: json } };
    },
  };
}

/** The host shows the message of an error only when it has one of these names; they become 400 and 403 over HTTP. */
function toolError({ code, message }: Extract<Answered, { ok: false }>): Error {
  const error = new Error(message);
  error.name = code === "not_allowed" || code === "directory_not_allowed" ? "ToolAuthorizationError" : "ToolInputError";
  return error;
}
