/** The words between a test and the probe inside the gateway. */
import type { Owner } from "../../../src/core/session.ts";
import type { ChildTasks, FlowStore } from "../../../src/ports.ts";

type Calls<Port, Prefix extends string> = {
  [Name in keyof Port & string]: Port[Name] extends (...args: infer Args) => unknown
    ? { readonly on: `${Prefix}.${Name}`; readonly args: Args }
    : never;
}[keyof Port & string];

export type ProbeCall =
  | Calls<FlowStore, "store">
  | Calls<ChildTasks, "children">
  | { readonly on: "raw.runs"; readonly args: readonly [Owner] }
  | { readonly on: "raw.resume"; readonly args: readonly [Owner, string, string] }
  | { readonly on: "raw.finish"; readonly args: readonly [Owner, string] }
  | { readonly on: "raw.requestCancel"; readonly args: readonly [Owner, string] }
  /** Writes the flow again and again for so many ms, without changing what it says; the value is how often it did. */
  | { readonly on: "raw.hammer"; readonly args: readonly [Owner, string, number] }
  | { readonly on: "raw.replaceState"; readonly args: readonly [Owner, string, Record<string, string>] };

export type ProbeAnswer =
  | { readonly ok: true; readonly value?: unknown }
  | { readonly ok: false; readonly error: string };
