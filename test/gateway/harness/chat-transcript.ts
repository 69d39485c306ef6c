/**
 * What a chat has read, as a test can keep it: its messages with their edits and buttons, without what differs from run to run.
 * Owns: which names, ids, paths and durations are replaced, and by what.
 */
import type { TelegramMessage } from "./telegram-api.ts";

/** What is replaced -> the word that stands for it. */
export type Replaced = Readonly<Record<string, string>>;

export function transcript(messages: readonly TelegramMessage[], replaced: Replaced): string {
  return messages.map((message) => shown(message, replaced)).join("\n----\n");
}

function shown({ texts, buttons }: TelegramMessage, replaced: Replaced): string {
  const text = texts.map((one) => steady(one, replaced)).join("\n==== edited to\n");
  const rows = buttons.map((row) => row.map((button) => `[${button.text}]`).join(" "));
  return [text, ...rows].join("\n");
}

export function steady(text: string, replaced: Replaced): string {
  let result = text;
  for (const [value, word] of Object.entries(replaced)) result = result.replaceAll(value, word);
  // A turn under a second says nothing of its time; on a slow machine the same turn does.
  return result
    .replaceAll(/^(✅ .*) · (?:\d+m )?\d+s$/gmu, "$1")
    .replaceAll(/^It has worked for .*\.\n/gm, "")
    .replaceAll(/\b\d+\s?(?:s|seconds?)\b/g, "N s");
}
