/**
 * `npm run bench:agent [-- --quick] [-- --only bursts|stream|starts|deaths] [-- --json FILE]`
 * Our connection, the SDK's own client and a raw reader, side by side, on the demo agent. Nothing of the network is used.
 * Times depend on the machine; the ratios say more.
 */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { deathPhases, PHASE_HEADING, phaseRow } from "./death-phases.ts";
import { median, ms, percentile, perSecond, table } from "./numbers.ts";
import { DEMO_AGENT, openOurs, openRaw, openSdk, type Reader, startWithSdk, within } from "./readers.ts";

const { values: options } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" }, json: { type: "string" } },
});
const QUICK = options.quick;

const BURSTS = [10, 100, 1_000, 100_000];
const WARM_UP_FRAMES = 20_000;
const BURST_ROUNDS = QUICK ? 3 : 20;
/** Each run of the SDK that loses the end of its turn takes seconds. */
const SDK_BURST_ROUNDS = QUICK ? 1 : 5;
const START_ROUNDS = QUICK ? 2 : 20;
const SDK_START_ROUNDS = QUICK ? 1 : 5;
const KILL_ROUNDS = QUICK ? 3 : 20;
/** What iFlow itself needs from its start until it answers, alone and five together (measured on the real one). */
const START_DELAYS_MS = new Map([
  [1, 1_200],
  [5, 3_800],
]);
const SDK_DEATH_MS = 8_000;

type Open = () => Promise<Reader>;
type Section = Record<string, unknown>[];

const folder = await mkdtemp(join(tmpdir(), "iflow-bench-"));
const place = { folder, quirks: "" };
const results: Record<string, Section> = {};
const print = (text: string): void => void process.stdout.write(`${text}\n`);

const READERS: readonly (readonly [string, Open])[] = [
  ["ours, stdio", () => openOurs(place, "stdio")],
  ["raw, stdio", () => openRaw(place, "stdio")],
  ["ours, websocket", () => openOurs(place, "websocket")],
  ["raw, websocket", () => openRaw(place, "websocket")],
  ["SDK, websocket", () => openSdk(place)],
];

// ---------------------------------------------------------------- bursts

interface Burst {
  readonly delivered: number;
  /** All of them, in order, and the end of the turn. */
  readonly complete: boolean;
}

async function burst(reader: Reader, frames: number): Promise<Burst> {
  let delivered = 0;
  let inOrder = true;
  const ended = await reader.run(`burst ${frames}`, (text) => {
    delivered += 1;
    if (Number(text) !== delivered) inOrder = false;
  });
  return { delivered, complete: delivered === frames && inOrder && ended };
}

/** ms from the write to the delivery of each frame of one burst, in the order of delivery. */
async function burstLatencies(reader: Reader, frames: number): Promise<readonly number[]> {
  const latencies: number[] = [];
  await reader.run(`stamps ${frames}`, (text) => latencies.push(sinceMs(text)));
  return latencies;
}

/** The text is the time of its writing: ns of the clock that all processes share. */
const sinceMs = (text: string): number => Number(process.hrtime.bigint() - BigInt(text.trim())) / 1e6;

