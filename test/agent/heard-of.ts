/** What a connection makes of frames that an agent sends once its session is open. */
import type { AgentEvent } from "../../src/core/agent-event.ts";
import { Listener } from "./listener.ts";
import { openMemoryConnection } from "./memory-transport.ts";

export async function heardOf(...frames: readonly unknown[]): Promise<readonly AgentEvent[]> {
  const { transport, connection } = await openMemoryConnection();
  const heard = new Listener(connection);
  await heard.until(() => heard.events.length > 0);
  const before = heard.events.length;
  transport.say(...frames);
  transport.end();
  await heard.until(() => heard.over);
  return heard.events.slice(before, -2);
}
