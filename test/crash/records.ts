/**
 * What a scenario leaves on disk besides the host's ledger: journals, the agent's transcript, the chat, what the person was told
 * is done. Appends are synchronous, so that nothing acknowledged is lost when the writer is killed.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pluginFolder } from "../../src/compose.ts";
import type { JournalLine } from "../../src/ports.ts";

/** A call that was answered with success. */
export type Ack =
  | { readonly act: "launch"; readonly key: string; readonly id: string }
  | { readonly act: "say"; readonly id: string; readonly message: string }
  | { readonly act: "answer"; readonly id: string; readonly questionId: string; readonly words: string }
  | { readonly act: "kill"; readonly id: string };

export interface Transcribed {
  readonly pid: number;
  readonly sessionId: string;
  readonly kind: "prompt" | "said" | "answered";
  readonly text: string;
}

export interface ChatLine {
  readonly intentId: string;
  readonly way: "chat" | "wake";
  readonly text?: string;
}

/** Files of one scenario, below its folder. */
export function filesOf(folder: string) {
  return {
    stateDir: join(folder, "state"),
    workdir: join(folder, "work"),
    agentHome: join(folder, "agent"),
    transcript: join(folder, "transcript.jsonl"),
    chat: join(folder, "chat.jsonl"),
    acks: join(folder, "acks.jsonl"),
    life: join(folder, "life.json"),
    log: join(folder, "log.txt"),
    dump: join(folder, "sessions.json"),
  };
}

export function keep(file: string, line: Ack | ChatLine): void {
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** Whole lines; a torn last one was never acknowledged. */
export function linesOf<Line>(file: string): readonly Line[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .flatMap((text) => parsed<Line>(text));
}

function parsed<Line>(text: string): readonly Line[] {
  try {
    return [JSON.parse(text) as Line];
  } catch {
    // A line that a kill cut off in the middle.
    return [];
  }
}

/** Every session that ever had a journal, acknowledged or not. */
export function sessionsIn(stateDir: string): readonly string[] {
  const folder = join(pluginFolder(stateDir), "sessions");
  return existsSync(folder) ? readdirSync(folder) : [];
}

export function journalOf(stateDir: string, sessionId: string): readonly JournalLine[] {
  const folder = join(pluginFolder(stateDir), "sessions", sessionId);
  if (!existsSync(folder)) return [];
  const segments = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
  return segments.toSorted().flatMap((name) => linesOf<JournalLine>(join(folder, name)));
}
