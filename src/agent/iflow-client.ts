/**
 * The SDK's client on a channel of ours.
 * Owns: the seam to `@iflow-ai/iflow-cli-sdk`; the only file that imports it, and itself imported lazily for its cost.
 * Does not own: frames (acp-channel.ts).
 *
 * The SDK assigns `this.transport` inside of `connect()` and hands the same value to its protocol, so an accessor of that name
 * puts the channel there. With `autoStartProcess: false` it neither dials nor starts anything.
 *
 * 1. Handshake, authentication, session, prompts and cancels are the SDK's; what the agent says is read from the channel, for the
 *    SDK's messages drop diffs, arguments and ids, and its queue grows for ever when nobody polls it.
 */
import { IFlowClient, type IFlowOptions, type Prompt } from "@iflow-ai/iflow-cli-sdk";
import type { AcpChannel } from "./acp-channel.ts";

export type ClientOptions = Pick<IFlowOptions, "cwd" | "sessionSettings" | "authMethodId" | "authMethodInfo">;

export class ChannelClient extends IFlowClient {
  readonly #channel: AcpChannel;
  #acpSessionId = "";

  constructor(channel: AcpChannel, options: ClientOptions) {
    super({ ...options, autoStartProcess: false, logLevel: "ERROR", permissionMode: "manual", fileAccess: false });
    this.#channel = channel;
    Object.defineProperty(this, "transport", { configurable: true, get: () => channel, set: (_own: unknown) => {} });
  }

  useSession(acpSessionId: string): void {
    this.#acpSessionId = acpSessionId;
  }

  /** Resolves when the bytes are handed to the transport. */
  async prompt(turn: number, prompt: Prompt[]): Promise<void> {
    if (this.protocol === null) throw new Error("the client is not connected");
    // The SDK sends within this call, so the channel meets the request while it knows the turn.
    this.#channel.expectPrompt(turn);
    await this.protocol.sendPrompt({ sessionId: this.#acpSessionId, prompt });
  }

  async cancel(): Promise<void> {
    await this.protocol?.cancelSession({ sessionId: this.#acpSessionId });
  }

  /** Nothing is left for the SDK's own reader: the channel has taken it. */
  protected override async handleMessages(): Promise<void> {}
}
