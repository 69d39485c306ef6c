/** Pipes whose process is dead or dying, without a process: what is read, and when the end is told. */
import { PassThrough } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
import { StdioTransport } from "../../src/agent/stdio-transport.ts";
import { listenTo } from "./transport-ear.ts";

/** Longer than a dead process's pipe may stay open. */
const LONG_MS = 1_000;

afterEach(() => {
  vi.useRealTimers();
});

function pipes() {
  const output = new PassThrough();
  const transport = new StdioTransport(new PassThrough(), output);
  const heard: string[] = [];
  return { output, transport, heard };
}

test("what came before somebody listened is handed over, and so is the end", async () => {
  const { output, transport, heard } = pipes();
  output.end("one\ntwo\nthree");
  await new Promise((resolve) => output.once("close", resolve));
  void listenTo(transport, heard);
  expect(heard).toEqual(["one", "two", "three", "(the agent closed its output)"]);
});

test("bytes don't put off the end of a dead process's pipe, and what lies in it then is read", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { output, transport, heard } = pipes();
  const over = listenTo(transport, heard);
  transport.drain();
  for (let waited = 0; waited < LONG_MS; waited += 10) {
    output.write(`${waited}\n`);
    vi.advanceTimersByTime(10);
  }
  output.write("last\n");
  await over;
  expect(heard).toContain("last");
  expect(heard.at(-1)).toBe("(the agent's output was closed)");
});
