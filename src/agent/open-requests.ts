/**
 * Requests of the agent that wait for an answer, and the only way an answer takes to the wire.
 * Owns: which are open, what fits them, the form of the replies. Does not own: who decides.
 *
 * 1. Each is answered at most once (I4): the first fitting answer closes it.
 * 2. What was not offered never leaves: an unknown option, an answer to a question that was not asked.
 * 3. A rejection is always `cancelled`: the agent ignores a selected reject option in one of its modes.
 */
import type { AgentReply, AgentRequest, AskedQuestion, RequestId } from "../core/agent-event.ts";

const NO_ANSWER = "(no answer: cancelled)";

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

/** Several answers only where several were asked for; free text is as good as an option. */
function wireAnswers(
  questions: readonly AskedQuestion[],
  answers: Readonly<Record<string, string | readonly string[]>>,
): object | undefined {
  const entries: [string, string | readonly string[]][] = [];
  for (const [text, given] of Object.entries(answers)) {
    const question = questions.find((asked) => asked.text === text);
    if (question === undefined) return undefined;
    const several = typeof given === "string" ? [given] : given;
    const [only] = several;
    if (question.multiSelect) entries.push([text, several]);
    else if (only !== undefined && several.length === 1) entries.push([text, only]);
    else return undefined;
  }
  return { answers: Object.fromEntries(entries) };
}
