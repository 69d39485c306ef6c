import { DemoWorld } from "../agent/demo-world.ts";
import { agentContract } from "./agent-connection.ts";

agentContract("a process over stdio", async () => {
  const demo = await DemoWorld.create();
  return {
    launcher: demo.launcher(),
    workdir: demo.folder,
    startsProcesses: true,
    file: (name) => demo.file(name),
    [Symbol.asyncDispose]: () => demo[Symbol.asyncDispose](),
  };
});
