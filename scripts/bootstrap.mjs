#!/usr/bin/env node
/**
 * `node scripts/bootstrap.mjs <name> [args]` runs scripts/<name>.ts (or .mjs, or a path with a slash) right after
 * `git clone`, with nothing installed.
 * Owns: finding a Node that OpenClaw accepts (this one, else the npm package of Node, kept in .node/), and `npm ci` under it.
 * Plain JavaScript: it must run on Node 20.
 * B1 npm itself runs under the chosen Node: OpenClaw's install script looks at it.
 * B2 One run installs at a time; the others wait for it. An installer that died holds up nobody, also when its pid came round
 *    again (in containers it soon does).
 * B3 What is installed is judged by what stands in node_modules, so an install by hand counts too.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const NODE_VERSION = "24.21.0";
const NODE_FOLDER = join(ROOT, ".node");
const NODE_BINARY = join(NODE_FOLDER, "node_modules", "node", "bin", "node");
const LOCK = join(NODE_FOLDER, "lock");
const LOCK_POLL_MS = 500;
const FETCH_FLAGS = ["--prefer-offline", "--fetch-retry-mintimeout=2000", "--fetch-retry-maxtimeout=10000"];
const NEEDS = "OpenClaw needs Node >= 24.16 < 25, or >= 26.1";

/** What OpenClaw 2026.9 accepts. */
function isGood(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return (major === 24 && minor >= 16) || (major === 26 && minor >= 1) || major > 26;
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

class Problem extends Error {}

// ---------------------------------------------------------------- environment

/** Of npm's own variables only what a user may have set for the network survives; the rest names the old Node and folder. */
const NPM_KEPT =
  /^npm_config_(?:registry|cache|userconfig|globalconfig|cafile|ca|proxy|https_proxy|noproxy|offline|strict_ssl|.*auth.*)$/i;

function environmentFor(nodeBinary) {
  const env = {};
  for (const [key, value] of Object.entries(process.env)) {
    if (/^npm_/i.test(key) && !NPM_KEPT.test(key)) continue;
    if (key === "INIT_CWD" || key === "NODE") continue;
    env[key] = value;
  }
  const rest = (process.env.PATH ?? "").split(delimiter).filter((entry) => !entry.includes("node-gyp-bin"));
  env.PATH = [dirname(nodeBinary), join(ROOT, "node_modules", ".bin"), ...new Set(rest)].join(delimiter);
  return env;
}

/** The JavaScript of npm, so that it can be run by a Node of our choice. */
function npmProgram() {
  const started = process.env.npm_execpath;
  if (started && basename(started) === "npm-cli.js" && existsSync(started)) return started;
  const candidates = [join(dirname(process.execPath), "..", "lib", "node_modules", "npm", "bin", "npm-cli.js")];
  for (const entry of (process.env.PATH ?? "").split(delimiter)) {
    if (!existsSync(join(entry, "npm"))) continue;
    const real = realpathSync(join(entry, "npm"));
    candidates.push(real, join(dirname(real), "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"));
  }
  const found = candidates.find((file) => basename(file) === "npm-cli.js" && existsSync(file));
  if (!found)
    throw new Problem(`No npm found beside ${process.execPath} or on PATH. Install Node with npm, then try again.`);
  return found;
}

function npm(nodeBinary, args, cwd) {
  const npmRun = spawnSync(nodeBinary, [npmProgram(), ...args], {
    cwd,
    env: environmentFor(nodeBinary),
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (npmRun.status === 0) return;
  const lines = `${npmRun.stdout ?? ""}${npmRun.stderr ?? ""}`
    .split("\n")
    .filter((line) => !/^npm (?:warn|error +at )/.test(line));
  const said = lines.slice(0, 20).join("\n").trim();
  throw new Problem(
    `npm ${args[0]} failed (${npmRun.error?.message ?? `exit code ${npmRun.status ?? npmRun.signal}`}):\n${said}\n\n` +
      "The first run needs the npm registry; later ones don't. Check the network, or npm's proxy and registry settings,\n" +
      `and try again. ${NEEDS}: with one on PATH only \`npm ci\` is left to do.`,
  );
}

// ---------------------------------------------------------------- one installer at a time

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** When a process began, in ticks since the boot (proc(5)); empty where /proc does not tell. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return ""; // no /proc, or nobody has the pid
  }
}

/** `owner`: the text of a lock that is not ours. */
function ownerLives(owner) {
  const [pid, start = ""] = owner.trim().split(" ");
  if (Number(pid) === process.pid || !isAlive(Number(pid))) return false;
  const now = startOf(pid);
  return start === "" || now === "" || start === now;
}

function readLock() {
  try {
    return readFileSync(LOCK, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The lock is a file with the pid and the start of its process, made whole by link(2); a dead owner's is moved away, and taken
 * only by who moved it.
 */
async function locked(install) {
  mkdirSync(NODE_FOLDER, { recursive: true });
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  const draft = `${LOCK}.${process.pid}`;
  writeFileSync(draft, mine);
  let told = false;
  try {
    for (;;) {
      try {
        linkSync(draft, LOCK);
        break;
      } catch (error) {
        if (error.code !== "EEXIST") throw error;
      }
      const owner = readLock();
      if (owner !== undefined && !ownerLives(owner)) {
        const aside = `${LOCK}.dead.${process.pid}`;
        try {
          renameSync(LOCK, aside);
          // Somebody may have taken it over since it was read: then it goes back.
          if (readFileSync(aside, "utf8") !== owner && !existsSync(LOCK)) linkSync(aside, LOCK);
          rmSync(aside, { force: true });
        } catch (error) {
          if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
        }
        continue;
      }
      if (owner !== undefined && !told)
        say(`Waiting for another run that is installing (pid ${owner.trim().split(" ")[0]}) ...`);
      told = true;
      await sleep(LOCK_POLL_MS);
    }
    try {
      return install();
    } finally {
      if (readLock() === mine) rmSync(LOCK, { force: true });
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

// ---------------------------------------------------------------- Node

function ownNodeWorks() {
  if (!existsSync(NODE_BINARY)) return false;
  const { status, stdout } = spawnSync(NODE_BINARY, ["--version"], { encoding: "utf8" });
  return status === 0 && isGood(stdout.trim());
}

/** Names as the npm package `node` chooses them; taken directly, no install script has to run. */
function nodePackage() {
  const { platform, arch } = process;
  const prefix = platform === "darwin" && arch === "arm64" ? "node-bin" : "node";
  return `${prefix}-${platform}-${arch}@${NODE_VERSION}`;
}

function installNode() {
  say(`This is Node ${process.version}; ${NEEDS}. Getting Node ${NODE_VERSION} into .node/ ...`);
  if (process.platform === "win32") throw new Problem("Windows is supported through WSL.");
  rmSync(join(NODE_FOLDER, "node_modules"), { recursive: true, force: true });
  writeFileSync(join(NODE_FOLDER, "package.json"), '{ "private": true }\n');
  const args = ["install", `node@npm:${nodePackage()}`, "--prefix", NODE_FOLDER, "--no-save", "--ignore-scripts"];
  npm(process.execPath, [...args, "--no-audit", "--no-fund", ...FETCH_FLAGS], NODE_FOLDER);
  if (!ownNodeWorks()) {
    throw new Problem(
      `Node ${NODE_VERSION} from npm does not run on this machine. ${NEEDS}: install one and put it on PATH.`,
    );
  }
}

// ---------------------------------------------------------------- packages

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages ?? {};
  } catch (error) {
    if (error.code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** npm writes its own lockfile into node_modules as the last step: both must name the same packages. */
function isInstalled() {
  const wanted = packagesOf(join(ROOT, "package-lock.json"));
  const there = packagesOf(join(ROOT, "node_modules", ".package-lock.json"));
  if (!wanted || !there) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const found = there[path];
    if (path === "" || (!found && optional)) return true;
    return found?.version === version && found?.integrity === integrity;
  });
}

function installPackages(nodeBinary) {
  say("Installing the packages of package-lock.json (about a minute, once) ...");
  npm(nodeBinary, ["ci", "--include=dev", "--no-audit", "--no-fund", ...FETCH_FLAGS], ROOT);
}

// ---------------------------------------------------------------- the run

async function prepared() {
  const own = isGood(process.version) ? process.execPath : NODE_BINARY;
  const isReady = () => (own === process.execPath || ownNodeWorks()) && isInstalled();
  if (isReady()) return own;
  await locked(() => {
    if (own === NODE_BINARY && !ownNodeWorks()) installNode();
    if (!isInstalled()) installPackages(own);
  });
  return own;
}

/** `check` is scripts/check.ts, `bench/agent` is bench/agent.ts. */
function scriptFile(name = "") {
  const path = name.includes("/") ? join(ROOT, name) : join(ROOT, "scripts", name);
  const found = [`${path}.ts`, `${path}.mjs`].find((file) => existsSync(file));
  if (!found)
    throw new Problem(
      `usage: node scripts/bootstrap.mjs <script, as in scripts/ or with its folder> [arguments]; not "${name}"`,
    );
  return found;
}

/** Ctrl-C reaches the whole foreground group by itself; a signal to this process alone is passed on. */
function run(nodeBinary, file, args) {
  const child = spawn(nodeBinary, [file, ...args], { cwd: ROOT, env: environmentFor(nodeBinary), stdio: "inherit" });
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(error));
  child.on("exit", (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else {
      process.exitCode = code ?? 1;
    }
  });
}

function fail(error) {
  say(error instanceof Problem ? error.message : String(error?.stack ?? error));
  process.exitCode = 1;
}

try {
  const [name, ...args] = process.argv.slice(2);
  const file = scriptFile(name);
  run(await prepared(), file, args);
} catch (error) {
  fail(error);
}
