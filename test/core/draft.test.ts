import { describe, expect, it } from "vitest";
import {
  AGENT,
  ALLOW,
  PERSON,
  RULES,
  WRITER,
  answered,
  asking,
  idle,
  interrupted,
  lastNotice,
  messaged,
  notices,
  permission,
  play,
  working,
} from "./build.ts";

describe("who is told and woken (decisions 23, 24)", () => {
  it("wakes the agent only for sessions that a tool launched", () => {
    expect(lastNotice(asking(permission(), { by: PERSON })).parts).toEqual(["chat"]);
    expect(lastNotice(asking(permission(), { by: AGENT })).parts).toEqual(["chat", "wake"]);
    expect(lastNotice(idle("Done.", { by: AGENT })).parts).toEqual(["chat", "wake"]);
    expect(lastNotice(interrupted({ by: AGENT })).parts).toEqual(["chat", "wake"]);
  });

  it("does not wake it for a question past the limit of automatic answers, and says so", () => {
    const busy = working({ by: AGENT });
    const spent = { ...busy, counters: { ...busy.counters, autoResponds: RULES.maxAutoResponds } };
    expect(lastNotice(play(spent, [permission()]).session)).toMatchObject({
      kind: "asks",
      parts: ["chat"],
      data: { code: "limit_reached" },
    });
  });

  it("tells people what a tool, an RPC or another writer answered, not what they see themselves", () => {
    const by = (door: "tool" | "rpc" | "command" | "button" | "reply") => ({ ...PERSON, door });
    for (const door of ["tool", "rpc"] as const) {
      expect(
        notices(play(asking(), [answered("q3", { option: ALLOW.id }, by(door))]).session, "responded"),
      ).toMatchObject([{ data: { text: "Allow", code: "by_person" } }]);
    }
    for (const door of ["command", "button", "reply"] as const) {
      expect(notices(play(asking(), [answered("q3", { option: ALLOW.id }, by(door))]).session, "responded")).toEqual(
        [],
      );
    }
    expect(notices(play(idle(), [messaged("go", { by: WRITER })]).session, "responded")).toMatchObject([
      { data: { code: "by_writer" } },
    ]);
    expect(notices(play(idle(), [messaged("go", { by: AGENT })]).session, "responded")).toMatchObject([
      { data: { code: "by_agent" } },
    ]);
  });
});
