/**
 * What goes to the agent beside the words of a message: prefaces and attached files.
 * Owns: their marks, so that the agent and a reader of the journal can tell them from the person's words.
 */
import type { Session } from "../core/session.ts";
import type { OutputSlice, PromptBlock } from "../ports.ts";

/** iFlow loses the system prompt when a session is loaded, so it opens the first prompt after a load. */
export function systemPreface(systemPrompt: string): readonly PromptBlock[] {
  return [{ type: "text", text: `[Instructions of this session, repeated after it was loaded]\n${systemPrompt}\n[End of the instructions]` }];
}

/** For a session whose history the agent no longer has. */
export function historyPreface(session: Session, lastOutput: OutputSlice): readonly PromptBlock[] {
  const files = session.filesEdited.length === 0 ? "" : `\nFiles edited so far: ${session.filesEdited.join(", ")}`;
  const words = lastOutput.text.trim() === "" ? "" : `\nThe last of what you said:\n${lastOutput.text.trim()}`;
  return [{ type: "text", text: `[Summary of an earlier conversation that you no longer have]\nIt began with: ${session.prompt.text}${files}${words}\n[End of the summary]` }];
}

/** `files` are absolute paths that the door has checked. */
export function fileBlocks(files: readonly string[]): readonly PromptBlock[] {
  return files.map((path) => ({ type: "file", path }));
}
