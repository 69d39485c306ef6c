/**
 * A deadline that a sleep of the machine does not use up.
 * Owns: counting in steps, each at its own length however late it came: of a sleep at most one step counts.
 */
const STEP_MS = 1_000;

/** Calls back once when `ms` of awake time have passed; the result cancels. */
export function afterAwake(ms: number, run: () => void): () => void {
  let leftMs = ms;
  let timer: NodeJS.Timeout;
  const next = (): void => {
    const stepMs = Math.min(leftMs, STEP_MS);
    timer = setTimeout(() => {
      leftMs -= stepMs;
      if (leftMs > 0) next();
      else run();
    }, stepMs);
  };
  next();
  return () => clearTimeout(timer);
}
