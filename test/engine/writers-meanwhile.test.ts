/** Whoever else writes our flows while no gateway runs: heard at the next start, once. */
import { describe, expect, test } from "vitest";
import { soundProblems } from "./invariants.ts";
import { inPhase } from "./phases.ts";
import type { Session } from "../../src/core/session.ts";
import { PERSON, World } from "./world.ts";

const HEARD_MS = 1_000;

describe("[S11] while no gateway ran", () => {
  const writers = [
    ["resumed with words", "idle", "say: meanwhile"],
    ["answered", "asking", "B"],
  ] as const;
  test.each(writers)("%s: heard at the next start (%s)", async (_name, kind, words) => {
    const world = await World.start();
    const { id } = await inPhase(world, kind);
    await world.clock.advance(20_000);
    const { flowId } = world.flowOf(id);
    world.kill();
    world.flows.otherWriter.resume(flowId, { currentStep: words });
    await world.boot();
    await world.until(id, "idle");
    expect(world.promptsOf(id).at(-1)).toContain(words);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("words that were heard before the kill, and whose record could not be written since, are not heard again", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    await world.clock.advance(5_000);
    const { flowId } = world.flowOf(id);
    world.flows.fail({ on: "change", flowId }, { kind: "not-stored" }, 1_000);
    world.flows.otherWriter.resume(flowId, { stateJson: { respond: "say: once" } });
    await world.clock.advance(10_000);
    expect(world.promptsOf(id).filter((text) => text === "say: once")).toHaveLength(1);
    await world.crash();
    await world.clock.advance(10_000);
    expect(world.session(id).phase.kind).toBe("idle");
    expect(world.promptsOf(id).filter((text) => text === "say: once")).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("resumed with a state of their own: the words are taken, our state is restored", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "interrupted");
    const { flowId } = world.flowOf(id);
    world.kill();
    world.flows.otherWriter.resume(flowId, { stateJson: { respond: "say: their words" } });
    await world.boot();
    await world.until(id, "idle");
    expect(world.promptsOf(id).at(-1)).toBe("say: their words");
    expect(await soundProblems(world)).toEqual([]);
  });

  test.each([
    ["cancelled", "killed"],
    ["cancel requested", "killed"],
    ["finished", "completed"],
    ["failed", "failed"],
    ["removed", "failed"],
  ] as const)(
    "%s: the session is over at the next start, told once, its process gone, its child ended",
    async (what, outcome) => {
      const world = await World.start();
      const { id } = await inPhase(world, "working");
      const { flowId } = world.flowOf(id);
      world.life.die();
      // Its process has outlived the gateway.
      const orphan = await world.agent.start({ sessionId: id, workdir: "/w" }, new AbortController().signal);
      world.kill();
      const { otherWriter } = world.flows;
      if (what === "cancelled") otherWriter.cancelFlow(flowId, world.clock.now());
      if (what === "cancel requested") otherWriter.requestCancel(flowId, world.clock.now());
      if (what === "finished") otherWriter.finish(flowId);
      if (what === "failed") otherWriter.fail(flowId);
      if (what === "removed") otherWriter.remove(flowId);
      await world.boot();
      await world.clock.advance(HEARD_MS);
      expect(world.session(id).phase).toMatchObject({ kind: "ended", outcome });
      expect(world.agent.live).toEqual([]);
      expect(orphan).toMatchObject({ alive: false });
      expect(world.delivery.texts().filter((text) => text.startsWith(outcome))).toHaveLength(1);
      expect(await soundProblems(world)).toEqual([]);
      await world.crash();
      await world.clock.advance(HEARD_MS);
      expect(world.delivery.texts().filter((text) => text.startsWith(outcome))).toHaveLength(1);
    },
  );
});

describe("whose it is and what it may do", () => {
  const GRANT = { span: "always", subject: { toolKind: "execute", title: "rm", digest: "d" } } as const;

  test("[G9] comes from the journal, whatever the TaskFlow record says; what was not taken over is said", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    await world.clock.advance(20_000);
    const before = world.session(id);
    const { flowId, stateJson } = world.flowOf(id);
    const state = stateJson as Session;
    world.kill();
    world.flows.ledger.patch(flowId, undefined, undefined, {
      stateJson: {
        ...state,
        name: "other",
        workdir: "/etc",
        owner: { sessionKey: "agent:main:somebody" },
        launchedBy: { kind: "agent", door: "tool" },
        route: { channel: "telegram", to: "telegram:666" },
        settings: { ...state.settings, permissionMode: "auto", allowedTools: ["shell"] },
        grants: [GRANT],
        viewers: [{ key: "x", route: { channel: "telegram", to: "telegram:666" }, seen: 0, mode: "live" }],
      },
    });
    await world.boot();
    await world.clock.advance(1_000);
    const { name, workdir, owner, launchedBy, route, settings, grants, viewers } = before;
    expect(world.session(id)).toMatchObject({ name, workdir, owner, launchedBy, route, settings, grants, viewers });
    expect(world.delivery.texts().at(-1)).toBe(
      `warning ${name} record_ignored owner, workdir, route, launchedBy, permissionMode, allowedTools, grants, viewers`,
    );
    expect(world.flowOf(id).stateJson).toMatchObject({ workdir, owner, grants: [] });
    expect((await world.respond(id, "say: more")).ok).toBe(true);
    await world.until(id, "idle");
    expect(world.agent.last.spec.workdir).toBe(workdir);
    expect(world.agent.last.openedWith[0]?.mode).toBe("default");
    // Said once.
    await world.crash();
    await world.clock.advance(1_000);
    expect(world.delivery.texts().filter((text) => text.includes("record_ignored"))).toHaveLength(1);
    expect(await soundProblems(world)).toEqual([]);
  });

  test("[G9] a session of which the journal has only the first line keeps its owner and its chat", async () => {
    const world = await World.start({ maxSessions: 1 });
    await inPhase(world, "working");
    const { session } = await world.launch("say: a");
    const { flowId, stateJson } = world.flowOf(session.id);
    world.kill();
    const lines = world.journals.files.get(session.id) ?? [];
    world.journals.files.set(
      session.id,
      lines.filter((line) => line.t === "header"),
    );
    const state = stateJson as Session;
    world.flows.ledger.patch(flowId, undefined, undefined, {
      stateJson: { ...state, owner: { sessionKey: "agent:main:somebody" }, route: undefined },
    });
    await world.boot();
    expect(world.session(session.id)).toMatchObject({ owner: PERSON.owner, route: PERSON.route });
  });

  test("[G9] our own latest word counts: a chat that follows goes on to follow after a kill", async () => {
    const world = await World.start();
    const { id } = await inPhase(world, "idle");
    await world.sessions.foreground(PERSON, id, 30);
    await world.crash();
    expect(world.session(id).viewers).toMatchObject([{ mode: "live", route: PERSON.route }]);
    expect(world.delivery.texts().some((text) => text.includes("record_ignored"))).toBe(false);
  });
});
