import { describe, expect, it } from "vitest";
import { buttonsOf } from "../../src/core/choice-button.ts";
import { pickLanguage, wordsOf } from "../../src/core/language.ts";
import { noticeText } from "../../src/core/notice.ts";
import { readAnswer } from "../../src/core/question.ts";
import type { Notice, NoticeCode, NoticeKind, Session } from "../../src/core/session.ts";
import { voiceOf } from "../../src/core/voice.ts";
import {
  AGENT,
  ALLOW,
  CLOCK,
  DAY_MS,
  MINUTE_MS,
  RULES,
  T0,
  answered,
  asking,
  foreign,
  idle,
  interrupted,
  kill,
  lastNotice,
  launched,
  messaged,
  notices,
  permission,
  phaseOf,
  plan,
  play,
  questions,
  ready,
  recovered,
  said,
  startFailed,
  starting,
  text,
  turnEnded,
  loginOver,
  turnFailed,
  working,
  type Launch,
} from "./build.ts";

const EN = { words: wordsOf("en"), safeMode: false };
const ZH = { words: wordsOf("zh"), safeMode: false };
const SAFE = { ...EN, safeMode: true };
const CHINESE: Launch = { prompt: "修复登录测试", name: "修复登录" };

function told(session: Session, style = EN, kind?: NoticeKind): string {
  const notice = kind === undefined ? lastNotice(session) : notices(session, kind).at(-1);
  if (notice === undefined) throw new Error(`no ${kind} is owed`);
  return noticeText(session, notice, style);
}

it.each([EN, ZH])("a missing agent is remedied by what can still be had: the community edition", (style) => {
  const notice = told(play(starting(), [startFailed("agent_missing")]).session, style, "failed");
  expect(notice).toContain("iflow-ce");
  expect(notice).not.toContain("npm i -g");
});

