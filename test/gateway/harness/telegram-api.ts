/**
 * A Bot API of Telegram on the loopback interface, as much as the host's channel uses, with what a person does beside it.
 * Owns: chats, messages, updates, injected failures. It outlives restarts of the gateway.
 * 1. update ids only grow, over restarts of the gateway too (the host keeps its offset).
 * 2. A failure that is injected is answered exactly as often as asked, and counted as a call.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { parseBody } from "./telegram-body.ts";
import { PATIENCE_MS } from "./patience.ts";

type Json = Record<string, unknown>;

export interface TelegramButton {
  readonly text: string;
  readonly callback_data?: string;
}

export interface TelegramMessage {
  readonly messageId: number;
  readonly chatId: string;
  readonly threadId: number | undefined;
  readonly fromBot: boolean;
  /** Every text it had as people read it, the present one last. */
  readonly texts: string[];
  /** The same as the bot marked them up, in the HTML of Telegram. */
  readonly html: string[];
  buttons: readonly (readonly TelegramButton[])[];
}

export interface TelegramCall {
  readonly atMs: number;
  readonly method: string;
  readonly params: Json;
  readonly status: number;
}

export interface Chat {
  readonly chatId: number;
  /** The person; default: the chat itself (a direct chat). */
  readonly from?: number;
  readonly threadId?: number;
  readonly forum?: boolean;
}

interface Failure {
  readonly method: string;
  times: number;
  readonly code: number;
  readonly retryAfterS: number | undefined;
}

const BOT = { id: 777_000_111, is_bot: true, first_name: "Lab", username: "lab_bot", can_join_groups: true };
const LONG_POLL_MS = 20_000;

export class TelegramApi {
  readonly calls: TelegramCall[] = [];
  readonly messages: TelegramMessage[] = [];
  readonly #server: Server;
  readonly #updates: (Json & { update_id: number })[] = [];
  readonly #failures: Failure[] = [];
  #nextUpdate = Math.floor(Date.now() / 1_000);
  #nextMessage = 1_000;
  #wake = Promise.withResolvers<void>();
  /** True: a call is read, and its connection is then cut without an answer (nobody knows whether it counted). */
  cutting = false;
  #port = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<TelegramApi> {
    const server = createServer();
    const api = new TelegramApi(server);
    server.on("request", (request, response) => void api.#serve(request, response));
    server.listen(0, "127.0.0.1");
    await new Promise<void>((resolve) => server.once("listening", resolve));
    return api;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the Bot API is not listening");
    return `http://127.0.0.1:${address.port}`;
  }

  /** An outage: nobody listens. */
  async goDown(): Promise<void> {
    this.#port = Number(new URL(this.url).port);
    await this.close();
  }

  async comeBack(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await new Promise<void>((resolve) => this.#server.once("listening", resolve));
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** The next `times` calls of the method fail; with code 0 they are read, and cut off without an answer. */
  fail(method: string, times: number, code = 429, retryAfterS?: number): void {
    this.#failures.push({ method, times, code, retryAfterS });
  }

  /** A person writes. */
  say(chat: Chat, text: string, replyTo?: TelegramMessage): void {
    const entities = text.startsWith("/")
      ? [{ type: "bot_command", offset: 0, length: text.split(" ")[0]?.length ?? 0 }]
      : undefined;
    const message = this.#keep(chat, text, false);
    this.#push({
      message: {
        ...wireMessage(message, chat),
        from: personOf(chat),
        ...(entities === undefined ? {} : { entities }),
        ...(replyTo === undefined ? {} : { reply_to_message: { ...wireMessage(replyTo, chat), from: BOT } }),
      },
    });
  }

