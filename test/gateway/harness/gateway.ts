/**
 * A real OpenClaw gateway for a test suite: its state directory, its surroundings (model, Telegram), its runs.
 * Owns: a temporary folder and every process that it started; `dispose` leaves neither.
 * 1. One gateway a suite. `start` may follow `stop` or `kill9`: the state directory stays.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { gatewayConfig } from "./gateway-config.ts";
import { GatewayProcess } from "./gateway-process.ts";
import type { JsonObject } from "./json.ts";
import { ModelApi } from "./model-api.ts";
import { runOpenclaw, type CliResult } from "./openclaw-cli.ts";
import { installedHost, type OpenclawHost } from "./openclaw-host.ts";
import { commandLine, signal, untilGone } from "./process-tree.ts";
import { RpcClient } from "./rpc-client.ts";
import { TelegramApi } from "./telegram-api.ts";
import { invokeTool, type ToolAnswer, type ToolCaller } from "./tool-client.ts";
import { PATIENCE_MS } from "./patience.ts";

export interface GatewayOptions {
  /** Plugin id -> folder with its manifest, loaded as it is. */
  readonly pluginRoots: Readonly<Record<string, string>>;
  /** Plugin id -> npm tarball, installed by `openclaw plugins install` as a user would. */
  readonly installed?: Readonly<Record<string, string>>;
  readonly pluginConfig?: Readonly<Record<string, JsonObject>>;
  readonly config?: JsonObject;
  readonly telegram?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the OpenClaw of node_modules. */
  readonly host?: OpenclawHost;
}

interface PluginSettings {
  readonly allow: string[];
  readonly entries: Record<string, JsonObject>;
}

const TOKEN = "test-token";
const LEAVE_WITHIN_MS = 60_000;

export class Gateway {
  readonly dir: string;
  readonly token = TOKEN;
  readonly port: number;
  readonly model: ModelApi;
  readonly #telegram: TelegramApi | undefined;
  readonly #options: GatewayOptions;
  readonly #runs: GatewayProcess[] = [];
  #rpc: RpcClient | undefined;

  private constructor(
    dir: string,
    port: number,
    model: ModelApi,
    telegram: TelegramApi | undefined,
    options: GatewayOptions,
  ) {
    this.dir = dir;
    this.port = port;
    this.model = model;
    this.#telegram = telegram;
    this.#options = options;
  }

  /** Makes the surroundings and the configuration; starts nothing of OpenClaw yet. */
  static async create(options: GatewayOptions): Promise<Gateway> {
    const dir = mkdtempSync(join(tmpdir(), "iflow-gateway-"));
    mkdirSync(join(dir, "workspace"));
    const model = await ModelApi.start();
    const telegram = options.telegram === true ? await TelegramApi.start() : undefined;
    const gateway = new Gateway(dir, await freePort(), model, telegram, options);
    try {
      gateway.#writeConfig();
      for (const tarball of Object.values(options.installed ?? {})) await gateway.#install(tarball);
      gateway.configure(options.pluginConfig ?? {});
    } catch (error) {
      await gateway.dispose();
      throw error;
    }
    return gateway;
  }

