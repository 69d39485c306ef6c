import { describe, expect, it } from "vitest";
import { cleanName, deriveName, newSession, uniqueName } from "../../src/core/new-session.ts";
import { encodeSession, parseSession } from "../../src/core/state-json.ts";
import { AGENT, PERSON, SETTINGS, T0, launched } from "./build.ts";

describe("deriveName", () => {
  it.each([
    ["Fix the failing login tests", "fix-failing-login"],
    ["Please fix it", "fix"],
    ["修复登录测试", "修复登录测试"],
    ["请帮我修复登录测试", "修复登录测试"],
    ["帮我把登录页面重新写一遍，并且补充所有缺失的测试和文档说明谢谢", "把登录页面重新写一遍"],
    ["ログイン画面を直して", "ログイン画面を直して"],
    ["हिन्दी में लिखो", "हिन्दी-में-लिखो"],
    ["Überprüfe die Übersetzung", "überprüfe-die"],
    ["🚀🚀🚀", "session"],
    ["", "session"],
    ["the a an", "session"],
    ["internationalizationandlocalization of everything", "internationa"],
    ["../../etc/passwd", "etc-passwd"],
  ])("%j: %s", (prompt, name) => {
    expect(deriveName(prompt)).toBe(name);
  });

  it("is short, and clean as it is", () => {
    for (const prompt of ["a ".repeat(100), "字".repeat(500), "x".repeat(500), "𝒳".repeat(100)]) {
      const name = deriveName(prompt);
      expect([...name].length).toBeLessThanOrEqual(24);
      expect(cleanName(name)).toBe(name);
    }
  });
});

describe("cleanName", () => {
  it.each([
    [" Fix Auth ", "Fix-Auth"],
    ["--all", "all"],
    ["a/b\\c", "a-b-c"],
    ["..", ""],
    [".hidden", "hidden"],
    ["v1.2_x", "v1.2_x"],
    ["登录 修复", "登录-修复"],
    ["///", ""],
    ["`rm -rf`", "rm--rf"],
    [`${"x".repeat(39)} y`, "x".repeat(39)],
  ])("%j: %j", (given, name) => {
    expect(cleanName(given)).toBe(name);
  });
});

it("uniqueName counts on from 2", () => {
  expect(uniqueName("a", new Set())).toBe("a");
  expect(uniqueName("a", new Set(["a"]))).toBe("a-2");
  expect(uniqueName("a", new Set(["a", "a-2", "a-3"]))).toBe("a-4");
});

describe("newSession", () => {
  it("waits in line with its prompt in the inbox", () => {
    expect(launched()).toMatchObject({
      phase: { kind: "queued", reason: "launch" },
      turn: 0,
      seq: 0,
      inbox: [{ id: "m1", text: { text: "Fix the login tests" } }],
    });
  });

  it("tells that it was launched, but for a command, whose own reply says so", () => {
    expect(launched({ by: PERSON }).owed).toEqual([]);
    expect(launched({ by: AGENT }).owed).toMatchObject([{ kind: "launched", parts: ["chat"] }]);
  });

  it("goes on with an ended session: ahead of launches, with its ACP session (decision 6)", () => {
    const session = launched({ continues: { id: "old", acpSessionId: "acp-7", isFork: false, autoResponds: 3 } });
    expect(session).toMatchObject({
      phase: { kind: "queued", reason: "continue" },
      continues: "old",
      acpSessionId: "acp-7",
      counters: { autoResponds: 3 },
    });
  });

  it("is a session to the reader of stored states, with every option and with none", () => {
    const bare = newSession({
      id: "x",
      name: "x",
      owner: { sessionKey: "k" },
      launchedBy: AGENT,
      route: undefined,
      workdir: "/",
      prompt: { text: "p", length: 1 },
      files: [],
      settings: SETTINGS,
      at: T0,
      continues: { id: "o", acpSessionId: undefined, isFork: true, autoResponds: 0 },
    });
    for (const session of [bare, launched()])
      expect(parseSession(JSON.parse(JSON.stringify(encodeSession(session))))).toEqual({ kind: "session", session });
  });
});
