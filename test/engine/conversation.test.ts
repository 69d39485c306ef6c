/**
 * One conversation through the engine, on fakes: launch, ask, answer, finish, continue, kill; what the ledger shows meanwhile.
 */
import { describe, expect, test } from "vitest";
import { World } from "./world.ts";

describe("a conversation", () => {
  test("[O1] [S2] launch, a question, its answer, the end of a single turn", async () => {
    const world = await World.start();
    const { session, flowId } = await world.launch("say: hello\nask: Which? | A | B\nsay: chose {answer}", {
      singleTurn: true,
    });
    const asking = await world.until(session.id, "asking");
    const flow = world.flows.ledger.flows.get(flowId);
    expect(flow?.status).toBe("waiting");
    expect(flow?.currentStep).toBe("Waiting for you: Which?");
    expect(asking.child?.as).toBe("queued");
    const answered = await world.respond(session.name, "2");
    expect(answered).toMatchObject({ ok: true, value: { delivered: "now" } });
    await world.until(session.id, "ended");
    expect(world.session(session.id).phase).toMatchObject({ outcome: "completed" });
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe("succeeded");
    const children = [...world.flows.ledger.children.values()].map((c) => `${c.runId.split(":").at(-1)} ${c.status}`);
    expect(children).toEqual(["t1 succeeded", "t1.1 succeeded"]);
    const output = await world.sessions.output({ ...PERSON_OF(world), seesAll: true }, session.id, {
      lines: 50,
      full: true,
      since: undefined,
    });
    expect(output.ok && output.value.slice.text).toContain("chose B");
    expect(world.roster.admission.running).toBe(0);
    await world.roster.stop();
  });

  test("[O5] [S6] kill while it works: both records cancelled, the slot free", async () => {
    const world = await World.start();
    const { session, flowId } = await world.launch("say: begin\nhang");
    await world.until(session.id, "working");
    const killed = await world.sessions.kill(PERSON_OF(world), session.name);
    expect(killed.ok).toBe(true);
    await world.clock.advance(1_000);
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe("cancelled");
    expect([...world.flows.ledger.children.values()].map((c) => c.status)).toEqual(["cancelled"]);
    expect(world.roster.admission.running).toBe(0);
    await world.roster.stop();
  });

  test("[S7] a follow-up continues an idle session in its flow", async () => {
    const world = await World.start();
    const { session, flowId } = await world.launch("say: one");
    await world.until(session.id, "idle");
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe("waiting");
    await world.clock.advance(20_000);
    expect(world.session(session.id).agent).toBeUndefined();
    const more = await world.respond(session.name, "recall");
    expect(more).toMatchObject({ ok: true, value: { delivered: "resumed" } });
    await world.until(session.id, "idle");
    expect(world.session(session.id).turn).toBe(2);
    await world.roster.stop();
  });

  test("[S5] a restart while it asks: parked, then the answer goes on by a load", async () => {
    const world = await World.start();
    const { session, flowId } = await world.launch("ask: Which? | A | B\nsay: chose {answer}", { singleTurn: true });
    await world.until(session.id, "asking");
    await world.roster.stop();
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe("waiting");
    await world.boot();
    const asking = await world.until(session.id, "asking");
    expect(asking.agent).toBeUndefined();
    expect(await world.respond(session.name, "A")).toMatchObject({ ok: true, value: { delivered: "resumed" } });
    await world.until(session.id, "ended");
    expect(world.flows.ledger.flows.get(flowId)?.status).toBe("succeeded");
    await world.roster.stop();
  });
});

function PERSON_OF(world: World) {
  const { owner } = [...world.roster.sessions()][0] ?? { owner: { sessionKey: "none" } };
  return { door: "command" as const, owner, seesAll: false, isPerson: true, inGroup: false, senderId: "42" };
}
