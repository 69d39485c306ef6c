/**
 * Whose flows of ours the host has, also where no journal of the plugin says so any more.
 * Host fact (seen on 2026.7.35 and 2026.9): flows can be listed for a known owner only; the database has the owner of each in flow_runs.
 * Owns: one read-only look into that table. Where it can't be read, nobody is named, and the log says so.
 */
import { existsSync } from "node:fs";
import { messageOf } from "../core/errors.ts";
import { CONTROLLER_ID, type Owner } from "../core/session.ts";
import type { Log } from "../ports.ts";

const BUSY_WITHIN_MS = 1_000;

export function storedOwners(file: string, log: Log): readonly Owner[] {
  if (!existsSync(file)) return [];
  try {
    const sqlite = process.getBuiltinModule("node:sqlite");
    const db = new sqlite.DatabaseSync(file, { readOnly: true, timeout: BUSY_WITHIN_MS });
    try {
      const live = "status in ('queued', 'running', 'waiting', 'blocked')";
      const rows = db
        .prepare(`select distinct owner_key from flow_runs where controller_id = ? and ${live}`)
        .all(CONTROLLER_ID);
      return rows.flatMap((row) => (typeof row["owner_key"] === "string" ? [ownerOf(row["owner_key"])] : []));
    } finally {
      db.close();
    }
  } catch (error) {
    log.warn(
      `the host's database can't be read (${messageOf(error)}): a session whose journal was deleted may not be found`,
    );
    return [];
  }
}

function ownerOf(sessionKey: string): Owner {
  const agentId = /^agent:([^:]+):/.exec(sessionKey)?.[1];
  return { sessionKey, ...(agentId === undefined ? {} : { agentId }) };
}
