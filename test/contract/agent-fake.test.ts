import { FakeAgent } from "../fakes/fake-agent.ts";
import { agentContract } from "./agent-connection.ts";
import { agentRequestContract } from "./agent-requests.ts";
import type { AgentWorld } from "./agent-world.ts";

async function memoryWorld(): Promise<AgentWorld> {
  const agent = new FakeAgent();
  return {
    launcher: agent,
    workdir: "/work",
    startsProcesses: true,
    file: async (name) => agent.files.get(`/work/${name}`),
    [Symbol.asyncDispose]: async () => {},
  };
}

agentContract("in memory", memoryWorld);
agentRequestContract("in memory", memoryWorld);
