/** The output as a record of who said what: no voice runs into another's line or code block. */
import { describe, expect, test } from "vitest";
import type { AgentEvent } from "../../src/core/agent-event.ts";
import { resultOf } from "../../src/core/last-words.ts";
import { wordsOf } from "../../src/core/language.ts";
import { noticeText } from "../../src/core/notice.ts";
import type { Session } from "../../src/core/session.ts";
import {
  AGENT,
  answered,
  asking,
  CLOCK,
  DAY_MS,
  lastNotice,
  messaged,
  permission,
  play,
  questionIds,
  questions,
  said,
  T0,
  text,
  tool,
  turnEnded,
  working,
  type Happening,
} from "./build.ts";

const left = (turn: number): Happening => ({ type: "prompt-left", turn });
const shown = (session: Session): string => session.output.text;

/** Everything that each step wrote, joined, is the output: it is what the journal gets. */
function written(start: Session, events: readonly Happening[]): Session {
  let session = start;
  let journalled = "";
  for (const event of events) {
    const step = play(session, [event]);
    journalled += step.written ?? "";
    expect(step.session.output.text).toBe(journalled);
    session = step.session;
  }
  return session;
}

test("[H6] a second turn begins behind its prompt, not in the line in which the first one broke off", () => {
  const session = written(working(), [
    left(1),
    text("word58 word59"),
    messaged("Stop. What is the time?", { interrupt: true }),
    turnEnded(1, "cancelled"),
    left(2),
    text("Second turn answer."),
    turnEnded(2),
  ]);
  expect(shown(session)).toBe("word58 word59\n\n👤 Stop. What is the time?\n\nSecond turn answer.");
  const told = noticeText(session, lastNotice(session), { words: wordsOf("en"), safeMode: false });
  expect(told).toContain("\n\nSecond turn answer.\n\n");
});

test("[H6] what is asked and answered stands between the words before and after it, and the result is what came after", () => {
  const asked = written(working(), [text("I will write the file."), permission({ title: "Write to a.txt" })]);
  const [id = ""] = questionIds(asked);
  const { session } = play(asked, [answered(id, { option: "cancel" }), text("Then I leave it."), turnEnded(1)]);
  expect(shown(session)).toMatch(
    /^I will write the file\.\n\n🔔 q\d+: Write to a\.txt\n\n👤 q\d+: Reject\n\nThen I leave it\.$/,
  );
  expect(resultOf(session).text).toBe("Then I leave it.");
});

test("[H6] an agent's answer, several questions at once, and one that nobody answered are told apart", () => {
  const several = asking(questions(1, { text: "Which port?\nMore of it", options: ["80", "81"] }, { text: "Why?" }));
  const by = play(several, [answered(questionIds(several)[0] ?? "", { option: "80" }, AGENT)]).session;
  expect(shown(by)).toMatch(/^🔔 q\d+\.1: Which port\?\n🔔 q\d+\.2: Why\?\n\n🤖 q\d+\.1: 80\n\n$/);
  const late = play(asking(permission()), [{ ...CLOCK, at: T0 + 2 * DAY_MS }]).session;
  expect(shown(late)).toMatch(/⌛ q\d+\n\n$/);
});

describe("[H6] within a turn", () => {
  test("words around a tool call that shows nothing are two paragraphs", () => {
    const { session } = play(working(), [
      text("Let me look."),
      tool("c1", "in_progress", { title: "Read a.txt", toolKind: "read" }),
      tool("c1", "completed", { output: "x" }),
      text("Found it."),
    ]);
    expect(shown(session)).toBe("Let me look.\n\nFound it.");
  });

  test("another message begins a paragraph, in the result as well", () => {
    const next: AgentEvent = { kind: "text", text: "Second.", starts: true };
    const { session } = play(working(), [text("First."), said(next)]);
    expect(shown(session)).toBe("First.\n\nSecond.");
    expect(resultOf(session).text).toBe("First.\n\nSecond.");
  });

  test("pieces of one message stay one line", () => {
    expect(shown(play(working(), [text("one "), text("line"), text(", still")]).session)).toBe("one line, still");
  });

  test("a code block that breaks off is closed before somebody else speaks", () => {
    const session = written(working(), [
      text("```js\nconst a = 1;"),
      messaged("Enough.", { interrupt: true }),
      turnEnded(1, "cancelled"),
      left(2),
    ]);
    expect(shown(session)).toBe("```js\nconst a = 1;\n```\n\n👤 Enough.\n\n");
  });
});

test("[H6] a long prompt is shown by its beginning, with its code block closed", () => {
  const long = `Do this:\n\`\`\`\n${"line\n".repeat(800)}`;
  const session = written(working(), [turnEnded(1), messaged(long), left(2)]);
  expect(shown(session).length).toBeLessThan(1_100);
  expect(shown(session)).toMatch(/^👤 Do this:\n```\n[\s\S]*…\n```\n\n$/);
});
