/**
 * How a cost grows with the work, which a slow machine does not change, in the place of seconds, which it does.
 * Owns: what is measured (processor time, the quickest of some tries) and below which time nothing can be said.
 */
const TRIES = 3;
const TIMES = 4;
/** Under this the clock's own grain decides. A cost that grows with the square is far above it at every size used here. */
const LEAST_MS = 30;

/** The cost of `4 * size` over that of `size`: about 4 when it is linear, 16 when it grows with the square. */
export function growth(size: number, work: (size: number) => void): number {
  const large = quickest(() => work(TIMES * size));
  return large < LEAST_MS ? 1 : large / quickest(() => work(size));
}

/** What a linear cost stays under. */
export const LINEAR = 10;

function quickest(work: () => void): number {
  const took = Array.from({ length: TRIES }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.max(Math.min(...took), 0.1);
}
