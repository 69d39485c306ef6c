/** Habits of agents that the protocol allows and iFlow does not have: late replays, calls without states, blocks, an end without a reply. */
import { describe, expect, test } from "vitest";
import { ComposedWorld } from "../composed-world.ts";
import { DemoWorld, say } from "./demo-world.ts";
import { OPTIONS, request } from "./frames.ts";
import { heardOf } from "./heard-of.ts";
import { update } from "./memory-transport.ts";

const call = (fields: object): object => update({ sessionUpdate: "tool_call_update", toolCallId: "c1", ...fields });
const DIFF = { type: "diff", path: "/w/a.txt", oldText: "", newText: "x\n" };

describe("a load that tells the earlier conversation again", () => {
  test("[F5] behind its reply: old words are a log, and the next turn's are its own", async () => {
    await using world = await DemoWorld.create();
    const first = await world.open();
    await first.connection.prompt(1, say("say: one\nsay: two\nsay: three\nsay: four"));
    await first.heard.turnEnd(1);
    await first.connection.stop();
    const again = await world.open({ load: first.acpSessionId }, world.launcher({}, "replay-late"));
    await again.connection.prompt(1, say("say: new"));
    await again.heard.turnEnd(1);
    expect(again.heard.text).toBe("new");
    expect(again.heard.of("log").filter(({ text }) => text.includes('"three"'))).toHaveLength(1);
  });

  test("[F5] in a session: its output has each word once", async () => {
    await using world = await ComposedWorld.start({ agent: { args: ["--quirk", "replay-late"] } });
    const id = await world.launch("say: first words");
    await world.untilPhase(id, "idle");
    await world.restart();
    await world.call("respond", { session: id, message: "say: second words" });
    await world.until(() =>
      world.session(id).turn === 2 && world.session(id).phase.kind === "idle" ? true : undefined,
    );
    expect((await world.output(id)).match(/first words/g)).toHaveLength(1);
    expect(world.session(id).lastWords).not.toContain("first");
  });
});

describe("tool calls", () => {
  test("[F5] updates without a state keep it, and count: titles, diffs, files", async () => {
    const events = await heardOf(
      update({ sessionUpdate: "tool_call", toolCallId: "c1", title: "Write", kind: "edit", content: [DIFF] }),
      call({ title: "Write a.txt" }),
      call({ status: "in_progress" }),
      call({ rawInput: { path: "/w/a.txt" } }),
      call({ status: "completed", content: [{ type: "content", content: { type: "text", text: "done" } }] }),
      call({ title: "after its end" }),
    );
    expect(events.map((event) => (event.kind === "tool" ? event.status : event.kind))).toEqual([
      "pending",
      "pending",
      "in_progress",
      "in_progress",
      "completed",
      "log",
    ]);
    expect(events.at(-2)).toMatchObject({ files: ["/w/a.txt"], output: "done", toolKind: "edit" });
  });

  test("[F5] a permission is asked with what the call said before: title, kind, diff, command", async () => {
    const events = await heardOf(
      update({ sessionUpdate: "tool_call", toolCallId: "c1", title: "Write a.txt", kind: "edit", content: [DIFF] }),
      request("session/request_permission", { options: OPTIONS, toolCall: { toolCallId: "c1" } }),
      update({ sessionUpdate: "tool_call", toolCallId: "c2", title: "Run a command", kind: "execute" }),
      request(
        "session/request_permission",
        { options: OPTIONS, toolCall: { toolCallId: "c2", rawInput: { command: "rm -rf build" } } },
        1,
      ),
    );
    expect(events.filter(({ kind }) => kind === "asked")).toMatchObject([
      { request: { title: "Write a.txt", toolKind: "edit", content: expect.stringContaining("+x") as string } },
      { request: { title: "Run a command", toolKind: "execute", content: "rm -rf build" } },
    ]);
  });
});

test("[F5] an agent that exits without its reply: what it had said in this turn is in the notice, nothing of the one before", async () => {
  await using world = await ComposedWorld.start();
  const id = await world.launch("say: words of the first turn");
  await world.untilPhase(id, "idle");
  await world.call("respond", { session: id, message: "say: I found the bug in line 7\ncrash 3" });
  await world.untilPhase(id, "interrupted");
  const told = await world.untilTold(/with code 3/);
  expect(told).toContain("I found the bug in line 7");
  expect(told).not.toContain("first turn");
});
