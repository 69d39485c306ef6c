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

/** `auto`: Chinese where the text has more Han characters than words in Latin letters, and none of the Japanese syllabaries. */
export function pickLanguage(setting: "auto" | Language, text: string): Language {
  if (setting !== "auto") return setting;
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return "en";
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}+/gu)?.length ?? 0;
  return han > latin ? "zh" : "en";
}
