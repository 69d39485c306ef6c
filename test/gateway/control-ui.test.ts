/**
 * The host's Control UI in a real browser: the running turn as a card on the Tasks page, and its Cancel button.
 * Needs a browser (harness/browser.ts).
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasBrowser, openBrowser } from "./harness/browser.ts";
import { PluginWorld } from "./harness/plugin-world.ts";
import { PATIENCE_MS } from "./harness/patience.ts";

const undo = new AsyncDisposableStack();
let world: PluginWorld;
let browser: Browser;

// Where there is no browser, CI fails and a developer's machine leaves this file out.
describe.runIf(hasBrowser || process.env["CI"] !== undefined)("the Tasks page of the Control UI", () => {
  beforeAll(async () => {
    world = await PluginWorld.start();
    undo.defer(async () => world.dispose());
    browser = await openBrowser();
    undo.defer(async () => browser.close());
  });

  afterAll(async () => undo.disposeAsync());

  test("[S2] [S6] the running turn says what it is; its Cancel button stops its session and no other", async () => {
    const job = await world.launch(["run: sleep 600", "say: never"], { name: "long-one" });
    const other = await world.launch("run: sleep 600", { name: "bystander" });
    const asking = await world.launch("ask: Which database? | MySQL | Postgres", { name: "asker" });
    for (const { flowId } of [job, other]) await expect.poll(() => world.children(flowId)).toEqual({ t1: "running" });
    await expect.poll(() => world.children(asking.flowId)).toEqual({ t1: "succeeded", "t1.1": "queued" });

    const page = await browser.newPage({ viewport: { width: 1280, height: 1200 } });
    await page.goto(`http://127.0.0.1:${world.gateway.port}/tasks#token=${world.gateway.token}`);
    const labels = [/iFlow long-one · turn 1/u, /iFlow bystander · turn 1/u, /asker.*Which database\?/u];
    for (const label of labels) await page.getByText(label).first().waitFor({ timeout: PATIENCE_MS });
    const card = page.getByText(/iFlow long-one · turn 1/u).first();
    await card
      .locator("xpath=ancestor::*[.//button[normalize-space()='Cancel']][1]//button[normalize-space()='Cancel']")
      .click();

    await world.until(job.id, "killed");
    expect(await world.untilNoProcess(job.id)).toBeLessThan(30_000);
    await expect.poll(() => world.children(job.flowId)).toEqual({ t1: "cancelled" });
    await expect.poll(() => world.flow(job.flowId)).toMatchObject({ status: "cancelled" });
    expect(await world.row(other.id)).toMatchObject({ status: "working" });
    expect(await world.row(asking.id)).toMatchObject({ status: "asking" });
  });
});
