/**
 * Plain messages of people, before an agent sees them: who spoke when, and whether the words answer one of our questions.
 * Owns: the host's dispatch hook. Does not own: what counts as an answer (the callback).
 * 1. Only an authorised sender is remembered or may answer; the host says who is one (`CommandAuthorized`).
 * 2. Turns that the plugin, a schedule or another agent starts don't pass here (host fact), so they are nobody's voice.
 * 3. Whatever fails here, the message goes on to the agent as if the plugin were not there.
 */
import { messageOf } from "../core/errors.ts";
import { inertText } from "../core/inert-text.ts";
import { pickLanguage, wordsOf } from "../core/language.ts";
import type { Route } from "../core/session.ts";
import type { Log } from "../ports.ts";
import type { HostFacts } from "./caller.ts";
import { isGroupSession, isWebChannel, routeOf } from "./chat-route.ts";
import { continuesCommand } from "./long-commands.ts";
import { rememberOwnWords, rememberPerson } from "./process-memory.ts";
import { WITH_WORDS } from "./register-commands.ts";
import type { DoorSign } from "./register-tools.ts";
import type { HostApi } from "./sdk.ts";

export interface PlainMessage {
  /** The OpenClaw session that the message belongs to. */
  readonly sessionKey: string;
  /** Undefined in a web chat. */
  readonly route: Route | undefined;
  readonly text: string;
  readonly senderId: string | undefined;
  readonly inGroup: boolean;
  /** Set when it is a reply to another message: that message's id on the channel. */
  readonly replyToId: string | undefined;
  readonly messageId: string | undefined;
  /** When it was written, in the channel's own time; ms since the epoch. */
  readonly writtenAt: number | undefined;
  /** The host's owner. Asked only when needed. */
  isOwner(): Promise<boolean>;
}

/** Takes the message as an answer and says what became of it, or leaves it to the agent with undefined. */
export type TakeMessage = (message: PlainMessage) => Promise<string | undefined>;

/** A message that can be no answer. */
export type HearMessage = (message: PlainMessage) => void;

/** Parts of the host's finalized message that count here; all of it comes from the host's own channel code. */
interface MessageFacts {
  readonly CommandAuthorized?: boolean;
  readonly BodyForCommands?: string;
  readonly SenderId?: string;
  readonly SenderIsBot?: boolean;
  readonly ChatType?: string;
  readonly AccountId?: string;
  readonly MessageThreadId?: string | number;
  readonly ReplyToId?: string;
  readonly MessageSid?: string;
  readonly Timestamp?: number;
  readonly From?: string;
  readonly To?: string;
  readonly Provider?: string;
  readonly OriginatingChannel?: string;
  readonly OriginatingTo?: string;
  readonly SessionKey?: string;
  readonly MediaPath?: string;
  readonly MediaPaths?: readonly string[];
  readonly MediaUrl?: string;
  readonly MediaUrls?: readonly string[];
  readonly MediaType?: string;
  readonly MediaTypes?: readonly string[];
  readonly InputProvenance?: { readonly kind?: string };
}

const QUEUED_ONE_FINAL = { tool: 0, block: 0, final: 1 };
const QUEUED_NOTHING = { tool: 0, block: 0, final: 0 };

