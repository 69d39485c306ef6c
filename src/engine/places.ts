/**
 * Where what a session says is told: its chat, wherever that has moved to; beside a configured chat the web chat that launched; and
 * the next place when a chat takes nothing.
 * Owns: the order of places, and which chats are told of a session. Does not own: when something is told (the governor).
 * 1. A chat that moved is followed at once, and every session that is told there hears of it.
 * 2. Another place is tried only after a refusal: what may have arrived, or is tried again, goes nowhere else.
 */
import { chatKey } from "../core/route.ts";
import type { Route, Session } from "../core/session.ts";
import type { Delivery, Handover, OutgoingMessage } from "../ports.ts";

export interface Placed {
  readonly handover: Handover;
  /** The chat that took it in place of the session's own. */
  readonly elsewhere?: Route;
}

/** What the configuration says of chats; asked anew each time. */
export interface ConfiguredChats {
  readonly routeOf: (session: Session) => Route | undefined;
  readonly fallback?: () => Route | undefined;
}

/** A group becomes a supergroup, and a topic of that goes. */
const MOST_MOVES = 3;
const REMEMBERED = 500;

export class Places {
  readonly #delivery: Delivery;
  readonly #configured: ConfiguredChats;
  /** Chat -> where it is now. */
  readonly #moved = new Map<string, Route>();
  /** Intents that the launching web chat was given, while the other chat has not taken them yet. */
  readonly #inWebChat = new Set<string>();
  onMoved: ((from: Route, to: Route) => void) | undefined;

  constructor(delivery: Delivery, configured: ConfiguredChats) {
    this.#delivery = delivery;
    this.#configured = configured;
  }

  routeOf(session: Session): Route | undefined {
    return this.#now(this.#configured.routeOf(session));
  }

  /** Its web chat is told, alone or beside another chat. */
  isInWebChat(session: Session): boolean {
    return isToldInWebChat(session) || this.routeOf(session) === undefined;
  }

  /** The chats in which people are told of it, as `chatKey` names them. */
  chatsOf(session: Session): readonly string[] {
    const { sessionKey } = session.owner;
    const own = chatKey(this.routeOf(session), sessionKey);
    const web = isToldInWebChat(session) ? [chatKey(undefined, sessionKey)] : [];
    return [own, ...web, ...(session.toldIn ?? []).map((route) => chatKey(this.#now(route), sessionKey))];
  }

  /** `elsewhere` puts in front of a text that it comes from another chat. */
  async send(session: Session, message: OutgoingMessage, elsewhere: (text: string) => string): Promise<Placed> {
    const inWebChat = await this.#toWebChat(session, message);
    const first = await this.#follow(message);
    if (first.kind === "later") return { handover: first };
    this.#inWebChat.delete(message.intentId);
    if (first.kind === "accepted" || first.kind === "unknown") return { handover: first };
    if (inWebChat) return { handover: { kind: "accepted", trouble: first.reason } };
    for (const { route } of this.#otherPlaces(session, message.route)) {
      const other = { ...message, route, intentId: `${message.intentId}:elsewhere`, text: elsewhere(message.text) };
      const handover = await this.#follow(other);
      if (handover.kind !== "refused" && handover.kind !== "no-route")
        return { handover, ...(route === undefined ? {} : { elsewhere: route }) };
    }
    return { handover: first };
  }

  /** Beside the chat that the configuration names. Whether it got it, now or at an earlier try. */
  async #toWebChat(session: Session, message: OutgoingMessage): Promise<boolean> {
    if (!isToldInWebChat(session) || message.route === undefined) return false;
    if (this.#inWebChat.has(message.intentId)) return true;
    const { buttons: _none, ...words } = message;
    const handover = await this.#delivery.send({
      ...words,
      route: undefined,
      intentId: `${message.intentId}:web`,
    });
    if (handover.kind === "accepted") this.#inWebChat.add(message.intentId);
    return handover.kind === "accepted";
  }

  async #follow(message: OutgoingMessage): Promise<Handover> {
    let { route } = message;
    for (let moves = 0; ; moves += 1) {
      const handover = await this.#delivery.send({ ...message, route });
      if (handover.kind !== "refused" || handover.now === undefined || route === undefined || moves === MOST_MOVES)
        return handover;
      this.#remember(route, handover.now);
      route = handover.now;
    }
  }

  #otherPlaces(session: Session, tried: Route | undefined): readonly { readonly route?: Route }[] {
    const fallback = this.#now(this.#configured.fallback?.());
    const { home } = session;
    const { sessionKey } = session.owner;
    const places = [
      ...(fallback === undefined ? [] : [{ route: fallback }]),
      ...(home === undefined ? [] : [home.route === undefined ? {} : { route: this.#now(home.route) ?? home.route }]),
    ];
    const key = chatKey(tried, sessionKey);
    return places.filter(({ route }) => chatKey(route, sessionKey) !== key);
  }

  #remember(from: Route, to: Route): void {
    if (this.#moved.size >= REMEMBERED) this.#moved.clear();
    this.#moved.set(chatKey(from, ""), to);
    this.onMoved?.(from, to);
  }

  #now(route: Route | undefined): Route | undefined {
    let now = route;
    for (let moves = 0; now !== undefined && moves < MOST_MOVES; moves += 1) {
      const next = this.#moved.get(chatKey(now, ""));
      if (next === undefined) break;
      now = next;
    }
    return now;
  }
}

/** Launched in a web chat, and told where the configuration says: in both. A chat that the launcher named is told alone. */
function isToldInWebChat({ route, home }: Session): boolean {
  return route === undefined && home !== undefined && home.route === undefined;
}
