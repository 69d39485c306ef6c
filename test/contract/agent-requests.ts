/**
 * What every implementation of the agent port keeps about requests of the agent and about cancelling: agent-connection.ts is
 * the other half.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AgentReply } from "../../src/core/agent-event.ts";
import { type AgentWorld, prompt, Stage } from "./agent-world.ts";

const ALLOW: AgentReply = { kind: "selected", optionId: "proceed_once" };
const CANCELLED: AgentReply = { kind: "cancelled" };

export function agentRequestContract(name: string, createWorld: () => Promise<AgentWorld>): void {
  describe(`agent port, requests: ${name}`, () => {
    let stage: Stage;

    beforeEach(async () => {
      stage = new Stage(await createWorld());
    });

    afterEach(() => stage[Symbol.asyncDispose]());

    describe("asking", () => {
      test("mode default asks; an allowed edit is made", async () => {
        const { connection, heard } = await stage.open({ mode: "default" });
        await prompt(connection, 1, "write a.txt: hello");
        const request = await heard.request(0);
        expect(request).toMatchObject({
          kind: "permission",
          title: "Write to a.txt",
          toolKind: "edit",
          toolName: "write_file",
        });
        expect(request.kind === "permission" && request.content).toContain("+hello");
        expect(request.kind === "permission" && request.options.map(({ id, kind }) => [id, kind])).toEqual([
          ["proceed_always", "allow_always"],
          ["proceed_once", "allow_once"],
          ["cancel", "reject_once"],
        ]);
        expect(await stage.world.file("a.txt")).toBeUndefined();
        expect(connection.reply(request.requestId, ALLOW)).toBe("sent");
        await heard.turnEnd(1);
        expect(await stage.world.file("a.txt")).toBe("hello\n");
      });

      test("a command that asks shows the command alone", async () => {
        const { connection, heard } = await stage.open({ mode: "default" });
        await prompt(connection, 1, "run: echo out");
        const request = await heard.request(0);
        expect(request).toMatchObject({ kind: "permission", toolKind: "execute", content: "echo out" });
        connection.reply(request.requestId, ALLOW);
        await heard.turnEnd(1);
      });

      test.each([CANCELLED, { kind: "selected", optionId: "cancel" } as const])(
        "a rejection (%o) leaves the file alone and the turn goes on",
        async (reply) => {
          const { connection, heard } = await stage.open({ mode: "default" });
          await prompt(connection, 1, "write a.txt: hello", "say: done");
          const request = await heard.request(0);
          expect(connection.reply(request.requestId, reply)).toBe("sent");
          expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "end_turn" });
          expect(await stage.world.file("a.txt")).toBeUndefined();
          expect(heard.text).toBe("done");
        },
      );

      test("two requests at once are answered one by one, in any order", async () => {
        const { connection, heard } = await stage.open({ mode: "default" });
        await prompt(connection, 1, "write2 a.txt b.txt");
        const [first, second] = [await heard.request(0), await heard.request(1)];
        expect(connection.reply(second.requestId, ALLOW)).toBe("sent");
        expect(connection.reply(first.requestId, CANCELLED)).toBe("sent");
        await heard.turnEnd(1);
        expect(await stage.world.file("a.txt")).toBeUndefined();
        expect(await stage.world.file("b.txt")).toBe("b.txt\n");
      });

      test("an always-grant is not asked again", async () => {
        const { connection, heard } = await stage.open({ mode: "default" });
        await prompt(connection, 1, "write a.txt: a", "write b.txt: b");
        const request = await heard.request(0);
        connection.reply(request.requestId, { kind: "selected", optionId: "proceed_always" });
        await heard.turnEnd(1);
        expect(heard.asked).toHaveLength(1);
        expect(await stage.world.file("b.txt")).toBe("b\n");
      });

      test("only the first answer counts, and nothing that was not offered is sent", async () => {
        const { connection, heard } = await stage.open({ mode: "default" });
        await prompt(connection, 1, "write a.txt: hello");
        const { requestId } = await heard.request(0);
        expect(connection.reply("no such request", ALLOW)).toBe("stale");
        expect(connection.reply(requestId, { kind: "selected", optionId: "made up" })).toBe("stale");
        expect(connection.reply(requestId, { kind: "plan", approved: true })).toBe("stale");
        expect(connection.reply(requestId, { kind: "answers", answers: [] })).toBe("stale");
        expect(connection.reply(requestId, CANCELLED)).toBe("sent");
        expect(connection.reply(requestId, ALLOW)).toBe("stale");
        await heard.turnEnd(1);
        expect(await stage.world.file("a.txt")).toBeUndefined();
      });

      test("a question is asked in every mode and the answer reaches the agent", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "ask: Which? | A | B = bee", "say: {answer}!");
        const request = await heard.request(0);
        expect(request).toMatchObject({
          kind: "questions",
          questions: [
            {
              text: "Which?",
              multiSelect: false,
              options: [
                { id: "A", label: "A" },
                { id: "B", label: "B", description: "bee" },
              ],
            },
          ],
        });
        expect(connection.reply(request.requestId, { kind: "answers", answers: [{ text: "neither" }] })).toBe("sent");
        await heard.turnEnd(1);
        expect(heard.text).toContain("neither!");
      });

      test("two questions in one request are answered together, several options where several were asked for", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "two questions");
        const request = await heard.request(0);
        const answers = [{ optionIds: ["SQLite"] }, { optionIds: ["Tests", "CI"] }];
        expect(connection.reply(request.requestId, { kind: "answers", answers })).toBe("sent");
        await heard.turnEnd(1);
        expect(heard.text).toContain("SQLite, Tests, CI");
      });

      test("a plan is approved, or not with a reason", async () => {
        const { connection, heard } = await stage.open({ mode: "plan" });
        await prompt(connection, 1, "plan: 1. this");
        const first = await heard.request(0);
        expect(first).toMatchObject({ kind: "plan", plan: "1. this" });
        connection.reply(first.requestId, { kind: "plan", approved: false, reason: "too risky" });
        await heard.turnEnd(1);
        expect(heard.text).toContain("too risky");
        await prompt(connection, 2, "plan: 2. that", "write a.txt: x");
        const second = await heard.request(1);
        connection.reply(second.requestId, { kind: "plan", approved: true });
        expect(await heard.turnEnd(2)).toMatchObject({ stopReason: "end_turn" });
        expect(await stage.world.file("a.txt")).toBeUndefined();
      });

      test("mode plan refuses an edit without a word", async () => {
        const { connection, heard } = await stage.open({ mode: "plan" });
        await prompt(connection, 1, "write a.txt: x", "say: done");
        await heard.turnEnd(1);
        expect(heard.asked).toEqual([]);
        expect(await stage.world.file("a.txt")).toBeUndefined();
      });

      test("many turns with questions: each is asked, answered and heard once", async () => {
        const { connection, heard } = await stage.open({ mode: "default" });
        for (let turn = 1; turn <= 10; turn += 1) await ask(turn);
        async function ask(turn: number): Promise<void> {
          await prompt(connection, turn, `write f${turn}.txt: ${turn}`, `say: <${turn}>`);
          const request = await heard.request(turn - 1);
          connection.reply(request.requestId, ALLOW);
          await heard.turnEnd(turn);
        }
        expect(heard.text).toBe(Array.from({ length: 10 }, (_, index) => `<${index + 1}>`).join(""));
        expect(await stage.world.file("f10.txt")).toBe("10\n");
      });
    });

    describe("cancel", () => {
      test("a turn that waits for the model ends as cancelled", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "say: one", "hang");
        await heard.until(() => heard.text.includes("one"));
        await connection.cancel();
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "cancelled" });
      });

      test("a cancel in the same breath as its prompt comes after it", async () => {
        const { connection, heard } = await stage.open();
        const leaving = prompt(connection, 1, "hang");
        await connection.cancel();
        await leaving;
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "cancelled" });
      });

      test("open requests are answered with cancelled first: nothing is written, nothing stays open", async () => {
        const { connection, heard } = await stage.open({ mode: "default" });
        await prompt(connection, 1, "write2 a.txt b.txt", "say: never");
        await heard.request(1);
        await connection.cancel();
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "cancelled" });
        for (const { requestId } of heard.asked) expect(connection.reply(requestId, ALLOW)).toBe("stale");
        expect(await stage.world.file("a.txt")).toBeUndefined();
        expect(heard.text).toBe("");
      });

      test("an open question and an open plan are released too", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "ask: Which? | A");
        await heard.request(0);
        await connection.cancel();
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "cancelled" });
        await prompt(connection, 2, "plan: x");
        await heard.request(1);
        await connection.cancel();
        expect(await heard.turnEnd(2)).toMatchObject({ stopReason: "cancelled" });
      });

      test("a running command is ended", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "run: sleep 60");
        await heard.until(() => heard.of("tool").some(({ status }) => status === "in_progress"));
        await connection.cancel();
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "cancelled" });
        expect(heard.of("tool").at(-1)?.status).toBe("failed");
      });

      test("without a turn, and after the end, it does nothing and does not throw", async () => {
        const { connection, heard } = await stage.open();
        await connection.cancel();
        await prompt(connection, 1, "say: fine");
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "end_turn" });
        await connection.cancel();
        await connection.stop();
        await connection.cancel();
      });
    });
  });
}
