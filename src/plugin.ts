/**
 * The composition root: the only file that knows every room.
 * Owns: what the host registers, and the one running instance between service start and service stop.
 */
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { agentPartsOf, compose, journalsOf, pluginFolder } from "./compose.ts";
import { parseConfig, type ParsedConfig, type PluginConfig } from "./config.ts";
import { messageOf } from "./core/errors.ts";
import { parsePayload, parseShow } from "./core/choice-button.ts";
import { visible } from "./core/fence.ts";
import { redactSecrets } from "./core/redact.ts";
import { formatRoute } from "./core/route.ts";
import type { Route } from "./core/session.ts";
import { chatCaller } from "./host/caller.ts";
import type { PlainMessage } from "./host/chat-messages.ts";
import { createDelivery } from "./host/delivery.ts";
import { registerDoors } from "./host/doors.ts";
import { currentConfig, hostFacts } from "./host/host-facts.ts";
import type { ButtonPress, PressReply } from "./host/interactive.ts";
import { listenToWebChats } from "./host/overheard.ts";
import { announceEar, announceRunning } from "./host/process-memory.ts";
import { liveConfig } from "./host/reload.ts";
import { loadHostFunctions, type HostApi } from "./host/sdk.ts";
import { withResolvedSecrets } from "./host/secrets.ts";
import type { ServicePlace } from "./host/service.ts";
import { openTaskFlow, type TaskFlow } from "./host/task-flow.ts";
import { answerBareReply, answerPress, refusePress, sessionOfPress } from "./operations/chat-answers.ts";
import { showPress } from "./operations/question-text.ts";
import type { StatsJson } from "./operations/answers.ts";
import type { Context } from "./operations/context.ts";
import { operations } from "./operations/table.ts";
import type { DoctorParts } from "./operations/doctor.ts";
import { machineCommands, type MachineRun } from "./operations/machine-commands.ts";
import type { Clock, Log } from "./ports.ts";

const ID = "openclaw-iflow-plugin";

export const plugin = {
  id: ID,
  name: "iFlow",
  description: "Runs iFlow conversations as managed TaskFlows that survive restarts.",
  register: registerPlugin,
};

const clock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    // Longer than a timer can count: it comes back and asks again.
    const timer = setTimeout(run, Math.min(ms, 2_147_483_647));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

function registerPlugin(api: HostApi): void {
  const log = withoutSecrets(api.logger);
  const instance = new Instance(api, log);
  registerDoors(api, {
    signs: instance.table,
    life: instance,
    onMessage: (message) => instance.onMessage(message),
    onOther: (message) => instance.onOther(message),
    onPress: (press) => instance.onPress(press),
    cli: {
      description: "Check and inspect the iFlow plugin",
      subcommands: machineCommands({
        auditFile: () => join(pluginFolder(api.runtime.state.resolveStateDir(process.env)), "audit.jsonl"),
        doctor: async (call) => doctorParts(api, log, call),
        isTerminal: () => process.stdout.isTTY,
      }),
      print: (text) => process.stdout.write(`${text}\n`),
      setExitCode: (code) => {
        process.exitCode = code;
      },
    },
    log,
  });
}

/** The host's log is a file that many read, and on a terminal it is what scrolls by. */
function withoutSecrets(log: Log): Log {
  return {
    info: (message) => log.info(visible(redactSecrets(message))),
    warn: (message) => log.warn(visible(redactSecrets(message))),
    error: (message) => log.error(visible(redactSecrets(message))),
  };
}

