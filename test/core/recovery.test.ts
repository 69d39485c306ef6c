import { describe, expect, it } from "vitest";
import { planRecovery, type FlowFacts, type JournalFacts } from "../../src/core/recovery.ts";
import type { Session } from "../../src/core/session.ts";
import { encodeSession } from "../../src/core/state-json.ts";
import {
  AGENT,
  PARK,
  SLOT,
  STARTED,
  T0,
  asking,
  ended,
  idle,
  launched,
  messageOf,
  messaged,
  play,
  questions,
  starting,
  working,
} from "./build.ts";

const NOTHING: JournalFacts = { lastCommit: undefined, promptedTurns: new Set(), told: new Set() };

function flow(session: Session, more: Partial<FlowFacts> = {}): FlowFacts {
  return {
    status: "running",
    stateJson: JSON.parse(JSON.stringify(encodeSession(session))),
    cancelRequestedAt: undefined,
    ...more,
  };
}

function journal(session: Session | undefined, more: Partial<JournalFacts> = {}): JournalFacts {
  return {
    ...NOTHING,
    lastCommit: session === undefined ? undefined : { session: JSON.parse(JSON.stringify(session)) },
    ...more,
  };
}

function live(facts: FlowFacts | undefined, kept: JournalFacts) {
  const plan = planRecovery(facts, kept, T0);
  if (plan.kind !== "live") throw new Error(JSON.stringify(plan));
  return plan;
}

function over(facts: FlowFacts | undefined, kept: JournalFacts): Session {
  const plan = planRecovery(facts, kept, T0);
  if (plan.kind !== "over") throw new Error(JSON.stringify(plan));
  return plan.session;
}

describe("which record is trusted (decision 20)", () => {
  const older = { ...working(), seq: 3 };
  const newer = { ...idle(), seq: 4 };

  it("a valid state of ours", () => {
    expect(live(flow(newer), journal(older)).session).toEqual(newer);
    expect(live(flow(newer), NOTHING)).toMatchObject({ stateLost: false, cancelled: false });
  });

  it("the journal's last commit where it is ahead, with the buffer of the state", () => {
    const plan = live(flow(older), journal({ ...newer, output: { text: "", start: 9, end: 9 } }));
    expect(plan.session).toEqual({ ...newer, output: older.output });
  });

  it("the journal's last commit where the state is gone, foreign or broken, and says so", () => {
    for (const stateJson of [undefined, null, { mine: true }, { ...older, seq: "x" }]) {
      expect(live({ ...flow(older), stateJson }, journal(newer))).toMatchObject({ session: newer, stateLost: true });
    }
  });

  it("nothing: unreadable, with the reason; one that is over already is left as it is", () => {
    expect(planRecovery({ ...flow(older), stateJson: {} }, NOTHING, T0)).toMatchObject({
      kind: "unreadable",
      reason: expect.stringContaining("not ours") as string,
    });
    expect(planRecovery({ ...flow(older), stateJson: { ...older, seq: "x" } }, NOTHING, T0)).toMatchObject({
      reason: expect.stringContaining("seq") as string,
    });
    expect(planRecovery(undefined, NOTHING, T0)).toMatchObject({ kind: "leave" });
    expect(planRecovery({ ...flow(older), status: "failed", stateJson: {} }, NOTHING, T0).kind).toBe("leave");
  });

  it("a newer schema, in either record: left as it is", () => {
    const future = { ...older, schema: "iflow.session.v2" };
    expect(planRecovery({ ...flow(older), stateJson: future }, journal(newer), T0)).toMatchObject({
      kind: "leave",
      reason: expect.stringContaining("v2") as string,
    });
    expect(planRecovery(flow(older), journal(future as unknown as Session), T0)).toMatchObject({ kind: "leave" });
  });
});

describe("words that the bound of stateJson cut", () => {
  const words = (n: number) => `${n} ${"字".repeat(1_500)}`;

  it("come back from the journal: messages that wait", () => {
    const events = Array.from({ length: 19 }, (_, i) => messaged(words(i)));
    const session = play(working({ prompt: words(99) }), events).session;
    const facts = flow(session);
    expect(JSON.stringify(facts.stateJson)).not.toContain(words(3));
    expect(live(facts, journal(session)).session.inbox).toEqual(session.inbox);
    expect(live(facts, journal({ ...session, seq: -1 })).session.inbox).toEqual(session.inbox);
  });

  it("come back from the journal: questions with all their options, and answers of either record", () => {
    const parts = Array.from({ length: 12 }, (_, i) => ({
      text: words(i),
      options: Array.from({ length: 30 }, (_o, o) => `${o} ${"x".repeat(300)}`),
    }));
    const asked = asking(questions(1, ...parts));
    const answered = play(asked, [
      { type: "answered", questionId: "q3.2", answer: { by: AGENT, at: T0, optionIds: ["0 x"] } },
    ]).session;
    const { session } = live(flow({ ...answered, seq: 2 }), journal({ ...asked, seq: 1 }));
    expect(session.phase).toEqual(answered.phase);
  });

  it("stay as stored where the journal knows other messages", () => {
    const session = play(working(), [messaged("a")]).session;
    const other = { ...session, inbox: [messageOf("b")] };
    expect(live(flow(session), journal(other)).session.inbox).toEqual(session.inbox);
  });

  it("keep the mode that an approved plan set", () => {
    const session = { ...working(), seq: 2 };
    const approved = { ...session, settings: { ...session.settings, permissionMode: "auto" as const } };
    expect(
      live(flow(approved), journal({ ...session, seq: 1 }, { rights: approved })).session.settings.permissionMode,
    ).toBe("auto");
  });

  it("[G9] take no rights from the flow that the journal does not have", () => {
    const session = { ...working(), seq: 2 };
    const widened = { ...session, workdir: "/", settings: { ...session.settings, permissionMode: "auto" as const } };
    const plan = live(flow(widened), journal({ ...session, seq: 1 }));
    expect(plan.session).toMatchObject({ workdir: session.workdir, settings: session.settings });
    expect(plan.ignored).toEqual(["workdir", "permissionMode"]);
  });
});

