/** Who is woken: the agent that launched, else the one that the directory's chat names, else nobody. */
import { expect, test } from "vitest";
import { AGENT, PERSON, World } from "./world.ts";

const BACKEND = { sessionKey: "agent:backend:main", agentId: "backend" };

test.each([
  { who: "an agent that launched by a tool", caller: AGENT, wakes: undefined, woken: AGENT.owner },
  { who: "the launching agent, also where a rule names another", caller: AGENT, wakes: BACKEND, woken: AGENT.owner },
  { who: "the agent of the rule, for a person's launch from no chat", caller: PERSON, wakes: BACKEND, woken: BACKEND },
])("[N4] $who is woken in its own session, also after a restart", async ({ caller, wakes, woken }) => {
  const world = await World.start();
  const { session } = await world.launch(
    "ask: Which? | A | B\nsay: done",
    wakes === undefined ? {} : { wakes },
    caller,
  );
  await world.until(session.id, "asking");
  await world.restart();
  await world.respond(session.id, "A");
  await world.until(session.id, "idle");
  await world.quiet();
  expect(world.delivery.wakes.map(({ text }) => text.split(" ")[1])).toEqual(["asks", "turn-finished"]);
  for (const { sessionKey, agentId } of world.delivery.wakes) expect({ sessionKey, agentId }).toEqual(woken);
});

test("[N4] a person's own launch wakes nobody", async () => {
  const world = await World.start();
  const { session } = await world.launch("say: done");
  await world.until(session.id, "idle");
  await world.quiet();
  expect(world.delivery.wakes).toEqual([]);
});
