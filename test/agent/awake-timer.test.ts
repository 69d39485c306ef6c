/** Deadlines of a start, over a sleep of the machine. */
import { afterEach, expect, test, vi } from "vitest";
import { afterAwake } from "../../src/agent/awake-timer.ts";

afterEach(() => void vi.useRealTimers());

test("[F2] a deadline of a start is not used up by a sleep: a timer that comes late counts for its own length", () => {
  vi.useFakeTimers();
  let runs = 0;
  afterAwake(5_000, () => (runs += 1));
  vi.advanceTimersByTime(2_000);
  // The machine sleeps for an hour: whatever was due runs once at waking.
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersToNextTimer();
  expect(runs).toBe(0);
  vi.advanceTimersByTime(1_999);
  expect(runs).toBe(0);
  vi.advanceTimersByTime(1);
  expect(runs).toBe(1);
  vi.advanceTimersByTime(10_000);
  expect(runs).toBe(1);
});

test("[F2] it can be called off", () => {
  vi.useFakeTimers();
  let runs = 0;
  const cancel = afterAwake(2_500, () => (runs += 1));
  vi.advanceTimersByTime(2_000);
  cancel();
  vi.advanceTimersByTime(10_000);
  expect(runs).toBe(0);
});
