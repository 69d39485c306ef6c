/**
 * `npm run bench [-- --quick] [-- --json FILE] [-- --only PART]`: what the plugin costs inside of a real gateway, each number beside its baseline
 * of the same run. Writes bench/RESULTS.json unless told otherwise; bench/RESULTS.md says what the numbers mean.
 * Owns: the order, the tables. Does not own: how anything is measured (inside/), the agent's connection alone (agent.ts).
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { Gateway } from "../test/gateway/harness/gateway.ts";
import { bundlePlugin } from "../test/gateway/harness/plugin-root.ts";
import { buildPlugin, REPOSITORY } from "../test/gateway/harness/staged-plugin.ts";
import type { CancelTimes } from "./inside/cancel.ts";
import type { LaunchTimes } from "./inside/launch.ts";
import type { LengthCost } from "./inside/length.ts";
import type { LiveMemory } from "./inside/live-memory.ts";
import type { LoopDelay } from "./inside/loop-delay.ts";
import type { NoticeTimes } from "./inside/notice.ts";
import { ROUTE } from "./inside/plugin.ts";
import type { RecoveryCost } from "./inside/recovery.ts";
import type { StreamCost } from "./inside/stream.ts";
import { ms, percentile, table } from "./numbers.ts";
import { DEMO_AGENT, startWithSdk } from "./readers.ts";

const { values: options } = parseArgs({
  options: { quick: { type: "boolean", default: false }, json: { type: "string" }, only: { type: "string" } },
});
const QUICK = options.quick;
const JSON_FILE = resolve(options.json ?? join(import.meta.dirname, "RESULTS.json"));
const ROUNDS = QUICK ? 5 : 30;
const RECOVERED = QUICK ? [10, 100] : [10, 100, 1_000];
const STREAM_SECONDS = QUICK ? 4 : 15;

/** `--only longSession`: one part by its name. */
const isWanted = (part: string): boolean => options.only === undefined || options.only.split(",").includes(part);
const run = promisify(execFile);
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const results: Record<string, unknown> = {};
const folder = await mkdtemp(join(tmpdir(), "iflow-bench-"));

function show(name: string, value: unknown, rows: readonly (readonly string[])[]): void {
  results[name] = value;
  print(`${table(rows)}\n`);
}

const range = (values: readonly number[]): readonly string[] =>
  [0.5, 0.95, 1].map((share) => ms(percentile(values, share)));
const kib = (bytes: number): string => (bytes / 1_024).toFixed(1);
const mib = (bytes: number): string => (bytes / 1_024 / 1_024).toFixed(1);

// ---------------------------------------------------------------- the plugin's load, in a process of its own

const LOAD = `const at = performance.now(); await import(process.argv[1]); process.stdout.write(String(performance.now() - at));`;

async function loads(): Promise<void> {
  await buildPlugin();
  const empty = join(folder, "empty.mjs");
  await writeFile(empty, "export default {};\n");
  const times = async (file: string): Promise<number[]> => {
    const found: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { stdout } = await run(process.execPath, ["--input-type=module", "-e", LOAD, file], { cwd: REPOSITORY });
      found.push(Number(stdout));
    }
    return found;
  };
  const [baseline, plugin] = [await times(empty), await times(join(REPOSITORY, "dist", "index.js"))];
  show("load", { baselineMs: baseline, pluginMs: plugin }, [
    ["load of the module", "p50 ms", "p95 ms", "max ms"],
    ["an empty module", ...range(baseline)],
    ["the plugin's bundle", ...range(plugin)],
  ]);
}

// ---------------------------------------------------------------- inside of a gateway

type Ask = <T>(of: string, more: Record<string, number | boolean>) => Promise<T>;

