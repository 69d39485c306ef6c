/**
 * The contract's world on a real gateway: the ports of the probe inside it, and another writer's hands (the command line, RPC, the raw API).
 * Owns: a note of who owns which flow, for those hands.
 */
import type { Owner } from "../../../src/core/session.ts";
import { freshOwner, type TaskFlowWorld } from "../../contract/flow-store.ts";
import type { Gateway } from "../harness/gateway.ts";
import type { RemotePorts } from "./remote-ports.ts";

export function taskFlowWorld(gateway: Gateway, { store, children, call }: RemotePorts): TaskFlowWorld {
  const ownerOfFlow = new Map<string, Owner>();
  const flowOfRun = new Map<string, string>();

  function ownerOf(flowId: string): Owner {
    const owner = ownerOfFlow.get(flowId);
    if (owner === undefined) throw new Error(`no owner is known for flow ${flowId}`);
    return owner;
  }

  return {
    owner: freshOwner,
    store: {
      ...store,
      create: async (owner, flow) => {
        const commit = await store.create(owner, flow);
        if (commit.kind === "applied") ownerOfFlow.set(commit.record.flowId, owner);
        return commit;
      },
    },
    children: {
      ...children,
      start: async (owner, child) => {
        flowOfRun.set(child.runId, child.flowId);
        return children.start(owner, child);
      },
    },
    foreign: {
      resume: async (flowId, step) => void (await call({ on: "raw.resume", args: [ownerOf(flowId), flowId, step] })),
      finish: async (flowId) => void (await call({ on: "raw.finish", args: [ownerOf(flowId), flowId] })),
      requestCancel: async (flowId) => void (await call({ on: "raw.requestCancel", args: [ownerOf(flowId), flowId] })),
      cancelFlow: async (flowId) => {
        const { code, stderr } = await gateway.cli(["tasks", "flow", "cancel", flowId]);
        // The host's housekeeping may have been faster, once a cancel was requested.
        if (code !== 0 && !stderr.includes("already cancelled")) throw new Error(stderr);
      },
      cancelChild: async (runId) => {
        const rpc = await gateway.rpc();
        const runs = (await call({ on: "raw.runs", args: [ownerOf(flowOfRun.get(runId) ?? "")] })) as {
          id: string;
          runId?: string;
        }[];
        await rpc.call("tasks.cancel", { taskId: runs.find((run) => run.runId === runId)?.id });
      },
    },
  };
}
