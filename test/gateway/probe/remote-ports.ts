/**
 * FlowStore and ChildTasks as a test holds them while the adapters run inside a gateway.
 * Owns: the transport's other end. JSON leaves out what is undefined; records are made whole again here.
 */
import type { Owner } from "../../../src/core/session.ts";
import type {
  ChildSummary,
  ChildTasks,
  FlowCommit,
  FlowRead,
  FlowRecord,
  FlowStore,
  FlowSummary,
} from "../../../src/ports.ts";
import type { ProbeAnswer, ProbeCall } from "./probe-call.ts";

export interface RemotePorts {
  readonly store: FlowStore;
  readonly children: ChildTasks;
  call(call: ProbeCall): Promise<unknown>;
}

export function remotePorts(gateway: { readonly port: number; readonly token: string }): RemotePorts {
  /** Calls leave in order, so that a method without an answer is over before the next one. */
  let last: Promise<unknown> = Promise.resolve();

  async function post(one: ProbeCall): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${gateway.port}/iflow-probe`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.token}`, "content-type": "application/json" },
      body: JSON.stringify(one),
    });
    const answer = (await response.json()) as ProbeAnswer;
    if (!answer.ok) throw new Error(answer.error);
    return answer.value;
  }

  async function call(one: ProbeCall): Promise<unknown> {
    const mine = post(one);
    last = Promise.allSettled([last, mine]);
    return mine;
  }

  /** For methods that answer nothing: sent after whatever is under way, awaited by `settled`. */
  function tell(one: ProbeCall): void {
    last = last.then(() => post(one));
  }

  const settled = async (): Promise<void> => void (await last);

  return {
    call,
    store: {
      create: async (...args) => commitOf(await call({ on: "store.create", args })),
      get: async (...args) => readOf(await call({ on: "store.get", args })),
      list: async (...args) => summariesOf(await call({ on: "store.list", args })),
      owners: async () => (await call({ on: "store.owners", args: [] })) as readonly Owner[],
      change: async (...args) => commitOf(await call({ on: "store.change", args })),
      cancel: async (...args) => commitOf(await call({ on: "store.cancel", args })),
    },
    children: {
      start: async (...args) =>
        (await call({ on: "children.start", args })) as Awaited<ReturnType<ChildTasks["start"]>>,
      activate: (...args) => tell({ on: "children.activate", args }),
      tool: (...args) => tell({ on: "children.tool", args }),
      progress: (...args) => tell({ on: "children.progress", args }),
      end: async (...args) => {
        await settled();
        await call({ on: "children.end", args });
      },
      list: async (owner: Owner) => {
        await settled();
        return (await call({ on: "children.list", args: [owner] })) as readonly ChildSummary[] | undefined;
      },
      settleAll: (...args) => tell({ on: "children.settleAll", args }),
    },
  };
}

function whole(record: FlowRecord): FlowRecord {
  const { flowId, revision, status, controllerId, goal, version } = record;
  const { currentStep, stateJson, waitJson, cancelRequestedAt } = record;
  return { flowId, revision, status, controllerId, goal, currentStep, stateJson, waitJson, cancelRequestedAt, version };
}

function commitOf(value: unknown): FlowCommit {
  const commit = value as FlowCommit;
  if (commit.kind === "applied") return { kind: "applied", record: whole(commit.record) };
  return commit.kind === "conflict" ? { kind: "conflict", current: whole(commit.current) } : commit;
}

function readOf(value: unknown): FlowRead {
  const read = value as FlowRead;
  return read.kind === "found" ? { kind: "found", record: whole(read.record) } : read;
}

function summariesOf(value: unknown): readonly FlowSummary[] | undefined {
  return value as readonly FlowSummary[] | undefined;
}
