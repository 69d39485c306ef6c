import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DEMO_AGENT, DemoWorld } from "../agent/demo-world.ts";
import { agentContract } from "./agent-connection.ts";
import { agentRequestContract } from "./agent-requests.ts";
import type { AgentWorld } from "./agent-world.ts";

async function websocketWorld(): Promise<AgentWorld> {
  const demo = await DemoWorld.create({ transport: "websocket" });
  return {
    launcher: demo.launcher(),
    workdir: demo.folder,
    startsProcesses: true,
    file: (name) => demo.file(name),
    [Symbol.asyncDispose]: () => demo[Symbol.asyncDispose](),
  };
}

async function dialledWorld(): Promise<AgentWorld> {
  const demo = await DemoWorld.create();
  const env = { PATH: process.env["PATH"], HOME: demo.folder, DEMO_AGENT_HOME: join(demo.folder, ".iflow") };
  const agent = spawn(process.execPath, [DEMO_AGENT, "--experimental-acp", "--stream", "--port", "0"], {
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines = createInterface({ input: agent.stdout });
  const [line] = (await once(lines, "line")) as [string];
  const url = /ws:\S+/.exec(line)?.[0] ?? "";
  return {
    launcher: demo.launcher({ url }),
    workdir: demo.folder,
    startsProcesses: false,
    file: (name) => demo.file(name),
    [Symbol.asyncDispose]: async () => {
      agent.kill("SIGKILL");
      await once(agent, "exit");
      await demo[Symbol.asyncDispose]();
    },
  };
}

agentContract("a process over a websocket", websocketWorld);
agentRequestContract("a process over a websocket", websocketWorld);

agentContract("an agent that is only dialled", dialledWorld);
agentRequestContract("an agent that is only dialled", dialledWorld);
