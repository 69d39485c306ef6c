/**
 * How a cost grows with the work, which a slow machine does not change, in the place of seconds, which it does.
 * Owns: what is compared. One large piece of work against the same amount in small pieces, one after the other on the same
 * thread: as much of everything that disturbs a measurement falls on both, and what grows with the square stands out PIECES-fold.
 */
const PIECES = 64;
const TRIES = 3;
/** Under this the clock's own grain decides. */
const LEAST_MS = 1;

/** The cost of `work(size)` over that of PIECES times `work(size / PIECES)`: about 1 when it is linear, 64 when it grows with the square. */
export function growth(size: number, work: (size: number) => void): number {
  const ratios = Array.from({ length: TRIES }, () => {
    const inPieces = costOf(() => {
      for (let piece = 0; piece < PIECES; piece += 1) work(Math.ceil(size / PIECES));
    });
    return costOf(() => work(size)) / inPieces;
  });
  return Math.min(...ratios);
}

/** What a linear cost stays under, with much to spare for a noisy machine. */
export const LINEAR = 16;

function costOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return Math.max((user + system) / 1_000, LEAST_MS);
}
