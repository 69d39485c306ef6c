import { describe, expect, it } from "vitest";
import type { Session } from "../../src/core/session.ts";
import { encodeSession, jsonBytes, MAX_STATE_BYTES, parseSession } from "../../src/core/state-json.ts";
import {
  RULES,
  asking,
  ended,
  idle,
  interrupted,
  launched,
  messageOf,
  orphaned,
  permission,
  phaseOf,
  play,
  questions,
  starting,
  text,
  tool,
  working,
} from "./build.ts";

const EVERY_PHASE = [
  launched(),
  starting(),
  working(),
  asking(),
  idle(),
  idle("Which?"),
  interrupted(),
  orphaned(),
  ended(),
];

/** Each is 1 character and up to 6 bytes of JSON. */
const HOSTILE = ["\u0001", "\ud800", "修", '"', "😀", "\\"];

function stored(session: Session): Session {
  const encoded = encodeSession(session);
  expect(jsonBytes(encoded)).toBeLessThanOrEqual(MAX_STATE_BYTES);
  const json = JSON.stringify(encoded);
  expect(new TextEncoder().encode(json).length).toBe(jsonBytes(encoded));
  expect(JSON.parse(json)).toEqual(encoded);
  expect(parseSession(JSON.parse(json))).toEqual({ kind: "session", session: encoded });
  return encoded;
}

describe("encodeSession", () => {
  it("stores a session of usual size as it is", () => {
    for (const session of EVERY_PHASE) expect(stored(session)).toBe(session);
  });

  it("gives up the buffer first: the journal has its words", () => {
    const session = play(working(), [text("修".repeat(30_000))], { ...RULES, outputBufferBytes: 40_960 }).session;
    const full = {
      ...session,
      inbox: Array.from({ length: 20 }, (_, i) => messageOf("x".repeat(i === 0 ? 20_000 : 100))),
    };
    const encoded = stored(full);
    expect(encoded.output.end).toBe(full.output.end);
    expect(encoded.output.start).toBeGreaterThan(full.output.start);
    expect(encoded.output.start + encoded.output.text.length).toBe(encoded.output.end);
    expect(encoded.inbox).toEqual(full.inbox);
  });

  it.each(HOSTILE)("holds the bound with %j everywhere", (unit) => {
    const long = unit.repeat(9_000);
    const giant = asking(
      questions(
        "r".repeat(300),
        ...Array.from({ length: 40 }, () => ({
          text: long,
          options: Array.from({ length: 200 }, () => long.slice(0, 3_000)),
        })),
      ),
      { prompt: long },
    );
    const session: Session = {
      ...giant,
      acpSessionId: long,
      lastWords: long.slice(0, 1_500),
      output: { text: long.slice(0, 8_000), start: 0, end: 8_000 },
      inbox: Array.from({ length: 36 }, (_, i) => ({
        ...messageOf(long),
        id: `m${i}`,
        files: Array.from({ length: 30 }, () => long.slice(0, 4_000)),
      })),
      filesEdited: Array.from({ length: 20 }, () => long),
      unconfirmed: phaseOf(giant, "asking").asks,
      settings: {
        ...giant.settings,
        model: long,
        allowedTools: Array.from({ length: 40 }, () => long),
        systemPrompt: { text: long, length: long.length },
      },
      owed: Array.from({ length: 50 }, (_, i) => ({
        id: `n${i}`,
        kind: "warning",
        at: 1,
        parts: ["chat", "wake"],
        data: { text: long.slice(0, 1_200), questionIds: Array.from({ length: 40 }, () => "q3.1") },
      })),
      grants: Array.from({ length: 20 }, () => ({
        span: "always",
        subject: { toolKind: long, toolName: long, title: long, digest: "d" },
      })),
      viewers: Array.from({ length: 16 }, (_, i) => ({
        key: `${i}${long}`,
        route: { channel: "c", to: long },
        seen: 0,
        mode: "live",
      })),
      child: { runId: "iflow:<flow>:t1", as: "queued", label: long.slice(0, 160) },
    };
    const encoded = stored(session);
    expect(encoded.id).toBe(session.id);
    expect(encoded.owner).toEqual(session.owner);
    expect(encoded.inbox.map((m) => m.id)).toEqual(session.inbox.map((m) => m.id));
    expect(encoded.phase.kind).toBe("asking");
  });

  it("holds the bound while working and interrupted as well", () => {
    const long = "\u0001".repeat(20_000);
    const busy = play(
      working({ prompt: long }),
      Array.from({ length: 40 }, (_, i) => tool(`${i}${long}`, "in_progress", { title: long, toolName: long })),
    ).session;
    stored({ ...busy, phase: { ...phaseOf(busy, "working"), message: messageOf(long) } });
    const phase = { ...phaseOf(interrupted(), "interrupted"), cause: { code: "agent_exited" as const, message: long } };
    stored({ ...interrupted(), phase });
    const waiting = stored({ ...idle(), phase: { ...phaseOf(idle(), "idle"), preview: long } });
    expect(waiting.phase.kind).toBe("idle");
  });
});

