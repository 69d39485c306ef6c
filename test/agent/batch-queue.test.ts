import { describe, expect, test } from "vitest";
import { BatchQueue } from "../../src/agent/batch-queue.ts";

describe("batch queue", () => {
  test("what is pushed in one tick is one batch, also when a reader waits already", async () => {
    const queue = new BatchQueue<number>();
    const batches: (readonly number[])[] = [];
    const reading = (async () => {
      for await (const batch of queue) batches.push(batch);
    })();
    await Promise.resolve();
    for (let item = 0; item < 1000; item += 1) queue.push(item);
    await new Promise(setImmediate);
    queue.push(1000);
    queue.end();
    await reading;
    expect(batches.map((batch) => batch.length)).toEqual([1000, 1]);
    expect(batches.flat()).toEqual(Array.from({ length: 1001 }, (_, index) => index));
  });

  test("what came before the end is delivered after it; what comes later is not", async () => {
    const queue = new BatchQueue<string>();
    queue.push("a");
    queue.end();
    queue.push("b");
    const seen: string[] = [];
    for await (const batch of queue) seen.push(...batch);
    expect(seen).toEqual(["a"]);
  });

  test("a slow reader gets everything that has come meanwhile at once, and taking is told", async () => {
    let taken = 0;
    const queue = new BatchQueue<number>(() => (taken += 1));
    const seen: number[] = [];
    const reading = (async () => {
      for await (const batch of queue) {
        seen.push(...batch);
        await new Promise(setImmediate);
      }
    })();
    for (let item = 0; item < 10; item += 1) {
      queue.push(item);
      await Promise.resolve();
    }
    queue.end();
    await reading;
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(taken).toBeGreaterThan(0);
  });

  test("it is read once", async () => {
    const queue = new BatchQueue<number>();
    queue.end();
    for await (const _ of queue) expect.unreachable();
    await expect(queue[Symbol.asyncIterator]().next()).rejects.toThrow("only once");
  });
});
