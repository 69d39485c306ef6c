/**
 * Questions that were settled before anybody was told of them (the chat took nothing, or the gateway was down).
 * Owns: that they are told in one notice a session, however many they were.
 */
import type { Draft } from "./draft.ts";
import { cutText } from "./output.ts";
import { openQuestions } from "./question.ts";
import type { Notice } from "./session.ts";

const TEXT_LENGTH = 600;

export function joinSettled(draft: Draft): void {
  const { owed, phase } = draft.session;
  const open = new Set(phase.kind === "asking" ? openQuestions(phase.asks).map(({ id }) => id) : []);
  const settled = owed.filter((notice) => isUntold(notice) && !notice.data.questionIds?.some((id) => open.has(id)));
  const last = settled.at(-1);
  if (last === undefined || settled.length < 2) return;
  const texts = settled.flatMap(({ data }) => (data.text === undefined || data.text === "" ? [] : [data.text]));
  const questionIds = [...new Set(settled.flatMap(({ data }) => data.questionIds ?? []))];
  const joined = { ...last, data: { ...last.data, questionIds, text: cutText(texts.join(" · "), TEXT_LENGTH) } };
  const others = owed.filter((notice) => !settled.includes(notice) || notice === last);
  draft.session = { ...draft.session, owed: others.map((notice) => (notice === last ? joined : notice)) };
}

function isUntold({ kind, parts, data }: Notice): boolean {
  return kind === "asks" && data.questionIds !== undefined && parts.includes("chat");
}
