/**
 * `npm run pictures`: the pictures of the READMEs, from a real gateway with the demo agent: a chat (docs/pictures/chat-*.png), in light
 * and dark.
 * 1. What is shown has happened. The temporary folder of the run alone is shown as a home folder, and a picture that names anything else
 *    of this machine is refused.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { openBrowser } from "../test/gateway/harness/browser.ts";
import { PERSON, PluginWorld } from "../test/gateway/harness/plugin-world.ts";
import type { TelegramMessage } from "../test/gateway/harness/telegram-api.ts";
import { chatPage } from "./pictures/chat-page.ts";
import { FIX, PARTS, testsPass, writeWebapp } from "./pictures/webapp.ts";
import { paletted } from "./pictures/palette-png.ts";
import { ROOT } from "./tool.ts";

const SHOWN_WORKSPACE = "/home/you/src/webapp";
const LARGEST_BYTES = 150_000;
const SCHEMES = ["light", "dark"] as const;
type Scheme = (typeof SCHEMES)[number];

const FOLDER = join(ROOT, "docs", "pictures");
const CHAT = { chatId: PERSON };

await using undo = new AsyncDisposableStack();
const scratch = mkdtempSync(join(tmpdir(), "iflow-pictures-"));
undo.defer(() => rmSync(scratch, { recursive: true, force: true }));
const parts = join(scratch, "parts.json");
writeFileSync(parts, JSON.stringify(PARTS));

const world = await PluginWorld.start({
  agentEnv: { DEMO_AGENT_PARTS: parts },
  gatewayConfig: { commands: { ownerAllowFrom: [`telegram:${PERSON}`] } },
});
undo.defer(async () => world.dispose());
writeWebapp(world.gateway.workspace);
const browser = await openBrowser();
undo.defer(async () => browser.close());

mkdirSync(FOLDER, { recursive: true });
await takeChat(browser);

async function takeChat(from: Browser): Promise<void> {
  const { telegram } = world.gateway;
  const moment = (): readonly TelegramMessage[] => structuredClone(telegram.messages);
  const asked = async (about: RegExp): Promise<TelegramMessage> =>
    telegram.heard(PERSON, ({ texts, buttons }) => buttons.length > 0 && about.test(texts.at(-1) ?? ""));
  const pressed = async (message: TelegramMessage): Promise<void> => {
    telegram.press(CHAT, message, "Allow");
    await telegram.heard(PERSON, ({ messageId, buttons }) => messageId === message.messageId && buttons.length === 0);
  };

  if (testsPass(world.gateway.workspace)) throw new Error("there is nothing to fix in the project of the pictures");
  telegram.say(CHAT, `/iflow --name login --mode manual ${FIX}`);
  const edit = await asked(/session\.ts/);
  const before = moment();
  await pressed(edit);
  await pressed(await asked(/node --test/));
  await telegram.heard(PERSON, /^✅/);
  const after = moment();
  if (!testsPass(world.gateway.workspace)) throw new Error("the job said that all tests pass, and they do not");

  for (const scheme of SCHEMES) {
    const page = await from.newPage({ viewport: { width: 900, height: 800 }, deviceScaleFactor: 2 });
    await page.setContent(chatPage([before, after], scheme));
    await keep(page, "chat", scheme, { selector: "main" });
  }
}

/** Shows the run's folder as a home folder, looks for names of this machine, and writes the picture. */
async function keep(page: Page, name: string, scheme: Scheme, crop?: { readonly selector: string }): Promise<void> {
  const [real, shown] = [world.gateway.workspace, SHOWN_WORKSPACE].map((path) => JSON.stringify(path));
  await page.evaluate(`(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.nodeValue = texts.currentNode.nodeValue.replaceAll(${real}, ${shown});
  })()`);
  const text = await page.innerText("body");
  const names = [tmpdir(), ROOT, hostname()].filter((one) => text.includes(one));
  if (names.length > 0) throw new Error(`the picture ${name} would show ${names.join(", ")}:\n${text}`);
  const file = join(FOLDER, `${name}-${scheme}.png`);
  const of = crop === undefined ? page : page.locator(crop.selector);
  const picture = paletted(await of.screenshot({ omitBackground: crop !== undefined, animations: "disabled" }));
  writeFileSync(file, picture);
  process.stdout.write(`${file.slice(ROOT.length + 1)}: ${Math.ceil(picture.length / 1000)} KB\n`);
  if (picture.length > LARGEST_BYTES) throw new Error(`${file} is larger than ${LARGEST_BYTES / 1000} KB`);
  await page.close();
}
