/**
 * Error replies of the agent as one readable sentence.
 * Owns: the forms in which iFlow wraps what its model's server said. The reply as it came is kept in the log beside it.
 */
import { isRecord, parseJson, recordIn, textIn } from "./json-shape.ts";

const LONGEST = 600;

const STATUS: Readonly<Record<number, string>> = {
  400: "refused the request",
  401: "refused the API key",
  402: "asks for payment",
  403: "denied access",
  404: "does not know the address or the model",
  408: "timed out",
  413: "found the conversation too long",
  429: "is limiting the rate",
  500: "failed",
  502: "cannot be reached",
  503: "is not available",
  504: "timed out",
};

export interface AgentFailure {
  readonly code: number;
  readonly message: string;
  /** What the agent itself said, without its wrapping. */
  readonly details: string;
  /** The login or the key is missing, refused or over. */
  readonly needsLogin: boolean;
}

/** JSON-RPC's code of an agent that wants `authenticate` first (ACP). */
const AUTH_REQUIRED = -32_000;
const UNAUTHORIZED = 401;
const WANTS_BROWSER = "SERVER_OAUTH2_REQUIRED";

/** From the `error` of a JSON-RPC reply. */
export function readFailure(error: unknown): AgentFailure {
  const code = isRecord(error) && typeof error["code"] === "number" ? error["code"] : 0;
  const message = textIn(error, "message") ?? "no reason was given";
  const details = textIn(recordIn(error, "data"), "details") ?? message.replace(/^Internal Error: /, "");
  const needsLogin =
    code === AUTH_REQUIRED || details.includes(WANTS_BROWSER) || httpOf(details)?.status === UNAUTHORIZED;
  return { code, message: readable(code, message, details).slice(0, LONGEST), details, needsLogin };
}

/** What the model's server answered, where the agent passes that on. */
function httpOf(details: string): { readonly status: number; readonly body: string } | undefined {
  const http = /status:\s*(\d{3})(?:,\s*body:\s*(.*?))?(?:\s*TraceID:.*)?$/s.exec(details);
  return http === null ? undefined : { status: Number(http[1]), body: http[2] ?? "" };
}

function readable(code: number, message: string, details: string): string {
  const http = httpOf(details);
  if (http !== undefined) {
    const { status } = http;
    const said = saidBy(http.body);
    return `The model's server ${STATUS[status] ?? "answered"} (HTTP ${status})${said === "" ? "." : `: ${said}`}`;
  }
  if (/Headers Timeout|Body Timeout|ETIMEDOUT/i.test(details))
    return `The model's server gave no answer in time (${details.trim()}).`;
  if (/fetch failed|ECONNREFUSED|ENOTFOUND|ECONNRESET|EAI_AGAIN|socket hang up/i.test(details)) {
    return `The model's server cannot be reached (${details.trim()}).`;
  }
  if (details.includes(WANTS_BROWSER))
    return "The agent wants a login in a browser; run it once in a terminal and log in.";
  if (code === AUTH_REQUIRED) return `The agent is not authenticated (${message}).`;
  return details === message || message === ""
    ? details
    : message.replace(/^Internal Error: /, "").includes(details)
      ? details
      : `${message}: ${details}`;
}

/** The turn has failed: what its server says of trying again by itself is not so. */
function withoutPromise(said: string): string {
  return said.replace(/[^.!。！]*(?:will(?: automatically)? retry|自动重试)[^.!。！]*[.!。！]?/giu, "").trim();
}

/** The words in the body of an error of an OpenAI-compatible server, else the body. */
function saidBy(body: string): string {
  const parsed = parseJson(body.trim());
  const words =
    textIn(recordIn(parsed, "error"), "message") ??
    textIn(parsed, "message") ??
    textIn(parsed, "error") ??
    textIn(parsed, "msg");
  return withoutPromise((words ?? body).trim());
}
