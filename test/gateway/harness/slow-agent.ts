/**
 * The demo agent behind a script that starts slowly where it is told so: sessions of one gateway can stay in their start.
 * A directory with a file of the name SLOW makes the start take a minute; everywhere else it is the demo agent.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEMO_AGENT } from "./staged-plugin.ts";

const SLOW = ".slow-start";

export interface SlowAgent {
  readonly command: string;
  dispose(): void;
}

export function slowAgent(): SlowAgent {
  const dir = mkdtempSync(join(tmpdir(), "iflow-slow-agent-"));
  const command = join(dir, "agent.sh");
  const script = `#!/bin/sh\n[ -e ${SLOW} ] && sleep 60\nexec "${process.execPath}" "${DEMO_AGENT}" "$@"\n`;
  writeFileSync(command, script);
  chmodSync(command, 0o755);
  return { command, dispose: () => rmSync(dir, { recursive: true, force: true }) };
}

/** A directory in which agents start slowly. */
export function slowDirectory(parent: string): string {
  const dir = join(parent, "slow");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, SLOW), "");
  return dir;
}
