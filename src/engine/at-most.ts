/** Waiting for something, but not for ever, on the engine's clock. */
import type { Clock } from "../ports.ts";

/** What the promise gives, or `"late"` when that takes longer than `ms`; the promise itself goes on. */
export async function atMost<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | "late"> {
  const late = Promise.withResolvers<"late">();
  const disarm = clock.after(ms, () => late.resolve("late"));
  const first = await Promise.race([promise, late.promise]);
  disarm();
  return first;
}