function asking(gateway: Gateway): Ask {
  let count = 0;
  return async <T>(of: string, more: Record<string, number | boolean>): Promise<T> => {
    count += 1;
    const place = { folder: join(folder, `${of}-${count}`), agent: DEMO_AGENT };
    const response = await fetch(`http://127.0.0.1:${gateway.port}${ROUTE}`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.token}`, "content-type": "application/json" },
      body: JSON.stringify({ of, ...place, ...more }),
    });
    const answer = (await response.json()) as { ok: true; value: T } | { ok: false; error: string };
    if (!answer.ok) throw new Error(`${of}: ${answer.error}`);
    return answer.value;
  };
}

async function launch(ask: Ask): Promise<void> {
  const times = await ask<LaunchTimes>("launch", { rounds: ROUNDS });
  const sdkMs = await sdkStartMs();
  show("launch", { ...times, sdkMs }, [
    ["launch", "p50 ms", "p95 ms", "max ms"],
    ["one flow made by the host", ...range(times.flowMs)],
    ["our launch, until it answers", ...range(times.answerMs)],
    ["the agent read raw, until its first words", ...range(times.rawOutputMs)],
    ["our launch, until its first words", ...range(times.outputMs)],
    ["the SDK's own start, until it is connected", ...range(sdkMs)],
  ]);
}

/** The SDK finds the agent on PATH; until it is connected and could be asked something. */
async function sdkStartMs(): Promise<number[]> {
  const found: number[] = [];
  for (let round = 0; round < (QUICK ? 2 : 5); round += 1) {
    const startedAt = performance.now();
    const reader = await startWithSdk(folder);
    found.push(performance.now() - startedAt);
    await reader.close();
  }
  return found;
}

async function streams(ask: Ask): Promise<void> {
  const all: Record<string, StreamCost> = {};
  const delays: string[][] = [["event loop of the gateway", "p50 ms", "p99 ms", "max ms", "of a core"]];
  const costs: string[][] = [
    ["streaming, 200 pieces a second each", "pieces/s", "commits/s of one", "journal bytes/byte", "state bytes/byte"],
  ];
  const delay = (name: string, { p50Ms, p99Ms, maxMs, cpu }: LoopDelay): void =>
    void delays.push([name, ms(p50Ms), ms(p99Ms), ms(maxMs), `${(cpu * 100).toFixed(0)} %`]);
  for (const sessions of [5, 20]) {
    const cost = await ask<StreamCost>("stream", { sessions, perSecond: 200, seconds: STREAM_SECONDS });
    all[sessions] = cost;
    delay(`${sessions} sessions: nothing runs`, cost.idle);
    delay(`${sessions} agents read raw into files`, cost.raw);
    delay(`${sessions} sessions of the plugin`, cost.ours);
    const { chunksPerSecond, commitsPerSecond, journalBytesPerByte, stateBytesPerByte } = cost;
    const numbers = [commitsPerSecond.toFixed(2), journalBytesPerByte.toFixed(1), stateBytesPerByte.toFixed(1)];
    costs.push([`${sessions} sessions`, chunksPerSecond.toFixed(0), ...numbers]);
  }
  show("streaming", all, delays);
  show("streaming", all, costs);
}

async function longSession(ask: Ask): Promise<void> {
  const cost = await ask<LengthCost>("length", { turns: QUICK ? 5 : 12, frames: 100_000 });
  show("length", cost, [
    ["one session, 100,000 frames a turn", "output before, MiB", "turn ms", "own CPU ms", "commit ms"],
    ...cost.turns.map((turn, n) => [
      `turn ${n + 2}`,
      mib(turn.outputBytes),
      ms(turn.ms),
      ms(turn.cpuMs),
      ms(turn.commitMs),
    ]),
  ]);
}

async function recoveries(ask: Ask): Promise<void> {
  const all: Record<string, RecoveryCost> = {};
  const rows: string[][] = [
    [
      "recovery",
      "read alone ms",
      "start ms",
      "ms a session",
      "found",
      "KiB a parked one",
      "loop p99 before ms",
      "loop p99 ms",
    ],
  ];
  const alike = async (sessions: number, latin: boolean): Promise<void> => {
    const cost = await ask<RecoveryCost>("recovery", { sessions, latin });
    all[latin ? `${sessions} in ASCII` : sessions] = cost;
    const each = [ms(cost.readMs), ms(cost.ms), ms(cost.ms / sessions), String(cost.found), kib(cost.parkedBytes)];
    const name = `${sessions} parked sessions${latin ? ", ASCII" : ""}`;
    rows.push([name, ...each, ms(cost.before.p99Ms), ms(cost.parked.p99Ms)]);
  };
  for (const sessions of RECOVERED) await alike(sessions, false);
  await alike(100, true);
  show("recovery", all, rows);
}

async function memory(ask: Ask): Promise<void> {
  const cost = await ask<LiveMemory>("live-memory", { sessions: QUICK ? 5 : 20 });
  show("memory", cost, [
    ["memory of one live session", "KiB"],
    ["in the gateway", kib(cost.sessionBytes)],
    ["its agent's process", kib(cost.agentBytes)],
    ["the same agent, run raw", kib(cost.rawAgentBytes)],
  ]);
}

async function notices(ask: Ask): Promise<void> {
  const times = await ask<NoticeTimes>("notice", { rounds: ROUNDS });
  show("notice", times, [
    ["the agent's last words, until they are", "p50 ms", "p95 ms", "max ms"],
    ["with a raw reader", ...range(times.rawMs)],
    ["in a notice that the host was given", ...range(times.handedMs)],
  ]);
}

async function cancels(ask: Ask): Promise<void> {
  const times = await ask<CancelTimes>("cancel", { rounds: QUICK ? 3 : 20 });
  show("cancel", times, [
    ["cancel of a streaming session, until nothing is left", "p50 ms", "p95 ms", "max ms"],
    ["the agent alone, SIGTERM", ...range(times.rawMs)],
    ["iflow_kill", ...range(times.ownMs)],
    ["asked by another writer of the flow", ...range(times.otherMs)],
  ]);
}

async function inGateway(): Promise<void> {
  const entry = fileURLToPath(new URL("inside/plugin.ts", import.meta.url));
  const plugin = await bundlePlugin({ id: "iflow-bench", entry, exportName: "benchPlugin" });
  try {
    const gateway = await Gateway.start({ pluginRoots: { [plugin.id]: plugin.dir } });
    try {
      const ask = asking(gateway);
      for (const part of [launch, notices, cancels, streams, longSession, memory, recoveries])
        if (isWanted(part.name)) await part(ask);
    } finally {
      await gateway.dispose();
    }
  } finally {
    plugin.dispose();
  }
}

// ---------------------------------------------------------------- the agent's connection alone

async function connection(): Promise<void> {
  const json = join(folder, "agent.json");
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, "agent.ts"), "--quick", "--json", json], {
    maxBuffer: 16 * 1024 * 1024,
  });
  print(stdout);
  results["connection"] = JSON.parse(await readFile(json, "utf8")) as unknown;
}

/** The SDK's complaints about what it loses would drown the tables. */
console.error = () => {};
try {
  const bin = join(folder, "bin");
  await mkdir(bin);
  await symlink(DEMO_AGENT, join(bin, "iflow"));
  process.env["PATH"] = `${bin}${delimiter}${process.env["PATH"] ?? ""}`;
  process.env["DEMO_AGENT_HOME"] = join(folder, ".agent");
  const { model = "unknown" } = cpus()[0] ?? {};
  const machine = `Node ${process.version}, ${process.platform} ${release()}, ${cpus().length} cores (${model.trim()}), ${mib(totalmem())} MiB`;
  print(`${machine}\n`);
  results["machine"] = machine;
  results["at"] = new Date().toISOString();
  if (isWanted("loads")) await loads();
  await inGateway();
  if (isWanted("connection")) await connection();
} finally {
  // What was measured before a failure is not lost.
  await writeFile(JSON_FILE, `${JSON.stringify(results, rounded, 2)}\n`);
  await rm(folder, { recursive: true, force: true });
}
// The SDK may have left timers and sockets behind.
process.exit(0);

function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
