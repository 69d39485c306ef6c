/**
 * A new user, who has OpenClaw with one Telegram chat, iFlow on PATH, this repository, and reads README.md: every shell line of its
 * start as it stands, then its chat commands, to an answered question.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blocksOf, shellLines, typedLines, WALKED } from "../readme-blocks.ts";
import { Gateway } from "./harness/gateway.ts";
import { installedHost } from "./harness/openclaw-host.ts";
import { DEMO_AGENT, PLUGIN_ID, REPOSITORY } from "./harness/staged-plugin.ts";

const PERSON = 42;
const chat = { chatId: PERSON };
/** What a clone does not have. Packages are shared with this one: installing them is not what is tested. */
const SHARED = ["node_modules", ".node"];
const LEFT_OUT = new Set([...SHARED, ".git", "dist", "coverage"]);

const START = blocksOf("README.md").filter(({ heading }) => heading === WALKED["README.md"]);
const [installation, agentSettings] = START.filter(({ language }) => language === "sh").map((block) =>
  shellLines(block),
);
const [firstJob = ""] = START.flatMap((block) => typedLines(block));

const undo = new AsyncDisposableStack();
let clone: string;
let gateway: Gateway;

beforeAll(async () => {
  const home = mkdtempSync(join(tmpdir(), "iflow-reader-"));
  undo.defer(() => rmSync(home, { recursive: true, force: true }));
  clone = join(home, "openclaw-iflow-plugin");
  cpSync(REPOSITORY, clone, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  for (const name of SHARED) symlinkSync(join(REPOSITORY, name), join(clone, name));
  mkdirSync(join(home, "src", "webapp"), { recursive: true });
  const bin = join(home, "bin");
  mkdirSync(bin);
  for (const [name, script] of [
    ["openclaw", installedHost.script],
    ["iflow-ce", DEMO_AGENT],
  ] as const)
    writeFileSync(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`, { mode: 0o755 });
  gateway = await Gateway.start({
    pluginRoots: {},
    telegram: true,
    config: { plugins: { slots: { memory: "none" } }, commands: { ownerAllowFrom: [`telegram:${PERSON}`] } },
    env: { HOME: home, PATH: `${bin}:${process.env["PATH"] ?? ""}` },
  });
  undo.defer(async () => gateway.dispose());
});

afterAll(async () => undo.disposeAsync());

async function shell(line: string): Promise<{ line: string; code: number; output: string }> {
  const child = spawn("sh", ["-c", line], { cwd: clone, env: gateway.env, stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number>((resolve) => child.once("close", (exit) => resolve(exit ?? -1)));
  return { line, code, output: Buffer.concat(chunks).toString("utf8") };
}

test("its installation, line by line, up to a doctor without a complaint", async () => {
  expect(installation?.length).toBeGreaterThan(2);
  for (const line of installation ?? []) expect(await shell(line)).toMatchObject({ code: 0 });
});

test("its first job, in a chat", async () => {
  gateway.telegram.say(chat, firstJob);
  await gateway.telegram.heard(PERSON, /^↩️ \S+ launched/);
  await gateway.telegram.heard(PERSON, /^✅/);
});

test("its dialogue: a job with a name, and what to do next", async () => {
  const [dialogue] = blocksOf("README.md");
  const [launch = "", next = ""] = dialogue === undefined ? [] : typedLines(dialogue);
  gateway.telegram.say(chat, launch);
  await gateway.telegram.heard(PERSON, /✅ login/);
  gateway.telegram.say(chat, next);
  await gateway.telegram.heard(
    PERSON,
    ({ texts }) => /✅ login/.test(texts.at(-1) ?? "") && /expired token/.test(texts.at(-1) ?? ""),
  );
});

test("a question, answered by a bare number, and one by a command", async () => {
  gateway.telegram.say(chat, "/iflow --name paint ask: Which color? | Red | Blue\nsay: It is {answer}.");
  await gateway.telegram.heard(PERSON, /🔔 paint asks\b.*Which color\?/s);
  gateway.telegram.say(chat, "2");
  await gateway.telegram.heard(PERSON, /✅ paint.*It is Blue\./s);
  gateway.telegram.say(chat, "/iflow --name size ask: Which size? | Small | Large\nsay: It is {answer}.");
  const notice = await gateway.telegram.heard(PERSON, /🔔 size asks\b.*Which size\?/s);
  const [command = ""] = /\/iflow_respond --question \S+ size/.exec(notice.texts[0] ?? "") ?? [];
  gateway.telegram.say(chat, `${command} Small`);
  await gateway.telegram.heard(PERSON, /✅ size.*It is Small\./s);
});

test("its settings of the agent are taken as they stand, and the doctor says that this one is not there", async () => {
  for (const line of agentSettings ?? []) expect(await shell(line)).toMatchObject({ code: 0 });
  const config = JSON.parse(readFileSync(gateway.configFile, "utf8")) as {
    plugins: { entries: Record<string, { config: unknown }> };
  };
  expect(config.plugins.entries[PLUGIN_ID]?.config).toMatchObject({
    agent: { command: "/opt/iflow-ce/bin/iflow-ce", auth: { methodId: "openai-compatible", modelName: "your-model" } },
  });
  const { code, output } = await shell("openclaw iflow doctor");
  expect(code).not.toBe(0);
  expect(output).toContain("/opt/iflow-ce/bin/iflow-ce");
});
