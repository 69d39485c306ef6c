/**
 * How long a test waits for something of a real gateway before it says that it hangs, in ms. How long things take is a
 * benchmark's to say; machines that run these tests are several times slower at times.
 */
export const PATIENCE_MS = 180_000;
