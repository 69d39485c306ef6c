/**
 * What a number, or another short word, answers in a direct chat of a real Telegram channel, and what it does not: tests of
 * telegram.test.ts, on its gateway, after its others.
 */
import { describe, expect, test } from "vitest";
import type { PluginWorld } from "./harness/plugin-world.ts";
import type { Chat, TelegramMessage } from "./harness/telegram-api.ts";

const direct: Chat = { chatId: 42 };

/** One after another: what one of them says in the chat counts for the next. */
export function wordsWithoutCommand(worldOf: () => PluginWorld): void {
  describe("words without a command, in a direct chat", () => {
    const WRITE = (name: string): readonly string[] => [`write ${name}.txt: 1`, `say: ${name} is through.`];
    const heard = (words: string | RegExp) => worldOf().gateway.telegram.heard(direct.chatId, asPattern(words));
    const asPattern = (words: string | RegExp): RegExp =>
      typeof words === "string" ? new RegExp(`^${words}$`, "m") : words;

    /** Launched without an agent that would be woken; its question stands in the chat. */
    async function asked(name: string, script: readonly string[] = WRITE(name)): Promise<[string, TelegramMessage]> {
      const job = await worldOf().launch(script, { name, permission_mode: "manual" });
      const notice = await heard(new RegExp(`^🔔 ${name} asks`));
      await worldOf().untilTold(job.id);
      return [job.id, notice];
    }

    const say = (text: string, quoting?: TelegramMessage): void =>
      worldOf().gateway.telegram.say(direct, text, quoting);
    const newest = (): number => worldOf().gateway.telegram.messages.at(-1)?.messageId ?? 0;
    /** The gateway's agent was given the words that were said after this message: they were no answer. */
    const leftToAgent = (after: number): Promise<TelegramMessage> =>
      worldOf().gateway.telegram.heard(
        direct.chatId,
        ({ messageId, texts }) => messageId > after && (texts.at(-1) ?? "").startsWith("agent: you said "),
      );
    const sayToAgent = async (text: string, quoting?: TelegramMessage): Promise<TelegramMessage> => {
      const before = newest();
      say(text, quoting);
      return leftToAgent(before);
    };

    test("[S4] [A1] a bare number answers while nothing else was said, and the reply says what", async () => {
      const [, notice] = await asked("plain");
      expect(notice.texts[0]).toContain("1: Allow");
      say("1");
      await heard("↩️ plain: 1: Allow");
      await heard(/plain is through\./);
    });

    test("[A1] [A3] once somebody else spoke, a number answers only as a reply to the question", async () => {
      const [id, notice] = await asked("spoke");
      const agents = await sayToAgent("which mails are there?");
      await sayToAgent("1");
      await sayToAgent("3", agents);
      expect(await worldOf().row(id)).toMatchObject({ status: "asking" });
      say("1", notice);
      await heard("↩️ spoke: 1: Allow");
      await heard(/spoke is through\./);
    });

    test("[A1] what the agent says in a run of its own counts as well, and still does after a restart", async () => {
      const [id, notice] = await asked("woken");
      const rpc = await worldOf().gateway.rpc();
      const before = newest();
      await rpc.call("agent", {
        sessionKey: "agent:main:main",
        message: "Shall I: 1. archive 2. delete",
        idempotencyKey: "asks-by-itself",
        deliver: true,
        replyChannel: "telegram",
        replyTo: "telegram:42",
      });
      await leftToAgent(before);
      await sayToAgent("2");
      expect(await worldOf().row(id)).toMatchObject({ status: "asking" });
      await worldOf().gateway.stop();
      await worldOf().gateway.start();
      await sayToAgent("Allow");
      expect(await worldOf().row(id)).toMatchObject({ status: "asking" });
      say("1", notice);
      await heard("↩️ woken: 1: Allow");
      await heard(/woken is through\./);
    });

    test("[A4] the same number twice answers one question", async () => {
      const [id] = await asked("twice", ["write twice-a.txt: 1", "write twice-b.txt: 2", "say: twice is through."]);
      say("1");
      say("1");
      await heard("↩️ twice: 1: Allow");
      say("1");
      await heard(/^↩️ twice: already answered: Allow\. Nothing else was answered\.$/);
      const question = await heard(/^🔔 twice asks[^]*twice-b\.txt/);
      expect(await worldOf().row(id)).toMatchObject({ status: "asking" });
      say("1", question);
      await heard(/twice is through\./);
    });

    test("[A4] so does the same command without an id", async () => {
      const [id] = await asked("cmd", ["write cmd-a.txt: 1", "write cmd-b.txt: 2", "say: cmd is through."]);
      say("/iflow_respond cmd 1");
      say("/iflow_respond cmd 1");
      await heard("↩️ cmd: your answer was passed on: Allow");
      const refused = await heard(
        /^Question q\d+ of cmd was already answered: Allow[^]*nothing was answered|^Question q\d+ of cmd was already answered: Allow[^]*nothing was sent/,
      );
      expect(refused.texts[0]).toContain("cmd");
      await heard(/^🔔 cmd asks[^]*cmd-b\.txt/);
      const question = (await worldOf().row(id)).question?.[0];
      say(`/iflow_respond --question ${question?.id ?? ""} cmd 1`);
      await heard(/cmd is through\./);
    });

    test.each(["２", "٢", "2️⃣", "2."])("[A6] %s is the number 2", async (words) => {
      const name = `n${words.codePointAt(0) ?? 0}${words.length}`;
      await asked(name, ["ask: Which way? | left | right", `say: ${name} went {answer}.`]);
      say(words);
      await heard(`↩️ ${name}: 2: right`);
      await heard(new RegExp(`${name} went right\\.`));
    });

    test("[H9] [A2] where several wait, a number is asked back with answers ready to be sent; then the other one is free", async () => {
      const [first] = await asked("login");
      await asked("deploy", ["ask: Which region? | eu | us", "say: deployed to {answer}."]);
      say("1");
      const which = await heard(/^Which one\? Nothing was answered yet\./);
      expect(which.texts[0]).toContain("/iflow_respond login 1");
      expect(which.texts[0]).toContain("/iflow_respond deploy 1");
      expect(await worldOf().row(first)).toMatchObject({ status: "asking" });
      say("/iflow_respond deploy 1");
      await heard(/deployed to eu\./);
      say("1");
      await heard("↩️ login: 1: Allow");
      await heard(/login is through\./);
    });

    test("[H9] several numbers are taken, bare and as a reply", async () => {
      await asked("many", ["ask*: Which files? | x | y | z", "say: many {answer}."]);
      say("1, 3");
      await heard("↩️ many: 1: x, 3: z");
      await heard(/many x, z\./);
    });
  });
}
