/**
 * The gateway goes down in every way there is while sessions live: stopped with running turns, killed with -9, started on
 * records that it can't read. What was under way is interrupted and goes on when told to; no prompt reaches the agent twice.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type LaunchedJob, PluginWorld } from "./harness/plugin-world.ts";
import { DEMO_AGENT, PLUGIN_ID } from "./harness/staged-plugin.ts";

const undo = new AsyncDisposableStack();
const took: string[] = [];
let world: PluginWorld;
let promptLog: string;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "iflow-prompts-"));
  undo.defer(() => rmSync(folder, { recursive: true, force: true }));
  promptLog = join(folder, "prompts.jsonl");
  writeFileSync(promptLog, "");
  world = await PluginWorld.start({ config: { maxSessions: 5 }, agentEnv: { DEMO_AGENT_LOG: promptLog } });
  undo.defer(async () => world.dispose());
});

afterEach(async () => world.killAll());

afterAll(async () => {
  await undo.disposeAsync();
  process.stdout.write(`${took.join("\n")}\n`);
});

const inWorkspace = (name: string): string => join(world.gateway.workspace, name);

/** How often the agent was sent words with this mark in them. */
function prompted(mark: string): number {
  const lines = readFileSync(promptLog, "utf8").split("\n").slice(0, -1);
  return lines.filter((line) => (JSON.parse(line) as { text: string }).text.includes(mark)).length;
}

async function auditFindings(): Promise<string> {
  const { stdout, code } = await world.gateway.cli(["tasks", "audit", "--json"]);
  expect(code).toBe(0);
  const { summary, findings } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
    summary?: { total?: number };
    findings?: unknown[];
  };
  expect(summary ?? findings).toBeDefined();
  return JSON.stringify(findings ?? summary);
}

describe("[S5] a gateway that is stopped", () => {
  test("with five running turns it is gone in seconds; the next start has five that go on when told to", async () => {
    const names = [1, 2, 3, 4, 5].map((n) => `stopped-${n}`);
    const jobs: LaunchedJob[] = [];
    for (const name of names) {
      const script = [`write ${name}.begun: 1`, "run: sleep 300", `write ${name}.done: 1`, `say: ${name} is through.`];
      jobs.push(await world.launch(script, { name }));
    }
    for (const name of names) {
      await expect.poll(() => existsSync(inWorkspace(`${name}.begun`))).toBe(true);
    }
    const { tookMs } = await world.gateway.stop();
    took.push(`SIGTERM with five running turns: gone after ${tookMs} ms`);
    // A host that waits for running work takes minutes.
    expect(tookMs).toBeLessThan(20_000);
    for (const { id } of jobs) await world.untilNoProcess(id);

    await world.gateway.start();
    for (const { id, flowId } of jobs) {
      expect(await world.row(id)).toMatchObject({ status: "interrupted" });
      expect(await world.flow(flowId)).toMatchObject({ status: "waiting", waitJson: { for: "continue" } });
      const children = Object.values(await world.children(flowId));
      expect(children.filter((status) => status === "running" || status === "queued")).toEqual([]);
    }
    for (const { id } of jobs) expect(await world.respond(id, "continue")).toMatchObject({ delivered: "resumed" });
    for (const [index, { id }] of jobs.entries()) {
      // The shell of five minutes is run again: it is the agent that decides what it does again.
      await world.until(id, "working");
      expect(prompted(`${names[index]} is through.`)).toBe(1);
    }
  });
});

describe("[S5] a gateway that is killed with -9", () => {
  test("while iFlow works: interrupted, its processes gone, nothing sent twice, the ledger clean", async () => {
    const job = await world.launch(["say: killed-hard", "write hard.txt: 1", "run: sleep 300 & sleep 300"]);
    await expect.poll(() => existsSync(inWorkspace("hard.txt"))).toBe(true);
    await expect.poll(async () => (await world.processes(job.id)).length).toBeGreaterThan(2);
    await world.gateway.kill9();
    const goneMs = await world.untilNoProcess(job.id);
    took.push(`kill -9 while working: agent and shells gone after ${goneMs.toFixed(0)} ms`);

    await world.gateway.start();
    expect(await world.row(job.id)).toMatchObject({
      status: "interrupted",
      error: expect.stringContaining("turn 1"),
    });
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "failed" });
    expect(prompted("killed-hard")).toBe(1);
    expect(await auditFindings()).not.toContain(job.flowId);
  });

  test("with restartPolicy continue it goes on by itself, with words that say so", async () => {
    // A gateway that is killed in the middle of taking up an edit is another story.
    await world.gateway.stop();
    world.gateway.configure({ [PLUGIN_ID]: withPolicy("continue") });
    await world.gateway.start();
    const job = await world.launch(["say: goes-on-by-itself", "write self.txt: 1", "hang", "write after.txt: 1"]);
    await expect.poll(() => existsSync(inWorkspace("self.txt"))).toBe(true);
    await world.gateway.kill9();
    await world.gateway.start();
    await world.until(job.id, "idle");
    expect(existsSync(inWorkspace("after.txt"))).toBe(true);
    expect([prompted("goes-on-by-itself"), prompted("The gateway was restarted")]).toEqual([1, 1]);
    expect(await world.row(job.id)).toMatchObject({ turnCount: 2 });
  });

  function withPolicy(restartPolicy: string) {
    return { maxSessions: 5, restartPolicy, agent: { command: DEMO_AGENT, env: { DEMO_AGENT_LOG: promptLog } } };
  }
});

describe("[S5] records that can't be read", () => {
  test("newer and broken ones are reported and left as they are; the others go on", async () => {
    const newer = await world.launch("ask: From the future? | Yes | No", { name: "newer" });
    const fine = await world.launch(["ask: Which way? | left | right", "write fine.txt: {answer}"], { name: "fine" });
    await world.until(newer.id, "asking");
    await world.until(fine.id, "asking");
    // Not killed: the host starts differently after three kills within five minutes.
    await world.gateway.stop();
    const future = JSON.stringify({ schema: "iflow.session.v9", words: "of a later version" });
    const records = new DatabaseSync(join(world.gateway.stateDir, "state", "openclaw.sqlite"));
    records.prepare("update flow_runs set state_json = ? where flow_id = ?").run(future, newer.flowId);
    records.close();
    const journals = join(world.gateway.stateDir, "iflow-plugin", "sessions");
    const strange = [
      { folder: "s-torn", text: '{"t":"header","at":1,"v":1,"sess' },
      { folder: "s-later", text: '{"t":"header","at":1,"v":7,"sessionId":"s-later","owner":{},"name":"later"}\n' },
    ];
    for (const { folder, text } of strange) {
      mkdirSync(join(journals, folder));
      writeFileSync(join(journals, folder, "000001-0.jsonl"), text);
    }

    await world.gateway.start();
    await world.until(fine.id, "asking");
    expect((await world.rows()).map((row) => row.id)).not.toContain(newer.id);
    expect(await world.flow(newer.flowId)).toMatchObject({ status: "waiting", stateJson: JSON.parse(future) });
    for (const { folder, text } of strange) {
      expect(readFileSync(join(journals, folder, "000001-0.jsonl"), "utf8")).toBe(text);
      expect(world.gateway.log()).toContain(folder);
    }
    expect(world.gateway.log()).toContain("iflow.session.v9");
    await world.respond(fine.id, "left");
    await world.until(fine.id, "idle");
    expect(readFileSync(inWorkspace("fine.txt"), "utf8")).toBe("left\n");
  });
});
