/**
 * iFlow's websocket listens on every interface and asks nobody for a key: it is kept to this machine where that can be done.
 * Owns: what a Node program is started with, so that it listens on the loopback alone, and how that is checked (Linux).
 * Does not own: the dialling (listening-agent.ts), which goes to the loopback in any case.
 *
 * 1. Only the agent's own process is changed: what it starts has the environment that it would have had.
 */
import { readFile } from "node:fs/promises";

const OPTION = "NODE_OPTIONS";

/** Loaded by Node before the program. A server that names no host, or all of them, gets the loopback. */
function preload(before: string | undefined): string {
  return `
import net from "node:net";
${before === undefined ? `delete process.env.${OPTION};` : `process.env.${OPTION} = ${JSON.stringify(before)};`}
const listen = net.Server.prototype.listen;
const everywhere = (host) => host === undefined || host === null || host === "" || host === "::" || host === "0.0.0.0";
const isPort = (value) => typeof value === "number" || (typeof value === "string" && /^[0-9]+$/.test(value));
net.Server.prototype.listen = function (first, ...rest) {
  if (isPort(first)) {
    const named = typeof rest[0] === "string";
    if (!named || everywhere(rest[0])) rest.splice(0, named ? 1 : 0, "127.0.0.1");
    return listen.call(this, first, ...rest);
  }
  const isOpen = typeof first === "object" && first !== null && first.port !== undefined && everywhere(first.host);
  return listen.call(this, isOpen ? { ...first, host: "127.0.0.1" } : first, ...rest);
};
`;
}

/** The environment of an agent that is to listen on a port. A program that is not Node takes no notice of it. */
export function listeningAtHome(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const before = env[OPTION];
  const own = `--import=data:text/javascript,${encodeURIComponent(preload(before))}`;
  return { ...env, [OPTION]: before === undefined ? own : `${before} ${own}` };
}

const LISTENS = "0A";
/** As /proc/net has them: 127.0.0.0/8, ::1, and 127.0.0.0/8 within IPv6. */
const HOME = /^(?:[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F)$/;

/** Whether anything listens on this port for others than this machine; undefined where the system does not tell. */
export async function isReachable(port: number): Promise<boolean | undefined> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  const rows = tables
    .join("\n")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const own = rows.flatMap(([, local = "", , state]) => (state === LISTENS && local.endsWith(suffix) ? [local] : []));
  return own.length === 0 ? undefined : own.some((local) => !HOME.test(local.slice(0, -suffix.length)));
}
