/** What sub-agents of iFlow do: they ask nobody, and their frames name a session of their own. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ComposedWorld } from "../composed-world.ts";
import { DemoWorld, say } from "./demo-world.ts";
import { Listener } from "./listener.ts";
import { openMemoryConnection, update } from "./memory-transport.ts";

const words = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "hello" } };

describe("frames of a sub-agent", () => {
  test.each(["stdio", "websocket"] as const)(
    "[H4] over %s they are of the session: shown, counted, files listed",
    async (transport) => {
      await using world = await DemoWorld.create({ transport });
      const { connection, heard } = await world.open();
      await connection.prompt(1, say("sub-agent: write b.txt: x\nsay: done"));
      await heard.turnEnd(1);
      expect(heard.text).toContain("general-purpose Agent started");
      const inner = heard.of("tool").filter(({ agentId }) => agentId?.startsWith("subagent-"));
      expect(inner.map(({ status }) => status)).toEqual(["pending", "completed"]);
      expect(inner.at(-1)?.files).toEqual([join(world.folder, "b.txt")]);
      expect(heard.of("log").filter(({ text }) => text.includes("default-session"))).toEqual([]);
    },
  );

  test("[H4] in a session: the tool call counts, the file is listed, its words are output and no last words", async () => {
    await using world = await ComposedWorld.start();
    const id = await world.launch("say: before\nsub-agent: write b.txt: x");
    const session = await world.untilPhase(id, "idle");
    expect(session.counters.toolCalls).toBe(2);
    expect(session.filesEdited).toEqual([join(world.folder, "workspace", "b.txt")]);
    expect(await world.output(id)).toContain("general-purpose Agent started");
    expect(session.lastWords).not.toContain("general-purpose");
  });

  test("[H4] one that names nobody is told from the agent itself by the session that it names", async () => {
    await using world = await DemoWorld.create();
    const { connection, heard } = await world.open();
    const frame = JSON.stringify(update(words, "default-session"));
    await connection.prompt(1, say(`raw: ${frame}`));
    await heard.turnEnd(1);
    expect(heard.of("text")).toEqual([{ kind: "text", text: "hello", agentId: "default-session" }]);
  });

  test("[H4] of an agent that was only dialled, which may have more sessions, another session's stay a log", async () => {
    const { transport, connection } = await openMemoryConnection();
    const heard = new Listener(connection);
    transport.say(update(words, "default-session"), update(words));
    await heard.until(() => heard.of("text").length > 0);
    expect(heard.of("text")).toHaveLength(1);
    expect(heard.of("log").at(-1)?.text).toContain("default-session");
    transport.end();
  });
});

describe("tools that ask nobody", () => {
  test.each([
    ["manual", [], false],
    ["selective", [], false],
    ["selective", ["task"], true],
    ["plan", [], false],
    ["auto", [], true],
  ] as const)("[H2] %s mode, allowed %j: a sub-agent writes: %j", async (permission_mode, allowed_tools, writes) => {
    await using world = await ComposedWorld.start();
    const params = { permission_mode, ...(allowed_tools.length === 0 ? {} : { allowed_tools }) };
    const id = await world.launch("sub-agent: write b.txt: x\nsettings", params);
    await world.untilPhase(id, "idle");
    const written = await readFile(join(world.folder, "workspace", "b.txt"), "utf8").catch(() => undefined);
    expect(written).toBe(writes ? "x\n" : undefined);
    const settings = /\{"mode".*\}/.exec(await world.output(id))?.[0] ?? "{}";
    const { disallowed_tools = [] } = (JSON.parse(settings) as { settings: { disallowed_tools?: string[] } }).settings;
    expect(disallowed_tools.includes("task")).toBe(!writes);
    expect(disallowed_tools.includes("xml_escape")).toBe(permission_mode !== "auto");
  });
});
