/**
 * Requests of the agent that wait for an answer, and the only way an answer takes to the wire.
 * Owns: which are open, what fits them, the form of the replies. Does not own: who decides.
 *
 * 1. Each is answered at most once (I4): the first fitting answer closes it.
 * 2. What was not offered never leaves: an unknown option, an answer to a question that was not asked.
 *    What names a question or a choice on the wire is the agent's own words, whole.
 * 3. A rejection is always `cancelled`: the agent ignores a selected reject option in one of its modes.
 */
import type { AgentReply, AgentRequest, AskedAnswer, AskedQuestion, RequestId } from "../core/agent-event.ts";
import { ownLabel } from "../core/question.ts";

const NO_ANSWER = "(no answer: cancelled)";
const NOT_PUT = "(no answer: there were too many questions at once; ask it again)";

export class OpenRequests {
  readonly #open = new Map<RequestId, AgentRequest>();

  /** False: a request with this id is open already. */
  add(request: AgentRequest): boolean {
    if (this.#open.has(request.requestId)) return false;
    this.#open.set(request.requestId, request);
    return true;
  }

  get ids(): readonly RequestId[] {
    return [...this.#open.keys()];
  }

  /** The result to send, or undefined when nothing is open under this id or the reply does not fit. Closes it. */
  answer(requestId: RequestId, reply: AgentReply): object | undefined {
    const request = this.#open.get(requestId);
    const result = request === undefined ? undefined : wireResult(request, reply);
    if (result !== undefined) this.#open.delete(requestId);
    return result;
  }

  /** The connection has ended: nothing can be answered any more. */
  clear(): void {
    this.#open.clear();
  }
}

const CANCELLED = { outcome: { outcome: "cancelled" } };

function wireResult(request: AgentRequest, reply: AgentReply): object | undefined {
  switch (request.kind) {
    case "permission": {
      if (reply.kind === "cancelled") return CANCELLED;
      if (reply.kind !== "selected") return undefined;
      const option = request.options.find(({ id }) => id === reply.optionId);
      if (option === undefined) return undefined;
      if (option.kind?.startsWith("reject")) return CANCELLED;
      return { outcome: { outcome: "selected", optionId: option.id } };
    }
    case "questions": {
      if (reply.kind === "cancelled") return { answers: unanswered(request.questions) };
      return reply.kind === "answers" ? wireAnswers(request.questions, reply.answers) : undefined;
    }
    case "plan": {
      if (reply.kind === "cancelled") return { approved: false, reason: "cancelled" };
      if (reply.kind !== "plan") return undefined;
      return { approved: reply.approved, ...(reply.reason === undefined ? {} : { reason: reply.reason }) };
    }
  }
}

function unanswered(questions: readonly AskedQuestion[]): Record<string, string | readonly string[]> {
  return Object.fromEntries(questions.map(({ text, multiSelect }) => [text, multiSelect ? [NO_ANSWER] : NO_ANSWER]));
}

/** Several answers only where several were asked for; free text is as good as an option. Undefined: they don't fit the questions. */
function wireAnswers(questions: readonly AskedQuestion[], answers: readonly AskedAnswer[]): object | undefined {
  if (answers.length > questions.length) return undefined;
  const byText = new Map<string, Answered[]>();
  for (const [index, question] of questions.entries()) {
    const words = wordsOf(question, answers[index]);
    if (words === undefined) return undefined;
    byText.set(question.text, [...(byText.get(question.text) ?? []), { question, words }]);
  }
  // fromEntries keeps any question text as a key of its own, "__proto__" too.
  return { answers: Object.fromEntries([...byText].map(([text, same]) => [text, together(same)])) };
}

interface Answered {
  readonly question: AskedQuestion;
  readonly words: readonly string[];
}

function wordsOf(question: AskedQuestion, answer: AskedAnswer | undefined): readonly string[] | undefined {
  if (answer === undefined) return [NOT_PUT];
  if ("text" in answer) return [answer.text];
  const labels = answer.optionIds.flatMap((id) => ownLabel(question, id) ?? []);
  const fits = labels.length === answer.optionIds.length && (question.multiSelect || labels.length === 1);
  return fits ? labels : undefined;
}

/** The wire has one place for questions with the same text: where their answers differ, each says which it is for. */
function together(same: readonly Answered[]): string | readonly string[] {
  const { question, words } = same[0] ?? { question: { multiSelect: false }, words: [] };
  const lists = new Set(same.map((one) => JSON.stringify(one.words)));
  if (lists.size <= 1) return question.multiSelect ? words : (words[0] ?? "");
  const headers = same.map((one, index) => one.question.header ?? String(index + 1));
  const named = new Set(headers).size === same.length ? headers : same.map((_, index) => String(index + 1));
  const parts = same.map((one, index) => `${named[index] ?? ""}: ${one.words.join(", ")}`);
  return question.multiSelect ? parts : parts.join("; ");
}
