/**
 * What people are told, and when: one line a chat, one message in flight, finals before questions before events.
 * Owns: the hand-over of owed notices under stable intent ids. The session owes; the governor only remembers what is on its way.
 * 1. Nothing is sent twice by us but across a kill between the send and its mark; a notice stays owed until the host answered.
 * 2. A result or a question of which nobody can tell whether it arrived is not repeated: the chat is told that it may be missing.
 * 3. What nobody took (an outage, "too many requests") is tried again, and nothing that became due after it goes before it.
 */
import { wokenBy } from "../core/draft.ts";
import type { Fate } from "../core/event.ts";
import { showsNumbers } from "../core/plain-words.ts";
import { chatKey } from "../core/route.ts";
import type { Notice, NoticeKind, NoticePart, Owner, Route, Session, Viewer } from "../core/session.ts";
import type { Button, Clock, Delivery, Handover, Log, OutgoingMessage } from "../ports.ts";
import { ChatLines } from "./chat-lines.ts";
import { NoticeEnds, type EndVoice } from "./notice-ends.ts";
import { Places, type ConfiguredChats, type Placed } from "./places.ts";

/** The words of notices: pure, from `core`. */
export interface Voice extends EndVoice {
  text(session: Session, notice: Notice): string;
  buttons(session: Session, notice: Notice): readonly Button[];
  mayBeMissing(session: Session): string;
  /** For a chat that is told in place of the session's own. */
  elsewhere(session: Session, text: string): string;
  wake(session: Session, notice: Notice): string;
}

/** A session as the governor needs it. */
export interface Teller {
  readonly session: Session;
  told(noticeId: string, part: NoticePart, fate: Fate): Promise<void>;
}

/** What is said in chats beside notices. */
interface Talking {
  count(chat: string): number;
  saidIn(route: Route | undefined, sessionKey: string): void;
}

interface Outside {
  readonly clock: Clock;
  readonly delivery: Delivery;
  readonly log: Log;
}

export interface DeliveryCounts {
  readonly accepted: number;
  readonly refused: number;
  /** May have arrived, and nobody can tell. */
  readonly unknown: number;
  readonly noRoute: number;
  readonly waiting: number;
  /** Chats that take nothing now; what waits for them is tried again. */
  readonly paused: number;
  /** Why the last one was not taken at once. */
  readonly lastRefusal?: string;
}

const PROGRESS_RANK = 4;
/** That something may be missing may be said twice. */
const DOUBT_TRIES = 5;
const OVER: Handover = { kind: "refused", reason: "its turn is over" };
const STOPPED: Handover = { kind: "refused", reason: "the service stops" };
const WHAT_BECAME = {
  later: "was taken by nobody and is tried again",
  unknown: "may not have arrived",
  refused: "was not delivered",
  "no-route": "was not delivered",
} as const;

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

/** How this chat follows the session. It is told by its route: the key that it is kept under is only a name. */
export function viewerIn({ viewers, owner }: Session, chat: string): Viewer | undefined {
  return viewers.find(({ route, sessionKey }) => chatKey(route, sessionKey ?? owner.sessionKey) === chat);
}

/** A wake that was owed goes to its agent, whatever the settings say since. */
function wakes(session: Session): Owner {
  return wokenBy(session) ?? session.owner;
}

function fateOf({ handover, elsewhere }: Placed): Fate {
  if (handover.kind === "refused" || handover.kind === "no-route") return { isLost: true };
  const arrived = handover.kind === "accepted";
  const messageId = arrived ? handover.messageId : undefined;
  return { messageId, arrived, ...(elsewhere === undefined ? {} : { elsewhere }) };
}

export class Governor {
  readonly #delivery: Delivery;
  readonly #voice: Voice;
  readonly places: Places;
  readonly ends: NoticeEnds;
  readonly #log: Log;
  readonly #talk: Talking;
  readonly #lines: ChatLines;
  readonly #known = new Set<string>();
  #counts = { accepted: 0, refused: 0, unknown: 0, noRoute: 0 };
  #lastRefusal: string | undefined;
  #closed = false;

  constructor({ clock, delivery, log }: Outside, voice: Voice, chats: ConfiguredChats, talk: Talking) {
    this.#talk = talk;
    this.#delivery = delivery;
    this.#voice = voice;
    this.places = new Places(delivery, chats);
    this.#log = log;
    this.#lines = new ChatLines(clock, log);
    this.ends = new NoticeEnds((route) => delivery.canEdit(route), voice, {
      edit: (owner, route, messageId, text) => this.edit(owner, route, messageId, text),
      say: (message) => this.card(message, () => true),
    });
  }

  /** Undefined: its web chat, or none. */
  routeOf(session: Session): Route | undefined {
    return this.places.routeOf(session);
  }

  get counts(): DeliveryCounts {
    const { waiting, paused } = this.#lines;
    const lastRefusal = this.#lastRefusal;
    return { ...this.#counts, waiting, paused, ...(lastRefusal === undefined ? {} : { lastRefusal }) };
  }

  /** Takes on whatever the session owes and is not on its way yet. */
  tell(teller: Teller): void {
    const { session } = teller;
    this.ends.changed(session);
    for (const notice of session.owed) {
      for (const part of notice.parts) {
        const id = `${session.id}/${notice.id}/${part}`;
        // A wake says that the person has been told: it leaves when that is so.
        const isEarly = part === "wake" && notice.parts.includes("chat");
        if (isEarly || this.#known.has(id) || this.#closed) continue;
        this.#known.add(id);
        const chat = chatKey(this.routeOf(session), session.owner.sessionKey);
        const key = part === "wake" ? `wake|${wakes(session).sessionKey}` : chat;
        this.#lines.add(key, {
          rank: RANK[notice.kind],
          dueAt: notice.at,
          of: session.id,
          run: () => this.#hand(teller, notice, part),
        });
      }
    }
  }

