/**
 * What every implementation of the agent port keeps: sessions, turns, the end. Prompts are scripts of the demo agent's language.
 * Run on the in-memory fake and on real processes over both transports; agent-requests.ts is the other half.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IflowError } from "../../src/core/errors.ts";
import { Listener } from "../agent/listener.ts";
import { type AgentWorld, prompt, SESSION, Stage } from "./agent-world.ts";

export function agentContract(name: string, createWorld: () => Promise<AgentWorld>): void {
  describe(`agent port: ${name}`, () => {
    let stage: Stage;

    beforeEach(async () => {
      stage = new Stage(await createWorld());
    });

    afterEach(() => stage[Symbol.asyncDispose]());

    describe("opening", () => {
      test("a new session has an id, no history and a version", async () => {
        const { opened } = await stage.open();
        expect(opened).toMatchObject({ history: "new", agentVersion: "0.5.19" });
        expect(opened.acpSessionId).not.toBe("");
      });

      test("a session that is loaded again knows what was said", async () => {
        const first = await stage.open();
        await prompt(first.connection, 1, "say: one");
        await first.heard.turnEnd(1);
        await first.connection.stop();

        const second = await stage.open({ load: first.opened.acpSessionId });
        expect(second.opened).toMatchObject({ history: "loaded", acpSessionId: first.opened.acpSessionId });
        await prompt(second.connection, 1, "recall");
        await second.heard.turnEnd(1);
        expect(second.heard.text).toContain("1. say: one");
      });

      test("a session that the agent does not know is reported as lost, not as loaded", async () => {
        const { opened } = await stage.open({ load: "d7a3f1f0-0000-4000-8000-000000000000" });
        expect(opened.history).toBe("lost");
      });

      test("a copied history is a session of its own", async () => {
        const first = await stage.open();
        await prompt(first.connection, 1, "say: one");
        await first.heard.turnEnd(1);
        const copy = await stage.world.launcher.copyHistory(first.opened.acpSessionId);
        if (copy === undefined) return expect(stage.world.startsProcesses).toBe(false);
        expect(copy).not.toBe(first.opened.acpSessionId);
        const second = await stage.open({ load: copy });
        expect(second.opened).toMatchObject({ history: "loaded", acpSessionId: copy });
        expect(await stage.world.launcher.copyHistory("../etc/passwd")).toBeUndefined();
        expect(await stage.world.launcher.copyHistory("unknown")).toBeUndefined();
      });

      test("an aborted open rejects and leaves a connection that can be stopped", async () => {
        const connection = await stage.start();
        const abort = new AbortController();
        abort.abort(new Error("not wanted any more"));
        await expect(connection.open(SESSION, abort.signal)).rejects.toThrow("not wanted any more");
        expect(await connection.stop()).toEqual({ clean: true, left: [] });
      });

      test("a prompt before a session is open is refused", async () => {
        const connection = await stage.start();
        await expect(prompt(connection, 1, "say: x")).rejects.toMatchObject({ code: "agent_exited" });
      });
    });

    describe("turns", () => {
      test("words, thoughts and the end come in order", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 7, "think: hm", "say: hello", "say: again");
        expect(await heard.turnEnd(7)).toEqual({ kind: "turn-ended", turn: 7, stopReason: "end_turn" });
        const kinds = heard.events.filter(({ kind }) => kind === "thought" || kind === "text").map(({ kind }) => kind);
        expect(kinds[0]).toBe("thought");
        expect(heard.text).toBe("helloagain");
      });

      test("10,000 frames in one burst arrive complete and in order", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "burst 10000");
        await heard.turnEnd(1);
        expect(heard.text).toBe(Array.from({ length: 10_000 }, (_, index) => `${index + 1}\n`).join(""));
      });

      test("a character that is cut between two pieces is whole", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "split: 敏捷的狐狸🦊");
        await heard.turnEnd(1);
        expect(heard.text).toBe("敏捷的狐狸🦊");
      });

      test("a tool call goes through its states and tells its output and files", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "write a.txt: hello", "run: echo out", "run: exit 3");
        await heard.turnEnd(1);
        const [write, run, failing] = Map.groupBy(heard.of("tool"), ({ toolCallId }) => toolCallId).values();
        expect(write?.map(({ status }) => status)).toEqual(["pending", "in_progress", "completed"]);
        expect(write?.at(1)).toMatchObject({ title: "Write to a.txt", toolKind: "edit", toolName: "write_file" });
        expect(write?.at(-1)?.output).toContain("+hello");
        expect(write?.at(-1)?.files).toEqual([expect.stringMatching(/\/a\.txt$/)]);
        expect(run?.at(-1)).toMatchObject({ status: "completed", output: "out\n" });
        expect(failing?.at(-1)).toMatchObject({
          status: "failed",
          output: "Internal Error: Command exited with code: 3",
        });
        expect(await stage.world.file("a.txt")).toBe("hello\n");
      });

      test("a task list is told", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "todo: first; second");
        await heard.turnEnd(1);
        expect(heard.of("plan")).toEqual([
          {
            kind: "plan",
            entries: [
              { text: "first", status: "in_progress" },
              { text: "second", status: "pending" },
            ],
          },
        ]);
      });

      test("what a sub-agent says carries its id", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "sub-agent: look");
        await heard.turnEnd(1);
        expect(heard.of("text").every(({ agentId }) => agentId !== undefined)).toBe(true);
      });

      test.each(["max_tokens", "refusal"] as const)("stop reason %s is told", async (reason) => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, `stop ${reason}`);
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: reason });
      });

      test("an error reply fails its turn, and the next turn works", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "fail: out of luck");
        expect(await heard.turnEnd(1)).toEqual({ kind: "turn-failed", turn: 1, code: -32603, message: "out of luck" });
        await prompt(connection, 2, "say: still here");
        expect(await heard.turnEnd(2)).toMatchObject({ stopReason: "end_turn" });
      });

      test("overlapping prompts end by their own numbers, the older one as cancelled", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "say: one", "hang");
        await heard.until(() => heard.text.includes("one"));
        await prompt(connection, 2, "say: two");
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "cancelled" });
        expect(await heard.turnEnd(2)).toMatchObject({ stopReason: "end_turn" });
        const ends = heard.of("turn-ended").map(({ turn }) => turn);
        expect(ends).toEqual([2, 1]);
      });

      test("a tool that is not allowed does not exist for the agent", async () => {
        const { connection, heard } = await stage.open({ disallowedTools: ["run_shell_command"] });
        await prompt(connection, 1, "run: echo out", "say: done");
        await heard.turnEnd(1);
        expect(heard.of("tool")).toEqual([]);
        expect(heard.text).toBe("done");
      });
    });

    describe("the end", () => {
      test("stop ends it: exited is the last event, told once, and stop is idempotent", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "say: one", "hang");
        await heard.until(() => heard.text.includes("one"));
        expect(await connection.stop()).toEqual({ clean: true, left: [] });
        expect(await connection.stop()).toEqual({ clean: true, left: [] });
        await heard.until(() => heard.over);
        expect(heard.of("exited")).toEqual([heard.events.at(-1)]);
        expect((await heard.exit()).cause).toBe("stopped");
      });

      test("an open request dies with the connection and is not answered by stop", async () => {
        const { connection, heard, opened } = await stage.open({ mode: "default" });
        await prompt(connection, 1, "ask: Which? | A | B", "write a.txt: {answer}");
        const { requestId } = await heard.request(0);
        await connection.stop();
        expect(connection.reply(requestId, { kind: "answers", answers: [{ optionIds: ["A"] }] })).toBe("stale");
        // Loaded again it goes on with the answer as the next prompt.
        const again = await stage.open({ load: opened.acpSessionId });
        await prompt(again.connection, 1, "B");
        await again.heard.turnEnd(1);
        expect(again.heard.text).not.toContain("no answer");
        expect(await stage.world.file("a.txt")).toBe("B\n");
      });

      test("after the end a prompt is refused with the cause, and nothing is invented", async () => {
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "hang");
        await connection.stop();
        const refused = prompt(connection, 2, "say: x");
        await expect(refused).rejects.toBeInstanceOf(IflowError);
        await expect(refused).rejects.toMatchObject({ code: "agent_exited" });
        await heard.until(() => heard.over);
        expect(heard.of("turn-ended").filter(({ stopReason }) => stopReason !== "cancelled")).toEqual([]);
      });

      test("a crash is told with its code, after everything that was said before it", async () => {
        if (!stage.world.startsProcesses) return;
        const { connection, heard } = await stage.open();
        await prompt(connection, 1, "say: last words", "crash 3");
        expect(await heard.exit()).toMatchObject({ code: 3, signal: null, cause: "exited" });
        expect(heard.text).toBe("last words");
        expect(heard.of("turn-ended")).toEqual([]);
        await heard.until(() => heard.over);
        await expect(prompt(connection, 2, "say: x")).rejects.toMatchObject({ code: "agent_exited" });
      });

      test("an aborted start leaves nothing", async () => {
        const abort = new AbortController();
        abort.abort(new Error("not wanted"));
        await expect(stage.start(abort.signal)).rejects.toThrow("not wanted");
      });

      test("aborting later ends the connection", async () => {
        const abort = new AbortController();
        const connection = await stage.start(abort.signal);
        const heard = new Listener(connection);
        abort.abort();
        expect((await heard.exit()).cause).toBe("stopped");
      });

      test("reaping a session that left nothing ends nothing", async () => {
        expect(await stage.world.launcher.reap("nobody", undefined)).toEqual({ ended: 0 });
      });

      test("reaping ends what a session left", async () => {
        if (!stage.world.startsProcesses) return;
        const { connection, heard } = await stage.open();
        expect((await stage.world.launcher.reap(stage.sessionId, connection.identity)).ended).toBeGreaterThan(0);
        expect(await stage.world.launcher.reap(stage.sessionId, connection.identity)).toEqual({ ended: 0 });
        // A process on its way out has lost its mark a moment before its pipes are closed.
        let turn = 0;
        const fate = (): Promise<unknown> =>
          prompt(connection, (turn += 1), "say: x").then(
            () => "taken",
            (error: unknown) => error,
          );
        await expect.poll(fate, { timeout: 60_000 }).toMatchObject({ code: "agent_exited" });
        expect(heard.of("turn-ended")).toEqual([]);
      });
    });

    test("several connections at once do not mix", async () => {
      const all = await Promise.all([stage.open(), stage.open(), stage.open()]);
      await Promise.all(all.map(({ connection }, index) => prompt(connection, 1, `say: only ${index}`, `burst 100`)));
      await Promise.all(all.map(({ heard }) => heard.turnEnd(1)));
      for (const [index, { heard }] of all.entries()) {
        expect(heard.text.startsWith(`only ${index}`)).toBe(true);
        expect(heard.text.endsWith("\n100\n")).toBe(true);
      }
    });
  });
}