describe("whether a prompt left (decision 12)", () => {
  it.each([
    ["working in turn 1", working(), [1], "yes"],
    ["working in turn 1", working(), [], "no"],
    ["starting its first turn", starting(), [], "no"],
    ["starting its first turn", starting(), [1], "yes"],
    [
      "queued for turn 2",
      play(idle(), [
        PARK,
        {
          type: "said",
          chunks: 1,
          event: { kind: "exited", report: { code: 0, signal: null, stderrTail: "", cause: "stopped" } },
        },
        messaged("x"),
      ]).session,
      [1],
      "no",
    ],
    [
      "starting turn 2",
      play(idle(), [
        PARK,
        {
          type: "said",
          chunks: 1,
          event: { kind: "exited", report: { code: 0, signal: null, stderrTail: "", cause: "stopped" } },
        },
        messaged("x"),
        SLOT,
        STARTED,
      ]).session,
      [1],
      "no",
    ],
  ] as const)("%s, prompted %j: %s", (_name, session, turns, left) => {
    expect(live(flow(session), journal(session, { promptedTurns: new Set<number>(turns) })).promptLeft).toBe(left);
  });
});

describe("a flow that is over", () => {
  it.each([
    ["succeeded", "completed", "completed"],
    ["failed", "failed", "failed"],
    ["cancelled", "killed", "killed"],
    ["lost", "failed", "failed"],
  ] as const)("%s meanwhile: the session is over, and people are told", (status, outcome, kind) => {
    const session = over(flow(play(working({ by: AGENT }), [messaged("x")]).session, { status }), NOTHING);
    expect(session).toMatchObject({
      phase: { kind: "ended", outcome, cause: { code: "stopped_elsewhere" } },
      inbox: [],
    });
    expect(session).not.toHaveProperty("agent");
    expect(session).not.toHaveProperty("child");
    expect(session.owed.at(-1)).toMatchObject({ kind, parts: ["chat", "wake"], data: { code: "stopped_elsewhere" } });
  });

  it("tells of the messages that waited and were not sent", () => {
    const waiting = play(working(), [messaged("x")]).session;
    expect(over(flow(waiting, { status: "cancelled" }), NOTHING).owed.at(-1)?.data).toMatchObject({ unsent: 1 });
    expect(over(flow(working(), { status: "cancelled" }), NOTHING).owed.at(-1)?.data).not.toHaveProperty("unsent");
  });

  it("tells that once, over any number of restarts", () => {
    const facts = flow(working(), { status: "cancelled" });
    const [notice] = over(facts, NOTHING).owed;
    expect(over(facts, journal(undefined, { told: new Set([`${notice?.id}/chat`]) })).owed).toEqual([]);
  });

  it("of a session that ended itself: nothing is added", () => {
    expect(over(flow(ended(), { status: "cancelled" }), NOTHING)).toEqual(ended());
  });

  it("gone from the host: over, by what the journal knows", () => {
    expect(over(undefined, journal(working()))).toMatchObject({
      phase: { kind: "ended", outcome: "failed", cause: { code: "storage" } },
    });
    expect(over(undefined, journal(ended()))).toEqual(ended());
  });

  it("with a cancel request only: still live, and cancelled at once", () => {
    expect(live(flow(asking(), { status: "waiting", cancelRequestedAt: T0 }), NOTHING).cancelled).toBe(true);
  });
});

describe("owed notices", () => {
  it("leave out what the journal marks as told", () => {
    const session = idle("Done.", { by: AGENT });
    const [launch, finished] = session.owed;
    const told = new Set([`${launch?.id}/chat`, `${finished?.id}/chat`]);
    expect(live(flow(session), journal(undefined, { told })).session.owed).toEqual([{ ...finished, parts: ["wake"] }]);
    expect(live(flow(session), NOTHING).session.owed).toEqual(session.owed);
    expect(launched().owed).toEqual([]);
  });
});
