/**
 * The plugin as a user installs it, from its npm tarball: consent, load, everything that it registers,
 * a job from launch to finish, and its settings refused by name.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operations } from "../../src/operations/table.ts";
import { Gateway } from "./harness/gateway.ts";
import { packFolder } from "./harness/npm-pack.ts";
import { DEMO_AGENT, PLUGIN_ID, stagePlugin } from "./harness/staged-plugin.ts";

const NAMES = operations(() => undefined).map(({ name }) => name);

const undo = new AsyncDisposableStack();
let gateway: Gateway;

beforeAll(async () => {
  const staged = undo.adopt(await stagePlugin(), (one) => one.dispose());
  const tarball = undo.adopt(await packFolder(staged.dir), (one) => one.dispose());
  gateway = await Gateway.start({
    pluginRoots: {},
    installed: { [PLUGIN_ID]: tarball.file },
    pluginConfig: { [PLUGIN_ID]: { agent: { command: DEMO_AGENT } } },
  });
  undo.defer(async () => gateway.dispose());
});

afterAll(async () => undo.disposeAsync());

describe("installed from npm-pack", () => {
  test("the host lists each operation as tool, command and RPC method, one service, and no complaint", async () => {
    const { stdout } = await gateway.cli(["plugins", "inspect", PLUGIN_ID, "--runtime", "--json"]);
    const seen = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
      tools: { names: string[] }[];
      commands: string[];
      gatewayMethods: string[];
      services: string[];
      diagnostics: unknown[];
    };
    expect(seen.diagnostics).toEqual([]);
    expect(seen.tools.flatMap((tool) => tool.names).toSorted()).toEqual(
      NAMES.map((name) => `iflow_${name}`).toSorted(),
    );
    expect(seen.commands.toSorted()).toEqual(["iflow", ...NAMES.slice(1).map((name) => `iflow_${name}`)].toSorted());
    expect(seen.gatewayMethods.toSorted()).toEqual(NAMES.map((name) => `iflow.${name}`).toSorted());
    expect(seen.services).toEqual([PLUGIN_ID]);
  });

  test("its service runs", async () => {
    const rpc = await gateway.rpc();
    expect(await rpc.call("iflow.sessions", {})).toEqual([]);
  });

  test("a job runs from launch to finish, and the host shows its flow and its child as succeeded", async () => {
    const rpc = await gateway.rpc();
    const route = "webchat|none";
    const job = await rpc.call<{ id: string; flowId: string }>("iflow.launch", {
      prompt: "say: It works.",
      name: "first",
      multiTurnDisabled: true,
      route,
    });
    await expect
      .poll(async () => (await rpc.call<{ status: string }[]>("iflow.sessions", {}))[0]?.status)
      .toBe("completed");
    expect(await rpc.call("iflow.output", { session: "first" })).toMatchObject({
      output: expect.stringContaining("It works."),
    });
    const { stdout } = await gateway.cli(["tasks", "flow", "show", job.flowId, "--json"]);
    const flow = JSON.parse(stdout.slice(stdout.indexOf("{"))) as { status: string; tasks: { status: string }[] };
    expect(flow.status).toBe("succeeded");
    expect(flow.tasks.map(({ status }) => status)).toEqual(["succeeded"]);
  });

  test("the icon is taken from the package", async () => {
    const { stdout } = await gateway.cli(["plugins", "inspect", PLUGIN_ID, "--json"]);
    const seen = JSON.parse(stdout.slice(stdout.indexOf("{"))) as { plugin: { rootDir: string } };
    expect(existsSync(join(seen.plugin.rootDir, "assets", "icon.png"))).toBe(true);
  });

  test("a wrong setting is refused with its path", async () => {
    const set = await gateway.cli([
      "config",
      "set",
      `plugins.entries.${PLUGIN_ID}.config.maxSessions`,
      '"many"',
      "--json",
    ]);
    expect(set.code).not.toBe(0);
    expect(`${set.stdout}${set.stderr}`).toContain("maxSessions");
  });
});
