/** `openclaw iflow …`: what it prints and its exit code, with a gateway that answers, refuses or is not there. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { visible } from "../../src/core/fence.ts";
import { machineCommands, type MachineRun } from "../../src/operations/machine-commands.ts";
import { PLANTED, foundIn } from "../planted-secrets.ts";
import { MAX_CHARS } from "../../src/operations/output.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "iflow-machine-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

/** The clipboard, the title, a clear screen, a link, text that runs backwards. */
const HOSTILE =
  "\u001b]52;c;cm0gLXJmIH4K\u0007\u001b]0;title\u001b\\\\\u001b[2J\u009b2K\u001b]8;;http://x\u0007\u202eseen\r\u0000";

type Call = MachineRun["call"];
const nobody: Call = async () => Promise.reject(new Error("Gateway not reachable at ws://127.0.0.1:1"));

async function run(
  name: string,
  given: {
    args?: readonly string[];
    options?: Readonly<Record<string, unknown>>;
    call?: Call;
    log?: string;
    isTerminal?: boolean;
    refused?: string;
  },
): Promise<{ readonly code: number; readonly printed: string; readonly called: readonly unknown[] }> {
  const file = join(folder, "audit.jsonl");
  if (given.log === undefined) await rm(file, { force: true });
  else await writeFile(file, given.log);
  const called: unknown[] = [];
  const printed: string[] = [];
  const commands = machineCommands({
    auditFile: () => file,
    doctor: async () => given.refused ?? (given.isTerminal === true ? `max${HOSTILE}` : "maxSessions must be integer"),
    isTerminal: () => given.isTerminal ?? false,
  });
  const code = await commands
    .find((command) => command.name === name)
    ?.run({
      args: given.args ?? [],
      options: given.options ?? {},
      print: (text) => void printed.push(text),
      call: async (method, params) => {
        called.push([method, params]);
        return (given.call ?? nobody)(method, params);
      },
    });
  return { code: code ?? -1, printed: printed.join("\n"), called };
}

describe("[O7] sessions", () => {
  const rows = [{ id: "s1", status: "idle", name: "fix", workdir: "/w" }];

  test("a line each, or JSON, or that there are none; the filter goes along", async () => {
    expect(await run("sessions", { args: ["active"], call: async () => rows })).toEqual({
      code: 0,
      printed: "s1  idle         fix  /w",
      called: [["iflow.sessions", { filter: "active" }]],
    });
    expect(JSON.parse((await run("sessions", { options: { json: true }, call: async () => rows })).printed)).toEqual(
      rows,
    );
    expect(await run("sessions", { call: async () => [] })).toMatchObject({ printed: "No iFlow sessions.", code: 0 });
  });

  test("without a gateway the host's words, and exit code 1", async () => {
    expect(await run("sessions", {})).toMatchObject({
      code: 1,
      printed: "✗ Gateway not reachable at ws://127.0.0.1:1",
    });
  });
});

