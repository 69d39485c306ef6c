/** The service's life: listeners only while it runs, a stop inside the host's patience, failures in the open. */
import { expect, test } from "vitest";
import { registerLife, type ServiceLife } from "../../src/host/service.ts";
import { apiDouble, keptLog } from "./api-double.ts";

const context = { stateDir: "/state", workspaceDir: "/ws", config: {}, logger: keptLog() };

function service(life: Partial<ServiceLife>, mode: Parameters<typeof apiDouble>[0] = "full") {
  const { api, registered } = apiDouble(mode);
  const log = keptLog();
  const nothing: ServiceLife = { start: async () => undefined, settle: () => undefined, stop: async () => undefined };
  registerLife(api, { ...nothing, ...life }, log);
  const [made] = registered.services;
  if (made === undefined) throw new Error("no service was registered");
  return { service: made, log };
}

const listeners = (): number[] => ["SIGTERM", "SIGINT", "SIGUSR2"].map((name) => process.listenerCount(name));

test("signal listeners live from start to stop, and run before the host's", async () => {
  const before = listeners();
  const order: string[] = [];
  const hostsOwn = (): void => void order.push("host");
  process.on("SIGUSR2", hostsOwn);
  const { service: running } = service({ settle: (name) => void order.push(`settle ${name}`) });
  await running.start(context);
  await running.start(context);
  expect(listeners()).toEqual(before.map((count, at) => count + (at === 2 ? 2 : 1)));
  process.emit("SIGUSR2", "SIGUSR2");
  await running.stop?.();
  process.emit("SIGUSR2", "SIGUSR2");
  process.removeListener("SIGUSR2", hostsOwn);
  expect(order).toEqual(["settle SIGUSR2", "host", "host"]);
  expect(listeners()).toEqual(before);
});

test("a settlement that throws does not take the gateway's own handling with it", async () => {
  const { service: running, log } = service({
    settle: () => {
      throw new Error("no ledger");
    },
  });
  await running.start(context);
  expect(() => process.emit("SIGINT", "SIGINT")).not.toThrow();
  await running.stop?.();
  expect(log.lines).toEqual(["error: child tasks were not settled on SIGINT: no ledger"]);
});

test("a stop that hangs is left behind within five seconds", async () => {
  const { service: running, log } = service({ stop: async () => new Promise(() => undefined) });
  await running.start(context);
  await running.stop?.();
  expect(log.lines[0]).toMatch(/not stopped within 4500 ms/);
});

test("a start that fails is shown in the host's health; the next one clears it", async () => {
  const health: unknown[] = [];
  const serviceHealth = {
    reportFailure: (error: unknown) => health.push(error),
    clearFailure: () => health.push("clear"),
  };
  let broken = true;
  const { service: running, log } = service({
    start: async () => {
      if (broken) throw new Error("journal folder is read-only");
    },
  });
  await running.start({ ...context, serviceHealth });
  broken = false;
  await running.start({ ...context, serviceHealth });
  await running.stop?.();
  expect(health).toEqual([new Error("journal folder is read-only"), "clear"]);
  expect(log.lines).toEqual(["error: the iFlow service could not start: journal folder is read-only"]);
});

test("a copy for discovery names the service and starts nothing", async () => {
  let started = 0;
  const { service: named } = service({ start: async () => void (started += 1) }, "discovery");
  await named.start(context);
  expect([named.id, started]).toEqual(["openclaw-iflow-plugin", 0]);
});
