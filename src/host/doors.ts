/**
 * Everything that the plugin registers with the host, in one call.
 * Owns: which door is registered in which mode of registration. Does not own: what stands behind the doors.
 * 1. Names (tools, commands, RPC, service, CLI) are registered in every mode that has capabilities: agents' tool calls run in
 *    the copy that the host loads for discovery. All of them ask the running instance of the process.
 * 2. What answers (messages, buttons) and the service are live only in the full copy; every copy hears what others say.
 */
import type { Log } from "../ports.ts";
import { listenToMessages, type HearMessage, type TakeMessage } from "./chat-messages.ts";
import { registerCli, type CliParts } from "./cli.ts";
import { commandCaller, type HostFacts } from "./caller.ts";
import { createDelivery } from "./delivery.ts";
import { hostFacts } from "./host-facts.ts";
import { registerButtons, type TakePress } from "./interactive.ts";
import { listenToOthers } from "./overheard.ts";
import { askRunning } from "./process-memory.ts";
import { registerCommands, type TellChat } from "./register-commands.ts";
import { registerGatewayMethods } from "./register-gateway.ts";
import { registerTools, type DoorSign } from "./register-tools.ts";
import { loadHostFunctions, type HostApi } from "./sdk.ts";
import { keepRunningOnEdits } from "./reload.ts";
import { registerLife, type ServiceLife } from "./service.ts";

export interface Doors {
  readonly signs: readonly DoorSign[];
  readonly life: ServiceLife;
  readonly onMessage: TakeMessage;
  readonly onOther: HearMessage;
  readonly onPress: TakePress;
  readonly cli: CliParts;
  readonly log: Log;
}

export function registerDoors(api: HostApi, doors: Doors): void {
  registerCli(api, doors.cli);
  if (api.registrationMode === "cli-metadata" || api.registrationMode === "setup-only") return;
  const host = hostFacts(api);
  registerTools(api, doors.signs, askRunning, host);
  registerCommands(api, doors.signs, askRunning, host, tellChat(api, host, doors.log));
  registerGatewayMethods(api, doors.signs, askRunning, host);
  registerLife(api, doors.life, doors.log);
  listenToOthers(api);
  if (api.registrationMode !== "full") return;
  keepRunningOnEdits(api);
  listenToMessages(api, host, doors.onMessage, doors.log, doors.onOther, doors.signs);
  registerButtons(api, host, doors.onPress, doors.log);
}

/** By the host's durable queue, as notices go. */
function tellChat(api: HostApi, host: HostFacts, log: Log): TellChat {
  return async (context, text) => {
    const { owner, route } = await commandCaller(context, host);
    const intentId = `iflow-reply-${crypto.randomUUID()}`;
    const handover = await createDelivery(api, await loadHostFunctions()).send({ intentId, owner, route, text });
    if (handover.kind !== "accepted")
      log.warn(`the answer to a long command did not reach its chat: ${handover.reason}`);
  };
}
