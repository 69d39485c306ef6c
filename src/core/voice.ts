/**
 * The voice of the plugin: words, buttons and wakes of notices in the configured language.
 */
import { buttonsOf, type ChoiceButton } from "./choice-button.ts";
import { pickLanguage, wordsOf, type Language } from "./language.ts";
import { noticeText } from "./notice.ts";
import { answeredText, overText } from "./over-question.ts";
import type { NoticeStyle } from "./question-words.ts";
import type { Notice, Question, Session } from "./session.ts";
import { wakeText } from "./wake.ts";
import type { FromChat } from "./words.ts";

export interface VoiceSettings {
  readonly language: "auto" | Language;
  readonly safeMode: boolean;
}

export interface NoticeVoice {
  text(session: Session, notice: Notice): string;
  buttons(session: Session, notice: Notice): readonly ChoiceButton[];
  /** Says that a message of this session may be missing in the chat, and where it can be read. */
  mayBeMissing(session: Session): string;
  /** Puts in front of a notice that its own chat does not take it. */
  elsewhere(session: Session, text: string): string;
  /** Always in English: an agent reads it. */
  wake(session: Session, notice: Notice): string;
  /** In place of a notice whose questions are over. */
  over(session: Session, questions: readonly Question[], from: FromChat): string;
  /** For a chat where that can't be put in its place. */
  answered(session: Session, questions: readonly Question[]): string;
}

/** `auto` follows the language of each session's prompt. */
export function voiceOf({ language, safeMode }: VoiceSettings): NoticeVoice {
  const style = (session: Session): NoticeStyle => ({
    words: wordsOf(pickLanguage(language, session.prompt.text)),
    safeMode,
  });
  return {
    text: (session, notice) => noticeText(session, notice, style(session)),
    buttons: (session, notice) => buttonsOf(session, notice, style(session)),
    mayBeMissing: (session) => style(session).words.mayBeMissing(session.name),
    elsewhere: (session, text) => `${style(session).words.elsewhere(session.name)}\n\n${text}`,
    wake: (session, notice) => wakeText(session, notice, safeMode),
    over: (session, questions, from) => overText(session, questions, from, style(session)),
    answered: (session, questions) => answeredText(session, questions, style(session)),
  };
}
