/**
 * The table of operations, in the order in which doors show them.
 */
import type { Live } from "./define.ts";
import { bg, fg } from "./foreground.ts";
import { helpText } from "./help.ts";
import { kill } from "./kill.ts";
import { launch } from "./launch.ts";
import type { OperationDoor } from "./operation.ts";
import { output } from "./output.ts";
import { respond } from "./respond.ts";
import { resume } from "./resume.ts";
import { sessions } from "./sessions.ts";
import { stats } from "./stats.ts";

export function operations(live: Live): readonly OperationDoor[] {
  const all = [launch, respond, fg, bg, kill, output, sessions, stats, resume].map((operation) => operation(live));
  return all.map((door) => ({ ...door, help: helpText(door, all) }));
}
