/**
 * The RPC door: `iflow.launch` and the others, for operators, scripts and UIs.
 * Owns: the host's shape of a gateway method. Answers are the operation's JSON; a refusal is `{ code, message }`.
 */
import { messageOf } from "../core/errors.ts";
import { redactSecrets } from "../core/redact.ts";
import { rpcCaller, type HostFacts } from "./caller.ts";
import type { AskOperation } from "./process-memory.ts";
import type { DoorSign } from "./register-tools.ts";
import type { GatewayCall, HostApi } from "./sdk.ts";

export function registerGatewayMethods(
  api: HostApi,
  signs: readonly DoorSign[],
  ask: AskOperation,
  host: HostFacts,
): void {
  for (const sign of signs) {
    const scope = sign.scope === "read" ? "operator.read" : "operator.write";
    api.registerGatewayMethod(sign.rpc, (call) => answer(sign, ask, host, call), { scope });
  }
}

async function answer(sign: DoorSign, ask: AskOperation, host: HostFacts, call: GatewayCall): Promise<void> {
  try {
    const { caller, params } = rpcCaller(call, host);
    if (params["route"] !== undefined && caller.route === undefined) {
      const message = redactSecrets(
        `route must be "channel|target", "channel|account|target" or {channel, to}, not ${JSON.stringify(params["route"])}`,
      );
      call.respond(false, undefined, { code: "invalid_params", message });
      return;
    }
    const answered = await ask(sign.name, caller, paramsOf(sign, params));
    if (answered.ok) call.respond(true, answered.reply.json);
    else call.respond(false, undefined, { code: answered.code, message: answered.message });
  } catch (error) {
    call.respond(false, undefined, { code: "internal", message: redactSecrets(messageOf(error)) });
  }
}

/** `route` said for whom the call is; as a text it goes along where the operation has a parameter of that name. */
function paramsOf(sign: DoorSign, { route, ...params }: Record<string, unknown>): Record<string, unknown> {
  return typeof route === "string" && "route" in sign.params.properties ? { ...params, route } : params;
}
