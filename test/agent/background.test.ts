/** What a turn left running beside its agent is seen, by its command line. Real processes. */
import { expect, test } from "vitest";
import { DemoWorld, say } from "./demo-world.ts";
import { gone } from "./leftovers.ts";

test("[F3] a server that a turn started and left is named; what has ended, and the agent's own helpers, are not", async () => {
  await using world = await DemoWorld.create({ transport: "stdio" });
  const { connection, heard } = await world.open();
  expect(await connection.background()).toEqual([]);
  const plain = "nohup setsid sleep 334 >/dev/null 2>&1 & sleep 0; echo started";
  await connection.prompt(1, say(`run: ${plain}\nsay: it runs`));
  await heard.until(() => heard.of("turn-ended").length === 1);
  expect(await connection.background()).toEqual(["sleep 334"]);
  await connection.prompt(2, say("run: echo quick\nsay: done"));
  await heard.until(() => heard.of("turn-ended").length === 2);
  expect(await connection.background()).toEqual(["sleep 334"]);
  await connection.stop();
  expect(await connection.background()).toEqual([]);
  await gone([], []);
});
