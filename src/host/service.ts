/**
 * The plugin's life inside the gateway: start, stop within the host's patience, settlement when a signal comes.
 * Owns: the registered service and the signal listeners. Does not own: what is started and stopped.
 * 1. Listeners exist exactly between a start and its stop.
 * 2. They run before the host's own, since the host takes no task events once it begins to drain (host fact).
 * 3. Stop resolves within STOP_WITHIN_MS, whatever still goes on; the host abandons a service after five seconds.
 */
import { messageOf } from "../core/errors.ts";
import type { Log } from "../ports.ts";
import type { HostApi, ServiceContext } from "./sdk.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGUSR2"] as const;
const STOP_WITHIN_MS = 4_500;
/** A restart request that the host refuses leaves the gateway running: by then it would have stopped the service. */
const SPARED_AFTER_MS = 15_000;

export interface ServiceLife {
  /** Recovery first. A failure is shown in the host's health and in the log; the doors then say that nothing runs. */
  start(place: ServicePlace): Promise<void>;
  /** Synchronous: what must reach the host in the tick in which the signal came. */
  settle(signal: string): void;
  /** The signal has not ended the gateway: sessions go on, and need their child tasks again. */
  spared?(): void;
  stop(): Promise<void>;
}

export interface ServicePlace {
  /** The host's state directory. */
  readonly stateDir: string;
  readonly workspaceDir: string | undefined;
}

export function registerLife(api: HostApi, life: ServiceLife, log: Log): void {
  if (api.registrationMode !== "full") {
    // Named only, for views that list what the plugin has; a copy for discovery is never started.
    api.registerService({ id: api.id, start: () => undefined });
    return;
  }
  let unlisten: (() => void) | undefined;
  api.registerService({
    id: api.id,
    start: async (context) => {
      unlisten?.();
      unlisten = listen(life, log);
      await started(life, context, log);
    },
    stop: async () => {
      await stopped(life, log);
      unlisten?.();
      unlisten = undefined;
    },
  });
}

async function started(life: ServiceLife, context: ServiceContext, log: Log): Promise<void> {
  try {
    await life.start({ stateDir: context.stateDir, workspaceDir: context.workspaceDir });
    context.serviceHealth?.clearFailure();
  } catch (error) {
    log.error(`the iFlow service could not start: ${messageOf(error)}`);
    context.serviceHealth?.reportFailure(error);
  }
}

async function stopped(life: ServiceLife, log: Log): Promise<void> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), STOP_WITHIN_MS);
  try {
    const end = await Promise.race([life.stop(), late.promise]);
    if (end === "late")
      log.warn(`the iFlow service was not stopped within ${STOP_WITHIN_MS} ms; the gateway goes on without waiting`);
  } catch (error) {
    log.error(`the iFlow service did not stop cleanly: ${messageOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

function listen(life: ServiceLife, log: Log): () => void {
  let spared: NodeJS.Timeout | undefined;
  const onSignal = (signal: string): void => {
    try {
      life.settle(signal);
    } catch (error) {
      log.error(`child tasks were not settled on ${signal}: ${messageOf(error)}`);
    }
    if (signal !== "SIGUSR2" || life.spared === undefined) return;
    clearTimeout(spared);
    spared = setTimeout(() => life.spared?.(), SPARED_AFTER_MS);
    spared.unref();
  };
  for (const signal of SIGNALS) process.prependListener(signal, onSignal);
  return () => {
    clearTimeout(spared);
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
  };
}
