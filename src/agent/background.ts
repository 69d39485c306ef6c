/**
 * What an agent left running beside itself: servers and watchers that a turn started.
 * Owns: which processes count. Helpers that live in the agent's own group (its tool servers) do not: iFlow runs each command in a
 * group of its own.
 */
import { visible } from "../core/fence.ts";
import { cutText } from "../core/output.ts";
import { redactSecrets } from "../core/redact.ts";
import { type Belongings, belongingTo } from "./process-end.ts";
import type { ProcessTable } from "./process-table.ts";

const COMMAND_LENGTH = 120;
const MAX_COMMANDS = 8;

/** Command lines of the outermost ones, without secrets. Never throws: who can't be seen is not in the answer. */
export async function backgroundCommands(table: ProcessTable, belongings: Belongings): Promise<readonly string[]> {
  try {
    const { agent } = belongings;
    const all = await belongingTo(table, belongings);
    const beside = all.filter(({ pid, groupId }) => pid !== agent?.pid && groupId !== agent?.pid);
    const pids = new Set(beside.map(({ pid }) => pid));
    const outermost = beside.filter(({ parentPid }) => !pids.has(parentPid));
    const lines = await table.commands(outermost.map(({ pid }) => pid));
    const shown = lines.map((line) =>
      cutText(visible(redactSecrets(line)).replace(/\s+/g, " ").trim(), COMMAND_LENGTH),
    );
    return [...new Set(shown.filter((line) => line !== ""))].slice(0, MAX_COMMANDS);
  } catch {
    // A look at who runs changes nothing, so nothing is lost without it.
    return [];
  }
}
