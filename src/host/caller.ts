/**
 * Who calls: the host's facts about a tool call, a command, an RPC, a button or a plain message, as a Caller.
 * Owns: that translation. Does not own: what a caller may do (core/caller).
 * 1. Only host facts count; nothing that a model or a person wrote makes a caller more than it is.
 * 2. A tool call is an agent's, whoever runs the turn. It has `personSeenAt` when the host saw an authorised person speak in the session.
 * 3. The host's owner and an operator see every session; everybody else sees those of the own session key.
 */
import type { Caller } from "../core/caller.ts";
import type { Owner, Route } from "../core/session.ts";
import { agentIdOf, isGroupSession, isRunSession, isWebChannel, routeOf, routeParam } from "./chat-route.ts";
import { personSeenAt } from "./process-memory.ts";
import type { CommandContext, GatewayCall, ToolContext } from "./sdk.ts";

/** What the host must be asked for beside the call itself. */
export interface HostFacts {
  /** The main session of the agent; without one, of the host's sole agent, else of `main`: owner of what comes from no session. */
  mainOwner(agentId?: string): Owner;
  workspaceDir(agentId: string): string | undefined;
  /** Is this sender the host's owner (its `commands.ownerAllowFrom`)? */
  isOwner(sender: SenderFacts): Promise<boolean>;
}

export interface SenderFacts {
  readonly channel: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly accountId: string | undefined;
  readonly senderId: string | undefined;
  readonly inGroup: boolean;
}

export function toolCaller(context: ToolContext, host: HostFacts): Caller {
  const owner = ownerOf(context.sessionKey, context.agentId, host);
  const seenAt = personSeenAt(owner.sessionKey);
  const { workspaceDir, requesterSenderId } = context;
  return {
    door: "tool",
    owner,
    ...withRoute(context.deliveryContext === undefined ? undefined : routeOf(context.deliveryContext)),
    ...(isWebTurn(context, owner) ? { inWebChat: true } : {}),
    ...(requesterSenderId === undefined ? {} : { senderId: requesterSenderId }),
    seesAll: context.senderIsOwner === true,
    isPerson: false,
    ...(seenAt === undefined ? {} : { personSeenAt: seenAt }),
    inGroup: isGroupSession(owner.sessionKey),
    ...(workspaceDir === undefined ? withWorkspace(owner, host) : { workspaceDir }),
  };
}

export async function commandCaller(context: CommandContext, host: HostFacts): Promise<Caller> {
  const owner = ownerOf(context.sessionKey, context.agentId, host);
  const { channel, from, to, accountId, senderId, messageThreadId, gatewayClientScopes } = context;
  const inGroup = isGroupSession(owner.sessionKey) || /:(?:group|channel|room):/.test(from ?? "");
  const byScope = gatewayClientScopes?.includes("operator.admin") === true;
  return {
    door: "command",
    owner,
    ...withRoute(routeOf({ channel, to, accountId, threadId: messageThreadId })),
    ...(isWebChannel(channel) ? { inWebChat: true } : {}),
    ...(senderId === undefined ? {} : { senderId }),
    seesAll: byScope || (await host.isOwner({ channel, from, to, accountId, senderId, inGroup })),
    isPerson: true,
    inGroup,
    ...withWorkspace(owner, host),
  };
}

export interface RpcCaller {
  readonly caller: Caller;
  /** The parameters without those that said who calls. */
  readonly params: Record<string, unknown>;
}

/** RPC needs an operator's scope, which the host checks before it calls. `sessionKey` and `route` say for whom. */
export function rpcCaller(call: GatewayCall, host: HostFacts): RpcCaller {
  const { sessionKey, ...params } = call.params;
  const owner = ownerOf(typeof sessionKey === "string" ? sessionKey : undefined, undefined, host);
  const senderId = call.client?.connect.client.id;
  return {
    params,
    caller: {
      door: "rpc",
      owner,
      ...withRoute(routeParam(params["route"])),
      ...(senderId === undefined ? {} : { senderId }),
      seesAll: true,
      isPerson: true,
      inGroup: false,
      ...withWorkspace(owner, host),
    },
  };
}

/** A button or a plain message: the session that it answers is known, its owner is the caller's. */
export function chatCaller(
  door: "button" | "reply",
  owner: Owner,
  chat: {
    readonly route: Route | undefined;
    readonly senderId: string | undefined;
    readonly inGroup: boolean;
    readonly isOwner: boolean;
  },
): Caller {
  return {
    door,
    owner,
    ...withRoute(chat.route),
    ...(chat.senderId === undefined ? {} : { senderId: chat.senderId }),
    seesAll: chat.isOwner,
    isPerson: true,
    inGroup: chat.inGroup,
  };
}

/** A turn of a web chat has no chat to be delivered to (host fact), nor have runs of schedules and of sub-agents in sessions of their own. */
function isWebTurn({ deliveryContext, messageChannel }: ToolContext, { sessionKey }: Owner): boolean {
  const channel = deliveryContext?.channel ?? messageChannel;
  return channel === undefined ? !isRunSession(sessionKey) : isWebChannel(channel);
}

function ownerOf(sessionKey: string | undefined, agentId: string | undefined, host: HostFacts): Owner {
  if (sessionKey === undefined || sessionKey === "") return host.mainOwner(agentId);
  const known = agentId ?? agentIdOf(sessionKey);
  return { sessionKey, ...(known === undefined ? {} : { agentId: known }) };
}

function withRoute(route: Route | undefined): { route?: Route } {
  return route === undefined ? {} : { route };
}

function withWorkspace(owner: Owner, host: HostFacts): { workspaceDir?: string } {
  const workspaceDir = host.workspaceDir(owner.agentId ?? agentIdOf(owner.sessionKey) ?? "main");
  return workspaceDir === undefined ? {} : { workspaceDir };
}
