/** The same turn again and again in one session: nothing may grow but the journal. */
import { kill } from "../../src/operations/kill.ts";
import { begun, CALLER, type HostSide, type Place } from "./world.ts";

export interface LengthCost {
  /** Output of the session before the turn, in bytes; what the turn took, of the wall and of this process's time. */
  readonly turns: readonly {
    readonly outputBytes: number;
    readonly ms: number;
    readonly cpuMs: number;
    readonly commitMs: number;
  }[];
}

/** The same turn again and again in one session: nothing may grow but the journal. */
export async function length(
  host: HostSide,
  place: Place,
  { turns, frames }: { readonly turns: number; readonly frames: number },
): Promise<LengthCost> {
  await using world = await begun(host, place);
  const script = `burst ${frames}`;
  const { id } = await world.launch(script);
  await world.until(id, (session) => session.phase.kind === "idle");
  const rows: { outputBytes: number; ms: number; cpuMs: number; commitMs: number }[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const outputBytes = world.session(id).output.end;
    const before = process.cpuUsage();
    const startedAt = performance.now();
    await world.sessions.respond(CALLER, id, {
      message: script,
      interrupt: false,
      questionId: undefined,
      option: undefined,
    });
    await world.until(id, (session) => session.phase.kind === "idle" && session.turn === turn + 2);
    const ms = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(before);
    const commitAt = performance.now();
    await world.sessions.roster.actor(id)?.post({ type: "warn", text: "bench" });
    rows.push({ outputBytes, ms, cpuMs: (user + system) / 1_000, commitMs: performance.now() - commitAt });
  }
  await kill(() => world.context).invoke(CALLER, { session: id });
  return { turns: rows };
}
