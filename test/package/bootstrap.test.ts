/** One installer at a time: whom scripts/bootstrap.mjs waits for. npm is a script here that writes what npm would. */
import { spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const LOCKED = { packages: { "": {}, "node_modules/x": { version: "1.0.0", integrity: "x" } } };
const NPM = `import { copyFileSync, mkdirSync } from "node:fs";
mkdirSync("node_modules");
copyFileSync("package-lock.json", "node_modules/.package-lock.json");`;

let root: string;
let lock: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "iflow-bootstrap-"));
  lock = join(root, ".node", "lock");
  await Promise.all(["scripts", ".node"].map((name) => mkdir(join(root, name))));
  await copyFile(resolve(import.meta.dirname, "../../scripts/bootstrap.mjs"), join(root, "scripts", "bootstrap.mjs"));
  await writeFile(join(root, "scripts", "hello.mjs"), `console.log("hello");`);
  await writeFile(join(root, "npm-cli.js"), NPM);
  await writeFile(join(root, "package.json"), `{ "type": "module" }`);
  await writeFile(join(root, "package-lock.json"), JSON.stringify(LOCKED));
});

afterEach(() => rm(root, { recursive: true, force: true }));

/** Runs `before` in a shell that then becomes the bootstrap, under the same pid. */
function bootstrap(before = "true") {
  const child = spawn("/bin/sh", ["-c", `${before}; exec "$NODE_UNDER_TEST" scripts/bootstrap.mjs hello`], {
    cwd: root,
    env: { PATH: process.env["PATH"], NODE_UNDER_TEST: process.execPath, npm_execpath: join(root, "npm-cli.js") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = new Promise<string>((done) => child.once("close", (code) => done(`${said}(${code})`)));
  return { ended, said: () => said };
}

const DONE = /^Installing .*\nhello\n\(0\)$/;
/** More than the bootstrap waits before it looks at a lock again. */
const PATIENCE_MS = 60_000;

test("nobody else installs", async () => {
  expect(await bootstrap().ended).toMatch(DONE);
});

describe("a lock of a dead installer is taken over", () => {
  test("whose pid nobody has", async () => {
    await writeFile(lock, "999999999\n");
    expect(await bootstrap().ended).toMatch(DONE);
  });

  test("whose pid is the own one", { timeout: PATIENCE_MS }, async () => {
    expect(await bootstrap("echo $$ > .node/lock").ended).toMatch(DONE);
  });

  test.runIf(process.platform === "linux")(
    "whose pid somebody else has, who began at another time",
    { timeout: PATIENCE_MS },
    async () => {
      await writeFile(lock, `${process.pid} 1\n`);
      expect(await bootstrap().ended).toMatch(DONE);
    },
  );
});

test.each(["without its start", "with its start"])("a living installer's lock, %s, is waited for", async (kind) => {
  const stat = await readFile("/proc/self/stat", "utf8").catch(() => "");
  const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  await writeFile(lock, kind === "with its start" ? `${process.pid} ${start}\n` : `${process.pid}\n`);
  const { ended, said } = bootstrap();
  await expect.poll(said, { timeout: PATIENCE_MS }).toContain(`Waiting for another run`);
  await rm(lock);
  expect(await ended).toMatch(/Waiting .* \(pid \d+\) \.\.\.\nInstalling .*\nhello\n\(0\)$/);
});
