/**
 * Which chat a notice goes to, and Telegram in trouble while 20 sessions work: it refuses with 429, then nobody listens at all, then it comes back.
 * What people must have in the end: every result once, in the right chat, in the order in which they became due. Real gateway,
 * real channel.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StatsJson } from "../../src/operations/answers.ts";
import { PluginWorld, type LaunchedJob } from "./harness/plugin-world.ts";
import type { TelegramMessage } from "./harness/telegram-api.ts";

const undo = new AsyncDisposableStack();
let world: PluginWorld;

const CHATS = [6_001, 6_002, 6_003, 6_004];
const SESSIONS = 20;

/** Directories whose jobs have a chat of their own. */
const projects = realpathSync(mkdtempSync(join(tmpdir(), "iflow-projects-")));
const shop = join(projects, "shop");
const channels = {
  agentChannels: { [shop]: "telegram|telegram:4401", [join(shop, "api")]: "telegram|default|telegram:4402" },
  fallbackChannel: "telegram|telegram:4403",
};

beforeAll(async () => {
  undo.defer(() => rmSync(projects, { recursive: true }));
  for (const folder of ["shop/api/v2", "shopping"]) mkdirSync(join(projects, folder), { recursive: true });
  world = await PluginWorld.start({ config: { maxSessions: 6, maxQueued: 30, ...channels } });
  undo.defer(async () => world.dispose());
});

afterAll(async () => undo.disposeAsync());

const chatOf = (n: number): number => CHATS[n % CHATS.length] ?? 0;
const route = (chatId: number): string => `telegram|default|telegram:${chatId}`;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const finals = (chatId: number): readonly TelegramMessage[] =>
  world.gateway.telegram.said(chatId).filter(({ texts }) => / completed/.test(texts[0] ?? ""));

/** When the session's end was stored: the order in which its result became due. */
function endedAt(job: LaunchedJob): number {
  const line = world
    .journal(job.id)
    .find((one) => one.t === "commit" && JSON.stringify(one.session).includes('"kind":"ended"'));
  return line?.at ?? 0;
}

test.for([
  { who: "whose launch named a chat goes there", workdir: "shop/api", named: route(4_404), chatId: 4_404 },
  { who: "of a directory goes to its chat", workdir: "shop", chatId: 4_401 },
  { who: "of a directory below two of them goes to the nearer's chat", workdir: "shop/api/v2", chatId: 4_402 },
  { who: "of a directory whose name only begins like that goes to the fallback", workdir: "shopping", chatId: 4_403 },
])("[N2] a notice $who", async ({ workdir, named, chatId }) => {
  const name = `to-${chatId}`;
  const changes = { name, workdir: join(projects, workdir), route: named, multi_turn_disabled: true };
  await world.launch("say: Done here.", changes);
  await world.gateway.telegram.heard(chatId, new RegExp(`^✅ ${name} completed`));
  const told = world.gateway.telegram.messages.filter(({ texts }) => (texts[0] ?? "").includes(name));
  expect(new Set(told.map((message) => message.chatId))).toEqual(new Set([String(chatId)]));
});

test("[N5] a result that is cut off on the wire is not repeated; the chat is told that it may be missing", async () => {
  const { telegram } = world.gateway;
  const hold = world.hold();
  const job = await world.launch([hold.line, "say: Cut."], {
    name: "cut-job",
    multi_turn_disabled: true,
    route: route(6_020),
  });
  await world.until(job.id, "working");
  // The channel tries three connections for one message.
  telegram.fail("sendMessage", 3, 0);
  hold.letGo();
  await telegram.heard(6_020, /cut-job: the connection broke while a message was sent/);
  expect(finals(6_020)).toEqual([]);
  const rpc = await world.gateway.rpc();
  expect((await rpc.call<StatsJson>("iflow.stats")).deliveries).toMatchObject({ unknown: 1, waiting: 0 });
});

test("[N5] [N6] a storm of 429 and an outage during 20 sessions: every result once, in order, in its chat; one card; nothing sent twice", async () => {
  const { telegram } = world.gateway;
  const runner = await world.launch("sleep 9000\nread a.txt\nsleep 9000\nread b.txt\nsleep 12000\nsay: long done", {
    name: "long-runner",
    multi_turn_disabled: true,
    route: route(6_009),
  });
  await telegram.heard(6_009, /^🟢 long-runner/);

  // More than the channel repeats by itself: it gives up after three tries of one message.
  telegram.fail("sendMessage", 24, 429, 1);
  telegram.fail("editMessageText", 2, 429, 1);
  const jobs: LaunchedJob[] = [];
  const launch = async (n: number): Promise<void> => {
    const script = `say: Result ${n}.`;
    jobs.push(await world.launch(script, { name: `job-${n}`, multi_turn_disabled: true, route: route(chatOf(n)) }));
  };
  for (let n = 0; n < SESSIONS / 2; n += 1) await launch(n);
  await pause(2_000);
  await telegram.goDown();
  for (let n = SESSIONS / 2; n < SESSIONS; n += 1) await launch(n);
  for (const job of jobs) await world.until(job.id, "completed");
  await pause(5_000);
  await telegram.comeBack();

  const all = (): number => CHATS.reduce((sum, chatId) => sum + finals(chatId).length, 0);
  await expect.poll(all, { interval: 500 }).toBeGreaterThanOrEqual(SESSIONS);
  await world.until(runner.id, "completed");
  await telegram.heard(6_009, /long-runner completed/);
  await pause(5_000);

  const problems: string[] = [];
  for (const chatId of CHATS) {
    const due = jobs.filter((_job, n) => chatOf(n) === chatId).toSorted((a, b) => endedAt(a) - endedAt(b));
    const came = finals(chatId).map(({ texts }) => /job-\d+/.exec(texts[0] ?? "")?.[0]);
    process.stdout.write(`chat ${chatId}: due ${due.map(({ name }) => name).join(" ")}; came ${came.join(" ")}\n`);
    if (due.map(({ name }) => name).join() !== came.join()) problems.push(`${chatId}: came as ${came.join(" ")}`);
  }
  expect(problems).toEqual([]);

  const cards = telegram.said(6_009).filter(({ texts }) => /^(?:🟢|◻️) long-runner/u.test(texts[0] ?? ""));
  expect(cards).toHaveLength(1);

  // Nothing arrived twice, and every notice was marked once, however often it had to be tried.
  for (const job of jobs) {
    const told = world.journal(job.id).flatMap((line) => (line.t === "told" ? [`${line.noticeId}/${line.part}`] : []));
    expect(told).toEqual([...new Set(told)]);
  }
  const texts = CHATS.flatMap((chatId) => telegram.said(chatId).map((message) => `${chatId} ${message.texts[0]}`));
  expect(texts).toHaveLength(new Set(texts).size);
  const rpc = await world.gateway.rpc();
  const { deliveries } = await rpc.call<StatsJson>("iflow.stats");
  expect(deliveries).toMatchObject({ refused: 0, unknown: 1, noRoute: 0, waiting: 0, paused: 0 });
  expect(deliveries.lastRefusal).toMatch(/429|Network request/);
  const tries = telegram.calls.filter(({ method }) => method === "sendMessage");
  const refused = tries.filter(({ status }) => status === 429).length;
  process.stdout.write(`sendMessage: ${tries.length} calls, ${refused} answered 429\n`);
  expect(refused).toBe(24);
});