  /** A person presses a button of a message that the bot sent. */
  press(chat: Chat, message: TelegramMessage, label: string | RegExp): void {
    const button = message.buttons
      .flat()
      .find((one) => (typeof label === "string" ? one.text === label : label.test(one.text)));
    if (button?.callback_data === undefined)
      throw new Error(`no button ${String(label)} under: ${message.texts.at(-1) ?? ""}`);
    this.#push({
      callback_query: {
        // One of its own: the host passes over a press whose id it has seen.
        id: String(this.#nextUpdate),
        from: personOf(chat),
        message: { ...wireMessage(message, chat), from: BOT },
        chat_instance: "1",
        data: button.callback_data,
      },
    });
  }

  /** What the bot has said in a chat, oldest first. */
  said(chatId: number, threadId?: number): readonly TelegramMessage[] {
    return this.messages.filter(
      (one) => one.fromBot && one.chatId === String(chatId) && (threadId === undefined || one.threadId === threadId),
    );
  }

  /** Resolves with the first message of the bot in the chat that fits, past or to come. */
  async heard(
    chatId: number,
    fits: RegExp | ((message: TelegramMessage) => boolean),
    withinMs = PATIENCE_MS,
  ): Promise<TelegramMessage> {
    const deadlineAt = Date.now() + withinMs;
    for (;;) {
      const found = this.said(chatId).find((one) =>
        fits instanceof RegExp ? fits.test(one.texts.at(-1) ?? "") : fits(one),
      );
      if (found !== undefined) return found;
      if (Date.now() > deadlineAt) {
        throw new Error(
          `the bot did not say ${String(fits)} in ${chatId} within ${withinMs} ms; it said:\n${this.transcript(chatId)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  transcript(chatId: number): string {
    return this.messages
      .filter((one) => one.chatId === String(chatId))
      .map((one) => `${one.fromBot ? "bot" : "person"}: ${one.texts.at(-1) ?? ""}`)
      .join("\n");
  }

  #push(update: Json): void {
    this.#updates.push({ update_id: this.#nextUpdate, ...update });
    this.#nextUpdate += 1;
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  #keep(chat: Chat, text: string, fromBot: boolean): TelegramMessage {
    const message: TelegramMessage = {
      messageId: this.#nextMessage,
      chatId: String(chat.chatId),
      threadId: chat.threadId,
      fromBot,
      texts: [text],
      html: [escaped(text)],
      buttons: [],
    };
    this.#nextMessage += 1;
    this.messages.push(message);
    return message;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const params = await parseBody(request);
    if (this.cutting) {
      request.socket.destroy();
      return;
    }
    const method = /^\/bot[^/]+\/(\w+)/.exec(request.url ?? "")?.[1];
    if (method === undefined) answer(response, 404, { ok: false, error_code: 404, description: "Not Found" });
    else if (method === "getUpdates") await this.#updatesTo(params, request, response);
    else this.#call(method, params, response);
  }

  async #updatesTo(params: Json, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const offset = Number(params["offset"] ?? 0);
    while (offset > 0 && (this.#updates[0]?.update_id ?? Infinity) < offset) this.#updates.shift();
    if (this.#updates.length === 0) {
      const gone = new Promise<void>((resolve) => request.once("close", resolve));
      const timer = Promise.withResolvers<void>();
      const handle = setTimeout(timer.resolve, Math.min(Number(params["timeout"] ?? 0) * 1_000, LONG_POLL_MS));
      await Promise.race([this.#wake.promise, gone, timer.promise]);
      clearTimeout(handle);
    }
    answer(response, 200, { ok: true, result: this.#updates.slice(0, 100) });
  }

  #call(method: string, params: Json, response: ServerResponse): void {
    const failure = this.#failures.find((one) => one.method === method && one.times > 0);
    const status = failure?.code ?? 200;
    this.calls.push({ atMs: Date.now(), method, params, status });
    if (failure === undefined) {
      answer(response, 200, { ok: true, result: this.#result(method, params) });
      return;
    }
    failure.times -= 1;
    if (status === 0) {
      response.socket?.destroy();
      return;
    }
    answer(response, status, {
      ok: false,
      error_code: status,
      description: status === 429 ? `Too Many Requests: retry after ${failure.retryAfterS ?? 1}` : "injected failure",
      ...(status === 429 ? { parameters: { retry_after: failure.retryAfterS ?? 1 } } : {}),
    });
  }

  #result(method: string, params: Json): unknown {
    switch (method) {
      case "getMe":
        return BOT;
      case "getWebhookInfo":
        return { url: "", has_custom_certificate: false, pending_update_count: 0 };
      case "getMyCommands":
        return [];
      case "getChat":
        return { id: Number(params["chat_id"]), type: Number(params["chat_id"]) < 0 ? "supergroup" : "private" };
      case "getChatMember":
        return { status: "member", user: { id: Number(params["user_id"]), is_bot: false, first_name: "User" } };
      case "sendMessage":
      case "sendPhoto":
      case "sendDocument":
      case "sendRichMessage":
        return this.#send(params);
      case "editMessageText":
      case "editMessageReplyMarkup":
        return this.#edit(params);
      case "deleteMessage":
        this.messages.splice(0, this.messages.length, ...this.messages.filter((one) => !isAt(one, params)));
        return true;
      case "createForumTopic":
        return { message_thread_id: (this.#nextMessage += 1), name: params["name"], icon_color: 0 };
      default:
        return true;
    }
  }

  #send(params: Json): Json {
    const threadId = params["message_thread_id"] === undefined ? {} : { threadId: Number(params["message_thread_id"]) };
    const chat: Chat = { chatId: Number(params["chat_id"]), ...threadId };
    const text = params["text"] ?? params["caption"];
    const message = this.#keep(chat, readable(text, params["parse_mode"]), true);
    message.html.splice(0, 1, marked(text, params["parse_mode"]));
    message.buttons = buttonsOf(params["reply_markup"]);
    return { ...wireMessage(message, chat), from: BOT };
  }

  #edit(params: Json): Json | boolean {
    const message = this.messages.find((one) => isAt(one, params));
    if (message === undefined) return true;
    if (params["text"] !== undefined) {
      message.texts.push(readable(params["text"], params["parse_mode"]));
      message.html.push(marked(params["text"], params["parse_mode"]));
    }
    message.buttons = buttonsOf(params["reply_markup"]);
    return { ...wireMessage(message, { chatId: Number(message.chatId) }), from: BOT };
  }
}

function isAt(message: TelegramMessage, params: Json): boolean {
  return message.chatId === String(params["chat_id"]) && message.messageId === Number(params["message_id"]);
}

function buttonsOf(markup: unknown): readonly (readonly TelegramButton[])[] {
  const parsed: unknown = typeof markup === "string" ? JSON.parse(markup) : markup;
  if (typeof parsed !== "object" || parsed === null || !("inline_keyboard" in parsed)) return [];
  return parsed.inline_keyboard as TelegramButton[][];
}

function personOf(chat: Chat): Json {
  const id = chat.from ?? chat.chatId;
  return { id, is_bot: false, first_name: `User${id}`, username: `user${id}`, language_code: "en" };
}

function wireMessage(message: TelegramMessage, chat: Chat): Json {
  const group = chat.chatId < 0;
  return {
    message_id: message.messageId,
    date: Math.floor(Date.now() / 1_000),
    text: message.texts.at(-1) ?? "",
    chat: group
      ? { id: chat.chatId, type: "supergroup", title: "Lab group", ...(chat.forum === true ? { is_forum: true } : {}) }
      : { id: chat.chatId, type: "private", first_name: `User${chat.chatId}` },
    ...(message.threadId === undefined ? {} : { message_thread_id: message.threadId, is_topic_message: true }),
    ...(message.buttons.length === 0 ? {} : { reply_markup: { inline_keyboard: message.buttons } }),
  };
}

/** What people read of a text that the bot sent. */
function readable(text: unknown, parseMode: unknown): string {
  if (parseMode !== "HTML") return words(text);
  const plain = words(text).replaceAll(/<\/?[a-z][^>]*>/g, "");
  return plain.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

function marked(text: unknown, parseMode: unknown): string {
  return parseMode === "HTML" ? words(text) : escaped(words(text));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function words(value: unknown): string {
  return typeof value === "string" ? value : "";
}
