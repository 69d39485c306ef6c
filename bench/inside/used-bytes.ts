/** Memory that this process really uses. */
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that are in use after everything unused was collected: the least of a few looks, since the host works on its own. */
export async function usedBytes(): Promise<number> {
  const looks: number[] = [];
  for (let look = 0; look < 6; look += 1) {
    await sleep(150);
    collect();
    const { heapUsed, external } = process.memoryUsage();
    looks.push(heapUsed + external);
  }
  return Math.min(...looks);
}