/** What runs between start and stop of the service. */
class Instance {
  readonly #api: HostApi;
  readonly #log: Log;
  readonly table = operations(() => this.#context);
  #context: Context | undefined;
  #taskFlow: TaskFlow | undefined;
  #retract: (() => void) | undefined;

  constructor(api: HostApi, log: Log) {
    this.#api = api;
    this.#log = log;
  }

  /** Where it can't start, every door says why. */
  async start(place: ServicePlace): Promise<void> {
    try {
      await this.#begin(place);
    } catch (error) {
      const cause = messageOf(error).replace(/\.?$/, ".");
      const message = redactSecrets(
        `The iFlow plugin could not start: ${cause} Put that right, then run: openclaw plugins reload ${ID}`,
      );
      this.#retract = announceRunning(async () => ({ ok: false, code: "not_available", message }));
      throw error;
    }
  }

  async #begin(place: ServicePlace): Promise<void> {
    const config = liveConfig(this.#api, parse, (message) => this.#log.warn(message));
    const functions = await loadHostFunctions();
    const found = openTaskFlow({
      api: this.#api,
      emit: functions.emitAgentEvent,
      stateDir: place.stateDir,
      clock,
      log: this.#log,
    });
    if (!found.ok) throw new Error(found.reason);
    const { flows, children } = found.taskFlow;
    this.#taskFlow = found.taskFlow;
    const context = compose(
      {
        flows,
        children,
        delivery: createDelivery(this.#api, functions),
        clock,
        log: this.#log,
        stateDir: place.stateDir,
        env: process.env,
        mainOwner: (agentId) => hostFacts(this.#api).mainOwner(agentId),
      },
      () => config.current(),
    );
    await context.sessions.roster.start();
    this.#context = context;
    const endings = [
      announceRunning((name, caller, params) => this.#operation(name).invoke(caller, params)),
      announceEar(({ route, sessionKey }) => hear(context, route, sessionKey)),
      listenToWebChats(this.#api),
    ];
    this.#retract = () => endings.forEach((end) => end());
  }

  /** In the tick of the signal: the host takes no task events once it drains. Then the agents are ended. */
  settle(signal: string): void {
    const roster = this.#context?.sessions.roster;
    const reason = `The gateway was stopped (${signal})`;
    if (roster === undefined) this.#taskFlow?.children.settleAll("failed", clock.now(), reason);
    else roster.settleChildren(reason);
    if (signal !== "SIGUSR2") void roster?.stop();
  }

  spared(): void {
    this.#context?.sessions.roster.spared();
  }

  async stop(): Promise<void> {
    this.#retract?.();
    const context = this.#context;
    this.#context = undefined;
    await context?.sessions.roster.stop();
    this.#taskFlow?.close();
  }

  async onPress(press: ButtonPress): Promise<PressReply> {
    const context = this.#context;
    const pressed = parsePayload(press.payload);
    const shown = parseShow(press.payload);
    if (context === undefined)
      return { text: "The iFlow plugin is not running now. Try again in a few seconds.", closed: false };
    const session = sessionOfPress(context, pressed ?? shown ?? { sessionId: "" });
    const { route, senderId, inGroup, isAuthorised } = press;
    const chat = { route, senderId, inGroup, isOwner: await press.isOwner() };
    const caller = chatCaller("button", session?.owner ?? { sessionKey: "" }, chat);
    if (shown !== undefined) return showPress(context, caller, { ...shown, isAuthorised });
    if (pressed === undefined) return { text: "This button is of an older version.", closed: true };
    return isAuthorised ? answerPress(context, caller, pressed) : refusePress(context, caller, pressed);
  }

  async onMessage(message: PlainMessage): Promise<string | undefined> {
    const context = this.#context;
    if (context === undefined) return undefined;
    const { route, senderId, inGroup, sessionKey, text, replyToId, messageId, writtenAt } = message;
    const caller = chatCaller("reply", { sessionKey }, { route, senderId, inGroup, isOwner: await message.isOwner() });
    return answerBareReply(context, caller, { text, repliesTo: replyToId, messageId, writtenAt });
  }

  /** Somebody said something that is no answer. */
  onOther({ route, sessionKey }: Pick<PlainMessage, "route" | "sessionKey">): void {
    this.#context?.sessions.roster.talk.saidIn(route, sessionKey);
  }

  #operation(name: string) {
    const found = this.table.find((operation) => operation.name === name);
    if (found === undefined) throw new Error(`There is no operation ${name}.`);
    return found;
  }
}

function hear({ sessions }: Context, route: Route | undefined, sessionKey: string | undefined): void {
  const { talk } = sessions.roster;
  if (route !== undefined) talk.said({ kind: "channel", route, sessionKey });
  else if (sessionKey !== undefined) talk.said({ kind: "web", sessionKey });
}

function parse(raw: unknown): ParsedConfig {
  return parseConfig(raw, homedir());
}

type GatewayCall = MachineRun["call"];

async function doctorParts(api: HostApi, log: Log, call: GatewayCall): Promise<DoctorParts | string> {
  const given = await withResolvedSecrets(api, api.pluginConfig ?? {}, process.env);
  if (!given.ok) return given.message;
  const parsed = parse(given.raw);
  if (!parsed.ok) return parsed.message;
  const { config } = parsed;
  const { launcher, ready } = agentPartsOf(config, clock, log, process.env);
  return {
    agentReady: ready,
    launcher,
    transport: config.agent.transport,
    agentUrl: config.agent.url,
    journals: journalsOf(api.runtime.state.resolveStateDir(process.env), () => config),
    workdir: config.defaultWorkdir,
    allowed: config.allowedWorkdirs,
    fallbackRoute: config.fallbackChannel === undefined ? undefined : formatRoute(config.fallbackChannel),
    unknownChannels: unknownChannels(api, config),
    gatewayTrouble: () => gatewayTrouble(call),
    deliveries: async () => ((await call("iflow.stats", {})) as StatsJson).deliveries,
    skillTrouble: () => skillTrouble(api),
  };
}

/** Channels that notices are routed to and that stand nowhere in the host's configuration. */
function unknownChannels(api: HostApi, { fallbackChannel, agentChannels }: PluginConfig): readonly string[] {
  const known: Readonly<Record<string, unknown>> = currentConfig(api).channels ?? {};
  const named = [fallbackChannel, ...agentChannels.map(({ route }) => route)].filter((route) => route !== undefined);
  return [...new Set(named.map(({ channel }) => channel))].filter((channel) => known[channel] === undefined);
}

/** Notices and wakes are made in the gateway: it must run, and the plugin in it. */
async function gatewayTrouble(call: GatewayCall): Promise<string | undefined> {
  try {
    await call("iflow.stats", {});
    return undefined;
  } catch (error) {
    return `the gateway does not answer iflow.stats: ${messageOf(error)}. Start it (openclaw gateway run), and see that plugins.entries.${ID}.enabled is true`;
  }
}

async function skillTrouble(api: HostApi): Promise<string | undefined> {
  const file = join(api.rootDir ?? "", "skills", "iflow-orchestration", "SKILL.md");
  return access(file).then(
    () => undefined,
    () => `${file} is missing; install the plugin again`,
  );
}
