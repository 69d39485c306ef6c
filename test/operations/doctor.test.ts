/** [K5] The doctor's verdicts, with the demo agent as a real process. */
import { readdir, readlink } from "node:fs/promises";
import { afterEach, describe, expect, test } from "vitest";
import { findAgentCommand } from "../../src/agent/agent-command.ts";
import { doctorText, runDoctor, type Check, type DoctorParts } from "../../src/operations/doctor.ts";
import { DemoWorld } from "../agent/demo-world.ts";
import { FakeJournals } from "../fakes/fake-journal.ts";

const stack: DemoWorld[] = [];

afterEach(async () => {
  for (const world of stack.splice(0)) await world[Symbol.asyncDispose]();
});

const COUNTS = { accepted: 3, refused: 0, unknown: 0, noRoute: 0, waiting: 0, paused: 0 };

async function parts(quirks: string, changes: Partial<DoctorParts> = {}): Promise<DoctorParts> {
  const world = await DemoWorld.create();
  stack.push(world);
  return {
    agentReady: async () => ({ ok: true }),
    launcher: world.launcher({}, quirks),
    transport: "stdio",
    agentUrl: undefined,
    journals: new FakeJournals(),
    workdir: world.folder,
    allowed: [world.folder],
    fallbackRoute: "telegram|42",
    unknownChannels: [],
    gatewayTrouble: async () => undefined,
    deliveries: async () => COUNTS,
    skillTrouble: async () => undefined,
    ...changes,
  };
}

const verdicts = (checks: readonly Check[]): Readonly<Record<string, string>> =>
  Object.fromEntries(checks.map(({ name, verdict }) => [name, verdict]));
const AGENT = "agent answers ACP and is authenticated";

