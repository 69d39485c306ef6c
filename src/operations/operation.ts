/**
 * What an operation is: one verb, three doors. Owns the types that doors and verbs share.
 * A door turns its own call into `Caller` and raw parameters; `invoke` validates, runs and renders, the same for every door.
 */
import type { TObject } from "@sinclair/typebox";
import type { Caller } from "../core/caller.ts";
import type { RefusalCode } from "../core/errors.ts";

/** What every door shows: `text` for people and agents, `json` for RPC and the tool's details. */
export interface Reply<Json = Readonly<Record<string, unknown>> | readonly unknown[]> {
  readonly text: string;
  readonly json: Json;
}

export type Answered =
  | { readonly ok: true; readonly reply: Reply }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string };

export type TypedCommand =
  | Extract<Answered, { readonly ok: false }>
  | { readonly ok: "params"; readonly params: Record<string, unknown> }
  | { readonly ok: "help" };

export type OperationName = "launch" | "respond" | "fg" | "bg" | "kill" | "output" | "sessions" | "stats" | "resume";

export interface OperationDoor {
  readonly name: OperationName;
  /** `iflow_launch`. */
  readonly tool: string;
  /** Command word without the slash: `iflow`, `iflow_respond`. */
  readonly command: string;
  /** `iflow.launch`. */
  readonly rpc: string;
  /** Operator scope that RPC needs. */
  readonly scope: "read" | "write";
  readonly title: string;
  readonly description: string;
  /** One line of usage for the command. */
  readonly usage: string;
  /** snake_case parameters with descriptions and defaults; RPC accepts the same in camelCase. */
  readonly params: TObject;
  /** What the command says of itself when it is asked for help. */
  readonly help: string;
  /** The text after the command word -> raw parameters, or that help is wanted. */
  parseCommand(args: string): TypedCommand;
  /** Validates raw parameters (snake_case or camelCase), runs, renders. Never throws for a bad call. */
  invoke(caller: Caller, rawParams: unknown): Promise<Answered>;
}

export type { Caller };