describe("[N1] [N9] notices in English", () => {
  it.each<readonly [string, Session, string]>([
    [
      "launched",
      launched({ by: AGENT }),
      "↩️ fix-login launched\nFix the login tests\n/work/app · permissions: manual\nWatch it: /iflow_fg fix-login",
    ],
    [
      "queued",
      play(launched(), [{ type: "placed", place: 3 }]).session,
      "⏳ fix-login waits for a free slot (place 3)\nIt starts by itself. Withdraw it: /iflow_kill fix-login",
    ],
    [
      "permission",
      asking(permission({ title: "npm test" })),
      "🔔 fix-login asks for permission\nnpm test\n\n1: Allow\n2: Reject\n\nReply with the number, or: /iflow_respond --question q3 fix-login <number>\nNo answer within 24h counts as no.",
    ],
    [
      "plan",
      asking(plan(1, "# Plan\n1. Write")),
      "🔔 fix-login proposes a plan\n# Plan\n1. Write\n\nA: Approve, ask before each change\nB: Reject\nC: Approve and carry out without asking\n\nReply with the letter. In your own words: /iflow_respond --question q3 fix-login <answer>\nNo answer within 24h counts as no.",
    ],
    [
      "question without choices",
      asking(questions(1, { text: "What name?" })),
      "🔔 fix-login asks\nWhat name?\n\nAnswer: /iflow_respond --question q3 fix-login <answer>\nNo answer within 24h counts as no.",
    ],
    [
      "question with several choices",
      asking(questions(1, { text: "Files?", options: ["x", "y"], multiSelect: true })),
      "🔔 fix-login asks\nFiles?\n\n1: x\n2: y\nSeveral numbers are possible, such as 1, 3.\n\nReply with the number. In your own words: /iflow_respond --question q3 fix-login <answer>\nNo answer within 24h counts as no.",
    ],
    [
      "several parts",
      asking(
        questions(1, { text: "DB?", options: ["A", "B"] }, { text: "Files?", options: ["x", "y"], multiSelect: true }),
      ),
      "🔔 fix-login asks 2 questions\n\nq3.1 · DB?\n1: A\n2: B\n\nq3.2 · Files?\n1: x\n2: y\nSeveral numbers are possible, such as 1, 3.\n\nAnswer each by its id: /iflow_respond --question q3.1 fix-login <number>\nNo answer within 24h counts as no.",
    ],
    [
      "the end of a turn with a question",
      idle("Done.\n\nWhich DB?"),
      "🔔 fix-login waits for your answer\n\nDone.\n\nWhich DB?\n\nAnswer: /iflow_respond fix-login <answer>",
    ],
    [
      "responded",
      play(idle(), [messaged("use A", { by: AGENT })]).session,
      "↩️ fix-login got an answer from the agent: use A",
    ],
    [
      "turn finished",
      idle("All 14 tests pass."),
      "✅ fix-login finished turn 1 · 2s\n\nAll 14 tests pass.\n\nGo on: /iflow_respond fix-login <message>",
    ],
    [
      "turn stopped early",
      play(working(), [text("Half"), turnEnded(1, "max_tokens")]).session,
      "✅ fix-login finished turn 1 · 2s\nIt stopped early: the model reached its output limit.\n\nHalf\n\nGo on: /iflow_respond fix-login <message>",
    ],
    [
      "completed",
      play(working({ settings: { singleTurn: true } }), [text("Fixed."), turnEnded(1)]).session,
      "✅ fix-login completed · 2s\n\nFixed.\n\nGo on later: /iflow_resume fix-login",
    ],
    [
      "failed",
      play(working(), [turnFailed(1, "HTTP 500")]).session,
      "❌ fix-login failed · 1s\niFlow answered with an error.\nHTTP 500\n\nTry again with the same context: /iflow_resume fix-login",
    ],
    [
      "[E4] a login that ended in the middle",
      play(working(), [loginOver(1)]).session,
      "❌ fix-login failed · 1s\niFlow is not logged in.\nThe agent is not authenticated (Authentication required).\nLog in with `iflow` in a terminal, or set agent.auth in the plugin's config.\n\nTry again with the same context: /iflow_resume fix-login",
    ],
    [
      "failed to start",
      play(starting(), [startFailed("not_authenticated", "Authentication required")]).session,
      "❌ fix-login failed\niFlow is not logged in.\nAuthentication required\nLog in with `iflow` in a terminal, or set agent.auth in the plugin's config.\n\nTry again with the same context: /iflow_resume fix-login",
    ],
    [
      "timed out",
      play(working(), [{ ...CLOCK, at: T0 + DAY_MS }, turnEnded(1, "cancelled")]).session,
      "❌ fix-login failed · 23h 59m\nThe model gave no sign of life for too long, so the turn was stopped.\niflowTimeout sets how long the model may be silent.\n\nTry again with the same context: /iflow_resume fix-login",
    ],
    [
      "killed",
      play(working(), [messaged("a"), messaged("b"), kill(AGENT)]).session,
      "⛔ fix-login was stopped · 3s\nThe agent that launched it stopped it.\n2 messages that waited were not sent.\n\nGo on later: /iflow_resume fix-login",
    ],
    [
      "interrupted",
      interrupted(),
      '⚠️ fix-login was interrupted\niFlow ended with code 137.\nIt had said: "Half way".\n\nNothing was repeated. Go on: /iflow_respond fix-login continue\nStop it: /iflow_kill fix-login',
    ],
    [
      "quiet",
      play(working(), [{ ...CLOCK, at: T0 + 2 * MINUTE_MS + 2_000 }], { ...RULES, quietAfterMs: MINUTE_MS }).session,
      "🕒 fix-login has been quiet for 2m\nIt waits for the model.\nStop it: /iflow_kill fix-login",
    ],
    [
      "denied",
      play(asking(), [{ ...CLOCK, at: T0 + 2 * DAY_MS }]).session,
      "⌛ fix-login: nobody answered q3 in time, so the answer is no",
    ],
    [
      "a deadline held",
      play(asking(), [{ ...recovered(), at: T0 + 2 * DAY_MS }]).session,
      "⚠️ fix-login: Its deadline passed while the gateway was down.\nIt now holds for 1h more.",
    ],
    [
      "another writer",
      play(asking(), [foreign({ resumed: "yes please" })]).session,
      "⚠️ fix-login: Somebody resumed its TaskFlow without a valid answer. The question stays open.\nTheir words: yes please",
    ],
    [
      "a warning",
      play(working(), [{ type: "warn", text: "The disk is full." }]).session,
      "⚠️ fix-login: The disk is full.",
    ],
  ])("%s", (_name, session, expected) => {
    expect(told(session)).toBe(expected);
  });

  it("how to go on without the history", () => {
    const lost = play(idle(), [
      { type: "park" },
      {
        type: "said",
        chunks: 1,
        event: { kind: "exited", report: { code: 0, signal: null, stderrTail: "", cause: "stopped" } },
      },
      messaged("x"),
      { type: "slot-granted" },
      ready("lost"),
    ]).session;
    expect(told(lost)).toContain("🔔 fix-login asks how to go on\niFlow no longer has the history");
    expect(told(lost)).toContain("1: Start fresh with a summary\n2: Stop");
    expect(told(lost, ZH)).toContain("1: 带着摘要重新开始\n2: 停止");
  });

  it("says that a question is settled, when its notice leaves too late", () => {
    const session = asking();
    const [notice] = notices(session, "asks");
    const done = play(session, [answered("q3", { option: ALLOW.id })]).session;
    expect(noticeText(done, notice as Notice, EN)).toBe(
      "🔔 fix-login had asked (git status); that is settled meanwhile",
    );
    expect(buttonsOf(done, notice as Notice, EN)).toEqual([]);
  });

  it("shows only the parts that are still open", () => {
    const session = asking(questions(1, { text: "DB?", options: ["A"] }, { text: "Name?" }));
    const [notice] = notices(session, "asks");
    const half = play(session, [answered("q3.1", { option: "A" })]).session;
    expect(noticeText(half, notice as Notice, EN)).not.toContain("DB?");
    expect(noticeText(half, notice as Notice, EN)).toContain("Name?");
  });

  it("names the question where another one is open as well", () => {
    const session = play(asking(), [permission({ requestId: 1 })]).session;
    expect(told(session)).toContain("/iflow_respond --question q5 fix-login <number>");
  });

  it("says that a person must answer, past the limit of automatic answers", () => {
    const busy = working({ by: AGENT });
    const spent = { ...busy, counters: { ...busy.counters, autoResponds: RULES.maxAutoResponds } };
    for (const session of [play(spent, [permission()]).session, play(spent, [text("Which?"), turnEnded(1)]).session]) {
      expect(told(session)).toContain("a person must answer this");
    }
  });

  it("has no number of a choice in its example: whoever copies it would grant that one", () => {
    for (const style of [EN, ZH]) expect(told(asking(), style)).not.toMatch(/iflow_respond .*\d$/m);
  });
});

