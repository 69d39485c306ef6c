/**
 * Delivery in memory: the chats of all channels, with what people would see in them.
 * Owns: messages, edits, wakes, and their faults. One object outlives simulated restarts, as a chat does.
 */
import type { Owner, Route } from "../../src/core/session.ts";
import type { Button, Delivery, Handover, OutgoingMessage } from "../../src/ports.ts";

export interface SeenMessage {
  readonly id: string;
  readonly intentId: string;
  readonly sessionKey: string;
  readonly route: Route | undefined;
  readonly buttons: readonly Button[];
  /** Every text it had, the present one last. */
  readonly texts: string[];
}

export interface SeenWake {
  readonly intentId: string;
  readonly sessionKey: string;
  readonly agentId: string | undefined;
  readonly route: Route | undefined;
  readonly text: string;
}

export type DeliveryCall = "send" | "edit" | "wake" | "card";

export class FakeDelivery implements Delivery {
  readonly messages: SeenMessage[] = [];
  readonly wakes: SeenWake[] = [];
  /** Calls under way and the most that ever were, by chat: the governor keeps it at one. */
  readonly mostInFlight = new Map<string, number>();
  /** Progress cards of web chats, by session: every text of each; undefined: taken away. */
  readonly cards = new Map<string, (string | undefined)[]>();
  limitChars = 3_800;
  editable = true;
  readonly #inFlight = new Map<string, number>();
  readonly #faults: { on: DeliveryCall; handover: Handover; times: number; to: string }[] = [];
  readonly #holds: { on: DeliveryCall; arrive: () => void; until: Promise<void> }[] = [];

  /** `to`: only for this chat. */
  fail(on: DeliveryCall, handover: Handover, times = 1, to = ""): void {
    this.#faults.push({ on, handover, times, to });
  }

  /** No planned fault is left. */
  heal(): void {
    this.#faults.length = 0;
  }

  /** The next call stands still until released; the message is seen only then. */
  hold(on: DeliveryCall): { readonly reached: Promise<void>; release(): void } {
    const until = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    this.#holds.push({ on, arrive: arrived.resolve, until: until.promise });
    return { reached: arrived.promise, release: until.resolve };
  }

  /** Texts that stand in a chat now, oldest first; without a route: of every chat. */
  texts(route?: Route): readonly string[] {
    return this.messages
      .filter((message) => route === undefined || keyOf(message.route, message.sessionKey) === keyOf(route, ""))
      .map((message) => message.texts.at(-1) ?? "");
  }

  async send(message: OutgoingMessage): Promise<Handover> {
    return this.#run("send", keyOf(message.route, message.owner.sessionKey), () => {
      const id = `m${this.messages.length + 1}`;
      const { intentId, owner, route, text, buttons } = message;
      this.messages.push({ id, intentId, sessionKey: owner.sessionKey, route, buttons: buttons ?? [], texts: [text] });
      return { kind: "accepted", messageId: id };
    });
  }

  async edit(route: Route, messageId: string, text: string): Promise<Handover> {
    return this.#run("edit", keyOf(route, ""), () => {
      const message = this.messages.find((candidate) => candidate.id === messageId);
      if (message === undefined) return { kind: "refused", reason: `no message ${messageId} to edit` };
      message.texts.push(text);
      return { kind: "accepted", messageId };
    });
  }

  async wake(message: OutgoingMessage & { readonly agentId?: string }): Promise<Handover> {
    return this.#run("wake", `wake ${message.owner.sessionKey}`, () => {
      const { intentId, owner, route, text, agentId } = message;
      this.wakes.push({ intentId, sessionKey: owner.sessionKey, agentId, route, text });
      return { kind: "accepted" };
    });
  }

  async card(owner: Owner, markdown: string | undefined): Promise<Handover> {
    return this.#run("card", `card ${owner.sessionKey}`, () => {
      this.cards.set(owner.sessionKey, [...(this.cards.get(owner.sessionKey) ?? []), markdown]);
      return { kind: "accepted" };
    });
  }

  limit(_route: Route | undefined): number {
    return this.limitChars;
  }

  canEdit(route: Route | undefined): boolean {
    return this.editable && route !== undefined;
  }

  async #run(on: DeliveryCall, key: string, act: () => Handover): Promise<Handover> {
    const now = (this.#inFlight.get(key) ?? 0) + 1;
    this.#inFlight.set(key, now);
    this.mostInFlight.set(key, Math.max(now, this.mostInFlight.get(key) ?? 0));
    await Promise.resolve();
    const held = this.#holds.findIndex((hold) => hold.on === on);
    if (held >= 0) {
      const [hold] = this.#holds.splice(held, 1);
      hold?.arrive();
      await hold?.until;
    }
    this.#inFlight.set(key, (this.#inFlight.get(key) ?? 1) - 1);
    const fault = this.#faults.find((one) => one.on === on && key.includes(one.to));
    if (fault === undefined) return act();
    fault.times -= 1;
    if (fault.times === 0) this.#faults.splice(this.#faults.indexOf(fault), 1);
    return fault.handover;
  }
}

function keyOf(route: Route | undefined, sessionKey: string): string {
  return route === undefined
    ? `session ${sessionKey}`
    : JSON.stringify([route.channel, route.to, route.accountId ?? "", route.threadId ?? ""]);
}
