/**
 * Starts agents, and ends what earlier gateways left behind: the AgentLauncher of the ports.
 * Owns: the command line, the environment, which transport. Does not own: the connection after that.
 *
 * 1. Nothing that was started stays when a start fails or is aborted.
 */
import { createServer } from "node:net";
import { IflowError } from "../core/errors.ts";
import type { ProcessIdentity } from "../core/session.ts";
import type { AgentConnection, AgentLauncher, AgentSpec } from "../ports.ts";
import type { AcpTransport } from "./acp-transport.ts";
import { findAgentCommand } from "./agent-command.ts";
import { AcpConnection } from "./agent-connection.ts";
import { agentEnvironment, SESSION_MARK } from "./agent-environment.ts";
import { type AgentAuth, type AgentDeadlines, type AgentOptions, DEADLINES } from "./agent-options.ts";
import { type AgentProcess, startRefused } from "./agent-process.ts";
import { markOf } from "./inherited-mark.ts";
import { endAll } from "./process-end.ts";
import { createProcessTable, type ProcessTable } from "./process-table.ts";
import { directoryTrouble } from "./real-place.ts";
import { StartedAgent } from "./started-agent.ts";
import { copyStoredHistory } from "./stored-history.ts";
import { StdioTransport } from "./stdio-transport.ts";

export { findAgentCommand } from "./agent-command.ts";
export type { AgentOptions } from "./agent-options.ts";

export function createAgentLauncher(options: AgentOptions): AgentLauncher {
  return new Launcher(options);
}

class Launcher implements AgentLauncher {
  readonly #options: AgentOptions;
  readonly #deadlines: AgentDeadlines;
  readonly #table: ProcessTable;
  /** Ports given to agents that live or start: a free port is asked for, closed and handed on, so it must not be given twice. */
  readonly #ports = new Set<number>();

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#table = createProcessTable(process.platform, options.hostEnv["PATH"] ?? "/usr/bin:/bin");
    this.#deadlines = { ...DEADLINES, ...options.deadlines };
  }

  async start(spec: AgentSpec, signal: AbortSignal): Promise<AgentConnection> {
    signal.throwIfAborted();
    const { url } = this.#options;
    const connection = url === undefined ? await this.#startOwn(spec, signal) : await this.#dial(spec, url, signal);
    const stop = (): void => void connection.stop();
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    signal.throwIfAborted();
    return connection;
  }

  async copyHistory(acpSessionId: string): Promise<string | undefined> {
    const { url, env, hostEnv } = this.#options;
    const home = env?.["HOME"] ?? hostEnv["HOME"];
    // What a dialled agent stores lies elsewhere.
    return url !== undefined || home === undefined ? undefined : copyStoredHistory(home, acpSessionId);
  }

  async reap(sessionId: string, identity: ProcessIdentity | undefined): Promise<{ readonly ended: number }> {
    const limit = { session: markOf(sessionId).session };
    const belongings = { mark: `${SESSION_MARK}=${sessionId}`, limit, agent: identity };
    const { ended, left } = await endAll(this.#table, belongings, this.#deadlines);
    if (left.length > 0)
      this.#options.log.warn(`Left behind by session ${sessionId} and not to be ended: ${left.join(", ")}.`);
    return { ended };
  }

  async #dial(spec: AgentSpec, url: string, signal: AbortSignal): Promise<AcpConnection> {
    const trouble = await directoryTrouble(spec.workdir);
    if (trouble !== undefined) throw startRefused(spec.workdir, trouble);
    const { WebsocketTransport } = await import("./websocket-transport.ts");
    const transport = await WebsocketTransport.connect(url, "dialled", this.#deadlines.startMs, signal);
    return this.#connection(spec, url, transport, undefined);
  }

  async #startOwn(spec: AgentSpec, signal: AbortSignal): Promise<AcpConnection> {
    const found = await findAgentCommand(this.#options);
    if ("missing" in found) throw new IflowError("agent_missing", found.missing);
    signal.throwIfAborted();
    if (this.#options.transport === "websocket") return this.#startListening(spec, found.command, signal);
    const hear = ({ input, output }: AgentProcess): StdioTransport => new StdioTransport(input, output);
    const { agent, ear } = await this.#spawn(spec, found.command, [], hear);
    return this.#connection(spec, found.command, ear, agent);
  }

  async #startListening(spec: AgentSpec, command: string, signal: AbortSignal): Promise<AcpConnection> {
    const { connectWhenListening, OutputLog } = await import("./listening-agent.ts");
    const { isReachable, listeningAtHome } = await import("./loopback-only.ts");
    const port = await this.#freePort();
    try {
      const hear = ({ output }: AgentProcess): InstanceType<typeof OutputLog> => new OutputLog(output);
      const { agent, ear } = await this.#spawn(spec, command, ["--port", String(port)], hear, listeningAtHome);
      void agent.process.exit.then(() => this.#ports.delete(port));
      try {
        const { startMs } = this.#deadlines;
        const transport = await connectWhenListening(agent.process, ear, command, port, startMs, signal);
        if ((await isReachable(transport.port)) === true)
          this.#options.log.warn(
            `${command} listens on port ${transport.port} for other machines as well, and asks nobody for a key. Close the port there, or use agent.transport "stdio".`,
          );
        return this.#connection(spec, command, transport, agent);
      } catch (error) {
        await agent.end();
        throw error;
      }
    } catch (error) {
      this.#ports.delete(port);
      throw error;
    }
  }

  #spawn<Ear>(
    spec: AgentSpec,
    command: string,
    more: readonly string[],
    hear: (process: AgentProcess) => Ear,
    environment: (env: Readonly<Record<string, string>>) => Readonly<Record<string, string>> = (own) => own,
  ) {
    const { args = [], stream = true, env = {}, hostEnv, auth, log } = this.#options;
    const own = { ...credentials(auth), [SESSION_MARK]: spec.sessionId };
    const start = {
      command,
      sessionId: spec.sessionId,
      args: [...args, "--experimental-acp", ...(stream ? ["--stream"] : []), ...more],
      workdir: spec.workdir,
      env: environment(agentEnvironment(hostEnv, env, own, command)),
    };
    return StartedAgent.start(start, hear, this.#table, this.#deadlines, log);
  }

  #connection(spec: AgentSpec, name: string, transport: AcpTransport, agent: StartedAgent | undefined): AcpConnection {
    const { auth, log } = this.#options;
    return new AcpConnection({ transport, agent, name, workdir: spec.workdir, auth, deadlines: this.#deadlines, log });
  }

  async #freePort(): Promise<number> {
    for (;;) {
      const port = await boundPort();
      if (this.#ports.has(port)) continue;
      this.#ports.add(port);
      return port;
    }
  }
}

/** iFlow reads its settings from the environment as well, so that its settings file need not be touched. */
function credentials(auth: AgentAuth | undefined): Record<string, string> {
  if (auth?.apiKey === undefined) return {};
  return {
    IFLOW_selectedAuthType: auth.methodId,
    IFLOW_apiKey: auth.apiKey,
    ...(auth.baseUrl === undefined ? {} : { IFLOW_baseUrl: auth.baseUrl }),
    ...(auth.modelName === undefined ? {} : { IFLOW_modelName: auth.modelName }),
  };
}

/** A port of the loopback that was free a moment ago. */
function boundPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new IflowError("agent_start_failed", "The system gave no port."));
      });
    });
  });
}
