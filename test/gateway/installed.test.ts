/**
 * The plugin as a user installs it, from its npm tarball: consent, load, everything that it registers, and its settings refused by name.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gateway } from "./harness/gateway.ts";
import { packFolder } from "./harness/npm-pack.ts";
import { DEMO_AGENT, PLUGIN_ID, stagePlugin } from "./harness/staged-plugin.ts";

const NAMES = ["launch", "respond", "fg", "bg", "kill", "output", "sessions", "stats", "resume"];

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
  test("the host lists nine tools, nine commands, nine RPC methods, one service, and no complaint", async () => {
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
