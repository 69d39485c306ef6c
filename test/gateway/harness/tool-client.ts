/** Tools of the gateway over HTTP, without an agent turn: what a script or another service does. */

export interface ToolCaller {
  readonly sessionKey?: string;
  /** Becomes the tool's delivery context. */
  readonly chat?: {
    readonly channel: string;
    readonly to: string;
    readonly accountId?: string;
    readonly threadId?: string | number;
  };
}

export interface ToolAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly text: string;
  readonly details: Record<string, unknown>;
  readonly error: string | undefined;
}

export async function invokeTool(
  gateway: { readonly port: number; readonly token: string },
  tool: string,
  args: unknown,
  caller: ToolCaller = {},
): Promise<ToolAnswer> {
  const { chat } = caller;
  const response = await fetch(`http://127.0.0.1:${gateway.port}/tools/invoke`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${gateway.token}`,
      "content-type": "application/json",
      ...(chat === undefined ? {} : { "x-openclaw-message-channel": chat.channel, "x-openclaw-message-to": chat.to }),
      ...(chat?.accountId === undefined ? {} : { "x-openclaw-account-id": chat.accountId }),
      ...(chat?.threadId === undefined ? {} : { "x-openclaw-thread-id": String(chat.threadId) }),
    },
    body: JSON.stringify({ tool, args, ...(caller.sessionKey === undefined ? {} : { sessionKey: caller.sessionKey }) }),
  });
  const body = (await response.json()) as {
    ok?: boolean;
    error?: { message?: string };
    result?: { content?: { text?: string }[]; details?: Record<string, unknown> };
  };
  return {
    status: response.status,
    ok: body.ok === true,
    text: (body.result?.content ?? []).map((part) => part.text ?? "").join("\n"),
    details: body.result?.details ?? {},
    error: body.error?.message,
  };
}
