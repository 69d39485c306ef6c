/**
 * HostFacts from the host itself: its configuration as it is now, its own rule for who the owner is.
 * Owns: asking the host. Does not own: what follows from it (caller).
 */
import type { HostFacts, SenderFacts } from "./caller.ts";
import { isWebChannel, mainSessionKey } from "./chat-route.ts";
import { loadResolveAuthorization, type HostApi, type HostConfig } from "./sdk.ts";

export function hostFacts(api: HostApi): HostFacts {
  return {
    mainOwner(agentId) {
      const config = currentConfig(api);
      const id = agentId ?? soleAgentId(config) ?? "main";
      return { sessionKey: mainSessionKey(config, id), agentId: id };
    },

    workspaceDir(agentId) {
      try {
        return api.runtime.agent.resolveAgentWorkspaceDir(currentConfig(api), agentId);
      } catch {
        // An agent that the configuration does not know has no workspace; a launch then needs a directory.
        return undefined;
      }
    },

    async isOwner(sender) {
      if (sender.senderId === undefined || isWebChannel(sender.channel)) return false;
      const resolveAuthorization = await loadResolveAuthorization();
      if (resolveAuthorization === undefined) return false;
      return resolveAuthorization({ cfg: currentConfig(api), commandAuthorized: true, ctx: messageOf(sender) })
        .senderIsOwner;
    },
  };
}

/** The host hands out a deeply readonly snapshot and takes the writable type back; nobody writes it here. */
export function currentConfig(api: HostApi): HostConfig {
  return api.runtime.config.current() as HostConfig;
}

/** Where several agents are configured, a call that names none is for `main`. */
function soleAgentId({ agents }: HostConfig): string | undefined {
  const ids =
    agents?.entries === undefined ? (agents?.list ?? []).map((agent) => agent.id) : Object.keys(agents.entries);
  return ids.length === 1 ? ids[0] : undefined;
}

function messageOf({ channel, from, to, accountId, senderId, inGroup }: SenderFacts): Record<string, string> {
  return {
    Provider: channel,
    Surface: channel,
    ChatType: inGroup ? "group" : "direct",
    ...(from === undefined ? {} : { From: from }),
    ...(to === undefined ? {} : { To: to }),
    ...(accountId === undefined ? {} : { AccountId: accountId }),
    ...(senderId === undefined ? {} : { SenderId: senderId }),
  };
}