describe("[N1] [N9] notices in Chinese", () => {
  it.each<readonly [string, Session, string]>([
    [
      "question without choices",
      asking(questions(1, { text: "叫什么？" }), CHINESE),
      "🔔 修复登录 有一个问题\n叫什么？\n\n回答：/iflow_respond --question q3 修复登录 <回答>\n24 小时内没有回答则按拒绝处理。",
    ],
    [
      "permission",
      asking(permission({ title: "npm test" }), CHINESE),
      "🔔 修复登录 请求许可\nnpm test\n\n1: Allow\n2: Reject\n\n回复编号即可，或：/iflow_respond --question q3 修复登录 <编号>\n24 小时内没有回答则按拒绝处理。",
    ],
    [
      "plan",
      asking(plan(1, "1. 编写"), CHINESE),
      "🔔 修复登录 提出了计划\n1. 编写\n\nA: 批准，每次修改前询问\nB: 拒绝\nC: 批准，执行时不再询问\n\n回复字母即可。用自己的话回答：/iflow_respond --question q3 修复登录 <回答>\n24 小时内没有回答则按拒绝处理。",
    ],
    [
      "turn finished",
      idle("全部通过。", CHINESE),
      "✅ 修复登录 完成了第 1 轮 · 2 秒\n\n全部通过。\n\n继续：/iflow_respond 修复登录 <内容>",
    ],
    [
      "killed",
      play(working(CHINESE), [kill()]).session,
      "⛔ 修复登录 已被停止 · 1 秒\n由用户停止。\n\n以后继续：/iflow_resume 修复登录",
    ],
  ])("%s", (_name, session, expected) => {
    expect(told(session, ZH)).toBe(expected);
    expect(voiceOf({ language: "auto", safeMode: false }).text(session, lastNotice(session))).toBe(expected);
  });

  it("takes the labels that it shows as answers", () => {
    const [question] = phaseOf(asking(plan(1, "x"), CHINESE), "asking").asks.flatMap((ask) => ask.questions);
    if (question === undefined) throw new Error("no question");
    expect(readAnswer(question, "批准，每次修改前询问")).toEqual({ ok: true, value: { optionIds: ["approve"] } });
    expect(readAnswer(question, "批准")).toEqual({ ok: true, value: { optionIds: ["approve"] } });
    expect(readAnswer(question, "拒绝")).toEqual({ ok: true, value: { optionIds: ["reject"] } });
  });

  it("says everything that English says", () => {
    const [en, zh] = [wordsOf("en"), wordsOf("zh")];
    const keys = (value: object, path = ""): readonly string[] =>
      Object.entries(value).flatMap(([key, inner]) =>
        typeof inner === "object" && inner !== null ? keys(inner as object, `${path}${key}.`) : [`${path}${key}`],
      );
    expect(keys(zh).toSorted()).toEqual(keys(en).toSorted());
    for (const code of Object.keys(en.about) as NoticeCode[])
      if (en.about[code] !== "") expect(zh.about[code]).toMatch(/\p{Script=Han}/u);
  });
});