describe("parseSession", () => {
  const good = JSON.parse(JSON.stringify(asking())) as Record<string, unknown>;

  it("reads every phase back", () => {
    for (const session of EVERY_PHASE)
      expect(parseSession(JSON.parse(JSON.stringify(session)))).toEqual({ kind: "session", session });
  });

  it.each([undefined, null, 1, "iflow.session.v1", [], {}, { schema: 1 }, { schema: "other.v1" }])(
    "%j is not ours",
    (value) => {
      expect(parseSession(value)).toEqual({ kind: "foreign" });
    },
  );

  it("leaves a newer record alone", () => {
    expect(parseSession({ ...good, schema: "iflow.session.v2" })).toEqual({
      kind: "newer",
      schema: "iflow.session.v2",
    });
  });

  it("names the field that is broken, and quotes it", () => {
    expect(parseSession({ ...good, seq: "3" })).toEqual({ kind: "broken", reason: 'seq is "3"' });
    expect(parseSession({ ...good, counters: { turns: 1 } })).toEqual({
      kind: "broken",
      reason: "counters.toolCalls is missing",
    });
    expect(parseSession({ ...good, phase: { kind: "asking", sinceAt: 1, asks: [], openTools: [] } })).toEqual({
      kind: "broken",
      reason: "phase.asks is []",
    });
    expect(parseSession({ ...good, phase: { kind: "toString" } })).toMatchObject({
      reason: 'phase.kind is "toString"',
    });
    expect(
      parseSession({ ...good, owed: [{ id: "n1", kind: "asks", at: 1, parts: ["sms"], data: {} }] }),
    ).toMatchObject({ reason: 'owed[0].parts[0] is "sms"' });
  });

  it("takes no session without any of its fields, whichever it is", () => {
    const optional = new Set(
      "route agent acpSessionId child schema lastWordsFrom turnFrom undone heardInTurn".split(" "),
    );
    for (const session of EVERY_PHASE) {
      for (const key of Object.keys(session).filter((name) => !optional.has(name))) {
        const { [key]: _gone, ...rest } = JSON.parse(JSON.stringify(session)) as Record<string, unknown>;
        expect(parseSession(rest)).toMatchObject({ kind: "broken" });
      }
    }
  });

  it("takes nothing of the wrong type, at any depth", () => {
    const wrong = (value: unknown): unknown => (typeof value === "object" ? 7 : { odd: true });
    const visit = (value: unknown, rebuild: (changed: unknown) => unknown): void => {
      expect(parseSession(rebuild(wrong(value))).kind).not.toBe("session");
      if (typeof value !== "object" || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        visit(inner, (changed) =>
          rebuild(Array.isArray(value) ? value.with(Number(key), changed) : { ...value, [key]: changed }),
        );
      }
    };
    const rich = play(asking(questions(1, { text: "?", options: ["A"] })), [permission({ requestId: 2 })]).session;
    const ignored = new Set(["data"]);
    for (const [key, value] of Object.entries(JSON.parse(JSON.stringify(rich)) as Record<string, unknown>)) {
      if (key !== "owed" && !ignored.has(key))
        visit(value, (changed) => ({ ...(JSON.parse(JSON.stringify(rich)) as object), [key]: changed }));
    }
  });
});
