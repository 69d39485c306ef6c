/**
 * What people are told, and when: one line a chat, one message in flight, finals before questions before events.
 * Owns: the hand-over of owed notices under stable intent ids. The session owes; the governor only remembers what is on its way.
 * Guarantee: nothing is sent twice by us but across a kill between the send and its mark; a notice stays owed until the host answered.
 */
import { wokenBy } from "../core/draft.ts";
import { messageOf } from "../core/errors.ts";
import type { Notice, NoticeKind, NoticePart, Owner, Route, Session } from "../core/session.ts";
import type { Button, Delivery, Handover, Log, OutgoingMessage } from "../ports.ts";

/** The words of notices: pure, from `core`. */
export interface Voice {
  text(session: Session, notice: Notice): string;
  buttons(session: Session, notice: Notice): readonly Button[];
  wake(session: Session, notice: Notice): string;
}

/** A session as the governor needs it. */
export interface Teller {
  readonly session: Session;
  told(noticeId: string, part: NoticePart): Promise<void>;
}

export interface DeliveryCounts {
  readonly accepted: number;
  readonly refused: number;
  readonly noRoute: number;
  readonly waiting: number;
  readonly lastRefusal?: string;
}

interface Errand {
  readonly rank: number;
  readonly run: () => Promise<void>;
  /** Told when it will not run any more. */
  readonly drop?: () => void;
}

const PROGRESS_RANK = 4;
const MAX_QUESTIONS = 500;

const RANK: Readonly<Record<NoticeKind, number>> = {
  completed: 0,
  failed: 0,
  killed: 0,
  "turn-finished": 0,
  interrupted: 0,
  asks: 1,
  denied: 2,
  warning: 2,
  launched: 2,
  queued: 2,
  responded: 2,
  quiet: 3,
};

export function chatKey(route: Route | undefined, sessionKey: string): string {
  return route === undefined
    ? `session|${sessionKey}`
    : [route.channel, route.accountId ?? "", route.to, route.threadId ?? ""].join("|");
}

/** A wake that was owed goes to its agent, whatever the settings say since. */
function wakes(session: Session): Owner {
  return wokenBy(session) ?? session.owner;
}

export class Governor {
  readonly #delivery: Delivery;
  readonly #voice: Voice;
  readonly routeOf: (session: Session) => Route | undefined;
  readonly #log: Log;
  readonly #lines = new Map<string, Errand[]>();
  readonly #busy = new Map<string, Promise<void>>();
  readonly #known = new Set<string>();
  /** Chat and message id -> session, of the last questions: a reply to one of them is meant for its session. */
  readonly #questions = new Map<string, string>();
  #counts = { accepted: 0, refused: 0, noRoute: 0 };
  #lastRefusal: string | undefined;
  #closed = false;

  constructor(delivery: Delivery, voice: Voice, routeOf: (session: Session) => Route | undefined, log: Log) {
    this.#delivery = delivery;
    this.#voice = voice;
    this.routeOf = routeOf;
    this.#log = log;
  }

