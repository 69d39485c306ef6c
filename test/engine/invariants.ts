/**
 * What must hold in any world that has come to rest, whatever happened in it before.
 * Owns: the list of these sentences. Each problem is one readable line; none is good.
 */
import { STATUSES_OF_PHASES } from "./phase-status.ts";
import type { World } from "./world.ts";

const TERMINAL = new Set(["succeeded", "failed", "cancelled", "lost"]);

/** Call it when nothing is under way: after `rest`. */
export function problemsOf(world: World): readonly string[] {
  return [
    ...slotProblems(world),
    ...flowProblems(world),
    ...childProblems(world),
    ...promptProblems(world),
    ...noticeProblems(world),
  ];
}

/** Lets checkpoints and polls happen, without moving far. */
export async function rest(world: World): Promise<void> {
  await world.quiet();
  await world.clock.advance(2_000);
  await world.quiet();
}

export async function soundProblems(world: World): Promise<readonly string[]> {
  await rest(world);
  return problemsOf(world);
}

function slotProblems(world: World): readonly string[] {
  const problems: string[] = [];
  const { admission, engine } = world.roster;
  const sessions = world.roster.sessions();
  const holding = sessions.filter((session) => session.agent !== undefined);
  if (admission.running > engine.bounds.maxSessions)
    problems.push(`${admission.running} slots are held of ${engine.bounds.maxSessions}`);
  if (admission.running !== holding.length)
    problems.push(`${admission.running} slots are held, by ${holding.length} sessions`);
  if (world.agent.live.length > engine.bounds.maxSessions)
    problems.push(`${world.agent.live.length} agents live with ${engine.bounds.maxSessions} slots`);
  for (const connection of world.agent.live) {
    const owner = sessions.find((session) => session.id === connection.spec.sessionId);
    if (owner?.agent === undefined)
      problems.push(
        `an agent lives without its session ${connection.spec.sessionId} (${owner?.phase.kind ?? "unknown"})`,
      );
  }
  const owners = world.agent.live.map((connection) => connection.spec.sessionId);
  if (new Set(owners).size !== owners.length) problems.push(`two agents live for one session: ${owners.join(", ")}`);
  const queued = sessions.filter((session) => session.phase.kind === "queued" && session.agent === undefined);
  for (const session of queued) {
    if (admission.running < engine.bounds.maxSessions) problems.push(`${session.name} waits although a slot is free`);
  }
  return problems;
}

function flowProblems(world: World): readonly string[] {
  return world.roster.sessions().flatMap((session) => {
    const flow = world.flows.ledger.flows.get(world.roster.flowIdOf(session.id) ?? "");
    if (flow === undefined)
      return session.phase.kind === "ended" ? [] : [`${session.name} is ${session.phase.kind} without a flow`];
    const fitting = STATUSES_OF_PHASES[session.phase.kind];
    const problems = fitting.includes(flow.status)
      ? []
      : [`${session.name} is ${session.phase.kind}, its flow ${flow.status}`];
    if (flow.status === "waiting" && flow.waitJson === undefined)
      problems.push(`${session.name} waits without a waitJson`);
    return problems;
  });
}

function childProblems(world: World): readonly string[] {
  const { ledger } = world.flows;
  const problems: string[] = [];
  for (const child of ledger.children.values()) {
    const flow = ledger.flows.get(child.flowId);
    const active = !TERMINAL.has(child.status) && child.status !== "timed_out";
    if (active && flow !== undefined && TERMINAL.has(flow.status))
      problems.push(`child ${child.runId} is ${child.status} under a flow that is ${flow.status}`);
  }
  for (const session of world.roster.sessions()) {
    const flowId = world.roster.flowIdOf(session.id) ?? "";
    const active = ledger.activeChildren(flowId).map((child) => child.runId);
    const own = session.child?.runId.replace("<flow>", flowId);
    const strangers = active.filter((runId) => runId !== own);
    if (strangers.length > 0)
      problems.push(
        `${session.name} (${session.phase.kind}) has a child that it does not know: ${strangers.join(", ")}`,
      );
  }
  return problems;
}

/** Words of the plugin itself, and plain ones of other writers; in a long life they may come again. */
const OWN_WORDS = /^(?:The plan is approved\.|The gateway was restarted|You were interrupted|continue$|1$)/;

/** I8: of each message, the agent has received at most one prompt, and none without its line in the journal. People's words of tests differ. */
function promptProblems(world: World): readonly string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { sessionId, turn, blocks } of world.agent.prompts) {
    const words = blocks.findLast((block) => block.type === "text")?.text ?? "";
    const line = world.journals.files.get(sessionId)?.find((one) => one.t === "prompt" && one.turn === turn);
    if (line === undefined && world.journals.files.has(sessionId))
      problems.push(`turn ${turn} of ${sessionId} was sent without a line: ${words}`);
    const messageId = line?.t === "prompt" ? line.messageId : "";
    const keys = [
      `${sessionId} turn ${turn}`,
      `${sessionId} ${messageId} ${words}`,
      ...(OWN_WORDS.test(words) ? [] : [`${sessionId}: ${words}`]),
    ];
    for (const key of keys) if (seen.has(key)) problems.push(`the agent received twice: ${key}`);
    for (const key of keys) seen.add(key);
  }
  return problems;
}

function noticeProblems(world: World): readonly string[] {
  return world.roster
    .sessions()
    .flatMap((session) =>
      session.owed.length === 0 ? [] : [`${session.name} still owes ${session.owed.map((n) => n.kind).join(", ")}`],
    );
}
