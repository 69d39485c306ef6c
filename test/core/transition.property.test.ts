/**
 * Any sequence of events, sensible or absurd. A failure prints its seed and the shortest sequence.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buttonsOf, parsePayload, parseShow } from "../../src/core/choice-button.ts";
import { nextDeadline } from "../../src/core/deadline.ts";
import type { Rules, SessionEvent, Step } from "../../src/core/event.ts";
import { currentStep, flowGoal, flowVerb, waitJson } from "../../src/core/flow-command.ts";
import { wordsOf } from "../../src/core/language.ts";
import { noticeText } from "../../src/core/notice.ts";
import { openQuestions } from "../../src/core/question.ts";
import { planRecovery } from "../../src/core/recovery.ts";
import type { Session } from "../../src/core/session.ts";
import { encodeSession, jsonBytes, MAX_STATE_BYTES, parseSession } from "../../src/core/state-json.ts";
import { transition } from "../../src/core/transition.ts";
import { wakeText } from "../../src/core/wake.ts";
import { draws, eventOf, type Draw } from "./any-event.ts";
import { AGENT, PERSON, RULES, T0, launched } from "./build.ts";
import { SessionWorld } from "./session-world.ts";

const PHASES = new Set(["queued", "starting", "working", "asking", "idle", "interrupted", "ended"]);

const EVERYWHERE = [
  ...[...PHASES].map((kind) => `phase ${kind}`),
  ...[...PHASES].flatMap((kind) =>
    ["kill", "foreign", "message", "answered", "stopping", "recovered", "said", "clock"].map(
      (type) => `event ${type} in ${kind}`,
    ),
  ),
  "request-slot",
  "release-slot",
  "start-agent",
  "send-prompt",
  "cancel-turn",
  "stop-agent",
  "start-child",
  "activate-child",
  "tool-progress",
  "end-child",
  "record-question",
  "record-answer",
  "end-flow-cancelled",
  ...["selected", "cancelled", "answers", "plan"].map((kind) => `reply ${kind}`),
  ...[
    "launched",
    "queued",
    "asks",
    "responded",
    "turn-finished",
    "completed",
    "failed",
    "killed",
    "interrupted",
    "quiet",
    "denied",
    "warning",
  ].map((kind) => `notice ${kind}`),
  "completed",
  "failed",
  "timed_out",
  "killed",
  ...["now", "queued", "resumed"].map((taken) => `taken ${taken}`),
];

const starts = fc.record({
  by: fc.constantFrom(PERSON, AGENT),
  permissionMode: fc.constantFrom("auto" as const, "selective" as const, "manual" as const, "plan" as const),
  singleTurn: fc.boolean(),
  continues: fc.option(
    fc.record({
      id: fc.constant("old"),
      acpSessionId: fc.constantFrom("acp-0", undefined),
      isFork: fc.boolean(),
      autoResponds: fc.nat(2),
    }),
    { nil: undefined },
  ),
});

const rules: fc.Arbitrary<Rules> = fc
  .record({
    outputMode: fc.constantFrom("minimal" as const, "balanced" as const, "verbose" as const),
    safeMode: fc.boolean(),
    afterRestart: fc.constantFrom("ask" as const, "continue" as const),
    outputBufferBytes: fc.constantFrom(4_096, 40_960),
    quietAfterMs: fc.constantFrom(2 * 60_000, 10 * 60_000),
  })
  .map((drawn) => ({ ...RULES, ...drawn }));

interface Moment {
  readonly before: Session;
  readonly event: SessionEvent;
  readonly step: Step;
}

/** The picture of a session's life in DESIGN.md, without its begin and end. */
function waysInDesign(): string[] {
  const design = readFileSync(join(import.meta.dirname, "../../DESIGN.md"), "utf8");
  const [, picture = ""] = /^stateDiagram-v2$([^]*?)^```$/m.exec(design) ?? [];
  return [...picture.matchAll(/^ +(\w+ --> \w+)/gm)].map(([, way = ""]) => way).toSorted();
}

/** How many events an ended session is watched for before another one begins. */
const AFTERLIFE = 6;

/** Plays the events, session after session, each in a world that checks each step; a failure tells the way to it. */
function live(begin: () => Session, drawn: readonly Draw[], given: Rules, look: (moment: Moment) => void): void {
  let session = begin();
  let world = new SessionWorld(session);
  let way: string[] = [];
  let after = 0;
  let now = T0;
  for (const [serial, draw] of drawn.entries()) {
    if (after > AFTERLIFE || serial === 0) {
      [session, way, after] = [begin(), [], 0];
      world = new SessionWorld(session);
    }
    const facts = { serial, promptLeft: SessionWorld.promptLeft(session), inLine: world.inLine };
    // Every session gets in line as soon as its flow exists.
    const event = way.length === 0 ? { type: "admitted" as const, at: now } : eventOf(draw, session, facts, now);
    world.happen(session, event);
    const step = transition(session, event, given);
    way.push(
      `${event.type === "said" ? `said ${event.event.kind}` : event.type} -> ${step.session.phase.kind} [${step.effects.map((e) => e.do).join(" ")}]`,
    );
    try {
      world.follow(session, event, step);
      look({ before: session, event, step });
    } catch (error) {
      throw new Error(`${String(error)}\n${way.join("\n")}`, { cause: error });
    }
    if (session.phase.kind === "ended") after += 1;
    session = step.session;
    now = Math.max(now, event.at);
  }
}

function property(
  runs: number,
  look: (moment: Moment, given: Rules) => void,
  more: { readonly seed?: number } = {},
): void {
  fc.assert(
    fc.property(starts, rules, draws, ({ by, permissionMode, singleTurn, continues }, given, drawn) => {
      const older = continues === undefined ? {} : { continues };
      live(
        () => launched({ by, settings: { permissionMode, singleTurn }, ...older }),
        drawn,
        given,
        (moment) => look(moment, given),
      );
    }),
    { numRuns: runs, ...more },
  );
}

describe("any sequence of events", () => {
  // One seed: this is about the events that are drawn, the properties below about what follows from them.
  it("gets everywhere: each phase, each event, each effect, each notice, by the ways that DESIGN.md shows", () => {
    const seen = new Map<string, number>();
    const ways = new Set<string>();
    const note = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
    property(
      1_000,
      ({ before, event, step }) => {
        note(`phase ${step.session.phase.kind}`);
        note(`event ${event.type} in ${before.phase.kind}`);
        if (before.phase.kind !== step.session.phase.kind)
          ways.add(`${before.phase.kind} --> ${step.session.phase.kind}`);
        if (event.type === "said") note(`said ${event.event.kind}`);
        for (const effect of step.effects) note(effect.do === "reply" ? `reply ${effect.reply.kind}` : effect.do);
        for (const notice of step.session.owed) note(`notice ${notice.kind}`);
        if (step.session.phase.kind === "ended") note(step.session.phase.outcome);
        if (step.reply?.ok === true) note(`taken ${step.reply.value}`);
      },
      { seed: 20 },
    );
    expect(EVERYWHERE.filter((what) => !seen.has(what))).toEqual([]);
    expect([...ways].toSorted()).toEqual(waysInDesign());
  });

  it("answers each request once, holds each slot once, runs one child at a time, loses and doubles no message", () => {
    property(2_000, ({ step }) => {
      expect(step.session.id).toBe("a1b2c3d4e5");
    });
  });

  it("ends at most once, and what has ended changes no more", () => {
    const chats = ["route", "home", "movedFrom", "toldIn", "undelivered"];
    const mayChange = new Set(["owed", "viewers", "continuedBy", "agent", "output", "nextId", ...chats]);
    property(800, ({ before, step }) => {
      expect(PHASES).toContain(step.session.phase.kind);
      if (before.phase.kind !== "ended") return;
      const keys = new Set([...Object.keys(before), ...Object.keys(step.session)]) as Set<keyof Session>;
      for (const key of keys) if (!mayChange.has(key)) expect(step.session[key]).toEqual(before[key]);
      expect(step.session.output.end).toBeGreaterThanOrEqual(before.output.end);
      for (const effect of step.effects) expect(["release-slot", "reply", "end-flow-cancelled"]).toContain(effect.do);
      if (step.session.agent !== undefined) expect(before.agent).toBeDefined();
    });
  });

  it("is JSON, stays within its bounds, and is read back as it was stored", () => {
    property(120, ({ step: { session } }) => {
      const json = JSON.stringify(session);
      expect(JSON.parse(json)).toEqual(session);
      const encoded = encodeSession(session);
      expect(jsonBytes(encoded)).toBeLessThanOrEqual(MAX_STATE_BYTES);
      expect(parseSession(JSON.parse(JSON.stringify(encoded)))).toEqual({ kind: "session", session: encoded });
      expect(session.owed.length).toBeLessThanOrEqual(50);
      expect(session.viewers.length).toBeLessThanOrEqual(16);
      expect(session.inbox.length).toBeLessThanOrEqual(60);
      expect(session.grants.length).toBeLessThanOrEqual(20);
      expect(session.filesEdited.length).toBeLessThanOrEqual(20);
      for (const count of Object.values(session.counters)) expect(count).toBeGreaterThanOrEqual(0);
      if (session.phase.kind !== "asking") return;
      expect(session.phase.asks.length).toBeLessThanOrEqual(16);
      expect(openQuestions(session.phase.asks).length).toBeGreaterThan(0);
    });
  });

  it("is whole again after a restart, from its stored state and the journal's commit", () => {
    property(100, ({ step: { session } }) => {
      const stateJson: unknown = JSON.parse(JSON.stringify(encodeSession(session)));
      const plan = planRecovery(
        { status: "running", stateJson, cancelRequestedAt: undefined },
        { lastCommit: { session: JSON.parse(JSON.stringify(session)) }, promptedTurns: new Set(), told: new Set() },
        T0,
      );
      expect(plan.kind).toBe("live");
      if (plan.kind !== "live") return;
      expect(plan.session.inbox).toEqual(session.inbox);
      expect(plan.session.settings).toEqual(session.settings);
      if (session.phase.kind === "asking") expect(plan.session.phase).toMatchObject({ asks: session.phase.asks });
    });
  });

  it("always has a next moment or none, and the clock never stands still", () => {
    property(1_000, ({ event, step }, given) => {
      let { session } = step;
      for (let ticks = 0; ticks < 5; ticks += 1) {
        const due = nextDeadline(session, given);
        if (due === undefined || due > event.at) return;
        expect(Number.isFinite(due)).toBe(true);
        session = transition(session, { type: "clock", at: event.at }, given).session;
      }
      expect.fail(`after 5 ticks something is still due: ${JSON.stringify(session.phase).slice(0, 500)}`);
    });
  });

  it("reads in the host's views and in chats, whatever was said", () => {
    const styles = [false, true].flatMap((safeMode) =>
      (["en", "zh"] as const).map((language) => ({ words: wordsOf(language), safeMode })),
    );
    property(200, ({ step: { session } }) => {
      expect(currentStep(session).length).toBeLessThanOrEqual(200);
      expect(currentStep(session)).not.toContain("\n");
      expect(flowGoal(session).length).toBeLessThanOrEqual(120);
      expect(waitJson(session) !== null).toBe(flowVerb(session) === "wait");
      expect(jsonBytes(waitJson(session))).toBeLessThan(20_000);
      const notice = session.owed.at(-1);
      if (notice === undefined) return;
      for (const style of styles) {
        expect(noticeText(session, notice, style).length).toBeLessThan(3_600);
        for (const { payload, label } of buttonsOf(session, notice, style)) {
          expect((parsePayload(payload) ?? parseShow(payload))?.sessionId).toBe(session.id);
          expect(label).not.toBe("");
        }
      }
      expect(wakeText(session, notice, true).length).toBeLessThan(8_000);
    });
  });

  it("decides the same again: nothing but its arguments counts, and they are not changed", () => {
    property(300, ({ before, event, step }, given) => {
      const copy = JSON.stringify(before);
      expect(transition(before, event, given)).toEqual(step);
      expect(JSON.stringify(before)).toBe(copy);
    });
  });
});
