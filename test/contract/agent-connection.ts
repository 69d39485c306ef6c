/**
 * What every implementation of the agent port keeps. Prompts are scripts of the demo agent's language.
 * Run on the in-memory fake and on real processes over both transports.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AgentReply } from "../../src/core/agent-event.ts";
import { IflowError } from "../../src/core/errors.ts";
import type { AgentConnection, AgentLauncher, OpenedSession, OpenSession } from "../../src/ports.ts";
import { Listener } from "../agent/listener.ts";

export interface AgentWorld extends AsyncDisposable {
  readonly launcher: AgentLauncher;
  readonly workdir: string;
  /** What a session wrote into the workdir. */
  file(name: string): Promise<string | undefined>;
  /** False where agents are only dialled. */
  readonly startsProcesses: boolean;
}

const SESSION: OpenSession = {
  mode: "yolo",
  disallowedTools: [],
  systemPrompt: undefined,
  maxTurns: undefined,
  model: undefined,
  load: undefined,
};
const ALLOW: AgentReply = { kind: "selected", optionId: "proceed_once" };
const CANCELLED: AgentReply = { kind: "cancelled" };

export function agentContract(name: string, createWorld: () => Promise<AgentWorld>): void {
  describe(`agent port: ${name}`, () => {
    let world: AgentWorld;
    let started: AgentConnection[];
    const forever = new AbortController().signal;

    beforeEach(async () => {
      world = await createWorld();
      started = [];
    });

    afterEach(async () => {
      await Promise.all(started.map((connection) => connection.stop()));
      await world[Symbol.asyncDispose]();
    });

    async function start(): Promise<AgentConnection> {
      const connection = await world.launcher.start(
        { sessionId: `s${started.length}`, workdir: world.workdir },
        forever,
      );
      started.push(connection);
      return connection;
    }

    async function open(
      session: Partial<OpenSession> = {},
    ): Promise<{ connection: AgentConnection; heard: Listener; opened: OpenedSession }> {
      const connection = await start();
      const heard = new Listener(connection);
      const opened = await connection.open({ ...SESSION, ...session }, forever);
      return { connection, heard, opened };
    }

    const prompt = (connection: AgentConnection, turn: number, ...lines: readonly string[]): Promise<void> =>
      connection.prompt(turn, [{ type: "text", text: lines.join("\n") }]);

    describe("opening", () => {
      test("a new session has an id, no history and a version", async () => {
        const { opened } = await open();
        expect(opened).toMatchObject({ history: "new", agentVersion: "0.5.19" });
        expect(opened.acpSessionId).not.toBe("");
      });

      test("a session that is loaded again knows what was said", async () => {
        const first = await open();
        await prompt(first.connection, 1, "say: one");
        await first.heard.turnEnd(1);
        await first.connection.stop();

        const second = await open({ load: first.opened.acpSessionId });
        expect(second.opened).toMatchObject({ history: "loaded", acpSessionId: first.opened.acpSessionId });
        await prompt(second.connection, 1, "recall");
        await second.heard.turnEnd(1);
        expect(second.heard.text).toContain("1. say: one");
      });

      test("a session that the agent does not know is reported as lost, not as loaded", async () => {
        const { opened } = await open({ load: "d7a3f1f0-0000-4000-8000-000000000000" });
        expect(opened.history).toBe("lost");
      });

      test("a copied history is a session of its own", async () => {
        const first = await open();
        await prompt(first.connection, 1, "say: one");
        await first.heard.turnEnd(1);
        const copy = await world.launcher.copyHistory(first.opened.acpSessionId);
        if (copy === undefined) return expect(world.startsProcesses).toBe(false);
        expect(copy).not.toBe(first.opened.acpSessionId);
        const second = await open({ load: copy });
        expect(second.opened).toMatchObject({ history: "loaded", acpSessionId: copy });
        expect(await world.launcher.copyHistory("../etc/passwd")).toBeUndefined();
        expect(await world.launcher.copyHistory("unknown")).toBeUndefined();
      });

      test("an aborted open rejects and leaves a connection that can be stopped", async () => {
        const connection = await start();
        const abort = new AbortController();
        abort.abort(new Error("not wanted any more"));
        await expect(connection.open(SESSION, abort.signal)).rejects.toThrow("not wanted any more");
        expect(await connection.stop()).toEqual({ clean: true, left: [] });
      });

      test("a prompt before a session is open is refused", async () => {
        const connection = await start();
        await expect(prompt(connection, 1, "say: x")).rejects.toMatchObject({ code: "agent_exited" });
      });
    });

    describe("turns", () => {
      test("words, thoughts and the end come in order", async () => {
        const { connection, heard } = await open();
        await prompt(connection, 7, "think: hm", "say: hello", "say: again");
        expect(await heard.turnEnd(7)).toEqual({ kind: "turn-ended", turn: 7, stopReason: "end_turn" });
        const kinds = heard.events.filter(({ kind }) => kind === "thought" || kind === "text").map(({ kind }) => kind);
        expect(kinds[0]).toBe("thought");
        expect(heard.text).toBe("helloagain");
      });

      test("10,000 frames in one burst arrive complete and in order", async () => {
        const { connection, heard } = await open();
        await prompt(connection, 1, "burst 10000");
        await heard.turnEnd(1);
        expect(heard.text).toBe(Array.from({ length: 10_000 }, (_, index) => `${index + 1}\n`).join(""));
      });

      test("a character that is cut between two pieces is whole", async () => {
        const { connection, heard } = await open();
        await prompt(connection, 1, "split: 敏捷的狐狸🦊");
        await heard.turnEnd(1);
        expect(heard.text).toBe("敏捷的狐狸🦊");
      });

      test("a tool call goes through its states and tells its output and files", async () => {
        const { connection, heard } = await open();
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
        expect(await world.file("a.txt")).toBe("hello\n");
      });

      test("a task list is told", async () => {
        const { connection, heard } = await open();
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
        const { connection, heard } = await open();
        await prompt(connection, 1, "sub-agent: look");
        await heard.turnEnd(1);
        expect(heard.of("text").every(({ agentId }) => agentId !== undefined)).toBe(true);
      });

      test.each(["max_tokens", "refusal"] as const)("stop reason %s is told", async (reason) => {
        const { connection, heard } = await open();
        await prompt(connection, 1, `stop ${reason}`);
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: reason });
      });

      test("an error reply fails its turn, and the next turn works", async () => {
        const { connection, heard } = await open();
        await prompt(connection, 1, "fail: out of luck");
        expect(await heard.turnEnd(1)).toEqual({ kind: "turn-failed", turn: 1, code: -32603, message: "out of luck" });
        await prompt(connection, 2, "say: still here");
        expect(await heard.turnEnd(2)).toMatchObject({ stopReason: "end_turn" });
      });

      test("overlapping prompts end by their own numbers, the older one as cancelled", async () => {
        const { connection, heard } = await open();
        await prompt(connection, 1, "say: one", "hang");
        await heard.until(() => heard.text.includes("one"));
        await prompt(connection, 2, "say: two");
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "cancelled" });
        expect(await heard.turnEnd(2)).toMatchObject({ stopReason: "end_turn" });
        const ends = heard.of("turn-ended").map(({ turn }) => turn);
        expect(ends).toEqual([2, 1]);
      });

      test("a tool that is not allowed does not exist for the agent", async () => {
        const { connection, heard } = await open({ disallowedTools: ["run_shell_command"] });
        await prompt(connection, 1, "run: echo out", "say: done");
        await heard.turnEnd(1);
        expect(heard.of("tool")).toEqual([]);
        expect(heard.text).toBe("done");
      });
    });

    describe("asking", () => {
      test("mode default asks; an allowed edit is made", async () => {
        const { connection, heard } = await open({ mode: "default" });
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
        expect(await world.file("a.txt")).toBeUndefined();
        expect(connection.reply(request.requestId, ALLOW)).toBe("sent");
        await heard.turnEnd(1);
        expect(await world.file("a.txt")).toBe("hello\n");
      });

      test("a command that asks shows the command alone", async () => {
        const { connection, heard } = await open({ mode: "default" });
        await prompt(connection, 1, "run: echo out");
        const request = await heard.request(0);
        expect(request).toMatchObject({ kind: "permission", toolKind: "execute", content: "echo out" });
        connection.reply(request.requestId, ALLOW);
        await heard.turnEnd(1);
      });

      test.each([CANCELLED, { kind: "selected", optionId: "cancel" } as const])(
        "a rejection (%o) leaves the file alone and the turn goes on",
        async (reply) => {
          const { connection, heard } = await open({ mode: "default" });
          await prompt(connection, 1, "write a.txt: hello", "say: done");
          const request = await heard.request(0);
          expect(connection.reply(request.requestId, reply)).toBe("sent");
          expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "end_turn" });
          expect(await world.file("a.txt")).toBeUndefined();
          expect(heard.text).toBe("done");
        },
      );

      test("two requests at once are answered one by one, in any order", async () => {
        const { connection, heard } = await open({ mode: "default" });
        await prompt(connection, 1, "write2 a.txt b.txt");
        const [first, second] = [await heard.request(0), await heard.request(1)];
        expect(connection.reply(second.requestId, ALLOW)).toBe("sent");
        expect(connection.reply(first.requestId, CANCELLED)).toBe("sent");
        await heard.turnEnd(1);
        expect(await world.file("a.txt")).toBeUndefined();
        expect(await world.file("b.txt")).toBe("b.txt\n");
      });

      test("an always-grant is not asked again", async () => {
        const { connection, heard } = await open({ mode: "default" });
        await prompt(connection, 1, "write a.txt: a", "write b.txt: b");
        const request = await heard.request(0);
        connection.reply(request.requestId, { kind: "selected", optionId: "proceed_always" });
        await heard.turnEnd(1);
        expect(heard.asked).toHaveLength(1);
        expect(await world.file("b.txt")).toBe("b\n");
      });

      test("only the first answer counts, and nothing that was not offered is sent", async () => {
        const { connection, heard } = await open({ mode: "default" });
        await prompt(connection, 1, "write a.txt: hello");
        const { requestId } = await heard.request(0);
        expect(connection.reply("no such request", ALLOW)).toBe("stale");
        expect(connection.reply(requestId, { kind: "selected", optionId: "made up" })).toBe("stale");
        expect(connection.reply(requestId, { kind: "plan", approved: true })).toBe("stale");
        expect(connection.reply(requestId, { kind: "answers", answers: {} })).toBe("stale");
        expect(connection.reply(requestId, CANCELLED)).toBe("sent");
        expect(connection.reply(requestId, ALLOW)).toBe("stale");
        await heard.turnEnd(1);
        expect(await world.file("a.txt")).toBeUndefined();
      });

      test("a question is asked in every mode and the answer reaches the agent", async () => {
        const { connection, heard } = await open();
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
        expect(connection.reply(request.requestId, { kind: "answers", answers: { "Which?": "neither" } })).toBe("sent");
        await heard.turnEnd(1);
        expect(heard.text).toContain("neither!");
      });

      test("two questions in one request are answered together, several options where several were asked for", async () => {
        const { connection, heard } = await open();
        await prompt(connection, 1, "two questions");
        const request = await heard.request(0);
        const texts = request.kind === "questions" ? request.questions.map(({ text }) => text) : [];
        const answers = { [texts[0] ?? ""]: "SQLite", [texts[1] ?? ""]: ["Tests", "CI"] };
        expect(connection.reply(request.requestId, { kind: "answers", answers })).toBe("sent");
        await heard.turnEnd(1);
        expect(heard.text).toContain("SQLite, Tests, CI");
      });

      test("a plan is approved, or not with a reason", async () => {
        const { connection, heard } = await open({ mode: "plan" });
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
        expect(await world.file("a.txt")).toBeUndefined();
      });

      test("mode plan refuses an edit without a word", async () => {
        const { connection, heard } = await open({ mode: "plan" });
        await prompt(connection, 1, "write a.txt: x", "say: done");
        await heard.turnEnd(1);
        expect(heard.asked).toEqual([]);
        expect(await world.file("a.txt")).toBeUndefined();
      });

      test("many turns with questions: each is asked, answered and heard once", async () => {
        const { connection, heard } = await open({ mode: "default" });
        for (let turn = 1; turn <= 10; turn += 1) await ask(turn);
        async function ask(turn: number): Promise<void> {
          await prompt(connection, turn, `write f${turn}.txt: ${turn}`, `say: <${turn}>`);
          const request = await heard.request(turn - 1);
          connection.reply(request.requestId, ALLOW);
          await heard.turnEnd(turn);
        }
        expect(heard.text).toBe(Array.from({ length: 10 }, (_, index) => `<${index + 1}>`).join(""));
        expect(await world.file("f10.txt")).toBe("10\n");
      });
    });

    describe("cancel", () => {
      test("a turn that waits for the model ends as cancelled", async () => {
        const { connection, heard } = await open();
        await prompt(connection, 1, "say: one", "hang");
        await heard.until(() => heard.text.includes("one"));
        await connection.cancel();
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "cancelled" });
      });

      test("open requests are answered with cancelled first: nothing is written, nothing stays open", async () => {
        const { connection, heard } = await open({ mode: "default" });
        await prompt(connection, 1, "write2 a.txt b.txt", "say: never");
        await heard.request(1);
        await connection.cancel();
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "cancelled" });
        for (const { requestId } of heard.asked) expect(connection.reply(requestId, ALLOW)).toBe("stale");
        expect(await world.file("a.txt")).toBeUndefined();
        expect(heard.text).toBe("");
      });

      test("an open question and an open plan are released too", async () => {
        const { connection, heard } = await open();
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
        const { connection, heard } = await open();
        await prompt(connection, 1, "run: sleep 60");
        await heard.until(() => heard.of("tool").some(({ status }) => status === "in_progress"));
        await connection.cancel();
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "cancelled" });
        expect(heard.of("tool").at(-1)?.status).toBe("failed");
      });

      test("without a turn, and after the end, it does nothing and does not throw", async () => {
        const { connection, heard } = await open();
        await connection.cancel();
        await prompt(connection, 1, "say: fine");
        expect(await heard.turnEnd(1)).toMatchObject({ stopReason: "end_turn" });
        await connection.cancel();
        await connection.stop();
        await connection.cancel();
      });
    });

    describe("the end", () => {
      test("stop ends it: exited is the last event, told once, and stop is idempotent", async () => {
        const { connection, heard } = await open();
        await prompt(connection, 1, "say: one", "hang");
        await heard.until(() => heard.text.includes("one"));
        expect(await connection.stop()).toEqual({ clean: true, left: [] });
        expect(await connection.stop()).toEqual({ clean: true, left: [] });
        await heard.until(() => heard.over);
        expect(heard.of("exited")).toEqual([heard.events.at(-1)]);
        expect((await heard.exit()).cause).toBe("stopped");
      });

      test("an open request dies with the connection and is not answered by stop", async () => {
        const { connection, heard, opened } = await open({ mode: "default" });
        await prompt(connection, 1, "ask: Which? | A | B", "write a.txt: {answer}");
        const { requestId } = await heard.request(0);
        await connection.stop();
        expect(connection.reply(requestId, { kind: "answers", answers: { "Which?": "A" } })).toBe("stale");
        // Loaded again it goes on with the answer as the next prompt.
        const again = await open({ load: opened.acpSessionId });
        await prompt(again.connection, 1, "B");
        await again.heard.turnEnd(1);
        expect(again.heard.text).not.toContain("no answer");
        expect(await world.file("a.txt")).toBe("B\n");
      });

      test("after the end a prompt is refused with the cause, and nothing is invented", async () => {
        const { connection, heard } = await open();
        await prompt(connection, 1, "hang");
        await connection.stop();
        const refused = prompt(connection, 2, "say: x");
        await expect(refused).rejects.toBeInstanceOf(IflowError);
        await expect(refused).rejects.toMatchObject({ code: "agent_exited" });
        await heard.until(() => heard.over);
        expect(heard.of("turn-ended").filter(({ stopReason }) => stopReason !== "cancelled")).toEqual([]);
      });

      test("a crash is told with its code, after everything that was said before it", async () => {
        if (!world.startsProcesses) return;
        const { connection, heard } = await open();
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
        await expect(world.launcher.start({ sessionId: "s", workdir: world.workdir }, abort.signal)).rejects.toThrow(
          "not wanted",
        );
      });

      test("aborting later ends the connection", async () => {
        const abort = new AbortController();
        const connection = await world.launcher.start({ sessionId: "s", workdir: world.workdir }, abort.signal);
        started.push(connection);
        const heard = new Listener(connection);
        abort.abort();
        expect((await heard.exit()).cause).toBe("stopped");
      });

      test("reaping a session that left nothing ends nothing", async () => {
        expect(await world.launcher.reap("nobody", undefined)).toEqual({ ended: 0 });
      });

      test("reaping ends what a session left", async () => {
        if (!world.startsProcesses) return;
        const { connection } = await open();
        const { ended } = await world.launcher.reap("s0", connection.identity);
        expect(ended).toBeGreaterThan(0);
      });
    });

    test("several connections at once do not mix", async () => {
      const all = await Promise.all([open(), open(), open()]);
      await Promise.all(all.map(({ connection }, index) => prompt(connection, 1, `say: only ${index}`, `burst 100`)));
      await Promise.all(all.map(({ heard }) => heard.turnEnd(1)));
      for (const [index, { heard }] of all.entries()) {
        expect(heard.text.startsWith(`only ${index}`)).toBe(true);
        expect(heard.text.endsWith("\n100\n")).toBe(true);
      }
    });
  });
}
