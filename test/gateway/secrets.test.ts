/**
 * A session full of planted secrets on a real gateway: what of them is left, in which files, in what people are sent, in the log, in the
 * host's records and on command lines. And what the agent's process is given: which environment, which arguments, no port.
 */
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ASKED, PLANTED, PLANTED_FILE, PLANTED_SCRIPT, foundIn, placesIn, type Planted } from "../planted-secrets.ts";
import { MAIN, PERSON, PluginWorld } from "./harness/plugin-world.ts";
import { commandLine, identify } from "./harness/process-tree.ts";
import { DEMO_AGENT, PLUGIN_ID } from "./harness/staged-plugin.ts";

/** In the configuration, hence in the agent's environment and its credentials. */
const [IN_ENV, AS_KEY, IN_STDERR] = PLANTED as readonly [Planted, Planted, Planted];
/** In the gateway's own environment: none of the agent's business. */
const OF_HOST = "wH8kR2nT6vB4xZ9q";

const undo = new AsyncDisposableStack();
let world: PluginWorld;
let agent: string;

const plugin = (safeMode: boolean): Readonly<Record<string, string | boolean | object>> => ({
  safeMode,
  outputMode: "verbose",
  agent: {
    command: agent,
    env: { SOME_TOKEN: IN_ENV.text },
    auth: { methodId: "openai-compatible", apiKey: AS_KEY.text },
  },
});

beforeAll(async () => {
  const dir = undo.adopt(mkdtempSync(join(tmpdir(), "iflow-secrets-")), (one) =>
    rmSync(one, { recursive: true, force: true }),
  );
  agent = join(dir, "agent.sh");
  writeFileSync(agent, `#!/bin/sh\necho '${IN_STDERR.text}' >&2\nexec "${process.execPath}" "${DEMO_AGENT}" "$@"\n`);
  chmodSync(agent, 0o755);
  world = await PluginWorld.start({
    // What the host's own configuration and environment hold must not get further either.
    config: JSON.parse(JSON.stringify(plugin(true))) as Record<string, never>,
    env: { HOST_ONLY_TOKEN: OF_HOST, OPENCLAW_TEST_SECRET: OF_HOST, IFLOW_OF_USER: "passes" },
  });
  undo.defer(async () => world.dispose());
  writeFileSync(join(world.gateway.workspace, "planted.txt"), PLANTED_FILE);
});

afterAll(async () => undo.disposeAsync());

/** Each question takes a real gateway a while; test/secrets.test.ts asks all of them. */
const FEW = ASKED.slice(-3);
const SCRIPT = PLANTED_SCRIPT.filter(
  (line) => !line.startsWith("ask: ") || FEW.some(({ text }) => line.startsWith(`ask: Take ${text}?`)),
);

/** Files of the agent itself, of the user, those which a person configured, and the host's copies of its own web pages. */
const NOT_OURS = /^(?:workspace|\.iflow-demo-agent|\.iflow|cache)\/|^openclaw\.json/;

function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Below the gateway's folder: its log, its databases, its transcripts and the plugin's state. Path -> kinds of secrets. */
function filesWithSecrets(): Readonly<Record<string, readonly string[]>> {
  const { dir } = world.gateway;
  const files = filesBelow(dir).map((file) => relative(dir, file));
  const found = files
    .filter((file) => !NOT_OURS.test(file))
    .map((file) => [file, foundIn(readFileSync(join(dir, file), "latin1"))] as const);
  return Object.fromEntries(found.filter(([, kinds]) => kinds.length > 0));
}

function sentToPeople(): string {
  const { messages, calls } = world.gateway.telegram;
  return JSON.stringify([messages, calls]);
}

/** Runs the script to its end with an answer to each question; gives its id, and what doors showed of it. */
async function lifeFullOfSecrets(): Promise<{
  readonly id: string;
  readonly shown: readonly unknown[];
  readonly words: string;
}> {
  const rpc = await world.gateway.rpc();
  const systemPrompt = PLANTED.map(({ text }) => text).join("\n");
  const job = await world.launch(SCRIPT, { systemPrompt });
  const shown: unknown[] = [job];
  for (let answers = 0; answers < FEW.length; answers += 1) {
    shown.push(await world.until(job.id, "asking"), await rpc.call("iflow.stats"), await world.flow(job.flowId));
    shown.push(await world.respond(job.id, "1"));
  }
  await world.until(job.id, "idle");
  const words = JSON.stringify(await rpc.call("iflow.output", { session: job.id, full: true }));
  shown.push((await world.gateway.tool("iflow_sessions", {}, { sessionKey: MAIN.sessionKey })).text);
  shown.push(await world.gateway.tool("iflow_output", { session: AS_KEY.text }, { sessionKey: MAIN.sessionKey }));
  await world.respond(job.id, "crash 3");
  await world.until(job.id, "interrupted");
  shown.push(await world.row(job.id), await world.flow(job.flowId));
  return { id: job.id, shown, words };
}