  get counts(): DeliveryCounts {
    const waiting = [...this.#lines.values()].reduce((sum, line) => sum + line.length, 0);
    return { ...this.#counts, waiting, ...(this.#lastRefusal === undefined ? {} : { lastRefusal: this.#lastRefusal }) };
  }

  /** Takes on whatever the session owes and is not on its way yet. */
  tell(teller: Teller): void {
    const { session } = teller;
    for (const notice of session.owed) {
      for (const part of notice.parts) {
        const id = `${session.id}/${notice.id}/${part}`;
        if (this.#known.has(id) || this.#closed) continue;
        this.#known.add(id);
        const chat = chatKey(this.routeOf(session), session.owner.sessionKey);
        const key = part === "wake" ? `wake|${wakes(session).sessionKey}` : chat;
        this.#enqueue(key, { rank: RANK[notice.kind], run: () => this.#hand(teller, notice, part) });
      }
    }
  }

  /** The session that a message of ours in this chat asked for; undefined for any other message. */
  noticeOf(chat: string, messageId: string): string | undefined {
    return this.#questions.get(`${chat}|${messageId}`);
  }

  /** Output for a chat that follows: behind every notice, in the order given. Resolves when the host has answered. */
  stream(message: OutgoingMessage): Promise<Handover> {
    return this.#progress(chatKey(message.route, message.owner.sessionKey), () => this.#delivery.send(message));
  }

  /** A new text for a message of ours, in the same line as everything else of the chat. */
  edit(owner: Owner, route: Route, messageId: string, text: string): Promise<Handover> {
    return this.#progress(chatKey(route, owner.sessionKey), () => this.#delivery.edit(route, messageId, text));
  }

  #progress(key: string, send: () => Promise<Handover>): Promise<Handover> {
    const stopped: Handover = { kind: "refused", reason: "the service stops" };
    if (this.#closed) return Promise.resolve(stopped);
    return new Promise((resolve) => {
      const run = async (): Promise<void> => resolve(await send());
      const drop = (): void => resolve(stopped);
      this.#enqueue(key, { rank: PROGRESS_RANK, run, drop });
    });
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  /** What is in flight is awaited, the rest stays owed for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const errand of [...this.#lines.values()].flat()) errand.drop?.();
    this.#lines.clear();
    await this.settled();
  }

  #enqueue(key: string, errand: Errand): void {
    const line = this.#lines.get(key) ?? [];
    const behind = line.findIndex((other) => other.rank > errand.rank);
    line.splice(behind === -1 ? line.length : behind, 0, errand);
    this.#lines.set(key, line);
    if (!this.#busy.has(key)) this.#busy.set(key, this.#walk(key));
  }

  async #walk(key: string): Promise<void> {
    // Starts in the next microtask: what was owed together is ranked together.
    await Promise.resolve();
    for (let errand = this.#lines.get(key)?.shift(); errand !== undefined; errand = this.#lines.get(key)?.shift()) {
      try {
        await errand.run();
      } catch (error) {
        // One that breaks holds up nobody behind it. A notice stays owed, for the next start.
        this.#log.error(`iFlow: a notice could not be handed over: ${messageOf(error)}`);
      }
    }
    this.#lines.delete(key);
    this.#busy.delete(key);
  }

  async #hand(teller: Teller, notice: Notice, part: NoticePart): Promise<void> {
    const { session } = teller;
    const handover = part === "wake" ? await this.#wake(session, notice) : await this.#send(session, notice);
    this.#count(session, handover);
    if (notice.kind === "asks" && part === "chat") this.#remember(session, handover);
    await teller.told(notice.id, part);
    this.#known.delete(`${session.id}/${notice.id}/${part}`);
  }

  #remember(session: Session, handover: Handover): void {
    if (handover.kind !== "accepted" || handover.messageId === undefined) return;
    this.#questions.set(
      `${chatKey(this.routeOf(session), session.owner.sessionKey)}|${handover.messageId}`,
      session.id,
    );
    const [oldest] = this.#questions.keys();
    if (this.#questions.size > MAX_QUESTIONS && oldest !== undefined) this.#questions.delete(oldest);
  }

  #send(session: Session, notice: Notice): Promise<Handover> {
    const buttons = this.#voice.buttons(session, notice);
    const message = this.#message(session, notice, this.#voice.text(session, notice));
    return this.#delivery.send(buttons.length === 0 ? message : { ...message, buttons });
  }

  #wake(session: Session, notice: Notice): Promise<Handover> {
    const message = this.#message(session, notice, this.#voice.wake(session, notice));
    const owner = wakes(session);
    const { agentId } = owner;
    return this.#delivery.wake({
      ...message,
      owner,
      intentId: `${message.intentId}:wake`,
      ...(agentId === undefined ? {} : { agentId }),
    });
  }

  #message(session: Session, notice: Notice, text: string): OutgoingMessage {
    return { intentId: `iflow:${session.id}:${notice.id}`, owner: session.owner, route: this.routeOf(session), text };
  }

  #count(session: Session, handover: Handover): void {
    if (handover.kind === "accepted") {
      this.#counts.accepted += 1;
      return;
    }
    if (handover.kind === "refused") this.#counts.refused += 1;
    else this.#counts.noRoute += 1;
    this.#lastRefusal = handover.reason;
    this.#log.warn(`iFlow session ${session.name}: a notice was not delivered: ${handover.reason}`);
  }
}
