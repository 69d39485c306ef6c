/** A launch from the call to its answer and to the first words, beside what the host and the agent need alone. */
import { RawAgent } from "./raw-agent.ts";
import { begun, type HostSide, OWNER, type Place, until } from "./world.ts";

export interface LaunchTimes {
  readonly answerMs: readonly number[];
  readonly outputMs: readonly number[];
  /** Handshake and first words of the same agent, read raw. */
  readonly rawOutputMs: readonly number[];
  /** One flow made by the host, without us. */
  readonly flowMs: readonly number[];
}

export async function launches(host: HostSide, place: Place, rounds: number): Promise<LaunchTimes> {
  await using world = await begun(host, place);
  const times = {
    answerMs: [] as number[],
    outputMs: [] as number[],
    rawOutputMs: [] as number[],
    flowMs: [] as number[],
  };
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    const { id, ms } = await world.launch("say: hello", true);
    times.answerMs.push(ms);
    await world.until(id, (session) => session.output.end > 0);
    times.outputMs.push(performance.now() - startedAt);
    await world.until(id, (session) => session.phase.kind === "ended" && session.agent === undefined);
    times.rawOutputMs.push(await rawOutputMs(place));
    const flowAt = performance.now();
    const flow = { goal: "bench", status: "queued", currentStep: "bench", stateJson: {}, route: undefined } as const;
    const made = await host.flows.create(OWNER, flow);
    times.flowMs.push(performance.now() - flowAt);
    if (made.kind === "applied") await host.flows.cancel(OWNER, made.record.flowId);
  }
  return times;
}

async function rawOutputMs(place: Place): Promise<number> {
  const startedAt = performance.now();
  const raw = await RawAgent.start(place);
  const answered = raw.prompt("say: hello\nhang");
  await until(
    () => raw.chunks,
    (chunks) => chunks > 0,
    String,
  );
  const ms = performance.now() - startedAt;
  await Promise.race([answered, raw.end("SIGKILL")]);
  return ms;
}
