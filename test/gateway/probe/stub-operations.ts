/**
 * Nine operations that do nothing but tell what reached them: the doors' side of the agreement, without an engine.
 * The word `refuse` as `session` or `prompt` gives a refusal with the code that follows it (`refuse:not_found`).
 */
import { Type, type TObject } from "@sinclair/typebox";
import type { Caller } from "../../../src/core/caller.ts";
import type { RefusalCode } from "../../../src/core/errors.ts";
import type { Answered, OperationName } from "../../../src/operations/operation.ts";
import type { DoorSign } from "../../../src/host/register-tools.ts";

export interface StubCall {
  readonly operation: OperationName;
  readonly caller: Caller;
  readonly params: unknown;
  readonly atMs: number;
}

const NAMES = ["launch", "respond", "fg", "bg", "kill", "output", "sessions", "stats", "resume"] as const;
const READS: ReadonlySet<string> = new Set(["output", "sessions", "stats"]);

export const stubSigns: readonly DoorSign[] = NAMES.map((name) => ({
  name,
  tool: `iflow_${name}`,
  command: name === "launch" ? "iflow" : `iflow_${name}`,
  rpc: `iflow.${name}`,
  scope: READS.has(name) ? "read" : "write",
  title: `iFlow ${name}`,
  description: `Stub of ${name}`,
  usage: `/iflow ${name}`,
  help: `Help of ${name}`,
  params: paramsOf(name),
  parseCommand: (args) =>
    args === "usage"
      ? { ok: false, code: "invalid_params", message: `Usage: /iflow ${name}` }
      : { ok: "params", params: { [name === "launch" ? "prompt" : "session"]: args } },
}));

export function stubAsk(calls: StubCall[]) {
  return async (operation: OperationName, caller: Caller, params: unknown): Promise<Answered> => {
    calls.push({ operation, caller, params, atMs: Date.now() });
    const { prompt, session } = (params ?? {}) as { prompt?: string; session?: string };
    const word = prompt ?? session ?? "";
    if (!word.startsWith("refuse:")) {
      const text = `${operation} for ${caller.owner.sessionKey}: ${word}`;
      return { ok: true, reply: { text, json: { id: "s1", status: "starting", error: null, word } } };
    }
    return {
      ok: false,
      code: word.slice("refuse:".length) as RefusalCode,
      message: `Refused because you said ${word}.`,
    };
  };
}

function paramsOf(name: OperationName): TObject {
  if (name === "launch")
    return Type.Object({ prompt: Type.String({ minLength: 1 }), route: Type.Optional(Type.String()) });
  return Type.Object({ session: Type.Optional(Type.String()), lines: Type.Optional(Type.Integer()) });
}
