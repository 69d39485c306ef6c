import { FakeAgent } from "../fakes/fake-agent.ts";
import { agentContract } from "./agent-connection.ts";

agentContract("in memory", async () => {
  const agent = new FakeAgent();
  return {
    launcher: agent,
    workdir: "/work",
    startsProcesses: true,
    file: async (name) => agent.files.get(`/work/${name}`),
    [Symbol.asyncDispose]: async () => {},
  };
});
