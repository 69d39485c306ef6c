/** From the order to stop a streaming session until nothing of it is left. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { kill } from "../../src/operations/kill.ts";
import { RawAgent } from "./raw-agent.ts";
import { begun, CALLER, type HostSide, OWNER, type Place, until, type World } from "./world.ts";

export interface CancelTimes {
  /** From the order until the flow is cancelled and no process is left: by our own verb, by another writer of the flow. */
  readonly ownMs: readonly number[];
  readonly otherMs: readonly number[];
  /** The same agent, told to end by the system and no more. */
  readonly rawMs: readonly number[];
}

export async function cancels(host: HostSide, place: Place, rounds: number): Promise<CancelTimes> {
  await using world = await begun(host, place);
  const times = { ownMs: [] as number[], otherMs: [] as number[], rawMs: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    times.ownMs.push(
      await cancelOne(
        host,
        world,
        async (id) => void (await kill(() => world.context).invoke(CALLER, { session: id })),
      ),
    );
    times.otherMs.push(await cancelOne(host, world, (_, flowId) => requestedByOther(host, flowId)));
    const raw = await RawAgent.start(place);
    void raw.prompt("pace 10000 200");
    await until(
      () => raw.chunks,
      (chunks) => chunks > 0,
      String,
    );
    times.rawMs.push(await raw.end("SIGTERM"));
  }
  return times;
}

async function cancelOne(
  host: HostSide,
  world: World,
  order: (id: string, flowId: string) => Promise<void>,
): Promise<number> {
  const { id, flowId } = await world.launch("pace 10000 200");
  const { agent } = await world.until(id, (session) => session.output.end > 0);
  const pid = agent?.identity?.pid ?? 0;
  const startedAt = performance.now();
  await order(id, flowId);
  await until(
    () => isAlive(pid),
    (alive) => !alive,
    () => `process ${pid} lives`,
  );
  for (;;) {
    const read = await host.flows.get(OWNER, flowId);
    if (read.kind === "found" && read.record.status === "cancelled") break;
    if (performance.now() - startedAt > 20_000)
      throw new Error(`flow ${flowId} is not cancelled: ${JSON.stringify(read)}`);
    await sleep(5);
  }
  return performance.now() - startedAt;
}

/** Streaming goes on meanwhile, so that a revision may be overtaken. */
async function requestedByOther(host: HostSide, flowId: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const read = await host.flows.get(OWNER, flowId);
    if (read.kind !== "found") continue;
    const asked = await host.flows.change(OWNER, flowId, read.record.revision, { verb: "request-cancel" });
    if (asked.kind === "applied") return;
  }
  throw new Error(`the cancellation of flow ${flowId} could not be requested`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie is gone in all but its entry.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
