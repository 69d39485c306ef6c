/**
 * What is measured inside of the gateway; each measurement with its baseline, taken right before or after it in the same process.
 * Owns: the words between the runner and the gateway. Does not own: the work (one file a measurement), tables (../all.ts).
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cancels } from "./cancel.ts";
import { launches } from "./launch.ts";
import { length } from "./length.ts";
import { liveMemory } from "./live-memory.ts";
import { notices } from "./notice.ts";
import { recovery } from "./recovery.ts";
import { stream } from "./stream.ts";
import type { HostSide, Place } from "./world.ts";

export type Measurement = Place &
  (
    | { readonly of: "launch"; readonly rounds: number }
    | { readonly of: "notice"; readonly rounds: number }
    | { readonly of: "stream"; readonly sessions: number; readonly perSecond: number; readonly seconds: number }
    | { readonly of: "length"; readonly turns: number; readonly frames: number }
    | { readonly of: "live-memory"; readonly sessions: number }
    | { readonly of: "recovery"; readonly sessions: number; readonly latin: boolean }
    | { readonly of: "cancel"; readonly rounds: number }
  );

export async function measure(host: HostSide, asked: Measurement): Promise<unknown> {
  await mkdir(join(asked.folder, "work"), { recursive: true });
  await mkdir(join(asked.folder, "state"), { recursive: true });
  switch (asked.of) {
    case "launch":
      return launches(host, asked, asked.rounds);
    case "notice":
      return notices(host, asked, asked.rounds);
    case "stream":
      return stream(host, asked, asked);
    case "length":
      return length(host, asked, asked);
    case "live-memory":
      return liveMemory(host, asked, asked.sessions);
    case "recovery":
      return recovery(host, asked, asked.sessions, asked.latin);
    case "cancel":
      return cancels(host, asked, asked.rounds);
  }
}
