import { choiceLines, openQuestions } from "./core/question.ts";
import type { Voice } from "./engine/governor.ts";
export const stubVoice: Voice = {
  text: (s, n) => {
    const e = { launched: "↩️", queued: "⏳", asks: "🔔", responded: "↩️", "turn-finished": "✅", completed: "✅", failed: "❌", killed: "⛔", interrupted: "⚠️", quiet: "🕒", denied: "⚠️", warning: "⚠️" }[n.kind];
    const q = s.phase.kind === "asking" ? openQuestions(s.phase.asks).map((x) => `${x.text.text}\n${choiceLines(x).join("\n")}`).join("\n") : "";
    return `${e} ${n.kind} ${s.name}: ${n.data.text ?? ""}\n${n.kind === "asks" ? q : ""}`.trim();
  },
  buttons: (s, n) => (n.kind === "asks" && s.phase.kind === "asking" ? openQuestions(s.phase.asks).filter((q) => n.data.questionIds?.includes(q.id)).flatMap((q) => q.options.map((o, i) => ({ label: o.label, payload: `a:${s.id}:${q.id}:${i}` }))) : []),
  wake: (s, n) => `iFlow ${n.kind} ${s.name}`,
};
export function parsePayload(payload: string) {
  const [a, sessionId, questionId, index] = payload.split(":");
  return a !== "a" || sessionId === undefined || questionId === undefined || index === undefined ? undefined : { sessionId, questionId, optionIndex: Number(index) };
}
