/**
 * The line in a real gateway: 12 launches at three slots, over a kill -9. Then manual mode on the real wire: what is written,
 * and what never is.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Session } from "../../src/core/session.ts";
import { MAIN, PluginWorld, type Hold, type LaunchedJob, type Row } from "./harness/plugin-world.ts";
import { DEMO_AGENT, PLUGIN_ID } from "./harness/staged-plugin.ts";

const CONFIG = { maxSessions: 3, maxQueued: 9, restartPolicy: "continue" } as const;

const undo = new AsyncDisposableStack();
let world: PluginWorld;

beforeAll(async () => {
  world = await PluginWorld.start({ config: CONFIG });
  undo.defer(async () => world.dispose());
});

afterAll(async () => undo.disposeAsync());

function phaseOf(session: unknown): { readonly kind: string; readonly sinceAt?: number } {
  return (session as Pick<Session, "phase">).phase;
}

const inWorkspace = (name: string): string => join(world.gateway.workspace, name);

describe("[S1] [S5] the line", () => {
  const jobs: LaunchedJob[] = [];
  const holds: Hold[] = [];

  /** Names of those who wait, with their places, as people see them. */
  async function line(): Promise<readonly string[]> {
    const { text } = await world.gateway.tool("iflow_sessions", { filter: "queued" }, { sessionKey: MAIN.sessionKey });
    const places = [...text.matchAll(/⏳ (job-\d+) \[\w+\] queued \(place (\d+)\)/g)];
    return places.map(([, name, place]) => `${place}. ${name}`).toSorted((a, b) => a.localeCompare(b, "en"));
  }

  /** When each got its first slot, in the order of launch. */
  function slotsAt(): readonly number[] {
    return jobs.map(({ id }) => {
      const phases = world.journal(id).flatMap((entry) => (entry.t === "commit" ? [phaseOf(entry.session)] : []));
      return phases.find((phase) => phase.kind === "starting")?.sinceAt ?? Infinity;
    });
  }

  test("12 launches at 3 slots: 3 run, 9 wait with their place, a 13th is refused", async () => {
    for (let n = 1; n <= 12; n += 1) {
      const hold = world.hold();
      holds.push(hold);
      const script = [`write begun-${n}.txt: ${n}`, hold.line, `write done-${n}.txt: ${n}`];
      jobs.push(await world.launch(script, { name: `job-${n}`, multi_turn_disabled: true }));
    }
    expect(jobs.map(({ status, queuePosition }) => queuePosition ?? status)).toEqual([
      ...Array.from({ length: 3 }, () => "starting"),
      ...Array.from({ length: 9 }, (_, n) => n + 1),
    ]);
    const rpc = await world.gateway.rpc();
    expect(await rpc.refused("iflow.launch", { prompt: "one too many" })).toEqual({
      code: "queue_full",
      message: expect.stringMatching(/^All 3 slots are busy and 9 sessions wait \(maxQueued 9\)\./),
    });
    expect(await line()).toEqual(jobs.slice(3).map(({ name }, index) => `${index + 1}. ${name}`));
    expect(await world.flow(jobs[11]?.flowId ?? "")).toMatchObject({
      status: "queued",
      currentStep: expect.stringContaining("Queued"),
    });
    expect(await rpc.call("iflow.stats")).toMatchObject({ queue: { running: 3, waiting: 9, maxSessions: 3 } });
  });

  test("a kill -9 in the middle: who waited waits in the same order, who worked goes on, and all finish", async () => {
    for (const job of jobs.slice(0, 3)) await world.until(job.id, "working");
    holds[0]?.letGo();
    await world.until(jobs[3]?.id ?? "", "working");
    expect(await line()).toEqual(jobs.slice(4).map(({ name }, index) => `${index + 1}. ${name}`));
    await world.gateway.kill9();
    await world.gateway.start();
    const waiting = await line();
    expect(waiting).toHaveLength(8);
    const names = waiting.map((place) => place.replace(/^\d+\. /, ""));
    expect(names).toEqual(jobs.slice(-names.length).map(({ name }) => name));

    for (const hold of holds) hold.letGo();
    let most = 0;
    const rpc = await world.gateway.rpc();
    const statuses = async (): Promise<readonly string[]> => {
      const { queue } = await rpc.call<{ queue: { running: number } }>("iflow.stats");
      most = Math.max(most, queue.running);
      return (await world.rows()).map((row) => row.status);
    };
    await expect.poll(statuses, { interval: 200 }).toEqual(jobs.map(() => "completed"));
    expect(most).toBe(3);
    expect(slotsAt()).toEqual(slotsAt().toSorted((a, b) => a - b));
    for (const [index, { id, flowId }] of jobs.entries()) {
      expect(readFileSync(inWorkspace(`begun-${index + 1}.txt`), "utf8")).toBe(`${index + 1}\n`);
      expect(existsSync(inWorkspace(`done-${index + 1}.txt`))).toBe(true);
      expect(await world.flow(flowId)).toMatchObject({ status: "succeeded" });
      const children = Object.values(await world.children(flowId));
      expect(children.every((status) => status === "succeeded" || status === "failed")).toBe(true);
      expect(world.journal(id).filter((entry) => entry.t === "prompt").length).toBeLessThanOrEqual(2);
    }
  });
});

