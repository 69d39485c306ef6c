/**
 * Conversations of the plugin in a real gateway: what the host's records say while iFlow works, asks, ends, is stopped,
 * while somebody else writes, and over a kill -9.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { MAIN, PERSON, PluginWorld } from "./harness/plugin-world.ts";

const undo = new AsyncDisposableStack();
let world: PluginWorld;

beforeAll(async () => {
  world = await PluginWorld.start({ config: { maxSessions: 8 } });
  undo.defer(async () => world.dispose());
});

afterAll(async () => undo.disposeAsync());

afterEach(async () => world.killAll());

const inWorkspace = (name: string): string => join(world.gateway.workspace, name);
const numbers = (count: number): string => Array.from({ length: count }, (_, index) => `${index + 1}\n`).join("");

describe("from launch to finish", () => {
  test("[S2] [S4] flow and child say what happens: running, waiting for an answer, succeeded", async () => {
    const hold = world.hold();
    const job = await world.launch(
      [hold.line, "write notes.txt: begun", "ask: Which language? | English | 中文", "write said.txt: {answer}"],
      { name: "greeting", multi_turn_disabled: true },
    );
    expect(job).toMatchObject({ name: "greeting", status: "starting", flowId: expect.any(String) });

    await world.until(job.id, "working");
    expect(await world.flow(job.flowId)).toMatchObject({
      status: "running",
      controllerId: "openclaw-iflow-plugin/session",
      goal: expect.stringContaining("iFlow greeting"),
      waitJson: undefined,
    });
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "running" });
    hold.letGo();

    const asking = await world.until(job.id, "asking");
    expect(asking.question).toMatchObject([{ text: "Which language?", options: ["English", "中文"] }]);
    expect(await world.flow(job.flowId)).toMatchObject({
      status: "waiting",
      currentStep: "Waiting for you: Which language?",
      waitJson: { for: "answer", kind: "question", text: "Which language?", options: ["English", "中文"] },
      stateJson: { schema: "iflow.session.v1", id: job.id, phase: { kind: "asking" }, counters: { questionsAsked: 1 } },
    });
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "succeeded", "t1.1": "queued" });

    expect(await world.respond(job.id, "中文")).toMatchObject({ success: true, delivered: "now", flowId: job.flowId });
    await world.until(job.id, "completed");
    expect(await world.flow(job.flowId)).toMatchObject({
      status: "succeeded",
      stateJson: { phase: { kind: "ended", outcome: "completed" }, counters: { turns: 1, answeredByPerson: 1 } },
    });
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "succeeded", "t1.1": "succeeded" });
    expect(readFileSync(inWorkspace("said.txt"), "utf8")).toBe("中文\n");
    await world.untilNoProcess(job.id);
  });

  test("[S3] a burst of 10,000 frames is complete and in order: in the journal, by RPC, and to its end in stateJson", async () => {
    const job = await world.launch("burst 10000", { multi_turn_disabled: true });
    await world.until(job.id, "completed");
    const whole = numbers(10_000);
    expect(world.journalWords(job.id)).toBe(whole);
    const rpc = await world.gateway.rpc();
    expect(await rpc.call("iflow.output", { session: job.id, full: true })).toMatchObject({
      startOffset: 0,
      endOffset: whole.length,
      truncated: false,
      output: whole,
    });
    const { stateJson } = await world.flow(job.flowId);
    expect(stateJson).toMatchObject({ counters: { bytes: whole.length }, output: { end: whole.length } });
    const { output, counters } = stateJson as {
      output: { text: string; start: number };
      counters: { chunks: number };
    };
    expect(counters.chunks).toBeGreaterThanOrEqual(10_000);
    expect(output.text).toBe(whole.slice(output.start));
  });
});

describe("stopped", () => {
  test("[S6] while a shell of iFlow runs: its processes are gone in seconds, flow and child are cancelled", async () => {
    const job = await world.launch("run: sleep 300 & sleep 300");
    await expect.poll(async () => (await world.processes(job.id)).length).toBeGreaterThan(2);
    await world.kill(job.id);
    expect(await world.untilNoProcess(job.id)).toBeLessThan(30_000);
    await expect.poll(() => world.flow(job.flowId)).toMatchObject({ status: "cancelled" });
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "cancelled" });
    expect((await world.row(job.id)).status).toBe("killed");
  });

  test("[S6] while it asks: the child of the turn stays succeeded, the one that waited is cancelled", async () => {
    const job = await world.launch("ask: Really? | Yes | No");
    await world.until(job.id, "asking");
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "succeeded", "t1.1": "queued" });
    await world.kill(job.name);
    await world.untilNoProcess(job.id);
    await expect.poll(() => world.flow(job.flowId)).toMatchObject({ status: "cancelled" });
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "succeeded", "t1.1": "cancelled" });
  });

  test("[S6] by the host's own commands: `tasks flow cancel`, and a cancel of the child alone", async () => {
    const [byFlow, byChild] = [await world.launch("hang"), await world.launch("hang")];
    for (const job of [byFlow, byChild]) await world.until(job.id, "working");
    await expect.poll(() => world.children(byChild.flowId)).toEqual({ t1: "running" });
    const rpc = await world.gateway.rpc();
    const { tasks } = await rpc.call<{ tasks: { id: string; flowId?: string }[] }>("tasks.list");
    await rpc.call("tasks.cancel", { taskId: tasks.find((task) => task.flowId === byChild.flowId)?.id });
    expect(await world.gateway.cli(["tasks", "flow", "cancel", byFlow.flowId])).toMatchObject({ code: 0 });
    for (const job of [byFlow, byChild]) {
      await expect.poll(() => world.row(job.id)).toMatchObject({ status: "killed" });
      await world.untilNoProcess(job.id);
      await expect.poll(() => world.flow(job.flowId)).toMatchObject({ status: "cancelled" });
      await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "cancelled" });
    }
  });
});

describe("another writer of the flow", () => {
  test("[S3] writes all the time: every conflict is reread, and nothing of the session is lost", async () => {
    const job = await world.launch(
      ["pace 600 400", "write one.txt: 1", "ask: Go on? | yes | no", "pace 600 400", "write two.txt: 2"],
      { multi_turn_disabled: true },
    );
    await world.until(job.id, "working");
    const hammering = world.ports.call({ on: "raw.hammer", args: [MAIN, job.flowId, 4_500] });
    await world.until(job.id, "asking");
    await world.respond(job.id, "yes");
    await world.until(job.id, "completed");
    expect(await hammering).toBeGreaterThan(10);
    const flow = await world.flow(job.flowId);
    expect(flow).toMatchObject({
      status: "succeeded",
      stateJson: { id: job.id, phase: { kind: "ended" }, counters: { turns: 1, toolCalls: 3, questionsAsked: 1 } },
    });
    const stamps = world.journalWords(job.id).match(/\d{10,}/g) ?? [];
    expect(stamps).toHaveLength(1_200);
    expect(stamps).toEqual(stamps.toSorted((a, b) => Number(BigInt(a) - BigInt(b))));
    expect([existsSync(inWorkspace("one.txt")), existsSync(inWorkspace("two.txt"))]).toEqual([true, true]);
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "succeeded", "t1.1": "succeeded" });
  });

  test("[S11] replaces the state, then asks for the end: the state is restored, the end is an end", async () => {
    const job = await world.launch("hang");
    await world.until(job.id, "working");
    await world.ports.call({ on: "raw.replaceState", args: [MAIN, job.flowId, { schema: "mine", note: "hello" }] });
    await world.respond(job.id, "queued words");
    await expect
      .poll(() => world.flow(job.flowId))
      .toMatchObject({
        stateJson: { schema: "iflow.session.v1", id: job.id, inbox: [{ text: { text: "queued words" } }] },
      });
    await world.ports.call({ on: "raw.requestCancel", args: [MAIN, job.flowId] });
    await expect.poll(() => world.row(job.id)).toMatchObject({ status: "killed" });
    await expect.poll(() => world.flow(job.flowId)).toMatchObject({ status: "cancelled" });
  });

  test("[S11] resumes a waiting flow with an answer, and finishes an idle one", async () => {
    const job = await world.launch(["ask: Which database? | MySQL | Postgres", "write db.txt: {answer}"]);
    await world.until(job.id, "asking");
    await world.ports.call({ on: "raw.resume", args: [MAIN, job.flowId, "Postgres"] });
    await world.until(job.id, "idle");
    expect(readFileSync(inWorkspace("db.txt"), "utf8")).toBe("Postgres\n");
    expect(await world.flow(job.flowId)).toMatchObject({ status: "waiting" });
    await world.ports.call({ on: "raw.finish", args: [MAIN, job.flowId] });
    await expect.poll(() => world.row(job.id)).toMatchObject({ status: "completed" });
    expect(await world.flow(job.flowId)).toMatchObject({ status: "succeeded" });
  });
});

describe("kill -9 of the gateway", () => {
  test("[S4] [S5] a question survives, its answer goes on in the same flow; work is interrupted and nothing is sent twice", async () => {
    const asking = await world.launch(
      ["write first.txt: 1", "ask: Which way? | left | right", "write way.txt: {answer}"],
      { name: "at-a-fork", multi_turn_disabled: true },
    );
    const working = await world.launch(["write begun.txt: 1", "hang"], { name: "busy" });
    const idle = await world.launch("say: All is done.", { name: "ready" });
    await world.until(asking.id, "asking");
    await world.until(idle.id, "idle");
    await world.gateway.telegram.heard(PERSON, /^🔔 at-a-fork asks/);
    await world.untilTold(asking.id);
    await expect.poll(() => existsSync(inWorkspace("begun.txt"))).toBe(true);
    await world.gateway.kill9();
    for (const { id } of [asking, working, idle]) await world.untilNoProcess(id);
    await world.gateway.start();

    await world.until(asking.id, "asking");
    expect(await world.row(working.id)).toMatchObject({
      status: "interrupted",
      error: expect.stringContaining("turn 1"),
    });
    expect(await world.row(idle.id)).toMatchObject({ status: "idle" });
    expect(await world.flow(asking.flowId)).toMatchObject({
      status: "waiting",
      currentStep: "Waiting for you: Which way?",
    });
    await expect.poll(() => world.children(working.flowId)).toEqual({ t1: "failed" });
    const waits = { t1: "succeeded", "t1.1": "cancelled", "t1.2": "queued" };
    await expect.poll(() => world.children(asking.flowId)).toEqual(waits);

    expect(await world.respond("at-a-fork", "2")).toMatchObject({ delivered: "resumed", flowId: asking.flowId });
    await world.until(asking.id, "completed");
    expect(readFileSync(inWorkspace("way.txt"), "utf8")).toBe("right\n");
    expect(await world.flow(asking.flowId)).toMatchObject({ status: "succeeded" });
    const ended = { t1: "succeeded", "t1.1": "cancelled", "t1.2": "cancelled", t2: "succeeded" };
    await expect.poll(() => world.children(asking.flowId)).toEqual(ended);

    expect(await world.respond(idle.id, "say: Once more.")).toMatchObject({ flowId: idle.flowId });
    await expect.poll(() => world.row(idle.id)).toMatchObject({ status: "idle", turnCount: 2 });
    const asked = world.gateway.telegram.said(PERSON).map(({ texts }) => texts[0] ?? "");
    expect(asked.filter((text) => text.startsWith("🔔") && text.includes("Which way?"))).toHaveLength(1);
    const prompts = (id: string): number => world.journal(id).filter((line) => line.t === "prompt").length;
    expect([prompts(asking.id), prompts(working.id), prompts(idle.id)]).toEqual([2, 1, 2]);
  });
});
