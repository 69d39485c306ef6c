/**
 * Sessions of the demo agent on disk, one JSON file each, so that session/load works across processes.
 * Folder: `$DEMO_AGENT_HOME/acp/sessions`, else `~/.iflow-demo-agent/acp/sessions`. Files older than 7 days go at each load.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

const folder = () => join(process.env.DEMO_AGENT_HOME ?? join(homedir(), ".iflow-demo-agent"), "acp", "sessions");
const fileOf = (id) => join(folder(), `${encodeURIComponent(id)}.json`);

export function saveSession(session) {
  mkdirSync(folder(), { recursive: true, mode: 0o700 });
  const stored = {
    sessionId: session.id,
    cwd: session.cwd,
    createdAt: session.createdAt,
    lastActivity: Date.now(),
    chatHistory: session.history,
    unfinished: session.unfinished,
  };
  const part = `${fileOf(session.id)}.${process.pid}`;
  writeFileSync(part, JSON.stringify(stored), { mode: 0o600 });
  renameSync(part, fileOf(session.id));
}

/** What was stored under this id, or undefined (also when it can't be read: the agent then starts fresh, as iFlow does). */
export function loadSession(id) {
  removeOld();
  try {
    return JSON.parse(readFileSync(fileOf(id), "utf8"));
  } catch {
    return undefined;
  }
}

function removeOld() {
  let names = [];
  try {
    names = readdirSync(folder());
  } catch {
    return; // no folder yet: nothing has been stored
  }
  for (const name of names) {
    const path = join(folder(), name);
    // Another agent may have taken it away, or given it its name, meanwhile.
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && Date.now() - found.mtimeMs > KEPT_MS) rmSync(path, { force: true });
  }
}
