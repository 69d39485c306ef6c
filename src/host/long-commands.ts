/**
 * Commands longer than one message of their channel: the client sends them in parts, and only the first looks like a command.
 * Owns: waiting for the parts that follow, and the whole of what was typed. Does not own: what a command does.
 * 1. A command that may have been cut runs when no more comes, with all of it. One that fills its message does not run with its first part.
 * 2. What continues a command starts no turn of the gateway's agent.
 * Facts: clients of Telegram cut at 4,096 UTF-16 units, or at the last paragraph, sentence or word of the second half before that. The
 * host hands each command over at once, and what follows as plain messages, which it joins for 0.3 to 7.5 s; it cuts a command's `args`
 * at 4,096 units on every channel, and its `commandBody` never.
 */
import { chatKey } from "../core/route.ts";
import { routeOf } from "./chat-route.ts";
import { heldCommands } from "./process-memory.ts";
import type { CommandContext } from "./sdk.ts";

/** Units that one message holds, on channels whose clients send longer texts in parts. */
const MESSAGE_UNITS: Readonly<Record<string, number>> = { telegram: 4_096 };
/** The bot's name behind a command word is not in what the host hands over. */
const NAME_UNITS = 40;
/** Clients that look for a word to cut at do so in the last 300 units. */
const NEARLY = 300 + NAME_UNITS;
const NEXT_PART_MS = 4_000;
const REST_MS = 30_000;

/** What a held command comes to. */
export interface LongCommand {
  /** Carries it out with all of its words; shown in its chat by whoever holds it. */
  run(args: string): Promise<void>;
  /** Nothing followed a command that fills its message. */
  giveUp(): Promise<void>;
}

/** `no`: it is whole. `quiet`: it most likely is, and runs in a moment. `cut`: more has to follow. */
export type Held = "no" | "quiet" | "cut";

export function holdCommand(context: CommandContext, command: LongCommand): Held {
  const { channel, commandBody } = context;
  const limit = messageUnits(channel);
  if (limit === undefined || commandBody.length <= limit / 2) return "no";
  const key = senderKey(context, context.messageThreadId);
  const isFull = commandBody.length >= limit - NEARLY;
  heldCommands().get(key)?.finish();
  const parts = [wholeArgs(context)];
  let last = commandBody.length;
  let timer: NodeJS.Timeout | undefined;
  const finish = (): void => {
    clearTimeout(timer);
    if (heldCommands().get(key) === held) heldCommands().delete(key);
    void (isFull && parts.length === 1 ? command.giveUp() : command.run(parts.join("")));
  };
  const wait = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(finish, ms);
    timer.unref();
  };
  const held = {
    finish,
    add: (text: string): void => {
      // A client that found a place to cut at has left it out.
      parts.push(last >= limit - NAME_UNITS ? text : `\n${text}`);
      last = text.length;
      wait(NEXT_PART_MS);
    },
  };
  heldCommands().set(key, held);
  wait(isFull ? REST_MS : NEXT_PART_MS);
  return isFull ? "cut" : "quiet";
}

export function messageUnits(channel: string): number | undefined {
  return MESSAGE_UNITS[channel];
}

/** Whether these words continue a command of the same sender in the same chat; then they are a part of it. */
export function continuesCommand(
  message: Parameters<typeof senderKey>[0],
  threadId: string | number | undefined,
  text: string,
): boolean {
  if (text === "" || text.startsWith("/")) return false;
  const held = heldCommands().get(senderKey(message, threadId));
  held?.add(text);
  return held !== undefined;
}

function senderKey(
  {
    channel,
    to,
    accountId,
    senderId = "",
  }: {
    readonly channel: string;
    readonly to?: string | undefined;
    readonly accountId?: string | undefined;
    readonly senderId?: string | undefined;
  },
  threadId: string | number | undefined,
): string {
  return `${chatKey(routeOf({ channel, to, accountId, threadId }), channel)}|${senderId}`;
}

/** Everything behind the command word, without control characters, as the host has `args`. */
export function wholeArgs({ args = "", commandBody }: Pick<CommandContext, "args" | "commandBody">): string {
  const behind = /^\s*\/\s*\S+\s+([^]*)$/.exec(commandBody)?.[1] ?? "";
  const body = behind.replace(/[^\P{Cc}\t\n]/gu, "").trim();
  return body.length > args.length ? body : args.trim();
}
