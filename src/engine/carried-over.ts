/**
 * What a continuation takes over from the session before it: messages that iFlow may have lost.
 * Owns: that they are whole (the session keeps the beginning of a long one), with their files; one that the journal has no more stays away.
 */
import type { By, Message, Session } from "../core/session.ts";

export interface WholeMessage {
  readonly id: string;
  readonly text: string;
  readonly by: By;
  readonly at: number;
  readonly files: readonly string[];
  readonly again: boolean;
}

export interface CarriedOver {
  readonly prompt: string;
  readonly files: readonly string[];
  /** The prompt is the message of the turn that failed. */
  readonly repeated: boolean;
  readonly again: boolean;
  readonly undone: readonly WholeMessage[];
}

/** `repeats`: the last one that was lost is the prompt, where there is one. `textOf` reads the original's journal. */
export async function carriedOver(
  original: Session,
  { message, repeats }: { readonly message: string; readonly repeats?: true },
  textOf: (key: string) => Promise<string | undefined>,
): Promise<CarriedOver> {
  const undone = await wholeOnes(original.undone ?? [], textOf);
  const last = repeats === true ? undone.at(-1) : undefined;
  if (last === undefined) return { prompt: message, files: [], repeated: false, again: false, undone };
  const { text, files, again } = last;
  return { prompt: text, files, repeated: true, again, undone: undone.slice(0, -1) };
}

export async function wholeOnes(
  messages: readonly Message[],
  textOf: (key: string) => Promise<string | undefined>,
): Promise<readonly WholeMessage[]> {
  const found: WholeMessage[] = [];
  for (const { id, text, by, at, files = [], again = false } of messages) {
    const whole = text.key === undefined ? text.text : await textOf(text.key);
    if (whole !== undefined) found.push({ id, text: whole, by, at, files, again });
  }
  return found;
}
