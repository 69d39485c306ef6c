/** A real browser without a window: Debian's chromium (`apt-get install chromium`), or CHROMIUM with the path of another one. */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

const PROGRAM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const hasBrowser = existsSync(PROGRAM);

export async function openBrowser(): Promise<Browser> {
  if (!hasBrowser) throw new Error(`No browser at ${PROGRAM}. Install Debian's chromium, or set CHROMIUM.`);
  return chromium.launch({ executablePath: PROGRAM, args: QUIET });
}
