/**
 * A real gateway with the plugin itself on the demo agent, and what its tests look at: sessions, flows, children,
 * journals, processes. A probe plugin beside it reads the host's records, and writes them as somebody else.
 * 1. `dispose` leaves no process and no file.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Owner } from "../../../src/core/session.ts";
import type { ChildSummary, FlowRecord, JournalLine } from "../../../src/ports.ts";
import { gone, running } from "../../agent/leftovers.ts";
import { remotePorts, type RemotePorts } from "../probe/remote-ports.ts";
import { Gateway } from "./gateway.ts";
import type { JsonObject } from "./json.ts";
import { packFolder } from "./npm-pack.ts";
import type { OpenclawHost } from "./openclaw-host.ts";
import { bundlePlugin } from "./plugin-root.ts";
import { DEMO_AGENT, PLUGIN_ID, stagePlugin } from "./staged-plugin.ts";
import { PATIENCE_MS } from "./patience.ts";

export const MAIN: Owner = { sessionKey: "agent:main:main", agentId: "main" };
/** The direct chat of person 42, which the host has bound to the main session. */
export const PERSON = 42;
const ROUTE = `telegram|default|telegram:${PERSON}`;

/** What `iflow.sessions` tells of one session. */
export interface Row {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly flowId: string;
  readonly turnCount: number;
  readonly toolCalls: number;
  readonly error?: string;
  readonly question?: readonly { readonly id: string; readonly text: string; readonly options: readonly string[] }[];
}

export interface LaunchedJob {
  readonly id: string;
  readonly name: string;
  readonly flowId: string;
  readonly status: string;
  readonly queuePosition?: number;
}

export interface PluginWorldOptions {
  /** Of the plugin, besides the demo agent as its agent. */
  readonly config?: JsonObject;
  /** Of the gateway, merged over its top level. */
  readonly gatewayConfig?: JsonObject;
  /** Plugins of the host that are to run as well, with their configuration. */
  readonly otherPlugins?: Readonly<Record<string, JsonObject>>;
  /** Of the demo agent's process. */
  readonly agentEnv?: Readonly<Record<string, string>>;
  /** Of the gateway's process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the OpenClaw of node_modules. */
  readonly host?: OpenclawHost;
  /** Installed from its npm tarball, as a user does, instead of loaded from a folder. */
  readonly packed?: true;
}

const POLL_MS = 40;

export interface Hold {
  readonly line: string;
  letGo(): void;
}

export class PluginWorld {
  readonly gateway: Gateway;
  readonly ports: RemotePorts;
  readonly #undo: AsyncDisposableStack;
  readonly #launched: string[] = [];
  #holds = 0;

  private constructor(gateway: Gateway, undo: AsyncDisposableStack) {
    this.gateway = gateway;
    this.ports = remotePorts(gateway);
    this.#undo = undo;
  }

  static async start(options: PluginWorldOptions = {}): Promise<PluginWorld> {
    await using undo = new AsyncDisposableStack();
    const plugin = undo.adopt(await stagePlugin(), (one) => one.dispose());
    const entry = fileURLToPath(new URL("../probe/probe-plugin.ts", import.meta.url));
    const bundled = await bundlePlugin({ id: "iflow-probe", entry, exportName: "probePlugin" });
    const probe = undo.adopt(bundled, (one) => one.dispose());
    const probeRoot = { [probe.id]: probe.dir };
    const from =
      options.packed === undefined
        ? { pluginRoots: { [PLUGIN_ID]: plugin.dir, ...probeRoot } }
        : {
            pluginRoots: probeRoot,
            installed: { [PLUGIN_ID]: undo.adopt(await packFolder(plugin.dir), (one) => one.dispose()).file },
          };
    const gateway = await Gateway.start({
      ...from,
      pluginConfig: { ...options.otherPlugins, [PLUGIN_ID]: pluginConfig(options) },
      telegram: true,
      ...(options.gatewayConfig === undefined ? {} : { config: options.gatewayConfig }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.host === undefined ? {} : { host: options.host }),
    });
    undo.defer(async () => gateway.dispose());
    return new PluginWorld(gateway, undo.move());
  }