  /** As `create`, and waits until it is ready. */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const gateway = await Gateway.create(options);
    try {
      await gateway.start();
    } catch (error) {
      await gateway.dispose();
      throw error;
    }
    return gateway;
  }

  get telegram(): TelegramApi {
    if (this.#telegram === undefined)
      throw new Error("this gateway has no Telegram; ask for it with { telegram: true }");
    return this.#telegram;
  }

  get host(): OpenclawHost {
    return this.#options.host ?? installedHost;
  }

  get workspace(): string {
    return join(this.dir, "workspace");
  }

  get stateDir(): string {
    return this.dir;
  }

  get configFile(): string {
    return join(this.dir, "openclaw.json");
  }

  /** The present run. */
  get process(): GatewayProcess {
    const run = this.#runs.at(-1);
    if (run === undefined) throw new Error("the gateway was not started");
    return run;
  }

  get env(): Readonly<Record<string, string>> {
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: this.dir,
      LANG: "C.UTF-8",
      TZ: "UTC",
      NO_COLOR: "1",
      OPENCLAW_STATE_DIR: this.stateDir,
      OPENCLAW_CONFIG_PATH: this.configFile,
      // An install takes what is in the tarball and nothing from a registry.
      npm_config_offline: "true",
      npm_config_audit: "false",
      ...this.#options.env,
    };
  }

  /** Sets the configuration of plugins. A running gateway takes it up by itself. */
  configure(pluginConfig: Readonly<Record<string, JsonObject>>): void {
    const config = JSON.parse(readFileSync(this.configFile, "utf8")) as { plugins: PluginSettings };
    const { plugins } = config;
    for (const id of [...Object.keys(this.#options.installed ?? {}), ...Object.keys(pluginConfig)])
      if (!plugins.allow.includes(id)) plugins.allow.push(id);
    for (const [id, value] of Object.entries(pluginConfig)) plugins.entries[id] = { enabled: true, config: value };
    writeFileSync(this.configFile, JSON.stringify(config, undefined, 2));
  }

  async start(): Promise<void> {
    if (this.#runs.at(-1)?.running === true) throw new Error("the gateway runs already");
    const run = new GatewayProcess({ host: this.host, env: this.env, port: this.port, logFile: this.#logFile });
    this.#runs.push(run);
    await run.ready();
  }

  async stop(withinMs?: number): Promise<{ tookMs: number }> {
    await this.#closeRpc();
    return this.process.stop(withinMs);
  }

  async kill9(): Promise<void> {
    await this.#closeRpc();
    await this.process.kill9();
  }

  /** One operator connection a run, made when first used. */
  async rpc(): Promise<RpcClient> {
    this.#rpc ??= await RpcClient.connect({ port: this.port, token: TOKEN, env: this.env });
    return this.#rpc;
  }

  async tool(name: string, args: unknown, caller?: ToolCaller): Promise<ToolAnswer> {
    return invokeTool(this, name, args, caller);
  }

  /** A run of the `openclaw` command against this gateway's state (seconds each: prefer `rpc` and `tool`). */
  async cli(args: readonly string[], withinMs?: number): Promise<CliResult> {
    return runOpenclaw(this.host, args, this.env, withinMs);
  }

  log(): string {
    return readFileSync(this.#logFile, "utf8");
  }

  /**
   * Ends everything that was started and removes the folder. Then throws when something had outlived its gateway by
   * more than LEAVE_WITHIN_MS (the host's own helpers leave by themselves when their pipe closes).
   */
  async dispose(): Promise<void> {
    await this.#closeRpc();
    for (const run of this.#runs) await run.kill9();
    const left = await untilGone(
      this.#runs.flatMap((run) => run.leftovers()),
      LEAVE_WITHIN_MS,
    );
    const commands = left.map(commandLine);
    for (const one of left) signal(one, "SIGKILL");
    await untilGone(left, PATIENCE_MS);
    await this.model.close();
    await this.#telegram?.close();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    if (commands.length > 0) throw new Error(`outlived their gateway:\n${commands.join("\n")}`);
  }

  #writeConfig(): void {
    const config = gatewayConfig({
      port: this.port,
      token: TOKEN,
      workspace: this.workspace,
      modelUrl: this.model.url,
      telegramUrl: this.#telegram?.url,
      pluginRoots: this.#options.pluginRoots,
      more: this.#options.config ?? {},
    });
    writeFileSync(this.configFile, JSON.stringify(config, undefined, 2));
  }

  async #install(tarball: string): Promise<void> {
    const { code, stdout, stderr } = await this.cli([
      "plugins",
      "install",
      `npm-pack:${tarball}`,
      "--force",
      // Asked for since 2026.9; unknown before.
      ...(this.host.version.startsWith("2026.7.") ? [] : ["--accept-capabilities"]),
    ]);
    if (code !== 0) throw new Error(`the install of ${tarball} failed\n${stdout}\n${stderr}`);
  }

  get #logFile(): string {
    return join(this.dir, "gateway.log");
  }

  async #closeRpc(): Promise<void> {
    const rpc = this.#rpc;
    this.#rpc = undefined;
    await rpc?.close();
  }
}
