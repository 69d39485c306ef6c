/**
 * Reads of flows that must not be taken for missing just because the host can't say now.
 * Owns: how often a read is tried again, and finding a flow whose id nobody has written down.
 */
import type { Owner } from "../core/session.ts";
import { parseSession } from "../core/state-json.ts";
import type { Clock, FlowRead, FlowStore } from "../ports.ts";

const READ_ATTEMPTS = 5;
const READ_RETRY_MS = 400;

export interface FlowReader {
  readonly flows: FlowStore;
  readonly clock: Clock;
}

/** `flowId` absent: found by owner and by the session's id in its state. */
export async function readFlow(
  { flows, clock }: FlowReader,
  owner: Owner,
  sessionId: string,
  flowId: string | undefined,
): Promise<FlowRead> {
  for (let attempt = 1; ; attempt += 1) {
    const read = flowId === undefined ? await findFlow(flows, owner, sessionId) : await flows.get(owner, flowId);
    if (read.kind !== "unknown" || attempt >= READ_ATTEMPTS) return read;
    await new Promise<void>((resolve) => clock.after(READ_RETRY_MS, resolve));
  }
}

async function findFlow(flows: FlowStore, owner: Owner, sessionId: string): Promise<FlowRead> {
  const listed = await flows.list(owner);
  if (listed === undefined) return { kind: "unknown", reason: "the host did not list the owner's flows" };
  // It was made last, so it is among the newest.
  for (const { flowId } of listed.toSorted((a, b) => b.version - a.version)) {
    const read = await flows.get(owner, flowId);
    if (read.kind === "unknown") return read;
    if (read.kind !== "found") continue;
    const parsed = parseSession(read.record.stateJson);
    if (parsed.kind === "session" && parsed.session.id === sessionId) return read;
  }
  return { kind: "missing" };
}