  /** Also sees to it that no agent outlived its gateway by more than the guard's five seconds. */
  async dispose(): Promise<void> {
    await this.#undo.disposeAsync();
    await gone(this.#launched);
  }

  /** By RPC, for the main session and with the chat of person 42, so that no agent is woken; `script` is what the demo agent is to do. */
  async launch(script: string | readonly string[], more: Record<string, unknown> = {}): Promise<LaunchedJob> {
    const prompt = typeof script === "string" ? script : script.join("\n");
    const rpc = await this.gateway.rpc();
    const job = await rpc.call<LaunchedJob>("iflow.launch", { prompt, route: ROUTE, ...more });
    this.note(job.id);
    return job;
  }

  /** A place in a script at which a session stays, at work, until the test lets it go: what has to come before it has come. */
  hold(): Hold {
    this.#holds += 1;
    const file = `let-go-${this.#holds}`;
    return {
      line: `run: until [ -e ${file} ]; do sleep 0.2; done`,
      letGo: () => writeFileSync(join(this.gateway.workspace, file), ""),
    };
  }

  /** A session that was launched by another door counts as well at the end. */
  note(sessionId: string): void {
    this.#launched.push(sessionId);
  }

  async rows(filter = "all"): Promise<readonly Row[]> {
    const rpc = await this.gateway.rpc();
    return rpc.call<readonly Row[]>("iflow.sessions", { filter });
  }

  async row(id: string): Promise<Row> {
    const found = (await this.rows()).find((row) => row.id === id);
    if (found === undefined) throw new Error(`there is no session ${id}`);
    return found;
  }

  /** Resolves with the session when it is in this state; fails early when it has ended otherwise. */
  async until(id: string, status: string, withinMs = PATIENCE_MS): Promise<Row> {
    const deadlineAt = Date.now() + withinMs;
    for (;;) {
      const row = await this.row(id);
      if (row.status === status) return row;
      const over = ["completed", "failed", "killed"].includes(row.status);
      if (over || Date.now() > deadlineAt) {
        const why = row.error === undefined ? "" : ` (${row.error})`;
        throw new Error(`session ${row.name} is ${row.status}${why}, not ${status}, after ${withinMs} ms at most`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Resolves when the plugin knows that its open question has left: the channel shows a message a moment earlier. */
  async untilTold(id: string): Promise<void> {
    const deadlineAt = Date.now() + PATIENCE_MS;
    for (;;) {
      const stored = JSON.stringify(this.journal(id).findLast(({ t }) => t === "commit") ?? {});
      if (stored.includes('"toldAt"')) return;
      if (Date.now() > deadlineAt) throw new Error(`the question of ${id} was not told: ${stored}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async respond(
    session: string,
    message: string,
    more: Record<string, unknown> = {},
  ): Promise<Record<string, unknown>> {
    const rpc = await this.gateway.rpc();
    return rpc.call("iflow.respond", { session, message, ...more });
  }

  async kill(session: string): Promise<void> {
    const rpc = await this.gateway.rpc();
    await rpc.call("iflow.kill", { session });
  }

  /** Everything that still lives is stopped, so that one test leaves no slot taken for the next. */
  async killAll(): Promise<void> {
    for (const { id } of await this.rows("active")) await this.kill(id);
    await gone(this.#launched);
  }

  async flow(flowId: string, owner: Owner = MAIN): Promise<FlowRecord> {
    const read = await this.ports.store.get(owner, flowId);
    if (read.kind !== "found") throw new Error(`flow ${flowId} is ${read.kind}`);
    return read.record;
  }

  /** Linked child tasks as `t1` -> status, in the order in which they began. */
  async children(flowId: string, owner: Owner = MAIN): Promise<Readonly<Record<string, ChildSummary["status"]>>> {
    const all = (await this.ports.children.list(owner)) ?? [];
    const own = all.filter((child) => child.flowId === flowId);
    const named = own.map(({ runId, status }) => [runId.replace(`iflow:${flowId}:`, ""), status] as const);
    return Object.fromEntries(named.toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true })));
  }

  /** Every whole line of a session's journal. */
  journal(sessionId: string): readonly JournalLine[] {
    const folder = join(this.gateway.stateDir, "iflow-plugin", "sessions", sessionId);
    const segments = readdirSync(folder).filter((file) => file.endsWith(".jsonl"));
    return segments.toSorted().flatMap((file) => linesOf(join(folder, file)));
  }

  /** The words of a session, put together from its journal; fails when there is a gap. */
  journalWords(sessionId: string): string {
    let words = "";
    for (const line of this.journal(sessionId)) {
      if (line.t !== "out") continue;
      if (line.o !== words.length) throw new Error(`a piece at ${line.o} follows ${words.length} code units`);
      words += line.text;
    }
    return words;
  }

  /** Processes of a session: the agent and whatever it started. */
  async processes(sessionId: string): Promise<readonly number[]> {
    return running([sessionId]);
  }

  /** Resolves with the ms that it took until no process of the session was left. */
  async untilNoProcess(sessionId: string): Promise<number> {
    return gone([sessionId]);
  }
}

function pluginConfig({ config = {}, agentEnv = {} }: PluginWorldOptions): JsonObject {
  return { agent: { command: DEMO_AGENT, env: agentEnv }, ...config };
}

function linesOf(file: string): readonly JournalLine[] {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as JournalLine);
}
