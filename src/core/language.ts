/**
 * Which language a session is spoken of in.
 */
import { EN } from "./words-en.ts";
import { ZH } from "./words-zh.ts";
import type { Words } from "./words.ts";

export type Language = "en" | "zh";

const TABLES: Readonly<Record<Language, Words>> = { en: EN, zh: ZH };

export function wordsOf(language: Language): Words {
  return TABLES[language];
}

/** `auto`: Chinese where the text has Han characters and none of the Japanese syllabaries. */
export function pickLanguage(setting: "auto" | Language, text: string): Language {
  if (setting !== "auto") return setting;
  return /\p{Script=Han}/u.test(text) && !/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text) ? "zh" : "en";
}
