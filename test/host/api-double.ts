/**
 * The host's registration API as far as the doors use it: keeps what was registered, so that a test may call it.
 */
import type { HostApi } from "../../src/host/sdk.ts";

type Handler = (...args: never[]) => unknown;

export interface Registered {
  readonly tools: { readonly factory: Handler; readonly name: string }[];
  readonly commands: { readonly name: string; readonly handler: Handler }[];
  readonly methods: { readonly name: string; readonly handler: Handler; readonly scope: string | undefined }[];
  readonly hooks: { readonly name: string; readonly handler: Handler }[];
  readonly buttons: { readonly channel: string; readonly namespace: string; readonly handler: Handler }[];
  readonly services: { readonly id: string; start(context: unknown): Promise<void>; stop?(): Promise<void> }[];
  readonly cli: unknown[];
  readonly reloads: { readonly noopPrefixes?: readonly string[] }[];
}

export function apiDouble(registrationMode: HostApi["registrationMode"] = "full"): {
  api: HostApi;
  registered: Registered;
} {
  const registered: Registered = {
    tools: [],
    commands: [],
    methods: [],
    hooks: [],
    buttons: [],
    services: [],
    cli: [],
    reloads: [],
  };
  const api = {
    id: "openclaw-iflow-plugin",
    registrationMode,
    runtime: {
      config: { current: () => ({}) },
      agent: { resolveAgentWorkspaceDir: () => "/work/space" },
    },
    registerTool: (factory: Handler, { name }: { name: string }) => registered.tools.push({ factory, name }),
    registerCommand: (command: Registered["commands"][number]) => registered.commands.push(command),
    registerGatewayMethod: (name: string, handler: Handler, options?: { scope?: string }) =>
      registered.methods.push({ name, handler, scope: options?.scope }),
    registerService: (service: Registered["services"][number]) => registered.services.push(service),
    registerInteractiveHandler: (button: Registered["buttons"][number]) => registered.buttons.push(button),
    registerCli: (registrar: unknown) => registered.cli.push(registrar),
    registerReload: (reload: Registered["reloads"][number]) => registered.reloads.push(reload),
    on: (name: string, handler: Handler) => registered.hooks.push({ name, handler }),
  };
  return { api: api as unknown as HostApi, registered };
}

export interface KeptLog {
  readonly lines: string[];
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export function keptLog(): KeptLog {
  const lines: string[] = [];
  const keep = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return { lines, info: keep("info"), warn: keep("warn"), error: keep("error") };
}
