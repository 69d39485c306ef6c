/**
 * What an agent said last on its stderr, and how its end reads in a message.
 * It goes into records, logs and messages, so no secret is left in it. Over a socket an agent sends its stderr along, as control texts.
 */
import type { ExitReport } from "../core/agent-event.ts";
import { redactSecrets } from "../core/redact.ts";
import { redactTail } from "../core/redact-value.ts";

const CONTROL = "//stderr ";
/** Longest that is kept, and longest part in a message. */
const KEPT = 4096;
const TOLD = 500;
const LONGEST_CHARACTER = 4;
/** What Node says of itself at each start of iFlow, whatever happens later: about a module that is old, and where that is traced. */
const NOISE = [
  /^\(node:\d+\) (?:\[DEP\d+\] )?(?:DeprecationWarning|ExperimentalWarning): .*$/,
  /^\(Use `\S+ --trace-(?:deprecation|warnings) \.\.\.` to show where the warning was created\)$/,
] as const;

export class LastWords {
  readonly #own: () => string;
  #sent = "";

  /** `own`: the end of the process's own stderr, if there is a process. */
  constructor(own: () => string) {
    this.#own = own;
  }

  /** Looks at a control text. That a peer has started is no last word. */
  hear(text: string): void {
    if (!text.startsWith(CONTROL) || text.endsWith("peer started")) return;
    this.#sent = `${this.#sent}${text.slice(CONTROL.length)}\n`.slice(-KEPT);
  }

  get tail(): string {
    const own = this.#own();
    const tail = own === "" ? this.#sent.trim() : own;
    // A cut leaves out a character of several bytes, and blanks are trimmed.
    return withoutNoise(tail.length < KEPT - LONGEST_CHARACTER ? redactSecrets(tail) : redactTail(tail));
  }

  /** To be put after a sentence; empty when nothing was said. */
  get sentence(): string {
    const { tail } = this;
    return tail === "" ? "" : ` Its last words on stderr: ${tail.slice(-TOLD)}`;
  }
}

function withoutNoise(tail: string): string {
  return tail
    .split("\n")
    .filter((line) => !NOISE.some((noise) => noise.test(line.trimEnd())))
    .join("\n")
    .trim();
}

/** How it ended, with its exit code or signal; `reason` is what the transport knows. */
export function exitSentence(name: string, { code, signal, cause }: ExitReport, reason: string): string {
  const how = signal === null ? (code === null ? "" : ` with code ${code}`) : ` by ${signal}`;
  if (cause === "disconnected" && how === "") return `${name} closed its connection (${reason}).`;
  return `${name} ${cause === "stopped" ? "was stopped" : "exited"}${how}.`;
}
