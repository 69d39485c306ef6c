/** From the agent's last words until the notice with them is in the host's hands, committed and journalled on the way. */
import type { Delivery } from "../../src/ports.ts";
import { RawAgent } from "./raw-agent.ts";
import { begun, type HostSide, type Place, until } from "./world.ts";

export interface NoticeTimes {
  /** Until the hand-over. The last frame is written right after the stamped words. */
  readonly handedMs: readonly number[];
  /** The same agent, until a raw reader has the end of the turn. */
  readonly rawMs: readonly number[];
}

/** The words are the time of their writing: ns of the clock that all processes share. */
const STAMPED = "stamps 1";

export async function notices(host: HostSide, place: Place, rounds: number): Promise<NoticeTimes> {
  const handedMs: number[] = [];
  const chat: Delivery = {
    send: async ({ text }) => {
      const stamp = /\b\d{12,}\b/.exec(text)?.[0];
      if (stamp !== undefined) handedMs.push(sinceMs(stamp));
      return { kind: "accepted" };
    },
    edit: async () => ({ kind: "accepted" }),
    wake: async () => ({ kind: "accepted" }),
    limit: () => 4_000,
    canEdit: () => false,
  };
  await using world = await begun(host, place, chat);
  const rawMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await world.launch(STAMPED, true);
    await until(
      () => handedMs.length,
      (count) => count > round,
      String,
    );
    const raw = await RawAgent.start(place);
    await raw.prompt(STAMPED);
    rawMs.push(sinceMs(raw.lastText.trim()));
    await raw.end("SIGTERM");
  }
  return { handedMs, rawMs };
}

const sinceMs = (stamp: string): number => Number(process.hrtime.bigint() - BigInt(stamp)) / 1e6;
