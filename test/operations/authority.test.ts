/** Who may do what with whose sessions, for every operation. */
import { describe, expect, test } from "vitest";
import type { Caller } from "../../src/core/caller.ts";
import type { OperationName } from "../../src/operations/operation.ts";
import { OperationsWorld, type Params } from "./operations-world.ts";

const onOne: readonly (readonly [OperationName, Params])[] = [
  ["output", {}],
  ["fg", {}],
  ["bg", {}],
  ["respond", { message: "say: more" }],
  ["resume", { fork: true, prompt: "say: more" }],
  ["kill", {}],
];

const STRANGER_KEY = "agent:main:telegram:direct:99";

interface Somebody {
  readonly who: string;
  readonly allowed: boolean;
  readonly as: (me: Caller) => Caller;
}

const stranger = (me: Caller): Caller => ({
  ...me,
  owner: { sessionKey: STRANGER_KEY, agentId: "main" },
  route: { channel: "telegram", to: "telegram:99", accountId: "default" },
  senderId: "99",
});

const people: readonly Somebody[] = [
  { who: "the session that launched", allowed: true, as: (me) => me },
  { who: "its agent", allowed: true, as: (me) => ({ ...me, door: "tool", isPerson: false }) },
  { who: "another session", allowed: false, as: stranger },
  { who: "another session's agent", allowed: false, as: (me) => ({ ...stranger(me), door: "tool", isPerson: false }) },
  {
    who: "[E2] whoever is told in the direct chat, in another session",
    allowed: true,
    as: (me) => ({ ...me, owner: { ...me.owner, sessionKey: "agent:main:main" } }),
  },
  {
    who: "another session's agent in that chat, where nobody spoke",
    allowed: false,
    as: (me) => ({ ...me, owner: { ...me.owner, sessionKey: "agent:main:main" }, door: "tool", isPerson: false }),
  },
  {
    who: "another session of the same agent",
    allowed: false,
    as: (me) => ({ ...stranger(me), owner: { ...me.owner, sessionKey: "agent:main:main" } }),
  },
  {
    who: "a session whose key begins alike",
    allowed: false,
    as: (me) => ({ ...stranger(me), owner: { ...me.owner, sessionKey: `${me.owner.sessionKey}0` } }),
  },
  { who: "somebody who sees all", allowed: true, as: (me) => ({ ...stranger(me), seesAll: true }) },
  { who: "an operator by id", allowed: true, as: (me) => ({ ...stranger(me), senderId: "7" }) },
  { who: "an operator by channel and id", allowed: true, as: (me) => ({ ...stranger(me), senderId: "8" }) },
  {
    who: "the operator's id on another channel",
    allowed: false,
    as: (me) => ({ ...stranger(me), senderId: "8", route: { channel: "slack", to: "slack:8" } }),
  },
  { who: "an id that begins like an operator's", allowed: false, as: (me) => ({ ...stranger(me), senderId: "70" }) },
];

describe("[K1] [O2] [O3] [O4] [O5] [O6] [O7] [O8] [O9] a session is seen and steered by", () => {
  test.each(people)("$who: $allowed", async ({ allowed, as }) => {
    await using operations = await OperationsWorld.create({ operators: ["7", "telegram:8"] });
    const { id } = await operations.launch("say: secret words", { name: "mine" });
    await operations.world.until(id, "idle");
    const caller = as(operations.me);

    const rows = await operations.json<Params[]>("sessions", {}, caller);
    expect(rows.map((row) => row["id"])).toEqual(allowed ? [id] : []);
    expect(await operations.json("stats", {}, caller)).toMatchObject({ total: allowed ? 1 : 0 });
    expect(await operations.json("resume", {}, caller)).toEqual(allowed ? [expect.objectContaining({ id })] : []);

    if (!allowed) {
      for (const session of [id, "mine"]) {
        for (const [name, more] of onOne) {
          const answered = await operations.call(name, { session, ...more }, caller);
          // Nothing tells an existing session from one that was never there.
          expect(answered, name).toEqual({
            ok: false,
            code: "not_found",
            message: `No iFlow session is called "${session}". You have no iFlow sessions yet.`,
          });
        }
      }
      expect(await operations.verdict("launch", { prompt: "x", resume_session_id: id }, caller)).toBe("not_found");
      expect(await operations.json("kill", { all: true }, caller)).toEqual({ success: true, sessions: [] });
      expect(await operations.json("bg", {}, caller)).toEqual({ success: true, sessions: [] });
      expect(operations.world.session(id)).toMatchObject({ phase: { kind: "idle" }, counters: { turns: 1 } });
      expect(operations.world.promptsOf(id)).toHaveLength(1);
      return;
    }
    for (const [name, more] of onOne) {
      expect(await operations.verdict(name, { session: id, ...more }, caller), name).toBe("taken");
      if (name === "respond") await operations.world.until(id, "idle");
    }
  });
});

test("[K1] `all` stops only the caller's own, also for one who sees all", async () => {
  await using operations = await OperationsWorld.create();
  const mine = await operations.launch("hang", { name: "mine" });
  await operations.world.until(mine.id, "working");
  const owner: Caller = { ...stranger(operations.me), seesAll: true };
  expect(await operations.json("kill", { all: true }, owner)).toEqual({ success: true, sessions: [] });
  expect(operations.world.session(mine.id).phase.kind).toBe("working");
});

test("[K1] in a group, a permission is granted by the one who launched or an operator, not by others of the same chat", async () => {
  await using operations = await OperationsWorld.create({ operators: ["7"] });
  const group: Caller = { ...operations.me, inGroup: true };
  const { id } = await operations.json<{ id: string }>(
    "launch",
    { prompt: "write notes.txt: hello\nsay: done", name: "mine" },
    group,
  );
  await operations.world.until(id, "asking");
  const allow = { session: "mine", message: "1" };
  expect(await operations.verdict("respond", allow, { ...group, senderId: "99" })).toBe("not_allowed");
  const { senderId: _nobody, ...anonymous } = group;
  expect(await operations.verdict("respond", allow, anonymous)).toBe("not_allowed");
  expect(await operations.verdict("respond", allow, { ...group, senderId: "7" })).toBe("taken");
});

test("[O8] [K1] what a channel said of a delivery is for who sees every session", async () => {
  await using operations = await OperationsWorld.create();
  operations.world.delivery.fail("send", { kind: "refused", reason: "chat not found: -1001" });
  const { id } = await operations.launch("say: x");
  await operations.world.until(id, "idle");
  await operations.world.clock.advance(1_000);
  const all: Caller = { ...operations.me, seesAll: true };
  expect(JSON.stringify(await operations.json("stats", {}, all))).toContain("-1001");
  for (const door of ["command", "tool"] as const)
    expect(JSON.stringify(await operations.call("stats", {}, { ...operations.me, door }))).not.toContain("-1001");
});
