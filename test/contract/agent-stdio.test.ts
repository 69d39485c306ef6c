import { DemoWorld } from "../agent/demo-world.ts";
import { agentContract } from "./agent-connection.ts";
import { agentRequestContract } from "./agent-requests.ts";
import type { AgentWorld } from "./agent-world.ts";

async function stdioWorld(): Promise<AgentWorld> {
  const demo = await DemoWorld.create();
  return {
    launcher: demo.launcher(),
    workdir: demo.folder,
    startsProcesses: true,
    file: (name) => demo.file(name),
    [Symbol.asyncDispose]: () => demo[Symbol.asyncDispose](),
  };
}

agentContract("a process over stdio", stdioWorld);
agentRequestContract("a process over stdio", stdioWorld);
