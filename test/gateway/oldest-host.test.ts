/**
 * The oldest OpenClaw that is supported, real: the contract of flows and children on its synchronous API, the plugin installed from its
 * tarball, and cancels that its command line writes past the gateway.
 * Host fact: its command line cancels flows in SQLite; its gateway never rereads that, and its next write would erase it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { childTaskContract } from "../contract/child-task.ts";
import { flowStoreContract } from "../contract/flow-store.ts";
import { packFolder } from "./harness/npm-pack.ts";
import { oldestHost } from "./harness/openclaw-host.ts";
import { type LaunchedJob, PERSON, PluginWorld } from "./harness/plugin-world.ts";
import { PLUGIN_ID, stagePlugin } from "./harness/staged-plugin.ts";
import { taskFlowWorld } from "./probe/task-flow-world.ts";

const undo = new AsyncDisposableStack();
let world: PluginWorld;

beforeAll(async () => {
  world = await PluginWorld.start({ host: await oldestHost(), packed: true });
  undo.defer(async () => world.dispose());
});

afterAll(async () => undo.disposeAsync());

/** What the command line sees, and the next start of the gateway: the database, past the memory of this one. */
function stored(flowId: string): { status: string; tasks: readonly { id: string; status: string }[] } {
  const db = new DatabaseSync(join(world.gateway.stateDir, "state", "openclaw.sqlite"), { readOnly: true });
  try {
    const flow = db.prepare("select status from flow_runs where flow_id = ?").get(flowId);
    const tasks = db.prepare("select task_id as id, status from task_runs where parent_flow_id = ?").all(flowId);
    const whole = tasks.map(({ id, status }) => ({ id: String(id), status: String(status) }));
    return { status: String(flow?.["status"]), tasks: whole };
  } finally {
    db.close();
  }
}

function active(flowId: string): readonly { id: string; status: string }[] {
  return stored(flowId).tasks.filter(({ status }) => status === "running" || status === "queued");
}

async function inspected(): Promise<{ plugin: { rootDir: string }; diagnostics: unknown[] }> {
  const { stdout } = await world.gateway.cli(["plugins", "inspect", PLUGIN_ID, "--runtime", "--json"]);
  return JSON.parse(stdout.slice(stdout.indexOf("{"))) as Awaited<ReturnType<typeof inspected>>;
}

/** Agent gone, session killed; flow and children cancelled in the gateway and in the database. */
async function expectCancelled(job: LaunchedJob): Promise<void> {
  await world.untilNoProcess(job.id);
  await expect.poll(() => world.row(job.id)).toMatchObject({ status: "killed" });
  expect(await world.flow(job.flowId)).toMatchObject({ status: "cancelled" });
  expect(stored(job.flowId).status).toBe("cancelled");
  expect(active(job.flowId)).toEqual([]);
}

test("it is the older host, which loads the plugin without a complaint", async () => {
  expect(world.gateway.host.version).toBe("2026.7.35");
  expect((await inspected()).diagnostics).toEqual([]);
  expect(world.gateway.log()).not.toMatch(new RegExp(`${PLUGIN_ID}.*(?:failed|error)`, "i"));
});

test("a package that asks for a newer host is refused by name", async () => {
  await using parts = new AsyncDisposableStack();
  const staged = parts.adopt(await stagePlugin(), (one) => one.dispose());
  const file = join(staged.dir, "package.json");
  writeFileSync(file, readFileSync(file, "utf8").replaceAll("2026.7.35", "2026.9.1"));
  const tarball = parts.adopt(await packFolder(staged.dir), (one) => one.dispose());
  const { code, stderr } = await world.gateway.cli(["plugins", "install", `npm-pack:${tarball.file}`, "--force"]);
  expect(code).not.toBe(0);
  expect(stderr).toContain(`plugin "${PLUGIN_ID}" requires OpenClaw >=2026.9.1, but this host is 2026.7.35.`);
});

flowStoreContract("2026.7.35", () => taskFlowWorld(world.gateway, world.ports));
childTaskContract("2026.7.35", () => taskFlowWorld(world.gateway, world.ports));

