/**
 * `openclaw iflow doctor`: every pre-launch check, done for real, one clear line each.
 * Owns: which checks there are and how they read. What they touch is passed in.
 */
import { realpath, stat } from "node:fs/promises";
import { oneLine } from "../core/draft.ts";
import { messageOf } from "../core/errors.ts";
import type { DeliveryCounts } from "../engine/governor.ts";
import type { AgentLauncher, Journals } from "../ports.ts";
import { deliveryLine } from "./stats.ts";
import { isWithin } from "./workdir.ts";

export type Verdict = "ok" | "warning" | "failed";

export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  /** What was found, and the next step where there is one. */
  readonly line: string;
}

export interface DoctorParts {
  readonly agentReady: () => Promise<{ readonly ok: true } | { readonly ok: false; readonly message: string }>;
  readonly launcher: AgentLauncher;
  readonly transport: "stdio" | "websocket";
  /** Of an agent that is only dialled. */
  readonly agentUrl: string | undefined;
  readonly journals: Journals;
  /** The default directory, in which the trial session runs; undefined when none is configured. */
  readonly workdir: string | undefined;
  readonly allowed: readonly string[];
  /** What notices without a chat of their own would use. */
  readonly fallbackRoute: string | undefined;
  /** Channels of routes in the configuration that the host has no settings for. */
  readonly unknownChannels: readonly string[];
  /** Whether the plugin runs in a gateway, from which notices and wakes leave. Undefined: fine. */
  readonly gatewayTrouble: () => Promise<string | undefined>;
  /** What became of the running gateway's notices since its start. */
  readonly deliveries: () => Promise<DeliveryCounts>;
  readonly skillTrouble: () => Promise<string | undefined>;
}

const TRIAL_MS = 60_000;

/** Never throws: a check that breaks is a failed check. */
export async function runDoctor(parts: DoctorParts): Promise<readonly Check[]> {
  const command = await guarded("agent found", () => agentFound(parts));
  const agent = command.verdict === "ok" ? await agentAnswers(parts) : [];
  const gateway = await trouble("gateway, notices and wake", parts.gatewayTrouble, "the plugin runs in the gateway");
  return [
    command,
    ...agent,
    ...socket(parts),
    await guarded("directory", () => directory(parts)),
    await guarded("storage", () => storage(parts)),
    route(parts),
    gateway,
    ...(gateway.verdict === "ok" ? [await guarded("deliveries", () => deliveries(parts))] : []),
    await trouble("skill", parts.skillTrouble, "the skill iflow-orchestration is installed"),
  ];
}

/** One line each, also where the host or the agent says more. */
export function doctorText(checks: readonly Check[]): string {
  const mark = { ok: "✓", warning: "!", failed: "✗" } as const;
  return checks.map(({ name, verdict, line }) => `${mark[verdict]} ${name}: ${oneLine(line)}`).join("\n");
}

async function guarded(name: string, run: () => Promise<Check>): Promise<Check> {
  try {
    return await run();
  } catch (error) {
    return { name, verdict: "failed", line: messageOf(error) };
  }
}

async function agentFound(parts: DoctorParts): Promise<Check> {
  const ready = await parts.agentReady();
  return ready.ok
    ? { name: "agent found", verdict: "ok", line: "its command exists" }
    : { name: "agent found", verdict: "failed", line: ready.message };
}

/** A real process, a real handshake, a real session, and a real end of all of it. */
async function agentAnswers(parts: DoctorParts): Promise<readonly Check[]> {
  const startedMs = performance.now();
  const name = "agent answers ACP and is authenticated";
  try {
    const signal = AbortSignal.timeout(TRIAL_MS);
    const here = await realpath(
      parts.workdir !== undefined && (await isDirectory(parts.workdir)) ? parts.workdir : process.cwd(),
    );
    const connection = await parts.launcher.start({ sessionId: "doctor", workdir: here }, signal);
    try {
      const drained = drain(connection.events);
      const opened = await connection.open(
        {
          mode: "default",
          disallowedTools: [],
          systemPrompt: undefined,
          maxTurns: undefined,
          model: undefined,
          load: undefined,
        },
        signal,
      );
      const version = opened.agentVersion ?? "of unknown version";
      const tookMs = Math.round(performance.now() - startedMs);
      await connection.stop();
      await drained;
      return [{ name, verdict: "ok", line: `iFlow ${version}, session ready after ${tookMs} ms` }];
    } finally {
      await connection.stop();
    }
  } catch (error) {
    return [{ name, verdict: "failed", line: messageOf(error) }];
  }
}

