/**
 * Other hands on our sessions, in a real gateway: cancelled from outside in every phase, answered and ended over HTTP by the
 * host's Webhooks plugin, the plugin reloaded and its configuration edited while sessions work and ask.
 * How long a cancel takes is printed; the bound of the test is wider, for a loaded machine.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type LaunchedJob, PERSON, PluginWorld } from "./harness/plugin-world.ts";
import { type SlowAgent, slowAgent, slowDirectory } from "./harness/slow-agent.ts";
import { PLUGIN_ID } from "./harness/staged-plugin.ts";
import { Webhooks, WEBHOOKS } from "./harness/webhooks.ts";
import { PATIENCE_MS } from "./harness/patience.ts";

const undo = new AsyncDisposableStack();
const took: string[] = [];
let world: PluginWorld;
let hooks: Webhooks;
let agent: SlowAgent;

beforeAll(async () => {
  agent = undo.adopt(slowAgent(), (one) => one.dispose());
  world = await PluginWorld.start({
    config: { maxSessions: 3, agent: { command: agent.command } },
    otherPlugins: { webhooks: WEBHOOKS },
  });
  undo.defer(async () => world.dispose());
  hooks = new Webhooks(world.gateway);
});

afterEach(async () => world.killAll());

afterAll(async () => {
  await undo.disposeAsync();
  process.stdout.write(`${took.join("\n")}\n`);
});

const inWorkspace = (name: string): string => join(world.gateway.workspace, name);

type Phased = Readonly<Record<"idle" | "starting" | "working" | "asking" | "queued", LaunchedJob>>;

/** One session in each phase. The three slots are held by those that start, work and ask; the idle one is parked for them. */
async function oneInEachPhase(): Promise<Phased> {
  const idle = await world.launch("say: All is done.");
  await world.until(idle.id, "idle");
  const working = await world.launch("run: sleep 300 & sleep 300");
  const asking = await world.launch("ask: Really? | Yes | No");
  const starting = await world.launch("say: Never said.", { workdir: slowDirectory(world.gateway.workspace) });
  const queued = await world.launch("say: Never said either.");
  await world.until(asking.id, "asking");
  await expect.poll(async () => (await world.processes(working.id)).length).toBeGreaterThan(2);
  await world.until(starting.id, "starting");
  await expect.poll(async () => (await world.processes(starting.id)).length).toBeGreaterThan(1);
  await expect.poll(() => world.row(queued.id)).toMatchObject({ status: "queued" });
  return { idle, starting, working, asking, queued };
}

/** Processes gone, flow and children cancelled; counted from `sinceMs` (performance.now). */
async function expectCancelled(how: string, phase: string, job: LaunchedJob, sinceMs: number): Promise<void> {
  await world.untilNoProcess(job.id);
  const goneMs = performance.now() - sinceMs;
  await expect.poll(() => world.flow(job.flowId), { interval: 20 }).toMatchObject({ status: "cancelled" });
  const flowMs = performance.now() - sinceMs;
  await expect.poll(() => world.row(job.id)).toMatchObject({ status: "killed" });
  const children = await world.children(job.flowId);
  expect(Object.values(children).filter((status) => status === "running" || status === "queued")).toEqual([]);
  took.push(
    `${how}, ${phase}: processes gone after ${goneMs.toFixed(0)} ms, flow cancelled after ${flowMs.toFixed(0)} ms`,
  );
}

/** The host's command cancels only what nobody changes meanwhile; whoever types it then repeats it. */
async function cancelByCommand(flowId: string): Promise<void> {
  const answers: string[] = [];
  for (let tries = 0; tries < 3; tries += 1) {
    const { code, stdout, stderr } = await world.gateway.cli(["tasks", "flow", "cancel", flowId]);
    if (code === 0 && stdout.includes("Cancelled")) return;
    answers.push(`exit ${code}: ${stdout}${stderr}`);
  }
  throw new Error(`not cancelled: ${answers.join("\n")}`);
}

interface Way {
  readonly how: string;
  cancel(flowId: string): Promise<unknown>;
}

const ways: readonly Way[] = [
  { how: "openclaw tasks flow cancel", cancel: cancelByCommand },
  { how: "webhook cancel_flow", cancel: (flowId) => hooks.post({ action: "cancel_flow", flowId }) },
  { how: "webhook request_cancel", cancel: (flowId) => hooks.change("request_cancel", flowId) },
];