test("[S5] a question survives kill -9, is answered after the restart, and flow and children end succeeded", async () => {
  const job = await world.launch(["ask: Which color? | Red | Blue", "say: It is {answer}."], {
    multi_turn_disabled: true,
  });
  await world.until(job.id, "asking");
  await world.gateway.telegram.heard(PERSON, /Which color\?/);
  expect(await world.flow(job.flowId)).toMatchObject({ status: "waiting" });
  await world.gateway.kill9();
  await world.untilNoProcess(job.id);
  await world.gateway.start();
  expect(await world.row(job.id)).toMatchObject({ status: "asking" });
  await world.respond(job.name, "2");
  await world.until(job.id, "completed");
  expect(world.journalWords(job.id)).toContain("It is Blue.");
  expect(stored(job.flowId).status).toBe("succeeded");
  expect(stored(job.flowId).tasks.length).toBeGreaterThan(1);
  expect(active(job.flowId)).toEqual([]);
});

describe("[S6] a cancel of the command line is neither missed nor erased", () => {
  test("`openclaw tasks flow cancel` while it talks without a pause", async () => {
    const job = await world.launch("pace 90000 200");
    await world.until(job.id, "working");
    const { code, stdout } = await world.gateway.cli(["tasks", "flow", "cancel", job.flowId]);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("Cancelled") as string });
    await expectCancelled(job);
  });

  test("`openclaw tasks flow cancel` while it asks, and as the answer comes at the same time", async () => {
    const asking = await world.launch("ask: Really? | Yes | No");
    const answered = await world.launch(["ask: Really? | Yes | No", "hang"]);
    await world.until(asking.id, "asking");
    await world.until(answered.id, "asking");
    await world.gateway.cli(["tasks", "flow", "cancel", asking.flowId]);
    await expectCancelled(asking);
    const cancel = world.gateway.cli(["tasks", "flow", "cancel", answered.flowId]);
    await world.respond(answered.name, "1");
    expect((await cancel).code).toBe(0);
    await expectCancelled(answered);
  });

  test("`openclaw tasks cancel` of the child", async () => {
    const job = await world.launch("run: sleep 300 & sleep 300");
    await world.until(job.id, "working");
    // The session works a moment before its child stands in the ledger.
    await expect.poll(() => active(job.flowId)).toHaveLength(1);
    const [child] = active(job.flowId);
    const { code } = await world.gateway.cli(["tasks", "cancel", child?.id ?? ""]);
    expect(code).toBe(0);
    await expectCancelled(job);
  });

  test("`openclaw tasks flow cancel` while no gateway runs", async () => {
    const job = await world.launch("ask: Really? | Yes | No");
    await world.until(job.id, "asking");
    await world.gateway.stop();
    expect((await world.gateway.cli(["tasks", "flow", "cancel", job.flowId])).code).toBe(0);
    await world.gateway.start();
    await expectCancelled(job);
  });
});

/** What such a host looks like to the plugin: the import of the subpath fails. */
test("on a host that lets no plugin end a child task: flows alone, which is said, and which work", async () => {
  const bundle = join((await inspected()).plugin.rootDir, "dist", "index.js");
  await world.gateway.stop();
  const code = readFileSync(bundle, "utf8");
  writeFileSync(bundle, code.replaceAll("plugin-sdk/agent-harness-runtime", "plugin-sdk/not-in-this-host"));
  await world.gateway.start();
  expect(world.gateway.log()).toContain("this OpenClaw lets no plugin end a child task");
  const job = await world.launch(["ask: Which color? | Red | Blue", "say: It is {answer}."], {
    multi_turn_disabled: true,
  });
  await world.until(job.id, "asking");
  await world.respond(job.name, "Red");
  await world.until(job.id, "completed");
  expect(stored(job.flowId)).toMatchObject({ status: "succeeded", tasks: [] });
  const cancelled = await world.launch("run: sleep 300");
  await world.until(cancelled.id, "working");
  expect((await world.gateway.cli(["tasks", "flow", "cancel", cancelled.flowId])).code).toBe(0);
  await expectCancelled(cancelled);
});