export function listenToMessages(
  api: HostApi,
  host: HostFacts,
  take: TakeMessage,
  log: Log,
  hear: HearMessage = () => undefined,
  signs: readonly DoorSign[] = [],
): void {
  api.on(
    "reply_dispatch",
    async (event, context) => {
      const facts: MessageFacts = event.ctx;
      const sessionKey = event.sessionKey ?? facts.SessionKey;
      if (sessionKey === undefined || !isAuthorizedPerson(facts)) return undefined;
      rememberPerson(sessionKey, Date.now());
      const message = plainMessage(facts, sessionKey, host);
      const typed = typedReply(facts, event.images, signs);
      // Our own commands say for themselves what they mean.
      if (typed === undefined && !isWords(message) && !message.text.startsWith("/iflow")) hear(message);
      const reply = typed ?? (isWords(message) ? await answerOf(message, take, log) : undefined);
      if (reply === undefined) return undefined;
      const text = inertText(reply);
      rememberOwnWords(text);
      // A part of a command: what the command comes to is said when it has run.
      const isSilent = reply === "";
      const queuedFinal = !isSilent && context.dispatcher.sendFinalReply({ text });
      await context.dispatcher.waitForIdle();
      context.recordProcessed("completed", { reason: "iflow_answer" });
      context.markIdle("iflow_answer");
      return { handled: true, queuedFinal, counts: isSilent ? QUEUED_NOTHING : QUEUED_ONE_FINAL };
    },
    { eligibleDispatchKinds: ["agent"] },
  );
}

/**
 * What belongs to a command: "" for a part of one that was too long for its message; words for one with a picture or a file, which the
 * host hands over as the caption only (host fact).
 */
function typedReply(facts: MessageFacts, images: unknown, signs: readonly DoorSign[]): string | undefined {
  const { OriginatingChannel, Provider, OriginatingTo, To, AccountId: accountId, SenderId: senderId } = facts;
  const text = (facts.BodyForCommands ?? "").trim();
  const from = { channel: OriginatingChannel ?? Provider ?? "", to: OriginatingTo ?? To, accountId, senderId };
  if (continuesCommand(from, facts.MessageThreadId, text)) return "";
  const word = /^\/\s*([^\s@:]+)/.exec(text)?.[1]?.toLowerCase().replaceAll("-", "_");
  const sign = signs.find(({ command, name }) => command === word && WITH_WORDS.has(name));
  if (sign === undefined || !hasAttachment(facts, images)) return undefined;
  return wordsOf(pickLanguage("auto", text)).typed.attachment(`/${sign.command}`);
}

function hasAttachment(
  { MediaPath, MediaPaths, MediaUrl, MediaUrls, MediaTypes, MediaType }: MessageFacts,
  images: unknown,
): boolean {
  const lists = [MediaPaths, MediaUrls, MediaTypes, images];
  return [MediaPath, MediaUrl, MediaType].some(Boolean) || lists.some((list) => Array.isArray(list) && list.length > 0);
}

/** A message that another agent or the system put in carries another provenance than a person's. */
function isAuthorizedPerson(facts: MessageFacts): boolean {
  const kind = facts.InputProvenance?.kind;
  return (
    facts.CommandAuthorized === true && facts.SenderIsBot !== true && (kind === undefined || kind === "external_user")
  );
}

/** Neither a picture without words nor a command. */
function isWords({ text }: PlainMessage): boolean {
  return text !== "" && !text.startsWith("/");
}

async function answerOf(message: PlainMessage, take: TakeMessage, log: Log): Promise<string | undefined> {
  try {
    return await take(message);
  } catch (error) {
    log.warn(`a message was not looked at for an answer to iFlow: ${messageOf(error)}`);
    return undefined;
  }
}

function plainMessage(facts: MessageFacts, sessionKey: string, host: HostFacts): PlainMessage {
  const channel = facts.OriginatingChannel ?? facts.Provider ?? "";
  const to = facts.OriginatingTo ?? facts.To;
  const inGroup = facts.ChatType === "group" || facts.ChatType === "channel" || isGroupSession(sessionKey);
  const { AccountId: accountId, SenderId: senderId, From: from } = facts;
  return {
    sessionKey,
    route: routeOf({ channel, to, accountId, threadId: facts.MessageThreadId }),
    text: (facts.BodyForCommands ?? "").trim(),
    senderId,
    inGroup,
    replyToId: facts.ReplyToId,
    messageId: facts.MessageSid,
    writtenAt: facts.Timestamp,
    // Whoever is authorised to write in a web chat is an operator.
    isOwner: async () => isWebChannel(channel) || host.isOwner({ channel, from, to, accountId, senderId, inGroup }),
  };
}
