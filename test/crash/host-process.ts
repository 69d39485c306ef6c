/**
 * A process that keeps the host's ledger and nothing else, for lives of the plugin that are killed beside it.
 * `node host-process.ts SOCKET`; says `ready` when it listens. The ledger is the host's own, on its own database.
 */
import { createServer, type Socket } from "node:net";
import { openHostLedger, type HostLedger } from "./host-runtime.ts";
import { eachLine, type Request, type Response } from "./host-wire.ts";

async function carryOut({ tasks, emit }: HostLedger, request: Request): Promise<unknown> {
  if (request.on === "emit") return emit(request.event);
  if (request.on === "cancelFlow") return tasks.cancelFlow(request.owner, request.flowId);
  const bound = request.on === "flows" ? tasks.flows(request.owner, request.route) : tasks[request.on](request.owner);
  const method: unknown = (bound as unknown as Record<string, unknown>)[request.method];
  if (typeof method !== "function") throw new Error(`the host has no ${request.on}.${request.method}`);
  return method.apply(bound, [...request.args]);
}

function serve(ledger: HostLedger, socket: Socket): void {
  // A life that was killed closes it; what it had asked is carried out all the same.
  socket.on("error", () => undefined);
  eachLine(socket, (line) => {
    const request = JSON.parse(line) as Request;
    const answer = (response: Omit<Response, "id">): void => {
      if (!socket.destroyed) socket.write(`${JSON.stringify({ ...response, id: request.id })}\n`);
    };
    carryOut(ledger, request).then(
      (value) => answer({ value }),
      (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
    );
  });
}

/** The host loads its parts when they are first needed; in a gateway that is long before a session is launched. */
async function warmUp({ tasks, emit }: HostLedger): Promise<void> {
  const owner = { sessionKey: "agent:main:warm-up" };
  const flows = tasks.flows(owner);
  const { flowId } = await flows.createManaged({ controllerId: "warm-up", goal: "warm-up", status: "running" });
  const runId = `warm-up:${flowId}`;
  await flows.runTask({ flowId, runtime: "cron", runId, task: "warm-up", status: "running", startedAt: Date.now() });
  emit({ runId, stream: "lifecycle", data: { phase: "end", endedAt: Date.now() } });
  await tasks.runs(owner).list();
  await tasks.views(owner).list();
  await tasks.cancelFlow(owner, flowId);
}

const [path = ""] = process.argv.slice(2);
const ledger = await openHostLedger();
await warmUp(ledger);
createServer((socket) => serve(ledger, socket)).listen(path, () => process.stdout.write("ready\n"));
// The one who started it holds this pipe: it ends with them.
process.stdin.on("end", () => process.exit(0)).resume();