describe("[K6] the agent's process", () => {
  test("has no secret of the host, no prompt on its command line, and opens no port", async () => {
    const job = await world.launch(["env HOST_ONLY_TOKEN", "env IFLOW_OF_USER", `run: sleep 60 # ${IN_ENV.text}`]);
    await expect.poll(async () => (await world.row(job.id)).toolCalls).toBe(1);
    const pids = await world.processes(job.id);
    expect(pids.length).toBeGreaterThanOrEqual(2);
    for (const pid of pids) {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      expect(environment).not.toContain(OF_HOST);
      expect(environment).not.toContain(world.gateway.token);
      expect(environment).not.toMatch(/(?:^|\0)OPENCLAW_/);
      expect(environment).toContain("IFLOW_OF_USER=passes");
      expect(listeningSockets(pid)).toEqual([]);
    }
    const lines = pids.map((pid) => identify(pid)).map((one) => (one === undefined ? "" : commandLine(one)));
    const own = lines.filter((line) => /agent\.(?:sh|mjs)/.test(line));
    expect(own.length).toBeGreaterThan(0);
    expect(foundIn(own.join("\n"))).toEqual([]);
    expect(own.join("\n")).not.toContain("HOST_ONLY_TOKEN");
    await world.kill(job.id);
  });

  test("[K7] whatever the plugin keeps is for its owner's eyes only", async () => {
    const folder = join(world.gateway.stateDir, "iflow-plugin");
    const files = filesBelow(folder);
    expect(files.map((file) => relative(folder, file))).toContain("audit.jsonl");
    for (const file of files) expect([file, (statSync(file).mode & 0o777).toString(8)]).toEqual([file, "600"]);
    const folders = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) =>
      entry.isDirectory(),
    );
    for (const { parentPath, name } of folders)
      expect([name, (statSync(join(parentPath, name)).mode & 0o777).toString(8)]).toEqual([name, "700"]);
  });
});

describe("[N7] [K7] planted secrets", () => {
  test("with safeMode on, none is left in any file, notice, log, record or answer", async () => {
    const { shown, words } = await lifeFullOfSecrets();
    expect(placesIn(shown)).toEqual([]);
    expect(foundIn(words)).toEqual([]);
    expect(words).toContain("found [redacted]");
    await expect.poll(() => sentToPeople()).toMatch(/interrupted|stopped/i);
    expect(foundIn(sentToPeople())).toEqual([]);
    expect(filesWithSecrets()).toEqual({});
  });

  test("with safeMode off, they are in the words of the session itself, and nowhere else", async () => {
    await world.gateway.stop();
    world.gateway.configure({ [PLUGIN_ID]: JSON.parse(JSON.stringify(plugin(false))) as Record<string, never> });
    await world.gateway.start();
    const { id, shown, words } = await lifeFullOfSecrets();
    expect(placesIn(shown)).toEqual([]);
    expect(foundIn(words)).toEqual(PLANTED.map(({ kind }) => kind));
    await expect.poll(() => world.gateway.telegram.said(PERSON).length).toBeGreaterThan(3);
    expect(foundIn(sentToPeople())).toEqual([]);
    const journal = join("iflow-plugin", "sessions", id);
    expect(Object.keys(filesWithSecrets()).filter((file) => !file.startsWith(journal))).toEqual([]);
    expect(Object.keys(filesWithSecrets())).not.toEqual([]);
  });
});

/** Inodes of sockets that this process listens on. */
function listeningSockets(pid: number): readonly string[] {
  const rows = ["tcp", "tcp6"].flatMap((kind) => readFileSync(`/proc/net/${kind}`, "utf8").split("\n").slice(1));
  const listening = new Set(
    rows.map((row) => row.trim().split(/\s+/)).flatMap((row) => (row[3] === "0A" ? [row[9] ?? ""] : [])),
  );
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  return targets
    .flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [])
    .filter((inode) => listening.has(inode));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed in the meantime.
    return "";
  }
}
