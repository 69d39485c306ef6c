/**
 * The command door: `/iflow …` in any chat.
 * Owns: the host's shape of a command. Does not own: how its words are read (the operation does).
 * Telegram and others list these commands by themselves; the host knows no arguments, so usage is said in the reply.
 */
import { inertText } from "../core/inert-text.ts";
import { commandCaller, type HostFacts } from "./caller.ts";
import { rememberOwnWords, type AskOperation } from "./process-memory.ts";
import type { DoorSign } from "./register-tools.ts";
import type { CommandContext, HostApi } from "./sdk.ts";

export function registerCommands(api: HostApi, signs: readonly DoorSign[], ask: AskOperation, host: HostFacts): void {
  for (const sign of signs) {
    api.registerCommand({
      name: sign.command,
      description: sign.title,
      acceptsArgs: true,
      requireAuth: true,
      handler: async (context) => {
        const text = inertText(await replyTo(sign, ask, host, context));
        rememberOwnWords(text);
        return { text };
      },
    });
  }
}

async function replyTo(sign: DoorSign, ask: AskOperation, host: HostFacts, context: CommandContext): Promise<string> {
  // The host turns them away before (requireAuth); should it ever not, nothing is told here either.
  if (!context.isAuthorizedSender) return "You are not authorised to use iFlow here.";
  const parsed = sign.parseCommand(context.args?.trim() ?? "");
  if (parsed.ok === "help") return sign.help;
  if (parsed.ok === false) return parsed.message;
  const answered = await ask(sign.name, await commandCaller(context, host), parsed.params);
  return answered.ok ? answered.reply.text : answered.message;
}
