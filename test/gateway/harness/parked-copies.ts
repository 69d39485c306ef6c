/**
 * Many parked sessions from one: its journal and its flow copied, each with an id of its own, while no gateway runs.
 * Owns: what must differ in the copies. All else is as the plugin and the host wrote it.
 */
import { randomUUID } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";

export interface Parked {
  readonly id: string;
  readonly flowId: string;
}

export function openLedger(stateDir: string): DatabaseSync {
  return new DatabaseSync(join(stateDir, "state", "openclaw.sqlite"), { timeout: 10_000 });
}

export function copyParked(stateDir: string, original: Parked, count: number): readonly Parked[] {
  const journals = join(stateDir, "iflow-plugin", "sessions");
  using ledger = openLedger(stateDir);
  const row = ledger.prepare("select * from flow_runs where flow_id = ?").get(original.flowId);
  if (row === undefined) throw new Error(`the ledger has no flow ${original.flowId}`);
  const columns = Object.keys(row);
  const insert = ledger.prepare(
    `insert into flow_runs (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`,
  );
  const copies = Array.from({ length: count }, (_, index) => ({ id: `copy${index}`, flowId: randomUUID() }));
  ledger.exec("begin");
  for (const copy of copies) {
    const renamed = (text: string): string =>
      text.replaceAll(original.id, copy.id).replaceAll(original.flowId, copy.flowId);
    cpSync(join(journals, original.id), join(journals, copy.id), { recursive: true });
    for (const file of readdirSync(join(journals, copy.id)).filter((name) => name.endsWith(".jsonl"))) {
      const path = join(journals, copy.id, file);
      writeFileSync(path, renamed(readFileSync(path, "utf8")));
    }
    insert.run(
      ...columns.map((column) => (typeof row[column] === "string" ? renamed(row[column]) : (row[column] ?? null))),
    );
  }
  ledger.exec("commit");
  return copies;
}
