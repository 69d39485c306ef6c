/**
 * `openclaw iflow …` on the command line of the machine.
 * Owns: the host's shape of a CLI command. Does not own: what a subcommand does; it runs in the CLI's own process, where
 * no session lives, and reaches the gateway by RPC.
 */
import { loadHostFunctions, type CliContext, type HostApi } from "./sdk.ts";

const CLI_ROOT = "iflow";

export interface CliOption {
  /** As commander writes it: `--json`, `--lines <count>`. */
  readonly flags: string;
  readonly description: string;
}

/** What a subcommand works with; its result is the exit code. */
export interface CliRun {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Prints a line for people, or the one JSON value for `--json`. */
  print(text: string): void;
  /** RPC of the running gateway. Throws when it can't be reached or refuses. */
  call(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>>;
}

export interface CliSubcommand {
  readonly name: string;
  readonly description: string;
  /** As commander writes them: `<session>`, `[lines]`. */
  readonly args: readonly string[];
  readonly options: readonly CliOption[];
  run(run: CliRun): Promise<number>;
}

export interface CliParts {
  readonly description: string;
  readonly subcommands: readonly CliSubcommand[];
  readonly print: (text: string) => void;
  readonly setExitCode: (code: number) => void;
}

export function registerCli(api: HostApi, parts: CliParts): void {
  api.registerCli((context) => addCommands(context, parts), {
    commands: [CLI_ROOT],
    descriptors: [{ name: CLI_ROOT, description: parts.description, hasSubcommands: true }],
  });
}

function addCommands({ program }: CliContext, parts: CliParts): void {
  const root = program.command(CLI_ROOT).description(parts.description);
  for (const subcommand of parts.subcommands) {
    const command = root.command([subcommand.name, ...subcommand.args].join(" ")).description(subcommand.description);
    for (const option of subcommand.options) command.option(option.flags, option.description);
    command.action(async (...given: unknown[]) => {
      const args = given.slice(0, subcommand.args.length).flatMap((arg) => (typeof arg === "string" ? [arg] : []));
      const code = await subcommand.run({
        args,
        options: command.opts(),
        print: parts.print,
        call: await gatewayCall(),
      });
      parts.setExitCode(code);
    });
  }
}

/** The SDK is loaded only when a subcommand runs: `openclaw --help` names these commands too. */
async function gatewayCall(): Promise<CliRun["call"]> {
  const { callGateway } = await loadHostFunctions();
  return async (method, params) => {
    if (callGateway === undefined) throw new Error("this OpenClaw has no gateway client for plugins");
    return callGateway(method, {}, params, { progress: false, scopes: ["operator.read", "operator.write"] });
  };
}
