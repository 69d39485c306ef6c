/**
 * The only file that imports the OpenClaw plugin SDK.
 * Owns: the host's types under our names, and the host functions that are loaded when first needed.
 * Does not own: what is done with them.
 * 1. Nothing of the SDK runs at module load: a host that lacks an export still loads the plugin, and says what is missing.
 * 2. Functions are looked up by name, and are undefined where the host has none.
 */
import type {
  OpenClawPluginApi,
  OpenClawPluginToolContext,
  PluginCommandContext,
} from "openclaw/plugin-sdk/plugin-entry";
import type { emitAgentEvent } from "openclaw/plugin-sdk/agent-harness-runtime";
import type { sendDurableMessageBatch } from "openclaw/plugin-sdk/channel-outbound";
import type { resolveCommandAuthorization } from "openclaw/plugin-sdk/command-auth";
import type { callGatewayFromCli } from "openclaw/plugin-sdk/gateway-runtime";
import type { resolveConfiguredSecretInputString } from "openclaw/plugin-sdk/secret-input-runtime";

export type HostApi = OpenClawPluginApi;
export type ToolContext = OpenClawPluginToolContext;
export type HostConfig = OpenClawPluginApi["config"];
export type CommandContext = PluginCommandContext;
export type ServiceDefinition = Parameters<OpenClawPluginApi["registerService"]>[0];
export type ServiceContext = Parameters<ServiceDefinition["start"]>[0];
export type GatewayMethodHandler = Parameters<OpenClawPluginApi["registerGatewayMethod"]>[1];
export type GatewayCall = Parameters<GatewayMethodHandler>[0];
export type CliRegistrar = Parameters<OpenClawPluginApi["registerCli"]>[0];
export type CliContext = Parameters<CliRegistrar>[0];

export type HostRuntime = OpenClawPluginApi["runtime"];
export type SyncFlows = HostRuntime["tasks"]["managedFlows"];
export type AsyncFlows = HostRuntime["tasks"]["async"]["managedFlows"];
export type SyncViews = HostRuntime["tasks"]["flows"];
export type AsyncViews = HostRuntime["tasks"]["async"]["flows"];
export type SyncRuns = HostRuntime["tasks"]["runs"];
export type AsyncRuns = HostRuntime["tasks"]["async"]["runs"];

export type EmitAgentEvent = typeof emitAgentEvent;
export type SendDurableBatch = typeof sendDurableMessageBatch;
export type CallGateway = typeof callGatewayFromCli;

export type ResolveSecret = typeof resolveConfiguredSecretInputString;
export type ResolveAuthorization = typeof resolveCommandAuthorization;

/** Host functions that live in SDK subpaths; undefined where this host has none. */
export interface HostFunctions {
  readonly emitAgentEvent: EmitAgentEvent | undefined;
  readonly sendDurableMessageBatch: SendDurableBatch | undefined;
  readonly callGateway: CallGateway | undefined;
}

/** Never rejects. Costs the import of modules that a running gateway has loaded already. */
export async function loadHostFunctions(): Promise<HostFunctions> {
  const [harness, outbound, gateway] = await Promise.all([
    exportsOf(() => import("openclaw/plugin-sdk/agent-harness-runtime")),
    exportsOf(() => import("openclaw/plugin-sdk/channel-outbound")),
    exportsOf(() => import("openclaw/plugin-sdk/gateway-runtime")),
  ]);
  return {
    emitAgentEvent: harness?.emitAgentEvent,
    sendDurableMessageBatch: outbound?.sendDurableMessageBatch,
    callGateway: gateway?.callGatewayFromCli,
  };
}

/** The host's own rule for who its owner is; loaded apart, since only doors need it. Undefined where the host has none. */
export async function loadResolveAuthorization(): Promise<ResolveAuthorization | undefined> {
  return (await exportsOf(() => import("openclaw/plugin-sdk/command-auth")))?.resolveCommandAuthorization;
}

/** The host's way from a secret reference to its value. Undefined where the host has none. */
export async function loadResolveSecret(): Promise<ResolveSecret | undefined> {
  return (await exportsOf(() => import("openclaw/plugin-sdk/secret-input-runtime")))
    ?.resolveConfiguredSecretInputString;
}

async function exportsOf<Module>(importModule: () => Promise<Module>): Promise<Partial<Module> | undefined> {
  try {
    return await importModule();
  } catch {
    // A host without this subpath: the function is reported as absent by whoever needs it.
    return undefined;
  }
}
