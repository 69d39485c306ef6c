/**
 * The demo: one job from launch to finish on a real OpenClaw gateway, through a question, a kill -9 and a restart.
 * Owns: the story. Every step is checked where it happens; the exit code is 0 only when all of them were really seen.
 * Everything runs in a temporary folder on the loopback interface and is gone at the end.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Gateway } from "../test/gateway/harness/gateway.ts";
import { DEMO_AGENT, PLUGIN_ID, stagePlugin } from "../test/gateway/harness/staged-plugin.ts";
import { Story } from "./story.ts";

const CHAT_ID = 42;
const CHAT = { channel: "telegram", to: "telegram:42", accountId: "default" } as const;
const SESSION_KEY = "agent:main:main";
const NOTICE_WITHIN_MS = 90_000;

const DEMO_PROMPT = [
  "say: I will add a greeting to this project.",
  "write notes.txt: started by the demo",
  "ask: Which language should the greeting have? | English | 中文",
  "write greeting.txt: hello, or 你好",
  "say: Done. The greeting is in greeting.txt.",
].join("\n");

const REAL_PROMPT =
  "First write a file notes.txt with the word started. Then use your question tool to ask me which language a greeting should have, English or 中文. " +
  "When I have answered, write the greeting in that language to greeting.txt. Then say in one sentence what you did.";

export async function runDemo(args: readonly string[]): Promise<number> {
  const own = args[args.indexOf("--agent") + 1];
  const installed = args.includes("--agent") && own !== undefined;
  const story = new Story();
  const plugin = await stagePlugin();
  // Its login is in the home directory of whoever runs this; the gateway has a temporary one.
  const agent = installed ? { command: own, env: homeOf(process.env) } : { command: DEMO_AGENT };
  const config = { agent, permissionMode: "auto", iflowTimeout: 120_000 };
  const gateway = await Gateway.create({
    pluginRoots: { [PLUGIN_ID]: plugin.dir },
    pluginConfig: { [PLUGIN_ID]: config },
    telegram: true,
  });
  try {
    await tell(story, gateway, installed ? REAL_PROMPT : DEMO_PROMPT);
    story.end("Every step was seen. Nothing is left behind.");
    return 0;
  } catch (error) {
    story.fail(error);
    story.say(`The gateway's last words:\n${gateway.log().split("\n").slice(-25).join("\n")}`);
    return 1;
  } finally {
    await gateway.dispose();
    plugin.dispose();
  }
}

async function tell(story: Story, gateway: Gateway, prompt: string): Promise<void> {
  await story.step(
    "An OpenClaw gateway starts in a temporary folder, with the plugin and a local Telegram server",
    async () => gateway.start(),
  );
  const notices = followNotices(story, gateway);
  try {
    await tellJob(story, gateway, prompt, notices);
  } finally {
    notices.close();
  }
}

async function tellJob(story: Story, gateway: Gateway, prompt: string, notices: Notices): Promise<void> {
  // The agent that launched is woken by what happens; here it has nothing to add to the plugin's own notices.
  gateway.model.answer = () => "NO_REPLY";

  const job = await story.step("iflow_launch hands the job over and answers at once", async () => {
    const startedMs = Date.now();
    const answer = await gateway.tool(
      "iflow_launch",
      { prompt, name: "greeting", multi_turn_disabled: true },
      { sessionKey: SESSION_KEY, chat: CHAT },
    );
    story.check(answer.ok, answer.error ?? answer.text);
    story.say(`${answer.text}\n(answered after ${Date.now() - startedMs} ms)`);
    return {
      id: String(asRow(answer.details["iflow"])["id"]),
      flowId: String(asRow(answer.details["iflow"])["flowId"]),
    };
  });

  await story.step("iFlow works, asks, and the question arrives in the chat", async () => {
    await notices.until(/🔔/u);
    story.check(existsSync(join(gateway.workspace, "notes.txt")), "notes.txt was not written");
  });

  await story.step("The job stands in OpenClaw's own TaskFlow views, waiting for an answer", async () => {
    const list = await view(story, gateway, ["tasks", "flow", "list"]);
    const show = await view(story, gateway, ["tasks", "flow", "show", job.flowId]);
    story.check(/waiting/.test(list) && show.includes("Waiting for you"), "the flow is not waiting for an answer");
  });

  await story.step("The gateway is killed with -9 while the session waits", async () => gateway.kill9());
  await story.step("The gateway starts again; the question is still open", async () => {
    await gateway.start();
    const rows = await gateway.tool("iflow_sessions", {}, { sessionKey: SESSION_KEY });
    story.say(rows.text);
    story.check(rows.text.includes("asking"), "the session is not asking any more");
  });

  await story.step("The person answers in the chat", async () => {
    const text = "/iflow_respond greeting 2";
    story.say(`→ ${text}`);
    gateway.telegram.say({ chatId: CHAT_ID }, text);
    await notices.until(/✅/u);
  });

  await story.step("The flow has succeeded, and the files are there", async () => {
    const show = await view(story, gateway, ["tasks", "flow", "show", job.flowId]);
    story.check(/status: succeeded/.test(show), "the flow has not succeeded");
    const greeting = readFileSync(join(gateway.workspace, "greeting.txt"), "utf8");
    story.say(`greeting.txt: ${greeting.trim()}`);
  });

  await story.step("The gateway stops cleanly", async () => {
    const { tookMs } = await gateway.stop();
    story.say(`stopped in ${tookMs} ms`);
  });
}

function homeOf({ HOME }: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return HOME === undefined ? {} : { HOME };
}

/** A view of the host, as a person would call it. The command shares a database with the busy gateway: it gets a second try. */
async function view(story: Story, gateway: Gateway, args: readonly string[]): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const { code, stdout, stderr } = await gateway.cli(args);
    if (code === 0 && stdout.trim() !== "") {
      story.say(`$ openclaw ${args.join(" ")}\n${stdout.trim()}`);
      return stdout;
    }
    story.check(attempt < 3, `openclaw ${args.join(" ")} ended with code ${code}: ${stderr.trim()}`);
  }
}

/** Prints what the chat shows, as it comes. */
function followNotices(story: Story, gateway: Gateway) {
  let shown = 0;
  const timer = setInterval(() => {
    for (const message of gateway.telegram.said(CHAT_ID).slice(shown)) {
      shown += 1;
      const labels = message.buttons.flat().map((button) => button.text);
      story.notice(message.texts.at(-1) ?? "", labels);
    }
  }, 100);
  return {
    /** A job that failed will not come to what is waited for. */
    until: async (mark: RegExp): Promise<void> => {
      const heard = (text: string): boolean => mark.test(text) || /[❌⚠⛔]/u.test(text);
      const { texts } = await gateway.telegram.heard(CHAT_ID, (one) => heard(one.texts.at(-1) ?? ""), NOTICE_WITHIN_MS);
      const text = texts.at(-1) ?? "";
      story.check(mark.test(text), `the job did not go on: ${text}`);
    },
    close: () => clearInterval(timer),
  };
}

type Notices = ReturnType<typeof followNotices>;

function asRow(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
