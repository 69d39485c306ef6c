/** Whose flows the host's database has, when no journal of the plugin says so any more. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { CONTROLLER_ID } from "../../src/core/session.ts";
import { storedOwners } from "../../src/host/flow-owners.ts";
import { keptLog } from "./api-double.ts";

test("[F9] owners of live flows of ours are found, each once, and of nobody else's", () => {
  const folder = mkdtempSync(join(tmpdir(), "flow-owners-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "openclaw.sqlite");
  const db = new DatabaseSync(file);
  db.exec(
    "create table flow_runs (flow_id text primary key, owner_key text not null, controller_id text, status text not null)",
  );
  const insert = db.prepare("insert into flow_runs values (?, ?, ?, ?)");
  insert.run("f1", "agent:main:telegram:direct:42", CONTROLLER_ID, "waiting");
  insert.run("f2", "agent:main:telegram:direct:42", CONTROLLER_ID, "running");
  insert.run("f3", "agent:work:main", CONTROLLER_ID, "queued");
  insert.run("f4", "agent:main:over", CONTROLLER_ID, "succeeded");
  insert.run("f5", "agent:main:theirs", "somebody/else", "running");
  insert.run("f6", "global", CONTROLLER_ID, "blocked");
  db.close();
  const log = keptLog();
  expect(storedOwners(file, log).toSorted((a, b) => (a.sessionKey < b.sessionKey ? -1 : 1))).toEqual([
    { sessionKey: "agent:main:telegram:direct:42", agentId: "main" },
    { sessionKey: "agent:work:main", agentId: "work" },
    { sessionKey: "global" },
  ]);
  // Where the host has made none yet, there is no flow.
  expect(storedOwners(join(folder, "none.sqlite"), log)).toEqual([]);
  expect(log.lines).toEqual([]);
  expect(storedOwners(folder, log)).toEqual([]);
  expect(log.lines).toHaveLength(1);
});