interface BurstRuns {
  readonly name: string;
  readonly frames: number;
  readonly runs: number;
  readonly complete: number;
  readonly delivered: number;
  /** All frames over the time from the write to the delivery of the last one; of runs in which all came. */
  readonly framesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Tally {
  readonly runs: Burst[];
  readonly latencies: number[];
  readonly speeds: number[];
}

/** One run of each reader in turn, so that whatever else the machine does meets all of them alike. */
async function burstRuns(frames: number): Promise<ReadonlyMap<string, BurstRuns>> {
  const readers = new Map<string, Reader>();
  for (const [name, open] of READERS) {
    const reader = await open();
    readers.set(name, reader);
    // Code that has not run yet is slow code, whoever wrote it.
    if (!name.startsWith("SDK")) await reader.run(`stamps ${WARM_UP_FRAMES}`, () => {});
  }
  const tallies = new Map(READERS.map(([name]): [string, Tally] => [name, { runs: [], latencies: [], speeds: [] }]));
  for (let round = 0; round < BURST_ROUNDS; round += 1) {
    for (const [name, open] of READERS) {
      const reader = readers.get(name);
      const tally = tallies.get(name);
      if (reader === undefined || tally === undefined) continue;
      if (name.startsWith("SDK") && round >= SDK_BURST_ROUNDS) continue;
      await oneRun(reader, frames, tally);
      if (!name.startsWith("SDK")) continue;
      // What a lost end of a turn leaves behind must not count for the next run.
      await reader.close();
      readers.set(name, await open());
    }
  }
  for (const reader of readers.values()) await reader.close();
  return new Map([...tallies].map(([name, tally]) => [name, summary(name, frames, tally)]));
}

async function oneRun(reader: Reader, frames: number, { runs, latencies, speeds }: Tally): Promise<void> {
  runs.push(await burst(reader, frames));
  const stamped = await burstLatencies(reader, frames);
  latencies.push(...sample(stamped));
  if (stamped.length === frames) speeds.push((frames / (stamped.at(-1) ?? Number.NaN)) * 1000);
}

function summary(name: string, frames: number, { runs, latencies, speeds }: Tally): BurstRuns {
  return {
    name,
    frames,
    runs: runs.length,
    complete: runs.filter(({ complete }) => complete).length,
    delivered: runs.reduce((sum, run) => sum + run.delivered, 0),
    framesPerSecond: median(speeds),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

async function bursts(): Promise<void> {
  const rows: string[][] = [
    ["bursts", "frames", "delivered of sent", "runs complete", "frames/s", "of raw", "p50 ms", "p99 ms"],
  ];
  const section: Section = [];
  for (const frames of BURSTS) {
    const all = await burstRuns(frames);
    for (const run of all.values()) {
      const raw = run.name.startsWith("ours") ? all.get(run.name.replace("ours", "raw")) : undefined;
      const ofRaw = raw === undefined ? undefined : run.framesPerSecond / raw.framesPerSecond;
      section.push({ ...run, ofRaw });
      rows.push([
        run.name,
        count(frames),
        `${count(run.delivered)} of ${count(frames * run.runs)}`,
        `${run.complete} of ${run.runs}`,
        perSecond(run.framesPerSecond),
        ofRaw === undefined ? "" : ofRaw.toFixed(2),
        ms(run.p50Ms),
        ms(run.p99Ms),
      ]);
    }
  }
  results["bursts"] = section;
  print(table(rows));
}

const count = (value: number): string => value.toLocaleString("en");

/** At most 2,000 values, spread evenly, the last one among them. */
function sample(values: readonly number[]): readonly number[] {
  const step = Math.max(1, Math.floor(values.length / 2_000));
  return values.filter((_, index) => index % step === 0 || index === values.length - 1);
}

// ---------------------------------------------------------------- a steady stream

async function stream(): Promise<void> {
  const frames = QUICK ? 1_000 : 5_000;
  const rows: string[][] = [
    [`${frames.toLocaleString("en")} frames, 1,000 a second`, "delivered", "p50 ms", "p99 ms", "max ms"],
  ];
  const section: Section = [];
  for (const [name, open] of READERS) {
    const reader = await open();
    const latencies: number[] = [];
    await reader.run(`pace ${frames} 1000`, (text) => latencies.push(sinceMs(text)));
    await reader.close();
    const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(latencies, share));
    section.push({ name, frames, delivered: latencies.length, p50Ms: p50, p99Ms: p99, maxMs: max });
    rows.push([name, `${latencies.length} of ${frames}`, ...[p50, p99, max].map((value) => ms(value ?? Number.NaN))]);
  }
  results["stream"] = section;
  print(table(rows));
}

// ---------------------------------------------------------------- starting

class Starts {
  ok = 0;
  tried = 0;
  readonly readyMs: number[] = [];

  /** Starts several at once, one round. */
  async together(agents: number, open: Open): Promise<void> {
    const started = performance.now();
    const opened = await Promise.allSettled(
      Array.from({ length: agents }, async () => {
        const reader = await open();
        this.readyMs.push(performance.now() - started);
        return reader;
      }),
    );
    const readers = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    // Two on one agent are not two agents.
    this.ok += new Set(readers.map(({ agent }) => agent)).size;
    this.tried += agents;
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

async function starts(): Promise<void> {
  const rows: string[][] = [
    ["starts", "together", "agent needs ms", "own agents of tried", "ready p50 ms", "ready max ms", "over raw p50 ms"],
  ];
  const section: Section = [];
  for (const [together, delayMs] of START_DELAYS_MS) {
    const slow = { folder, quirks: `start-delay=${delayMs}` };
    const add = (name: string, { ok, tried, readyMs }: Starts, over: number | undefined): void => {
      const [p50, max] = [median(readyMs), percentile(readyMs, 1)];
      section.push({ name, together, delayMs, ok, tried, readyP50Ms: p50, readyMaxMs: max, overRawMs: over });
      const more = [ms(p50), ms(max), over === undefined ? "" : ms(over)];
      rows.push([name, String(together), String(delayMs), `${ok} of ${tried}`, ...more]);
    };
    for (const transport of ["stdio", "websocket"] as const) {
      const [raw, ours] = [new Starts(), new Starts()];
      for (let round = 0; round < START_ROUNDS; round += 1) {
        await raw.together(together, () => openRaw(slow, transport));
        await ours.together(together, () => openOurs(slow, transport));
      }
      add(`raw, ${transport}`, raw, undefined);
      add(`ours, ${transport}`, ours, median(ours.readyMs) - median(raw.readyMs));
    }
    process.env["DEMO_AGENT_QUIRKS"] = slow.quirks;
    const sdk = new Starts();
    for (let round = 0; round < SDK_START_ROUNDS; round += 1) await sdk.together(together, () => startWithSdk(folder));
    add("SDK's own start", sdk, undefined);
  }
  results["starts"] = section;
  print(table(rows));
}

// ---------------------------------------------------------------- sudden death

async function deaths(): Promise<void> {
  const rows: string[][] = [["agent killed with -9 in a turn", "known", "p50 ms", "max ms"]];
  const section: Section = [];
  for (const [name, open] of READERS) {
    const rounds = name.startsWith("SDK") ? 1 : KILL_ROUNDS;
    const took: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const reader = await open();
      const heard = Promise.withResolvers<void>();
      void reader.run("say: x\nhang", () => heard.resolve()).catch(() => undefined);
      await heard.promise;
      const started = performance.now();
      process.kill(reader.pid, "SIGKILL");
      const known = await within(SDK_DEATH_MS, reader.death).then(
        () => true,
        () => false,
      );
      if (known) took.push(performance.now() - started);
      await reader.close();
    }
    section.push({ name, rounds, known: took.length, p50Ms: median(took), maxMs: percentile(took, 1) });
    const known = took.length === 0 ? `not within ${SDK_DEATH_MS / 1000} s` : `${took.length} of ${rounds}`;
    rows.push([name, known, ms(median(took)), ms(percentile(took, 1))]);
  }
  results["deaths"] = section;
  print(`${table(rows)}\n`);
  const phases = await deathPhases(KILL_ROUNDS);
  results["deathPhases"] = phases.map((one) => ({ ...one }));
  print(table([PHASE_HEADING, ...phases.map(phaseRow)]));
}

// ---------------------------------------------------------------- all of it

/** The SDK's complaints about what it loses would drown the tables. */
console.error = () => {};
const bin = join(folder, "bin");
try {
  await mkdir(bin);
  await symlink(DEMO_AGENT, join(bin, "iflow"));
  process.env["PATH"] = `${bin}${delimiter}${process.env["PATH"] ?? ""}`;
  process.env["DEMO_AGENT_HOME"] = join(folder, ".agent");
  const machine = `Node ${process.version}, ${process.platform}, ${cpus().length} cores`;
  print(`${machine}\n`);
  for (const run of [bursts, stream, starts, deaths]) {
    if (options.only !== undefined && options.only !== run.name) continue;
    await run();
    print("");
  }
  if (options.json !== undefined)
    await writeFile(options.json, `${JSON.stringify({ machine, ...results }, undefined, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
// The SDK may have left timers and sockets behind.
process.exit(0);