it.each([
  [500, "1s", "1 秒"],
  [0, "0s", "0 秒"],
  [59_000, "59s", "59 秒"],
  [60_000, "1m", "1 分钟"],
  [192_000, "3m 12s", "3 分 12 秒"],
  [3_600_000, "1h", "1 小时"],
  [5_430_000, "1h 30m", "1 小时 30 分"],
  [DAY_MS, "24h", "24 小时"],
  [7 * DAY_MS, "7d", "7 天"],
  [49 * 3_600_000, "2d 1h", "2 天 1 小时"],
  [-5, "0s", "0 秒"],
])("%d ms: %s", (ms, en, zh) => {
  expect(wordsOf("en").duration(ms)).toBe(en);
  expect(wordsOf("zh").duration(ms)).toBe(zh);
});

it.each([
  ["auto", "Fix the tests", "en"],
  ["auto", "修复 login 测试", "zh"],
  ["auto", "Add a button with the label 中文 to the page", "en"],
  ["auto", "ログイン画面を修正", "en"],
  ["auto", "로그인 수정", "en"],
  ["auto", "", "en"],
  ["zh", "Fix", "zh"],
  ["en", "修复", "en"],
] as const)("[N9] language %s, %j: %s", (setting, prompt, language) => {
  expect(pickLanguage(setting, prompt)).toBe(language);
});

it("[N9] a message that may be missing is said with where to read it", () => {
  expect(EN.words.mayBeMissing("fix-login")).toBe(
    "⚠️ fix-login: the connection broke while a message was sent, so it may not have arrived here.\nRead it: /iflow_output fix-login\nWhat is open: /iflow_sessions",
  );
  expect(ZH.words.mayBeMissing("修复")).toMatch(/^⚠️ 修复：.*\n查看：\/iflow_output 修复\n/);
});

describe("lengths", () => {
  const long = "word ".repeat(2_000);

  it("closes a code block that the cut opened", () => {
    const shown = told(idle(`Look:\n\`\`\`js\n${"code();\n".repeat(150)}`));
    expect((shown.match(/^```/gm) ?? []).length % 2).toBe(0);
  });

  it.each([EN, ZH, SAFE])("stays one message for anything that iFlow asks", (style) => {
    const options = Array.from({ length: 100 }, (_, i) => `${i} ${long}`);
    for (const session of [
      asking(permission({ title: long, content: `${long}\n`.repeat(20) })),
      asking(plan(1, long)),
      asking(questions(1, { text: long, options })),
      asking(questions(1, ...Array.from({ length: 10 }, () => ({ text: long, options })))),
      idle(long),
      play(working(), [turnFailed(1, long)]).session,
      play(working(), [said({ kind: "exited", report: { code: 1, signal: null, stderrTail: long, cause: "exited" } })])
        .session,
      launched({ by: AGENT, prompt: long }),
    ]) {
      for (const notice of session.owed) expect(noticeText(session, notice, style).length).toBeLessThan(3_600);
    }
  });

  it("says how many choices and parts it leaves out", () => {
    const options = Array.from({ length: 20 }, (_, i) => `option ${i + 1}`);
    expect(told(asking(questions(1, { text: "?", options })))).toContain("12: option 12\n… and 8 more");
    const parts = Array.from({ length: 10 }, (_, i) => ({ text: `${i} ${long}`, options }));
    expect(told(asking(questions(1, ...parts)))).toMatch(/… and \d more\n\nAnswer each/);
  });
});

describe("[N7] safe mode", () => {
  it("hides what would be written, run or was said by a command", () => {
    const session = asking(permission({ title: "Write to .env", content: "+ DB_HOST=example" }));
    expect(told(session, SAFE)).not.toContain("DB_HOST");
    expect(told(session, SAFE)).toContain("Write to .env\n(content hidden in safe mode)");
    expect(told(asking(plan(1, "Plan\nread the key")), SAFE)).not.toContain("read the key");
    const result = idle("Here:\n```\nDB_HOST=example\n```\nDone.");
    expect(told(result, SAFE)).toBe(
      "✅ fix-login finished turn 1 · 2s\n\nHere:\n\n(code hidden in safe mode)\n\nDone.\n\nGo on: /iflow_respond fix-login <message>",
    );
    const died = play(working(), [
      said({ kind: "exited", report: { code: 1, signal: null, stderrTail: "DB_HOST=example", cause: "exited" } }),
    ]).session;
    expect(told(died, SAFE)).not.toContain("DB_HOST");
  });
});

it("no notice has a secret, in no mode, on buttons neither, however it was cut", () => {
  const rest = "aB3dE5fG7hJ9kL2mN4pQ6rS8";
  const secret = `sk-${rest}`;
  const session = asking(questions(1, { text: `Use ${secret}?`, options: [`Yes, ${secret}`, "No"] }));
  for (const shown of [
    told(session),
    JSON.stringify(buttonsOf(session, lastNotice(session), EN)),
    told(launched({ by: AGENT, prompt: `with ${secret}` })),
    told(idle(`${"x ".repeat(590)}${secret}`)),
  ])
    expect(shown).not.toContain(rest.slice(0, 6));
});
