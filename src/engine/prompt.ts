/**
 * What goes to the agent beside the words of a message: prefaces and attached files.
 * Owns: their marks, so that the agent and a reader of the journal can tell them from the person's words.
 */
import { askedWords } from "../core/asked-text.ts";
import { answerWords } from "../core/question.ts";
import { REDACTED } from "../core/redact.ts";
import type { Ask } from "../core/session.ts";
import type { PromptBlock } from "../ports.ts";
import type { WholeMessage } from "./carried-over.ts";
import type { EarlierWords } from "./earlier-words.ts";

/** iFlow loses the system prompt when a session is loaded, so it opens the first prompt after a load. */
export function systemPreface(systemPrompt: string): readonly PromptBlock[] {
  return [
    {
      type: "text",
      text: `[Instructions of this session, repeated after it was loaded]\n${systemPrompt}\n[End of the instructions]`,
    },
  ];
}

/** For a session whose history the agent no longer has. */
export function historyPreface({ beganWith, filesEdited, words }: EarlierWords): readonly PromptBlock[] {
  const files = filesEdited.length === 0 ? "" : `\nFiles edited so far: ${filesEdited.join(", ")}`;
  const last = words === "" ? "" : `\nThe last of what was said:\n${words}`;
  return [
    {
      type: "text",
      text: `[Summary of an earlier conversation that you no longer have]\nIt began with: ${beganWith}${files}${last}\n[End of the summary]`,
    },
  ];
}

/** Answers that were handed over to a process which ended before it said anything after them. */
export function answersPreface(unconfirmed: readonly Ask[]): readonly PromptBlock[] {
  const answered = unconfirmed.flatMap((ask) => ask.questions).filter((question) => question.answer !== undefined);
  if (answered.length === 0) return [];
  const lines = answered.map(
    (q) => `- ${askedWords(q)}\n  Answer: ${q.answer === undefined ? "" : answerWords(q, q.answer)}`,
  );
  return [
    {
      type: "text",
      text: `[You asked this before you were stopped, and it was answered]\n${lines.join("\n")}\n[End of the answers]`,
    },
  ];
}

/** A message that goes once more, after a turn that failed when something had been done. */
export const AGAIN_PREFACE: PromptBlock = {
  type: "text",
  text: "[You were sent this before, and that turn failed. What is done of it already, stays done: look first, then go on with it.]",
};

/** Messages of turns that were cut off before the model did anything: the agent may not have them. */
export function undonePreface(undone: readonly WholeMessage[]): readonly PromptBlock[] {
  return undone.flatMap(({ text, files, again }) => [
    {
      type: "text" as const,
      text: `[You were sent this before, and its turn did not come to its end, so you may not have it]\n${quoted(text)}\n[End of the earlier message]`,
    },
    ...(again ? [AGAIN_PREFACE] : []),
    ...fileBlocks(files),
  ]);
}

function quoted(text: string): string {
  return text.replace(/^/gm, "> ");
}

/** A message that was stored without its secrets and read again after a restart. */
export function maskedPreface(text: string): readonly PromptBlock[] {
  if (!text.includes(REDACTED)) return [];
  const note = `[Where the message says ${REDACTED}, a secret may have been masked when it was stored. Ask for it if you need it; do not write the mark itself anywhere.]`;
  return [{ type: "text", text: note }];
}

/** `files` are absolute paths that the door has checked. */
export function fileBlocks(files: readonly string[]): readonly PromptBlock[] {
  return files.map((path) => ({ type: "file", path }));
}