describe("[O6] output", () => {
  const answer = { output: "words", startOffset: 0 };

  test("the words alone, or all of the answer; lines and full go along", async () => {
    const full = await run("output", { args: ["fix"], options: { full: true, lines: "7" }, call: async () => answer });
    expect(full).toEqual({
      code: 0,
      printed: "words",
      called: [["iflow.output", { session: "fix", lines: 7, full: true }]],
    });
    const json = await run("output", { args: ["fix"], options: { json: true }, call: async () => answer });
    expect(JSON.parse(json.printed)).toEqual(answer);
  });

  test("full is the whole of it, however many answers that takes", async () => {
    const words = "a".repeat(MAX_CHARS - 1) + "b".repeat(MAX_CHARS) + "end";
    const call: Call = async (_method, params) => {
      const startOffset = Number(params["since"] ?? 0);
      // The first answer is one short, as where a character would have been cut.
      const endOffset = startOffset + (startOffset === 0 ? MAX_CHARS - 1 : MAX_CHARS);
      const output = words.slice(startOffset, endOffset);
      return { output, startOffset, endOffset: startOffset + output.length, truncated: true };
    };
    const { printed, called } = await run("output", { args: ["fix"], options: { full: true }, call });
    expect(printed).toBe(words);
    expect(called).toHaveLength(3);
    const json = await run("output", { args: ["fix"], options: { full: true, json: true }, call });
    expect(JSON.parse(json.printed)).toEqual({
      output: words,
      startOffset: 0,
      endOffset: words.length,
      truncated: false,
    });
  });

  test.each(["many", "0", "-3", "1.5", ""])(
    "a number of lines that is none (%j) is refused before anything is asked",
    async (lines) => {
      expect(await run("output", { args: ["fix"], options: { lines }, call: async () => answer })).toEqual({
        code: 1,
        printed: `✗ How many lines? A number from 1 is expected, not ${JSON.stringify(lines)}.`,
        called: [],
      });
    },
  );

  test("a refusal is printed as it is", async () => {
    const call: Call = async () => Promise.reject(new Error('No iFlow session is called "fux". Did you mean fix?'));
    expect(await run("output", { args: ["fux"], call })).toMatchObject({
      code: 1,
      printed: '✗ No iFlow session is called "fux". Did you mean fix?',
    });
  });
});

describe("[K7] audit", () => {
  const log = Array.from({ length: 60 }, (_, i) => `{"at":${i}}\n`).join("");

  test("the last lines, as many as asked for", async () => {
    expect((await run("audit", { log })).printed.split("\n")).toHaveLength(50);
    expect(await run("audit", { args: ["2"], log })).toMatchObject({ code: 0, printed: '{"at":58}\n{"at":59}' });
    expect(await run("audit", { args: ["some"], log })).toMatchObject({ code: 1 });
  });

  test("none there is said with its place", async () => {
    const { code, printed } = await run("audit", {});
    expect(code).toBe(1);
    expect(printed).toMatch(/^✗ No audit log can be read at .*audit\.jsonl: ENOENT/);
  });
});

test("[K5] [K8] doctor on a refused configuration says so, and tries nothing", async () => {
  expect(await run("doctor", {})).toEqual({
    code: 1,
    printed: "✗ configuration: maxSessions must be integer",
    called: [],
  });
});

test("[G5] on a terminal nothing of what it prints is an order to it; a file gets the words as they are", async () => {
  const call: Call = async (method) =>
    method === "iflow.sessions"
      ? [{ id: "s1", status: "idle", name: HOSTILE, workdir: HOSTILE }]
      : { output: HOSTILE, startOffset: 0, endOffset: HOSTILE.length };
  const refusing: Call = async () => Promise.reject(new Error(HOSTILE));
  const runs = [
    await run("output", { args: ["s1"], call, isTerminal: true }),
    await run("output", { args: ["s1"], options: { json: true }, call, isTerminal: true }),
    await run("output", { args: ["s1"], call: refusing, isTerminal: true }),
    await run("sessions", { call, isTerminal: true }),
    await run("audit", { log: `${HOSTILE}\n`, isTerminal: true }),
    await run("doctor", { isTerminal: true }),
  ];
  for (const { printed } of runs) {
    expect(printed).toContain("seen");
    expect(visible(printed)).toBe(printed);
  }
  expect((await run("output", { args: ["s1"], call })).printed).toBe(HOSTILE);
});

test.each(PLANTED)("[G3] what fails on the command line is said without $kind", async ({ text }) => {
  const refusing: Call = async () => Promise.reject(new Error(`Not reachable: ${text}`));
  const runs = [
    await run("output", { args: ["s1"], call: refusing }),
    await run("sessions", { call: refusing, isTerminal: true }),
    await run("doctor", { refused: `agent.env: ${text}` }),
  ];
  for (const { printed } of runs) expect(foundIn(printed)).toEqual([]);
});
