/** A stand-in for a gateway, run as a process of its own: starts agents, tells about them, and waits to be killed. */
import { createAgentLauncher } from "../../src/agent/agent-launcher.ts";
import type { AgentConnection } from "../../src/ports.ts";
import { DEMO_AGENT, say, SESSION } from "./demo-world.ts";
import { Listener } from "./listener.ts";

const [transport, workdir = "", sessionId = "", script = "", path] = process.argv.slice(2);
const tell = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
const launcher = createAgentLauncher({
  command: DEMO_AGENT,
  transport: transport === "websocket" ? "websocket" : "stdio",
  hostEnv: { PATH: path ?? process.env["PATH"], HOME: workdir },
  log: { info: () => {}, warn: () => {}, error: () => {} },
});

async function run(connection: AgentConnection): Promise<void> {
  const heard = new Listener(connection);
  tell({ started: connection.identity?.pid });
  await connection.open(SESSION, new AbortController().signal);
  tell({ opened: true });
  await connection.prompt(1, say(script));
  await heard.until(() => heard.of("tool").some(({ status }) => status === "in_progress"));
  tell({ working: true });
}

await run(await launcher.start({ sessionId, workdir }, new AbortController().signal));
