/**
 * The notices of questions that are over: each is edited once to what became of it, so that no instructions and no buttons stay.
 * Owns: which message asked what, and from where an answer came. It is worth nothing but the present: kept in memory, one try, gone with
 * a restart. What was told, and what words are then an answer to, is not touched by it (core/told, core/meant).
 * 1. A pressed button edits its own message: that one is not edited here.
 * 2. A chat whose message can't be edited is told in a line, where the answer came from another chat and no notice tells it.
 */
import type { Caller } from "../core/caller.ts";
import { openQuestions } from "../core/question.ts";
import { chatKey } from "../core/route.ts";
import type { Door, Notice, Owner, Question, Route, Session } from "../core/session.ts";
import type { FromChat } from "../core/words.ts";
import type { Delivery, Handover, OutgoingMessage } from "../ports.ts";

/** The words, from `core`. */
export interface EndVoice {
  over(session: Session, questions: readonly Question[], from: FromChat): string;
  answered(session: Session, questions: readonly Question[]): string;
}

/** The ways into the lines of chats; one try each. */
interface Ways {
  edit(owner: Owner, route: Route, messageId: string, text: string): Promise<Handover>;
  say(message: OutgoingMessage): Promise<Handover>;
}

interface Place {
  readonly route: Route | undefined;
  readonly messageId?: string | undefined;
}

interface Asked {
  readonly noticeId: string;
  /** As they stood last, with the answers that some of them have. */
  questions: readonly Question[];
  readonly places: readonly Place[];
}

interface Origin {
  readonly questionId: string;
  readonly chat: string;
  readonly door: Door;
}

/** What is answered by another door is told by a notice of its own. */
const UNTOLD_DOORS: ReadonlySet<Door> = new Set(["command", "button", "reply"]);

export class NoticeEnds {
  readonly #canEdit: Delivery["canEdit"];
  readonly #voice: EndVoice;
  readonly #ways: Ways;
  /** Session -> its notices whose questions are open. */
  readonly #asked = new Map<string, Asked[]>();
  /** Session -> the answer that is on its way into it. */
  readonly #origins = new Map<string, Origin>();

  constructor(canEdit: Delivery["canEdit"], voice: EndVoice, ways: Ways) {
    this.#canEdit = canEdit;
    this.#voice = voice;
    this.#ways = ways;
  }

  /** Its notice stands in these places. `session` as it was when it was put into words, `now` as it is. */
  told(session: Session, { id, data }: Notice, places: readonly Place[], now: Session): void {
    const questions = openOf(session).filter((question) => data.questionIds?.includes(question.id));
    if (questions.length === 0 || places.length === 0) return;
    this.#asked.set(session.id, [...(this.#asked.get(session.id) ?? []), { noticeId: id, questions, places }]);
    this.changed(now);
  }

  /** Runs what carries an answer into the session, so that it is known from where it came. */
  async from<T>(caller: Caller, sessionId: string, questionId: string, run: () => Promise<T>): Promise<T> {
    const { route, owner, door } = caller;
    const origin = { questionId, door, chat: chatKey(route, owner.sessionKey) };
    const isFirst = !this.#origins.has(sessionId);
    if (isFirst) this.#origins.set(sessionId, origin);
    try {
      return await run();
    } finally {
      if (isFirst) this.#origins.delete(sessionId);
    }
  }

  changed(session: Session): void {
    const asked = this.#asked.get(session.id);
    if (asked === undefined) return;
    const { phase } = session;
    const known = phase.kind === "asking" ? phase.asks.flatMap(({ questions }) => questions) : [];
    const open = new Set(openOf(session).map(({ id }) => id));
    const waiting: Asked[] = [];
    for (const one of asked) {
      one.questions = one.questions.map((question) => known.find(({ id }) => id === question.id) ?? question);
      if (one.questions.some(({ id }) => open.has(id))) waiting.push(one);
      else this.#end(session, one);
    }
    if (waiting.length === 0) this.#asked.delete(session.id);
    else this.#asked.set(session.id, waiting);
  }

  #end(session: Session, { noticeId, questions, places }: Asked): void {
    const found = this.#origins.get(session.id);
    const origin = questions.some(({ id }) => id === found?.questionId) ? found : undefined;
    for (const { route, messageId } of places) {
      const isHere = origin?.chat === chatKey(route, session.owner.sessionKey);
      if (route !== undefined && messageId !== undefined && this.#canEdit(route)) {
        if (origin?.door === "button") continue;
        const from = origin === undefined ? "meanwhile" : isHere ? "here" : "elsewhere";
        const text = this.#voice.over(session, questions, from);
        void this.#ways.edit(session.owner, route, messageId, text);
      } else if (origin !== undefined && !isHere && UNTOLD_DOORS.has(origin.door)) {
        const text = this.#voice.answered(session, questions);
        const intentId = `iflow:${session.id}:${noticeId}:over${route === undefined ? ":web" : ""}`;
        void this.#ways.say({ intentId, owner: session.owner, route, text });
      }
    }
  }
}

function openOf({ phase }: Session): readonly Question[] {
  return phase.kind === "asking" ? openQuestions(phase.asks) : [];
}
