/**
 * The flow store's and the child tasks' contract on the real adapters, inside a real gateway, and what only a real host shows:
 * the views that people cancel in, a drain, a restart.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { childTaskContract } from "../contract/child-task.ts";
import { applied, flowStoreContract, freshOwner, newFlow } from "../contract/flow-store.ts";
import { Gateway } from "./harness/gateway.ts";
import { bundlePlugin } from "./harness/plugin-root.ts";
import { remotePorts, type RemotePorts } from "./probe/remote-ports.ts";
import { taskFlowWorld } from "./probe/task-flow-world.ts";

const undo = new AsyncDisposableStack();
let gateway: Gateway;
let ports: RemotePorts;

beforeAll(async () => {
  const entry = fileURLToPath(new URL("./probe/probe-plugin.ts", import.meta.url));
  const bundle = await bundlePlugin({ id: "iflow-probe", entry, exportName: "probePlugin" });
  const plugin = undo.adopt(bundle, (one) => one.dispose());
  gateway = await Gateway.start({ pluginRoots: { [plugin.id]: plugin.dir } });
  undo.defer(async () => gateway.dispose());
  ports = remotePorts(gateway);
});

afterAll(async () => undo.disposeAsync());

flowStoreContract("real gateway", () => taskFlowWorld(gateway, ports));
childTaskContract("real gateway", () => taskFlowWorld(gateway, ports));

describe("what views show of a running child", () => {
  test("its label, tools by count and name, and what it does now", async () => {
    const me = freshOwner();
    const { flowId } = applied(await ports.store.create(me, { ...newFlow, status: "running" }));
    const runId = `iflow:${flowId}:t2`;
    const label = "iFlow fix-login · turn 2: fix the login tests";
    await ports.children.start(me, { flowId, runId, label, as: "running", atMs: Date.now() });
    for (const tool of ["read_file", "run_shell_command"]) ports.children.tool(runId, tool);
    ports.children.progress(runId, "Turn 2 · 14 tool calls · running npm test");
    const rpc = await gateway.rpc();
    await expect
      .poll(async () => {
        const { tasks } = await rpc.call<{ tasks: { runId?: string }[] }>("tasks.list");
        return tasks.find((task) => task.runId === runId);
      })
      .toMatchObject({
        title: label,
        flowId,
        status: "running",
        toolUseCount: 2,
        lastToolName: "run_shell_command",
        lastActivity: "Turn 2 · 14 tool calls · running npm test",
      });
    const shown = await gateway.cli(["tasks", "flow", "show", flowId]);
    expect(shown.stdout).toMatch(new RegExp(`running ${runId.slice(0, 12)}.*${label}`));
  });
});

describe("a gateway that stops", () => {
  test("with settled children it leaves at once; flows and children come back as they were", async () => {
    const me = freshOwner();
    const { flowId } = applied(await ports.store.create(me, { ...newFlow, status: "running" }));
    const runId = `iflow:${flowId}:t1`;
    await ports.children.start(me, { flowId, runId, label: "iFlow · turn 1", as: "running", atMs: Date.now() });
    ports.children.settleAll("failed", Date.now(), "The gateway stops.");
    await ports.children.list(me);
    const { tookMs } = await gateway.stop();
    expect(tookMs).toBeLessThan(30_000);
    await gateway.start();
    expect(await ports.store.get(me, flowId)).toMatchObject({
      kind: "found",
      record: { status: "running", revision: 0 },
    });
    expect(await ports.children.list(me)).toEqual([{ runId, flowId, status: "failed" }]);
  });

  test("kill -9 under a running child: the next life settles it, and the run id is used up", async () => {
    const me = freshOwner();
    const { flowId } = applied(await ports.store.create(me, { ...newFlow, status: "running" }));
    const runId = `iflow:${flowId}:t1`;
    const standIn = {
      flowId,
      runId: `iflow:${flowId}:t1.1`,
      label: "waits for you",
      as: "queued",
      atMs: Date.now(),
    } as const;
    await ports.children.start(me, { flowId, runId, label: "iFlow · turn 1", as: "running", atMs: Date.now() });
    await ports.children.start(me, standIn);
    await gateway.kill9();
    await gateway.start();
    expect(await ports.children.list(me)).toHaveLength(2);
    await ports.children.end(me, runId, "failed", Date.now(), "The gateway was killed.");
    expect(await ports.children.start(me, standIn)).toEqual({ ok: true });
    const seen = await ports.children.list(me);
    expect(seen?.find((run) => run.runId === runId)?.status).toBe("failed");
    expect(seen?.find((run) => run.runId === standIn.runId)?.status).toBe("queued");
    expect(
      await ports.children.start(me, { flowId, runId, label: "x", as: "running", atMs: Date.now() }),
    ).toMatchObject({
      ok: false,
      refusedBy: "flow",
    });
  });
});
