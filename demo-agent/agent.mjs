#!/usr/bin/env node
/**
 * The demo agent: a small ACP agent that obeys directives in its prompt instead of a model. README.md says which.
 * Owns: process, command line, stdio. Runs with any Node from 20 on, without a build and without packages.
 *
 * 1. It does not end when its standard input does, and leaves a running shell behind on SIGTERM: as iFlow does.
 */
import { parseFlags } from "./flags.mjs";
import { createPeer } from "./peer.mjs";
import { listen } from "./websocket.mjs";

const flags = parseFlags(process.argv.slice(2), process.env);

function refuse(text, code) {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

function serveStdio() {
  const dressed = (text) =>
    flags.has("decorated") ? `\u001b]0;{"working"}\u0007\u001b[32m${text}\u001b[0m\u0007\r` : text;
  const write = (texts) => void process.stdout.write(`${texts.map(dressed).join("\n")}\n`);
  const writePieces = (text) => {
    const bytes = Buffer.from(`${text}\n`);
    for (let index = 0; index < bytes.length; index += 1) process.stdout.write(bytes.subarray(index, index + 1));
  };
  process.stdout.on("error", () => {}); // nobody reads any more; iFlow goes on, too
  process.stdout.write("[iFlow ACP Agent] ACP adapter factory initialized\n");
  const peer = createPeer({ write, writePieces, flags });
  let rest = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text) => {
    rest += text;
    const end = rest.lastIndexOf("\n");
    if (end === -1) return;
    const whole = rest.slice(0, end);
    rest = rest.slice(end + 1);
    peer.receive(whole);
  });
  setInterval(() => {}, 60_000); // standard input may end; the agent does not
}

function start() {
  process.stderr.write("(node) [DEP0040] DeprecationWarning: The `punycode` module is deprecated.\n");
  if (flags.port === undefined) serveStdio();
  else listen(flags.port, flags, (connection) => createPeer({ ...connection, flags }));
}

if ("error" in flags) refuse(flags.error, 2);
if (flags.version) {
  process.stdout.write(`${flags.value("version") ?? "0.5.19"}\n`);
  process.exit(0);
}
if (!flags.acp) refuse("usage: agent.mjs --experimental-acp [--port N] [--stream] [--quirk name[=value]]", 2);
if (flags.has("exit-at-start"))
  refuse("Error: cannot start: the demo agent was told so", Number(flags.value("exit-at-start")));
if (flags.has("ignore-sigterm")) process.on("SIGTERM", () => {});
else process.on("SIGTERM", () => process.exit(143));
process.on("SIGINT", () => process.exit(130));
process.on("SIGHUP", () => process.exit(143));
setTimeout(start, Number(flags.value("start-delay") ?? 0));