describe("[K5] the doctor", () => {
  test("finds nothing wrong, and leaves nothing running", async () => {
    const checks = await runDoctor(await parts(""));
    expect(checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual([
      "agent found",
      AGENT,
      "directory",
      "storage",
      "route",
      "gateway, notices and wake",
      "deliveries",
      "skill",
    ]);
    expect(checks[1]?.line).toMatch(/^iFlow \S+, session ready after \d+ ms$/);
    expect(doctorText(checks).split("\n")).toHaveLength(checks.length);
    expect(await agentsIn(stack[0]?.folder ?? "")).toEqual([]);
  });

  test.each([
    ["websocket", undefined, /keeps it to 127\.0\.0\.1, but each user of this machine can reach it/],
    ["websocket", "ws://127.0.0.1:4010/acp", /iFlow itself opens it for other machines too/],
    ["websocket", "ws://[::1]:4010/acp", /opens it for other machines too/],
    ["websocket", "ws://192.168.0.7:4010/acp", /is on another machine/],
    ["websocket", "ws://127.0.0.1.example.com/acp", /is on another machine/],
  ] as const)("[H12] warns of a port that lets anybody in (%s, %s)", async (transport, agentUrl, words) => {
    const checks = await runDoctor(await parts("", { transport, agentUrl }));
    expect(checks.find(({ name }) => name === "agent's port")).toMatchObject({
      verdict: "warning",
      line: expect.stringMatching(words) as string,
    });
  });

  test("[S10] says how to install an agent that is missing, and starts none", async () => {
    const found = await findAgentCommand({ hostEnv: { PATH: "/nowhere", HOME: "/nowhere" }, command: "no-such-agent" });
    if (!("missing" in found)) throw new Error("found");
    const checks = await runDoctor(
      await parts("", { agentReady: async () => ({ ok: false, message: found.missing }) }),
    );
    expect(verdicts(checks)).toMatchObject({ "agent found": "failed", directory: "ok", storage: "ok" });
    expect(checks.map(({ name }) => name)).not.toContain(AGENT);
    expect(checks[0]?.line).toContain("no-such-agent");
    expect(checks[0]?.line).toContain("iflow-ce");
    expect(doctorText(checks)).toMatch(/^✗ agent found: /);
  });

  test.each([
    ["refuse=session/new", /./],
    ["auth-fails unauthenticated", /auth/i],
  ])("[S10] says what an agent answers that refuses (%s)", async (quirks, words) => {
    const checks = await runDoctor(await parts(quirks));
    expect(verdicts(checks)).toMatchObject({ "agent found": "ok", [AGENT]: "failed", directory: "ok" });
    expect(checks.find(({ name }) => name === AGENT)?.line).toMatch(words);
    expect(await agentsIn(stack[0]?.folder ?? "")).toEqual([]);
  });

  test("[N5] tells what did not arrive, and which chats take nothing now", async () => {
    const told = async (changes: Partial<typeof COUNTS>, lastRefusal?: string): Promise<Check | undefined> => {
      const counts = { ...COUNTS, ...changes, ...(lastRefusal === undefined ? {} : { lastRefusal }) };
      const checks = await runDoctor(
        await parts("", { agentReady: async () => ({ ok: false, message: "" }), deliveries: async () => counts }),
      );
      return checks.find(({ name }) => name === "deliveries");
    };
    expect(await told({ waiting: 1 })).toMatchObject({ verdict: "ok", line: expect.stringContaining("delivered 3") });
    expect(await told({ paused: 1, waiting: 4 }, "connect ECONNREFUSED")).toMatchObject({
      verdict: "warning",
      line: "delivered 3, refused 0, of unknown fate 0, without a chat 0, on their way 4, chats that take nothing now 1 (last trouble: connect ECONNREFUSED)",
    });
    expect(await told({ unknown: 1 }, "cut off")).toMatchObject({ verdict: "warning" });
  });

  test.each([
    {
      what: "a default that is not there",
      workdir: "/no/such",
      allowed: [],
      says: "not there, or no directory: /no/such.",
    },
    {
      what: "an allowed one that is a file",
      workdir: undefined,
      allowed: ["/etc/hostname"],
      says: "no directory: /etc/hostname.",
    },
    {
      what: "a default that is not allowed",
      workdir: "/usr",
      allowed: ["/etc"],
      says: "the default /usr is not below allowedWorkdirs (/etc).",
    },
  ])(
    "[O1] says what is wrong with directories: $what; the agent is tried all the same",
    async ({ workdir, allowed, says }) => {
      const checks = await runDoctor(await parts("", { workdir, allowed }));
      expect(verdicts(checks)).toMatchObject({ [AGENT]: "ok", directory: "failed" });
      expect(doctorText(checks)).toContain(says);
    },
  );

  test("a channel that the host does not know is named", async () => {
    const checks = await runDoctor(await parts("", { unknownChannels: ["slak"] }));
    expect(verdicts(checks)).toMatchObject({ route: "warning" });
    expect(doctorText(checks)).toContain("! route: fallbackChannel or agentChannels name slak, for which");
  });

  test("a check that breaks is a failed check; what is merely unset is a warning", async () => {
    const journals = new FakeJournals();
    const checks = await runDoctor(
      await parts("", {
        agentReady: async () => Promise.reject(new Error("the disk is gone")),
        journals: Object.assign(journals, { writable: async () => ({ ok: false as const, reason: "ENOSPC" }) }),
        workdir: undefined,
        allowed: [],
        fallbackRoute: undefined,
        gatewayTrouble: async () => "the gateway does not answer:\n  ECONNREFUSED.\nStart it",
        skillTrouble: async () => Promise.reject(new Error("no folder")),
      }),
    );
    expect(verdicts(checks)).toEqual({
      "agent found": "failed",
      directory: "warning",
      storage: "failed",
      route: "warning",
      "gateway, notices and wake": "failed",
      skill: "failed",
    });
    expect(doctorText(checks).split("\n")).toHaveLength(checks.length);
    expect(doctorText(checks)).toContain("does not answer: ECONNREFUSED. Start it\n");
    expect(doctorText(checks)).toContain("✗ agent found: the disk is gone");
    expect(doctorText(checks)).toContain("! directory: no default directory");
  });
});

/** Pids of processes that work in this folder; where the system has no such list, none. */
async function agentsIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir("/proc").catch(() => []);
  const places = entries
    .filter((name) => /^\d+$/.test(name))
    .map(async (pid) => ({ pid, cwd: await readlink(`/proc/${pid}/cwd`).catch(() => "") }));
  return (await Promise.all(places)).filter(({ cwd }) => cwd === folder).map(({ pid }) => pid);
}
