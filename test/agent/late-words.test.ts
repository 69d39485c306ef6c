/** Words behind the reply that ends their turn: an agent writes both by ways of their own. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Listener } from "./listener.ts";
import { openMemoryConnection, update } from "./memory-transport.ts";

const words = (text: string): object =>
  update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });

async function turnUnderWay() {
  const { transport, connection } = await openMemoryConnection();
  const heard = new Listener(connection);
  await connection.prompt(1, [{ type: "text", text: "go" }]);
  return { transport, connection, heard, prompt: await transport.request("session/prompt") };
}

const kinds = ({ events }: Listener): readonly string[] =>
  events.flatMap(({ kind }) => (kind === "log" || kind === "commands" ? [] : [kind]));

test("[D2] words 20 to 60 ms behind the reply still belong to the turn, one after the other", async () => {
  const { transport, heard, prompt } = await turnUnderWay();
  transport.say(words("Half of it, "));
  transport.answer(prompt, { stopReason: "end_turn" });
  for (const piece of ["and ", "the ", "rest. ", "Shall I go on?"]) {
    await sleep(20);
    transport.say(words(piece));
  }
  await heard.turnEnd(1);
  expect(heard.text).toBe("Half of it, and the rest. Shall I go on?");
  expect(kinds(heard).at(-1)).toBe("turn-ended");
  expect(heard.of("turn-ended")).toHaveLength(1);
});

test("[D2] an agent that never stops talking ends its turn all the same", async () => {
  const { transport, heard, prompt } = await turnUnderWay();
  transport.answer(prompt, { stopReason: "end_turn" });
  const talking = setInterval(() => transport.say(words(".")), 10);
  await heard.turnEnd(1);
  clearInterval(talking);
  expect(heard.of("turn-ended")).toHaveLength(1);
});

test("[D2] an agent that dies behind its reply has ended its turn first, with its last words", async () => {
  const { transport, heard, prompt } = await turnUnderWay();
  transport.answer(prompt, { stopReason: "end_turn" });
  transport.say(words("The last."));
  transport.end();
  await heard.exit();
  expect(kinds(heard)).toEqual(["text", "turn-ended", "exited"]);
});

test("[D2] a request behind the reply comes after the end, as it was", async () => {
  const { transport, heard, prompt } = await turnUnderWay();
  transport.answer(prompt, { stopReason: "end_turn" });
  transport.say({
    jsonrpc: "2.0",
    id: 0,
    method: "_iflow/plan/exit",
    params: { sessionId: "5e55-10", plan: "A plan" },
  });
  await heard.request(0);
  expect(kinds(heard)).toEqual(["turn-ended", "asked"]);
});
