/**
 * Where the lives of a scenario are killed: every named point in turn, and anywhere in between.
 * Deterministic: the same seed and scenario give the same schedule, whatever the machine does.
 */
import type { KillPlan } from "./failpoints.ts";
import type { JobKind } from "./jobs.ts";
import type { Chance } from "./random.ts";

const ASYNC = ["before", "during", "after"] as const;
const SYNC = ["before", "after"] as const;

function named(stage: string, whats: readonly string[], whens: readonly string[]): readonly string[] {
  return whats.flatMap((what) => whens.map((when) => `${stage}/${what}.${when}`));
}

/** Points of a life that are worth a plan of their own. */
export const POINTS: readonly string[] = [
  ...named("running", ["flow.create", "flow.run", "flow.queue", "flow.wait", "flow.finish"], ASYNC),
  ...named("running", ["flow.request-cancel", "flow.cancel"], ASYNC),
  ...named("running", ["journal.header", "journal.flow", "journal.commit", "journal.prompt", "journal.out"], ASYNC),
  ...named("running", ["journal.event", "journal.question", "journal.answer", "journal.told"], ASYNC),
  ...named("running", ["child.start", "child.end"], ASYNC),
  ...named("running", ["child.activate", "agent.answer"], SYNC),
  ...named("running", ["agent.reap", "agent.spawn", "agent.handshake", "agent.load", "agent.prompt"], ASYNC),
  ...named("running", ["agent.cancel", "agent.stop", "notice.send", "notice.wake"], ASYNC),
  "running/agent.heard",
  ...named("recovery", ["journal.headers", "flow.get", "child.end", "agent.reap"], ASYNC),
  ...named("recovery", ["flow.queue", "flow.wait", "journal.commit", "notice.send", "journal.told"], ASYNC),
  ...named("stopping", ["agent.stop", "flow.wait", "journal.commit", "child.end"], ASYNC),
];

/** What a life must have to do, so that it comes to a point at all. */
const NEEDS: readonly (readonly [RegExp, JobKind])[] = [
  [/flow\.(?:request-)?cancel|agent\.cancel/, "stop"],
  [/journal\.(?:question|answer)|child\.activate|agent\.answer/, "answer"],
  [/agent\.load|flow\.wait|agent\.stop|stopping/, "leave"],
];

export interface PlannedKill extends KillPlan {
  /** One of some takes the host with it. */
  readonly withHost: boolean;
  readonly needs: JobKind | undefined;
}

const WITH_HOST = 0.08;
const ANYWHERE = 0.12;
const LATER = 0.15;

/** Plans of one scenario; `first` is the place in the list of points at which it begins. */
export function scheduleOf(chance: Chance, kills: number, first: number): readonly PlannedKill[] {
  return Array.from({ length: kills }, (_, index) => {
    const withHost = chance.often(WITH_HOST);
    if (chance.often(ANYWHERE)) return { ordinal: chance.int(1, 250), withHost, needs: undefined };
    const point = POINTS[(first + index) % POINTS.length] ?? "";
    const nth = chance.often(LATER) ? chance.int(2, 4) : 1;
    return { point, nth, withHost, needs: needed(point), ...fallback(point, chance) };
  });
}

/** How the life before must have ended, so that a recovery comes to the point. */
const PRELUDES: readonly (readonly [RegExp, string])[] = [
  [/^recovery\/(?:notice|journal\.told)/, "running/notice.send.before"],
  [/^recovery\/flow\.queue/, "running/agent.handshake.before"],
  [/^recovery\/flow\.wait/, "running/journal.out.after"],
  [/^recovery\//, "running/agent.heard"],
];

/** Each of these points, behind what leads to it. */
export function scheduleFor(points: readonly string[], chance: Chance): readonly PlannedKill[] {
  return points.flatMap((point) => {
    const prelude = PRELUDES.find(([pattern]) => pattern.test(point))?.[1];
    const all = prelude === undefined ? [point] : [prelude, point];
    return all.map((one) => ({ point: one, nth: 1, withHost: false, needs: needed(one), ...fallback(one, chance) }));
  });
}

function needed(point: string): JobKind | undefined {
  return NEEDS.find(([pattern]) => pattern.test(point))?.[1];
}

/** A point that is not passed in this life: it is killed elsewhere, in the midst of its work, so that the next has something to recover. */
function fallback(point: string, chance: Chance): { readonly ordinal?: number } {
  if (point.startsWith("stopping/")) return {};
  return { ordinal: point.startsWith("recovery/") ? chance.int(60, 140) : chance.int(200, 400) };
}