  /** Output for a chat that follows: behind every notice, in the order given. Resolves when the host has answered. */
  stream(message: OutgoingMessage): Promise<Handover> {
    return this.#progress(chatKey(message.route, message.owner.sessionKey), async () => {
      const handover = await this.#delivery.send(message);
      this.#shown(message);
      return handover;
    });
  }

  /** A card of progress: one try, for by the next there are newer words. Its time may be over when its turn in the line comes. */
  card(message: OutgoingMessage, isWanted: () => boolean): Promise<Handover> {
    return this.#once(chatKey(message.route, message.owner.sessionKey), async () =>
      isWanted() ? this.#delivery.send(message) : OVER,
    );
  }

  /** A new text for a message of ours, in the same line as everything else of the chat. One try. */
  edit(owner: Owner, route: Route, messageId: string, text: string): Promise<Handover> {
    return this.#once(chatKey(route, owner.sessionKey), () => this.#delivery.edit(route, messageId, text));
  }

  #progress(key: string, send: () => Promise<Handover>): Promise<Handover> {
    return new Promise((resolve) => {
      const run = async (): Promise<Handover> => {
        const handover = await send();
        if (handover.kind !== "later") resolve(handover);
        return handover;
      };
      this.#lines.add(key, { rank: PROGRESS_RANK, dueAt: 0, run, drop: () => resolve(STOPPED) });
    });
  }

  #once(key: string, send: () => Promise<Handover>): Promise<Handover> {
    return new Promise((resolve) => {
      const run = async (): Promise<Handover> => {
        const handover = await send();
        resolve(handover);
        return handover.kind === "later" ? { kind: "refused", reason: handover.reason } : handover;
      };
      this.#lines.add(key, { rank: PROGRESS_RANK, dueAt: 0, run, drop: () => resolve(STOPPED) });
    });
  }

  /** Resolves when what this chat is being told just now has been handed over, soon at the latest. */
  handedOver(chat: string): Promise<void> {
    return this.#lines.handedOver(chat);
  }

  /** Resolves when nothing is on its way. */
  settled(): Promise<void> {
    return this.#lines.settled();
  }

  /** What is in flight is awaited, the rest stays owed for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#lines.close();
  }

  async #hand(teller: Teller, notice: Notice, part: NoticePart): Promise<Handover> {
    const { session } = teller;
    const now = session.owed.find(({ id }) => id === notice.id);
    // Another notice tells it with its own matter.
    if (now === undefined) {
      this.#known.delete(`${session.id}/${notice.id}/${part}`);
      return { kind: "refused", reason: "it is not owed any more" };
    }
    const chat = chatKey(this.routeOf(session), session.owner.sessionKey);
    const saidBefore = this.#talk.count(chat);
    const placed = part === "wake" ? { handover: await this.#wake(session, now) } : await this.#send(session, now);
    const { handover } = placed;
    this.#count(session, handover);
    if (handover.kind === "later") return handover;
    if (handover.kind === "unknown" && part === "chat" && RANK[notice.kind] <= RANK.asks) this.#doubt(session, notice);
    if (part === "chat") this.ends.told(session, now, this.#placesOf(session, placed), teller.session);
    const overtaken = this.#talk.count(chat) !== saidBefore;
    await teller.told(notice.id, part, part === "chat" ? { ...fateOf(placed), overtaken } : {});
    this.#known.delete(`${session.id}/${notice.id}/${part}`);
    return handover;
  }

  /** What may have arrived is not repeated; that it may be missing is said, right behind it. */
  #doubt(session: Session, notice: Notice): void {
    const message = this.#message(session, notice, this.#voice.mayBeMissing(session));
    let triesLeft = DOUBT_TRIES;
    this.#lines.add(chatKey(message.route, session.owner.sessionKey), {
      rank: RANK[notice.kind],
      dueAt: notice.at,
      run: async () => {
        const handover = await this.#delivery.send({ ...message, intentId: `${message.intentId}:doubt` });
        if (handover.kind !== "unknown") return handover;
        triesLeft -= 1;
        return triesLeft === 0 ? handover : { kind: "later", reason: handover.reason };
      },
    });
  }

  async #send(session: Session, notice: Notice): Promise<Placed> {
    const buttons = this.#voice.buttons(session, notice);
    const message = this.#message(session, notice, this.#voice.text(session, notice));
    const whole = buttons.length === 0 ? message : { ...message, buttons };
    const placed = await this.places.send(session, whole, (text) => this.#voice.elsewhere(session, text));
    if (notice.kind !== "asks") this.#shown(message);
    return placed;
  }

  /** Where it stands now, as far as that is known. */
  #placesOf(session: Session, { handover, elsewhere }: Placed) {
    const web = this.places.isInWebChat(session) ? [{ route: undefined }] : [];
    const route = elsewhere ?? this.routeOf(session);
    if (route === undefined || handover.kind !== "accepted" || handover.trouble !== undefined) return web;
    return [{ route, messageId: handover.messageId }, ...web];
  }

  /** Numbers of a result may be what a bare number then means. */
  #shown({ route, owner, text }: OutgoingMessage): void {
    if (showsNumbers(text)) this.#talk.saidIn(route, owner.sessionKey);
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
    const isNews = handover.kind !== "later" || this.#lastRefusal !== handover.reason;
    this.#lastRefusal = handover.reason;
    if (handover.kind !== "later") this.#counts[handover.kind === "no-route" ? "noRoute" : handover.kind] += 1;
    if (isNews)
      this.#log.warn(`iFlow session ${session.name}: a notice ${WHAT_BECAME[handover.kind]}: ${handover.reason}`);
  }
}
