/**
 * The host's bundled Webhooks plugin as another system uses it: flows of one session, over HTTP.
 * Owns: one route and its secret. Each mutation reads the flow first, as the plugin's own manual says.
 */
import { MAIN } from "./plugin-world.ts";
import type { JsonObject } from "./json.ts";

const SECRET = "webhook-secret";
const PATH = "/plugins/webhooks/ci";

/** Configuration of the Webhooks plugin: one route to the main session. */
export const WEBHOOKS: JsonObject = { routes: { ci: { path: PATH, sessionKey: MAIN.sessionKey, secret: SECRET } } };

export interface HookAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly code: string | undefined;
  readonly flow: { readonly status: string; readonly revision: number; readonly stateJson?: unknown } | undefined;
}

export class Webhooks {
  readonly #port: number;

  constructor(gateway: { readonly port: number }) {
    this.#port = gateway.port;
  }

  async post(action: JsonObject): Promise<HookAnswer> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${PATH}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${SECRET}` },
      body: JSON.stringify(action),
    });
    const text = await response.text();
    const body = (text.startsWith("{") ? JSON.parse(text) : {}) as {
      ok?: boolean;
      code?: string;
      result?: { flow?: HookAnswer["flow"] };
    };
    return { status: response.status, ok: body.ok === true, code: body.code, flow: body.result?.flow };
  }

  /** A change of the flow as it is now. */
  async change(action: string, flowId: string, more: JsonObject = {}): Promise<HookAnswer> {
    const { flow } = await this.post({ action: "get_flow", flowId });
    if (flow === undefined) throw new Error(`the webhook route sees no flow ${flowId}`);
    const answer = await this.post({ action, flowId, expectedRevision: flow.revision, ...more });
    // Somebody (the plugin) wrote in between: the manual says to read again.
    return answer.code === "revision_conflict" ? this.change(action, flowId, more) : answer;
  }
}