describe("[S6] cancelled from outside, whatever the session does", () => {
  test.each(ways)("by $how", async ({ how, cancel }) => {
    const jobs = await oneInEachPhase();
    // The queued one first: a slot that gets free would start it.
    const order = ["queued", "idle", "asking", "starting", "working"] as const;
    for (const phase of order) {
      const { flowId } = jobs[phase];
      // Of a command's own seconds only what comes after it counts.
      const startedMs = performance.now();
      await cancel(flowId);
      const sinceMs = how.startsWith("openclaw") ? performance.now() : startedMs;
      await expectCancelled(how, phase, jobs[phase], sinceMs);
    }
    expect(existsSync(inWorkspace("Never"))).toBe(false);
  });

  test("by a cancel of the child alone: while it works, while it asks, and while an idle one waits for words", async () => {
    const jobs = {
      working: await world.launch("run: sleep 300 & sleep 300"),
      asking: await world.launch("ask: Really? | Yes | No"),
      idle: await world.launch("end-question: And now what shall I do?"),
    };
    await world.until(jobs.asking.id, "asking");
    await world.until(jobs.idle.id, "idle");
    await expect.poll(async () => (await world.processes(jobs.working.id)).length).toBeGreaterThan(2);
    const rpc = await world.gateway.rpc();
    for (const [phase, job] of Object.entries(jobs)) {
      const child = await activeChild(job.flowId);
      const sinceMs = performance.now();
      await rpc.call("tasks.cancel", { taskId: child });
      await expectCancelled("tasks.cancel of the child", phase, job, sinceMs);
    }
  });

  test("[S8] an idle session whose process is still kept", async () => {
    const job = await world.launch("say: All is done.");
    await world.until(job.id, "idle");
    expect((await world.processes(job.id)).length).toBeGreaterThan(0);
    const sinceMs = performance.now();
    await hooks.post({ action: "cancel_flow", flowId: job.flowId });
    await expectCancelled("webhook cancel_flow", "idle, process kept", job, sinceMs);
  });
});

