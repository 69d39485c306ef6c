/** Types of the demo agent's language, for the tests that use it from TypeScript. */

export interface ScriptQuestion {
  readonly question: string;
  readonly header: string;
  readonly options: readonly { readonly label: string; readonly description?: string }[];
  readonly multiSelect: boolean;
}

export type Step =
  | { readonly kind: "say"; readonly text: string; readonly last?: true }
  | { readonly kind: "think"; readonly text: string }
  | { readonly kind: "long"; readonly lines: number }
  | { readonly kind: "burst"; readonly frames: number }
  | { readonly kind: "stamps"; readonly frames: number }
  | { readonly kind: "pace"; readonly frames: number; readonly perSecond: number }
  | { readonly kind: "write"; readonly files: readonly { readonly path: string; readonly content: string }[] }
  | { readonly kind: "edit"; readonly path: string; readonly oldText: string; readonly newText: string }
  | { readonly kind: "read"; readonly path: string }
  | { readonly kind: "run"; readonly command: string }
  | { readonly kind: "ask"; readonly questions: readonly ScriptQuestion[] }
  | { readonly kind: "plan"; readonly plan: string }
  | { readonly kind: "todo"; readonly items: readonly string[] }
  | { readonly kind: "sub-agent"; readonly task: string }
  | { readonly kind: "sleep"; readonly ms: number }
  | { readonly kind: "stop"; readonly reason: "max_tokens" | "refusal" }
  | { readonly kind: "fail"; readonly message: string }
  | { readonly kind: "crash"; readonly how: string }
  | { readonly kind: "hang" }
  | { readonly kind: "huge"; readonly bytes: number }
  | { readonly kind: "stderr"; readonly bytes: number }
  | { readonly kind: "raw"; readonly text: string }
  | { readonly kind: "split"; readonly text: string }
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "settings" }
  | { readonly kind: "recall" };

export function parseScript(text: string): Step[];
export function echo(text: string): string;
export function longLine(n: number, of: number): string;
