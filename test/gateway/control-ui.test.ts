/**
 * The host's Control UI in a real browser: the running turn as a card on the Tasks page, and its Cancel button.
 * Needs Debian's chromium (`apt-get install chromium`), or CHROMIUM with the path of another one.
 */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PluginWorld } from "./harness/plugin-world.ts";

const BROWSER = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const undo = new AsyncDisposableStack();
let world: PluginWorld;
let browser: Browser;

// Where there is no browser, CI fails and a developer's machine leaves this file out.
describe.runIf(existsSync(BROWSER) || process.env["CI"] !== undefined)("the Tasks page of the Control UI", () => {
  beforeAll(async () => {
    if (!existsSync(BROWSER)) throw new Error(`No browser at ${BROWSER}. Install Debian's chromium, or set CHROMIUM.`);
    world = await PluginWorld.start();
    undo.defer(async () => world.dispose());
    browser = await chromium.launch({ executablePath: BROWSER, args: QUIET });
    undo.defer(async () => browser.close());
  });

  afterAll(async () => undo.disposeAsync());

  test("[S2] [S6] the running turn says what it is; its Cancel button stops the session", async () => {
    const job = await world.launch(["run: sleep 600", "say: never"], { name: "long-one" });
    await world.until(job.id, "working");
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "running" });

    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(`http://127.0.0.1:${world.gateway.port}/tasks#token=${world.gateway.token}`);
    const label = page.getByText(/iFlow long-one · turn 1/u).first();
    await label.waitFor({ timeout: 60_000 });
    await page
      .locator("button", { hasText: /^\s*Cancel\s*$/u })
      .first()
      .click();
    await world.until(job.id, "killed");
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "cancelled" });
    expect(await world.flow(job.flowId)).toMatchObject({ status: "cancelled" });
  });
});
