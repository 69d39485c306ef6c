import { describe, expect, it } from "vitest";
import { byOf, canSee, mayGrant, type Caller } from "../../src/core/caller.ts";
import { launched, PERSON, T0 } from "./build.ts";

const CHAT: Caller = {
  door: "command",
  owner: { sessionKey: "agent:main:telegram:direct:42" },
  senderId: "42",
  seesAll: false,
  isPerson: true,
  inGroup: false,
};
const TOOL: Caller = { ...CHAT, door: "tool", isPerson: false };

it("sees the sessions of its own chat, the host's owner all", () => {
  expect(canSee(CHAT, launched())).toBe(true);
  expect(canSee({ ...CHAT, owner: { sessionKey: "other" } }, launched())).toBe(false);
  expect(canSee({ ...CHAT, owner: { sessionKey: "other" }, seesAll: true }, launched())).toBe(true);
});

it("a tool speaks for a person only when one spoke after the question (decision 24)", () => {
  expect(byOf(CHAT, T0)).toEqual({ kind: "person", door: "command", senderId: "42" });
  expect(byOf(TOOL, T0).kind).toBe("agent");
  expect(byOf({ ...TOOL, personSeenAt: T0 - 1 }, T0).kind).toBe("agent");
  expect(byOf({ ...TOOL, personSeenAt: T0 }, T0).kind).toBe("agent");
  expect(byOf({ ...TOOL, personSeenAt: T0 + 1 }, T0).kind).toBe("person");
});

describe("granting in a group (decision 25)", () => {
  const group = { ...CHAT, inGroup: true };

  it.each([
    [group, "permission", true],
    [{ ...group, senderId: "99" }, "permission", false],
    [{ ...group, senderId: "99" }, "plan", false],
    [{ ...group, senderId: "99" }, "question", true],
    [{ ...group, senderId: "99", seesAll: true }, "plan", true],
    [{ ...CHAT, senderId: "99" }, "plan", true],
  ] as const)("%#", (caller, kind, allowed) => {
    expect(mayGrant(caller, launched({ by: PERSON }), kind)).toBe(allowed);
  });

  it("nobody grants by having no id at all", () => {
    const { senderId: _none, ...anonymous } = group;
    expect(mayGrant(anonymous, launched({ by: { kind: "person", door: "command" } }), "permission")).toBe(false);
  });
});
