import { describe, expect, it } from "vitest";
import { byOf, canSee, mayGrant, type Caller } from "../../src/core/caller.ts";
import { chatKey } from "../../src/core/route.ts";
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
  expect(canSee(CHAT, launched(), [])).toBe(true);
  expect(canSee({ ...CHAT, owner: { sessionKey: "other" } }, launched(), [])).toBe(false);
  expect(canSee({ ...CHAT, owner: { sessionKey: "other" }, seesAll: true }, launched(), [])).toBe(true);
});

describe("[E2] whoever is told in a direct chat sees the session, whichever run launched it", () => {
  const route = { channel: "telegram", to: "telegram:42" };
  const session = { ...launched(), owner: { sessionKey: "agent:main:cron:1:run:2" } };
  const told = [chatKey(route, "")];

  it.each<[string, Partial<Caller>, boolean]>([
    ["the person there", {}, true],
    ["the person there, by another spelling of the chat", { route: { channel: "telegram", to: "42" } }, true],
    ["the agent there, once a person spoke", { door: "tool", isPerson: false, personSeenAt: 1 }, true],
    ["a sub-agent that is to speak there", { door: "tool", isPerson: false }, false],
    ["somebody in another chat", { route: { channel: "telegram", to: "telegram:43" } }, false],
    ["somebody with the same id on another channel", { route: { channel: "slack", to: "42" } }, false],
    ["a group of that id", { inGroup: true }, false],
  ])("%s: %j", (_who, more, sees) => {
    expect(canSee({ ...CHAT, route, ...more }, session, told)).toBe(sees);
  });
});

describe("[E1] a group that moved", () => {
  const now = { channel: "telegram", to: "telegram:-100777" };
  const launchedThere = {
    ...launched(),
    owner: { sessionKey: "agent:main:telegram:group:-1001:topic:7" },
    route: now,
    movedFrom: { channel: "telegram", to: "telegram:-1001", threadId: 7 },
  };
  const inNewGroup: Caller = {
    ...CHAT,
    owner: { sessionKey: "agent:main:telegram:group:-100777" },
    route: now,
    inGroup: true,
  };

  it("sees what was launched in it", () => {
    expect(canSee(inNewGroup, launchedThere, [chatKey(now, "")])).toBe(true);
  });

  it("sees nothing that was only sent there, and nothing of a group of a longer id", () => {
    for (const sessionKey of ["agent:main:main", "agent:main:telegram:group:-10012"])
      expect(canSee(inNewGroup, { ...launchedThere, owner: { sessionKey } }, [chatKey(now, "")])).toBe(false);
  });
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

  it("[E3] where the chat is not the launcher's, also in a direct one only the launcher, the owner or an operator", () => {
    const sent = { ...launched({ by: PERSON }), isForeignRoute: true as const };
    const there = { ...CHAT, senderId: "99" };
    expect(mayGrant(there, sent, "permission")).toBe(false);
    expect(mayGrant(there, sent, "plan")).toBe(false);
    expect(mayGrant(there, sent, "question")).toBe(true);
    expect(mayGrant({ ...there, seesAll: true }, sent, "permission")).toBe(true);
    expect(mayGrant(CHAT, sent, "permission")).toBe(true);
  });

  it("nobody grants by having no id at all", () => {
    const { senderId: _none, ...anonymous } = group;
    expect(mayGrant(anonymous, launched({ by: { kind: "person", door: "command" } }), "permission")).toBe(false);
  });
});
