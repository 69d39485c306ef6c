/** Commands that were tapped in a notice, and so came alone: the only session that fits is meant, else people choose; nothing is ended. */
import { describe, expect, test } from "vitest";
import { OperationsWorld } from "./operations-world.ts";

async function typed(operations: OperationsWorld, line: string): Promise<string> {
  const [, word = "", args = ""] = /^\/(\S+)\s*(.*)$/.exec(line) ?? [];
  const door = operations.doors.find(({ command }) => command === word);
  const parsed = door?.parseCommand(args);
  if (door === undefined || parsed?.ok !== "params") throw new Error(`${line} was not read`);
  const answered = await operations.call(door.name, parsed.params);
  return answered.ok ? answered.reply.text : `refused: ${answered.message}`;
}

describe("[C6] a command alone", () => {
  test("means the only session there is to look at", async () => {
    await using operations = await OperationsWorld.create();
    const { id } = await operations.launch("say: here I am\nhang", { name: "login" });
    await operations.world.until(id, "working");
    await operations.world.clock.advance(1_000);
    expect(await typed(operations, "/iflow_output")).toMatch(/^login \[\w+\] working[^]*here I am/);
    expect(await typed(operations, "/iflow_output --full")).toMatch(/^login /);
    expect(await typed(operations, "/iflow_fg")).toMatch(/Following login/);
  });

  test("asks which, where several could be meant, and where none is", async () => {
    await using operations = await OperationsWorld.create();
    for (const command of ["/iflow_output", "/iflow_fg", "/iflow_kill", "/iflow_respond"])
      expect(await typed(operations, command)).toMatch(
        /^refused: (?:There is no iFlow session|No iFlow session waits)/,
      );
    for (const name of ["login", "deploy"]) await operations.launch("hang", { name });
    for (const command of ["/iflow_output", "/iflow_fg"])
      expect(await typed(operations, command)).toMatch(
        new RegExp(`^refused: Which session\\?\n${command} deploy \\(\\w+\\)\n${command} login \\(\\w+\\)$`),
      );
  });

  test("never stops anything: the command with the name is shown", async () => {
    await using operations = await OperationsWorld.create();
    const { id } = await operations.launch("hang", { name: "login" });
    await operations.world.until(id, "working");
    expect(await typed(operations, "/iflow_kill")).toBe("refused: Which session?\n/iflow_kill login (working)");
    expect(operations.world.session(id).phase.kind).toBe("working");
  });

  test("shows what is open, and how it is answered", async () => {
    await using operations = await OperationsWorld.create();
    const { id } = await operations.launch("ask: Which way? | left | right", { name: "login" });
    await operations.world.until(id, "asking");
    expect(await typed(operations, "/iflow_respond")).toBe(
      "refused: 🔔 login asks: Which way?\n1: left\n2: right\n/iflow_respond login <number>",
    );
    expect(operations.world.session(id).phase.kind).toBe("asking");
  });

  test("goes on with the only session that broke off, else lists", async () => {
    await using operations = await OperationsWorld.create();
    const { id } = await operations.launch("say: half\ncrash", { name: "login" });
    await operations.world.until(id, "interrupted");
    expect(await typed(operations, "/iflow_resume --list")).toContain("login");
    expect(await typed(operations, "/iflow_resume")).toMatch(/^↩️ (?:Resumed login |login goes on)/);
  });

  test("of an agent or a program is refused as ever", async () => {
    await using operations = await OperationsWorld.create();
    await operations.launch("hang", { name: "login" });
    expect(await operations.verdict("output", {}, { ...operations.me, door: "tool" })).toBe("invalid_params");
  });
});
