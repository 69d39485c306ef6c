/**
 * The command door: `/iflow …` in any chat.
 * Owns: the host's shape of a command. Does not own: how its words are read (the operation does).
 * Telegram and others list these commands by themselves; the host knows no arguments, so usage is said in the reply.
 */
import { inertText } from "../core/inert-text.ts";
import { pickLanguage, wordsOf } from "../core/language.ts";
import { commandCaller, type HostFacts } from "./caller.ts";
import { holdCommand, messageUnits, wholeArgs } from "./long-commands.ts";
import { rememberOwnWords, type AskOperation } from "./process-memory.ts";
import type { DoorSign } from "./register-tools.ts";
import type { CommandContext, HostApi } from "./sdk.ts";

/** Says something in the chat of a command whose own reply is long gone. Never throws. */
export type TellChat = (context: CommandContext, text: string) => Promise<void>;

/** Their words go to iFlow, and may be as long as anybody likes. */
export const WITH_WORDS: ReadonlySet<DoorSign["name"]> = new Set(["launch", "respond", "resume"]);

export function registerCommands(
  api: HostApi,
  signs: readonly DoorSign[],
  ask: AskOperation,
  host: HostFacts,
  tell: TellChat = async () => undefined,
): void {
  for (const sign of signs) {
    api.registerCommand({
      name: sign.command,
      description: sign.title,
      acceptsArgs: true,
      requireAuth: true,
      handler: async (context) => {
        // The host turns them away before (requireAuth); should it ever not, nothing is told here either.
        if (!context.isAuthorizedSender) return { text: "You are not authorised to use iFlow here." };
        const reply = (args: string): Promise<string> => replyTo(sign, args, ask, host, context);
        const held = WITH_WORDS.has(sign.name) ? heldReply(sign, context, reply, tell) : undefined;
        if (held === "") return { suppressReply: true };
        const text = inertText(held ?? (await reply(wholeArgs(context))));
        rememberOwnWords(text);
        return { text };
      },
    });
  }
}

/** Undefined: the command is whole. Else what is said of it now; what it comes to is said when it has run. */
function heldReply(
  sign: DoorSign,
  context: CommandContext,
  reply: (args: string) => Promise<string>,
  tell: TellChat,
): string | undefined {
  const { typed } = wordsOf(pickLanguage("auto", context.commandBody));
  const units = messageUnits(context.channel) ?? 0;
  const held = holdCommand(context, {
    run: async (args) => tell(context, await reply(args)),
    giveUp: async () => tell(context, typed.restMissing(`/${sign.command}`, units)),
  });
  if (held === "no") return undefined;
  return held === "cut" ? typed.waitsForRest(`/${sign.command}`, units) : "";
}

async function replyTo(
  sign: DoorSign,
  args: string,
  ask: AskOperation,
  host: HostFacts,
  context: CommandContext,
): Promise<string> {
  const parsed = sign.parseCommand(args);
  if (parsed.ok === "help") return sign.help;
  if (parsed.ok === false) return parsed.message;
  const answered = await ask(sign.name, await commandCaller(context, host), parsed.params);
  return answered.ok ? answered.reply.text : answered.message;
}
