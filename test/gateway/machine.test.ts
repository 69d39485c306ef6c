/**
 * The command line of the machine on a real gateway: the doctor, well and ill; a refusal, and the audit log that has it; and what the
 * host's own security audit says about dangerous settings. What the subcommands print: test/operations/machine-commands.test.ts.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PERSON, PluginWorld } from "./harness/plugin-world.ts";
import type { JsonObject } from "./harness/json.ts";
import { DEMO_AGENT, PLUGIN_ID } from "./harness/staged-plugin.ts";

const undo = new AsyncDisposableStack();
let world: PluginWorld;

beforeAll(async () => {
  world = await PluginWorld.start();
  undo.defer(async () => world.dispose());
});

afterAll(async () => undo.disposeAsync());

function configure(config: JsonObject): void {
  world.gateway.configure({ [PLUGIN_ID]: { agent: { command: DEMO_AGENT }, ...config } });
}

async function iflow(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly lines: readonly string[] }> {
  const { code, stdout, stderr } = await world.gateway.cli(["iflow", ...args]);
  expect(stderr).not.toMatch(/^\s+at /m);
  return { code, lines: stdout.split("\n").filter((line) => line.trim() !== "") };
}

describe("[K5] openclaw iflow doctor", () => {
  test("everything is well: one line each, each for real, and exit code 0", async () => {
    configure({ fallbackChannel: `telegram|${PERSON}`, defaultWorkdir: world.gateway.workspace });
    const { code, lines } = await iflow("doctor");
    expect(lines.filter((line) => !line.startsWith("✓ deliveries"))).toEqual([
      expect.stringMatching(/^✓ agent found: /),
      expect.stringMatching(
        /^✓ agent answers ACP and is authenticated: iFlow \d+\.\d+\.\d+, session ready after \d+ ms$/,
      ),
      expect.stringContaining(`✓ directory: default ${world.gateway.workspace}`),
      expect.stringMatching(/^✓ storage: /),
      `✓ route: notices go to the chat that launched, else to telegram|${PERSON}`,
      expect.stringMatching(/^✓ gateway, notices and wake: /),
      expect.stringMatching(/^✓ skill: /),
    ]);
    expect(code).toBe(0);
  });

  test("a reference to a secret is resolved as in the gateway; one that gives nothing is named", async () => {
    const withKey = (id: string): void =>
      configure({
        agent: {
          command: DEMO_AGENT,
          args: ["--quirk", "unauthenticated"],
          auth: { apiKey: { source: "env", provider: "default", id } },
        },
      });
    withKey("HOME");
    const { lines } = await iflow("doctor");
    expect(lines[1]).toMatch(/^✓ agent answers ACP and is authenticated: /);
    withKey("NO_SUCH_KEY");
    const { code, lines: missing } = await iflow("doctor");
    expect(missing).toEqual([expect.stringMatching(/^✗ configuration: agent\.auth\.apiKey: .*NO_SUCH_KEY/)]);
    expect(code).toBe(1);
  });

  test("nothing is well: each line says what and what next, and the exit code is 1", async () => {
    await world.gateway.stop();
    configure({ agent: { command: "no-such-agent" }, allowedWorkdirs: ["/no/such/folder"] });
    const { code, lines } = await iflow("doctor");
    expect(lines).toEqual([
      expect.stringMatching(/^✗ agent found: agent\.command is "no-such-agent", .*iflow-ce.*API key.*base URL/),
      expect.stringMatching(/^✗ directory: not there, or no directory: \/no\/such\/folder\. Create it/),
      expect.stringMatching(/^✓ storage: /),
      expect.stringMatching(/^! route: .*set fallbackChannel/),
      expect.stringMatching(
        /^✗ gateway, notices and wake: the gateway does not answer iflow\.stats: .*openclaw gateway run/,
      ),
      expect.stringMatching(/^✓ skill: /),
    ]);
    expect(code).toBe(1);
  });
});

test("dangerous settings are named by the host's security audit", async () => {
  configure({ skipSafetyChecks: true, allowedWorkdirs: [join(world.gateway.workspace), "/"] });
  const { stdout } = await world.gateway.cli(["security", "audit"]);
  expect(stdout).toContain(`plugins.entries.${PLUGIN_ID}.config.skipSafetyChecks=true`);
  expect(stdout).toMatch(new RegExp(`plugins\\.entries\\.${PLUGIN_ID}\\.config\\.allowedWorkdirs\\S*="?/`));
});

describe("[O6] [K7] openclaw iflow output, audit", () => {
  test("ask the running gateway, and read the log", async () => {
    configure({});
    await world.gateway.start();
    const job = await world.launch("say: seen on the machine", { name: "job" });
    await world.until(job.id, "idle");

    const unknown = await iflow("output", "jab");
    expect(unknown.code).toBe(1);
    expect(unknown.lines.join("\n")).toContain('No iFlow session is called "jab". Did you mean job?');
    const audit = await iflow("audit", "1");
    expect(audit.code).toBe(0);
    expect(JSON.parse(audit.lines[0] ?? "")).toMatchObject({ operation: "output", outcome: "not_found", door: "rpc" });
  });
});

test("[B1] a long command is read whole: both ends in the notice, a button, and the machine after a kill -9", async () => {
  const { telegram } = world.gateway;
  const command = `echo begins-here ${"word ".repeat(900)}ends-here`;
  const job = await world.launch(`run: ${command}`, { name: "long", permission_mode: "manual" });
  const asked = await telegram.heard(PERSON, /long asks for permission/);
  const shown = asked.texts.at(-1) ?? "";
  expect(shown).toContain("echo begins-here");
  expect(shown).toContain("word ends-here");
  expect(shown).toContain(`of ${command.length} characters are shown`);
  expect(shown).toMatch(/\n1: Allow\n2: Reject\n\nAll of it: \/iflow_output --question q\d+ long\n/);
  expect(asked.buttons.flat().map(({ text }) => text)).toEqual(["Allow", "Reject", "Show all"]);

  telegram.press({ chatId: PERSON }, asked, "Show all");
  const pressed = await telegram.heard(PERSON, /\(permission\) · characters 0–/);
  expect(pressed.texts.at(-1)).toMatch(/More: \/iflow_output --question q\d+ --since \d+ long$/);
  expect(asked.buttons.flat()).toHaveLength(3);

  await world.gateway.kill9();
  await world.untilNoProcess(job.id);
  await world.gateway.start();
  const [question] = (await world.row(job.id)).question ?? [];
  const read = await iflow("output", "long", "--question", question?.id ?? "");
  expect(read).toEqual({ code: 0, lines: [command, "1: Allow", "2: Reject"] });
  await world.kill("long");
});