/** The host's id of the child that runs or waits now. */
async function activeChild(flowId: string): Promise<string> {
  const rpc = await world.gateway.rpc();
  const deadlineAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const { tasks } = await rpc.call<{ tasks: { id: string; flowId?: string; status: string }[] }>("tasks.list");
    const found = tasks.find((task) => task.flowId === flowId && ["running", "queued"].includes(task.status));
    if (found !== undefined) return found.id;
    if (Date.now() > deadlineAt) throw new Error(`flow ${flowId} has no active child`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("[S4] [S11] another system over HTTP", () => {
  test.each([
    { with: "the step of a resume", change: { currentStep: "Postgres", status: "running" } },
    { with: "a resume that says no status", change: { currentStep: "Postgres" } },
    { with: "a state that it puts in the place of ours", change: { stateJson: { respond: "Postgres" } } },
  ])("answers a question with $with, and the conversation goes on", async ({ change }) => {
    const job = await world.launch(["ask: Which database? | MySQL | Postgres", "write db.txt: {answer}"]);
    await world.until(job.id, "asking");
    const sinceMs = performance.now();
    expect(await hooks.change("resume_flow", job.flowId, change)).toMatchObject({ status: 200, ok: true });
    await world.until(job.id, "idle");
    took.push(`webhook resume_flow: answered and the turn over after ${(performance.now() - sinceMs).toFixed(0)} ms`);
    expect(readFileSync(inWorkspace("db.txt"), "utf8")).toBe("Postgres\n");
    expect(await world.flow(job.flowId)).toMatchObject({
      status: "waiting",
      stateJson: { schema: "iflow.session.v1", id: job.id, counters: { questionsAsked: 1 } },
    });
  });

  test("words that are no choice of a permission grant nothing: the wait is restored, the words are shown", async () => {
    const job = await world.launch("write kept.txt: no", { permission_mode: "manual" });
    await world.until(job.id, "asking");
    await hooks.change("resume_flow", job.flowId, { currentStep: "sure, go ahead and do it all", status: "running" });
    await world.gateway.telegram.heard(PERSON, /sure, go ahead and do it all/);
    await expect.poll(() => world.flow(job.flowId)).toMatchObject({ status: "waiting" });
    expect(await world.row(job.id)).toMatchObject({ status: "asking" });
    expect(existsSync(inWorkspace("kept.txt"))).toBe(false);
  });

  test.each([
    { action: "finish_flow", status: "completed", flow: "succeeded" },
    { action: "fail_flow", status: "failed", flow: "failed" },
  ])("$action ends it while it works and while it asks; its processes go", async ({ action, status, flow }) => {
    const working = await world.launch("run: sleep 300 & sleep 300");
    const asking = await world.launch("ask: Really? | Yes | No");
    await world.until(asking.id, "asking");
    await expect.poll(async () => (await world.processes(working.id)).length).toBeGreaterThan(2);
    for (const job of [working, asking]) {
      expect(await hooks.change(action, job.flowId)).toMatchObject({ ok: true });
      await expect.poll(() => world.row(job.id)).toMatchObject({ status });
      await world.untilNoProcess(job.id);
      expect(await world.flow(job.flowId)).toMatchObject({ status: flow });
      expect(Object.values(await world.children(job.flowId))).not.toContain("running");
    }
  });

  test("a writer that replaces the state of a question destroys nothing", async () => {
    const job = await world.launch(["say: Before.", "ask: Which way? | left | right", "write way.txt: {answer}"]);
    await world.until(job.id, "asking");
    expect(
      await hooks.change("set_waiting", job.flowId, { stateJson: { mine: true }, waitJson: { for: "me" } }),
    ).toMatchObject({ ok: true });
    await expect
      .poll(() => world.flow(job.flowId))
      .toMatchObject({ stateJson: { schema: "iflow.session.v1", id: job.id }, waitJson: { for: "answer" } });
    await world.gateway.telegram.heard(PERSON, /Another writer replaced the state/);
    await world.respond(job.id, "right");
    await world.until(job.id, "idle");
    expect(readFileSync(inWorkspace("way.txt"), "utf8")).toBe("right\n");
  });
});

describe("[S5] the plugin changes while sessions live", () => {
  const agentPids = async (id: string): Promise<string> =>
    (await world.processes(id)).toSorted((a, b) => Number(a) - Number(b)).join(" ");

  test("an edit of its configuration reaches the next decision and interrupts nobody", async () => {
    const hold = world.hold();
    const working = await world.launch([hold.line, "write worked.txt: yes"]);
    const asking = await world.launch(["ask: Which colour? | red | blue", "write colour.txt: {answer}"]);
    const third = await world.launch("hang");
    const queued = await world.launch("say: I waited for a slot.");
    await world.until(asking.id, "asking");
    await world.until(third.id, "working");
    await expect.poll(async () => (await world.processes(working.id)).length).toBeGreaterThan(2);
    expect(await world.row(queued.id)).toMatchObject({ status: "queued" });
    const before = [await agentPids(asking.id), await agentPids(third.id)];

    const config = { maxSessions: 4, questionTimeoutMinutes: 600, agent: { command: agent.command } };
    world.gateway.configure({ [PLUGIN_ID]: config });

    await world.until(queued.id, "idle");
    expect([await agentPids(asking.id), await agentPids(third.id)]).toEqual(before);
    hold.letGo();
    await world.respond(asking.id, "blue");
    await world.until(asking.id, "idle");
    await world.until(working.id, "idle");
    expect(readFileSync(inWorkspace("colour.txt"), "utf8")).toBe("blue\n");
    expect(readFileSync(inWorkspace("worked.txt"), "utf8")).toBe("yes\n");
  });

  test("a reload loses neither a session that works nor one that asks", async () => {
    const working = await world.launch(["write step.txt: 1", "hang", "write after.txt: done"]);
    const asking = await world.launch(["ask: Which colour? | red | green", "write colour.txt: {answer}"]);
    await world.until(asking.id, "asking");
    await world.until(working.id, "working");
    await expect.poll(() => existsSync(inWorkspace("step.txt"))).toBe(true);
    const rpc = await world.gateway.rpc();
    const sinceMs = performance.now();
    const answer = await rpc
      .call("plugins.reload", { plugins: [{ pluginId: PLUGIN_ID }] })
      .catch((error: unknown) => ({ refused: String(error) }));
    took.push(
      `plugins.reload took ${(performance.now() - sinceMs).toFixed(0)} ms: ${JSON.stringify(answer).slice(0, 300)}`,
    );
    await expect.poll(() => world.rows("active").then((rows) => rows.length)).toBeGreaterThan(1);
    took.push(`after the reload: ${JSON.stringify((await world.rows("active")).map((row) => [row.name, row.status]))}`);
    const row = await world.row(working.id);
    expect(["working", "interrupted"]).toContain(row.status);
    expect(await world.row(asking.id)).toMatchObject({ status: "asking" });
    await world.respond(asking.id, "green");
    await world.until(asking.id, "idle");
    expect(readFileSync(inWorkspace("colour.txt"), "utf8")).toBe("green\n");
    if (row.status === "interrupted") {
      await world.respond(working.id, "continue");
      await world.until(working.id, "idle");
      expect(readFileSync(inWorkspace("after.txt"), "utf8")).toBe("done\n");
    }
  });
});