describe("[K2] manual mode: nothing is written unless somebody allowed it", () => {
  const written = (name: string): boolean => existsSync(inWorkspace(name));

  async function asked(script: string, more: Record<string, unknown> = {}): Promise<Row> {
    const job = await world.launch([script, "say: The end."], { permission_mode: "manual", ...more });
    return world.until(job.id, "asking");
  }

  function questionOf({ question }: Row, word: string): string {
    const found = question?.find(({ text }) => text.includes(word));
    if (found === undefined) throw new Error(`no question about ${word}`);
    return found.id;
  }

  /** Ends the turn, so that nothing can be written any more. */
  async function over({ id }: Row): Promise<void> {
    await world.until(id, "idle");
    expect(world.journalWords(id)).toContain("The end.");
    await world.kill(id);
    await world.untilNoProcess(id);
  }

  test("after allow, and not before", async () => {
    const row = await asked("write allowed.txt: x");
    expect(row.question?.[0]?.text).toContain("allowed.txt");
    expect(written("allowed.txt")).toBe(false);
    await world.respond(row.id, "yes");
    await over(row);
    expect(written("allowed.txt")).toBe(true);
  });

  test("never after a rejection, and an answer after the first is refused", async () => {
    const row = await asked("write rejected.txt: x");
    const question_id = questionOf(row, "rejected.txt");
    await world.respond(row.id, "no", { question_id });
    const rpc = await world.gateway.rpc();
    const late = await rpc.refused("iflow.respond", { session: row.id, message: "yes", question_id });
    expect(late).toMatchObject({
      code: "question_closed",
      message: expect.stringContaining("already answered: Reject"),
    });
    await over(row);
    expect(written("rejected.txt")).toBe(false);
  });

  test("never after the session was stopped", async () => {
    const row = await asked("write stopped.txt: x");
    await world.kill(row.id);
    await world.untilNoProcess(row.id);
    const rpc = await world.gateway.rpc();
    const question_id = questionOf(row, "stopped.txt");
    expect(await rpc.refused("iflow.respond", { session: row.id, message: "yes", question_id })).toMatchObject({
      code: "question_closed",
      message: expect.stringContaining("has ended (killed)"),
    });
    expect(await world.rows("active")).toEqual([]);
    expect(written("stopped.txt")).toBe(false);
  });

  test("[K4] never after its deadline, nor by an answer that comes too late", async () => {
    const before = world.gateway.log().length;
    world.gateway.configure({
      [PLUGIN_ID]: { agent: { command: DEMO_AGENT }, ...CONFIG, questionTimeoutMinutes: 0.04 },
    });
    await expect.poll(() => world.gateway.log().slice(before)).toMatch(/\[reload\] config/);
    const row = await asked("write too-late.txt: x");
    await world.until(row.id, "idle");
    const rpc = await world.gateway.rpc();
    const question_id = questionOf(row, "too-late.txt");
    expect(await rpc.refused("iflow.respond", { session: row.id, message: "yes", question_id })).toMatchObject({
      code: "question_closed",
      message: expect.stringContaining("denied, since nobody answered before its deadline"),
    });
    await over(row);
    expect(written("too-late.txt")).toBe(false);
    world.gateway.configure({ [PLUGIN_ID]: { agent: { command: DEMO_AGENT }, ...CONFIG } });
  });

  test.each([
    { order: "in the order of the requests", first: "one", second: "two" },
    { order: "the other way round", first: "two", second: "one" },
  ])("two requests at once, answered $order: each answer reaches its own", async ({ first, second }) => {
    const names = { one: `${first}-first-1.txt`, two: `${first}-first-2.txt` } as const;
    const row = await asked(`write2 ${names.one} ${names.two}`);
    await expect.poll(async () => (await world.row(row.id)).question).toHaveLength(2);
    const open = await world.row(row.id);
    const rpc = await world.gateway.rpc();
    expect(await rpc.refused("iflow.respond", { session: row.id, message: "yes" })).toMatchObject({
      code: "question_ambiguous",
    });
    const words = { one: "yes", two: "no" } as const;
    for (const which of [first, second] as const) {
      await world.respond(row.id, words[which as "one" | "two"], {
        question_id: questionOf(open, names[which as "one" | "two"]),
      });
    }
    await over(row);
    expect([written(names.one), written(names.two)]).toEqual([true, false]);
  });
});
