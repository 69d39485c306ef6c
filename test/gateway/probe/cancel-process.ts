/**
 * What `openclaw tasks flow cancel` does, without its own start: waits for `SESSION_KEY FLOW_ID` on its input, reads the ledger
 * only then, cancels, prints the host's answer as JSON and ends. The ledger is the one in OPENCLAW_STATE_DIR.
 */
import { createInterface } from "node:readline";
import { openHostLedger } from "../../crash/host-runtime.ts";

const { tasks } = await openHostLedger();
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const [sessionKey = "", flowId = ""] = line.split(" ");
  const { cancelled, reason } = await tasks.cancelFlow({ sessionKey }, flowId);
  process.stdout.write(`${JSON.stringify({ cancelled, reason })}\n`);
  process.exit(0);
}