/** iFlow lets in whoever reaches its port, so a port is worth a word. */
function socket({ transport, agentUrl }: DoctorParts): readonly Check[] {
  const warned = (line: string): readonly Check[] => [{ name: "agent's port", verdict: "warning", line }];
  if (agentUrl !== undefined)
    return isLoopback(agentUrl)
      ? warned(
          `iFlow at ${agentUrl} asks for no key: whoever can reach this port runs commands as its user. iFlow itself opens it for other machines too: close it for them, or let the plugin start iFlow (agent.transport "stdio")`,
        )
      : warned(
          `iFlow at ${agentUrl} asks for no key and is on another machine: whoever can reach this port runs commands there, and what goes over it can be read on the way unless it begins with wss. Reach it through a tunnel, or let the plugin start iFlow (agent.transport "stdio")`,
        );
  if (transport === "stdio") return [];
  return warned(
    'iFlow opens a port that asks for no key. The plugin keeps it to 127.0.0.1, but each user of this machine can reach it: agent.transport "stdio" opens none',
  );
}

function isLoopback(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d+){3}$/.test(host);
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _batch of events) {
    // Nothing of the trial is kept.
  }
}

/** What the configuration names must be there, and the default among what is allowed. */
async function directory({ workdir, allowed }: DoctorParts): Promise<Check> {
  const name = "directory";
  const failed = (line: string): Check => ({ name, verdict: "failed", line });
  const missing = await missingOf([...(workdir === undefined ? [] : [workdir]), ...allowed]);
  if (missing.length > 0)
    return failed(
      `not there, or no directory: ${missing.join(", ")}. Create it, or correct defaultWorkdir and allowedWorkdirs`,
    );
  if (workdir !== undefined && allowed.length > 0) {
    const real = await realpath(workdir);
    const roots = await Promise.all(allowed.map((one) => realpath(one)));
    if (!roots.some((root) => isWithin(real, root)))
      return failed(
        `the default ${workdir} is not below allowedWorkdirs (${allowed.join(", ")}). Add it, or set defaultWorkdir`,
      );
  }
  const where =
    allowed.length === 0
      ? "allowedWorkdirs is empty: jobs stay in the workspace or defaultWorkdir, the host's owner may go anywhere"
      : `allowed: ${allowed.join(", ")}`;
  return workdir === undefined
    ? {
        name,
        verdict: "warning",
        line: `no default directory: set defaultWorkdir, or give workdir at each launch (${where})`,
      }
    : { name, verdict: "ok", line: `default ${workdir}; ${where}` };
}

async function missingOf(directories: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(directories.map((one) => isDirectory(one)));
  return directories.filter((_one, i) => found[i] !== true);
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function storage({ journals }: DoctorParts): Promise<Check> {
  const writable = await journals.writable();
  return writable.ok
    ? { name: "storage", verdict: "ok", line: "journals can be written" }
    : { name: "storage", verdict: "failed", line: writable.reason };
}

function route({ fallbackRoute, unknownChannels }: DoctorParts): Check {
  if (unknownChannels.length > 0) {
    const named = unknownChannels.join(", ");
    const line = `fallbackChannel or agentChannels name ${named}, for which the host has no settings (channels.${unknownChannels[0] ?? ""}). Correct the name, or set the channel up`;
    return { name: "route", verdict: "warning", line };
  }
  const line =
    fallbackRoute === undefined
      ? "notices go to the chat that launched; set fallbackChannel for launches from elsewhere"
      : `notices go to the chat that launched, else to ${fallbackRoute}`;
  return { name: "route", verdict: fallbackRoute === undefined ? "warning" : "ok", line };
}

/** What did not arrive, or stands still, is worth a look; it stops nothing. */
async function deliveries(parts: DoctorParts): Promise<Check> {
  const counts = await parts.deliveries();
  const isFine = counts.refused + counts.unknown + counts.noRoute + counts.paused === 0;
  return { name: "deliveries", verdict: isFine ? "ok" : "warning", line: deliveryLine(counts) };
}

async function trouble(name: string, find: () => Promise<string | undefined>, fine: string): Promise<Check> {
  return guarded(name, async () => {
    const found = await find();
    return found === undefined ? { name, verdict: "ok", line: fine } : { name, verdict: "failed", line: found };
  });
}
