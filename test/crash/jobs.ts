/**
 * What is launched in a scenario, and what the person does about it: data and decisions, no process and no clock.
 * Every word that an agent is to say is a token of its own (`t7_2_3`), so that words can be found again in every record.
 */
import type { Session } from "../../src/core/session.ts";
import { openQuestions } from "../../src/core/question.ts";
import type { Chance } from "./random.ts";

export const KINDS = ["answer", "follow", "permit", "stop", "interrupt", "leave", "two", "talk"] as const;
export type JobKind = (typeof KINDS)[number];

export interface Job {
  /** Name of its session. */
  readonly key: string;
  readonly kind: JobKind;
  readonly door: "command" | "tool";
  readonly prompt: string;
  readonly singleTurn: boolean;
  readonly manual: boolean;
}

/** Parameters that the launch operation takes. */
export function launchParams(job: Job): Record<string, unknown> {
  return {
    name: job.key,
    prompt: job.prompt,
    multi_turn_disabled: job.singleTurn,
    permission_mode: job.manual ? "manual" : "auto",
  };
}

export type Act =
  | { readonly do: "say"; readonly message: string; readonly interrupt: boolean }
  | { readonly do: "answer"; readonly questionId: string; readonly words: string }
  | { readonly do: "kill" };

/** How a job may end. */
export type End = "completed" | "killed" | "left waiting";

export const END: Readonly<Record<JobKind, End>> = {
  answer: "completed",
  follow: "completed",
  permit: "completed",
  stop: "killed",
  interrupt: "completed",
  leave: "left waiting",
  two: "completed",
  talk: "completed",
};

/** `scenario` makes names and tokens unique over a whole run. `wanted`: kinds that are asked for; the others come in turn. */
export function jobsOf(scenario: number, wanted: readonly (JobKind | undefined)[], chance: Chance): readonly Job[] {
  const kinds = chance.some(KINDS, KINDS.length);
  return wanted.map((asked, index) => {
    const kind = asked ?? kinds[index % kinds.length] ?? "talk";
    const key = `j${scenario}-${index + 1}-${kind}`;
    return {
      key,
      kind,
      door: chance.often(0.3) ? ("tool" as const) : ("command" as const),
      prompt: SCRIPT[kind](key, tokens(`t${scenario}_${index + 1}`)).join("\n"),
      singleTurn: ["answer", "permit", "two", "talk"].includes(kind),
      manual: kind === "permit",
    };
  });
}

/** Makes the next so many tokens, as words of one line. */
type Tokens = (count: number) => string;

function tokens(prefix: string): Tokens {
  let made = 0;
  return (count) => Array.from({ length: count }, () => `${prefix}_${(made += 1)}`).join(" ");
}

const SCRIPT: Readonly<Record<JobKind, (key: string, words: Tokens) => readonly string[]>> = {
  answer: (key, words) => [
    `say: ${words(3)}`,
    `write ${key}.txt: begun`,
    `ask: Which way for ${key}? | left | right`,
    `write ${key}-answer.txt: {answer}`,
    `say: ${words(3)}`,
  ],
  follow: (key, words) => [`say: ${words(2)}`, `run: echo ${key}`, `say: ${words(2)}`],
  permit: (key, words) => [
    `say: ${words(2)}`,
    `write ${key}-1.txt: one`,
    `say: ${words(2)}`,
    `write ${key}-2.txt: two`,
  ],
  stop: (_, words) => [`say: ${words(4)}`, "run: sleep 300 & sleep 300"],
  interrupt: (_, words) => [`say: ${words(2)}`, "sleep 100", `say: ${words(2)}`, "hang"],
  leave: (key, words) => [`say: ${words(2)}`, `end-question: What shall ${key} do now?`],
  two: (_, words) => [`say: ${words(2)}`, "two questions", `say: ${words(2)}`],
  talk: (_, words) => [`say: ${words(120)}`, "sleep 40", `say: ${words(120)}`],
};

const FOLLOW_UPS = 2;
const GO_ON = "go on, please";

export interface Seen {
  /** Whether a message with these words has been taken: it waits, is carried out, or was sent. */
  heard(words: string): boolean;
  /** Unique in the whole scenario. */
  unique(): string;
}

/** What the person does about this session now; undefined: wait. */
export function nextAct(job: Job, session: Session, seen: Seen): Act | undefined {
  const { phase } = session;
  switch (phase.kind) {
    case "queued":
    case "starting":
    case "ended":
      return undefined;
    case "asking": {
      const question = openQuestions(phase.asks)[0];
      if (question === undefined) return undefined;
      const options = question.options.map((option) => option.label);
      const words = question.kind === "permission" ? "1" : (options.at(-1) ?? "yes");
      return { do: "answer", questionId: question.id, words };
    }
    case "interrupted":
      return { do: "say", message: `${GO_ON} (${job.key} ${seen.unique()})`, interrupt: false };
    case "working":
      return whileWorking(job, session, seen);
    case "idle":
      return whenIdle(job, seen);
  }
}

function whileWorking(job: Job, session: Session, seen: Seen): Act | undefined {
  if (session.output.end === 0) return undefined;
  if (job.kind === "stop") return { do: "kill" };
  if (job.kind !== "interrupt") return undefined;
  const words = `say: ${job.key} was interrupted`;
  if (!seen.heard(words)) return { do: "say", message: words, interrupt: true };
  // Killed between its line and its sending it never came to iFlow, which goes on with what hangs.
  const present = session.phase.kind === "working" ? session.phase.message.text.text : "";
  return present.startsWith(GO_ON) ? { do: "say", message: `${words} (${seen.unique()})`, interrupt: true } : undefined;
}

function whenIdle(job: Job, seen: Seen): Act | undefined {
  if (job.kind === "leave") return undefined;
  if (job.kind === "follow") {
    for (let n = 1; n <= FOLLOW_UPS; n += 1) {
      const words = `say: ${job.key} follow-up ${n}`;
      if (!seen.heard(words)) return { do: "say", message: words, interrupt: false };
    }
  }
  return { do: "kill" };
}

/** Nothing is left to do about it. */
export function isThrough(job: Job, session: Session): boolean {
  if (session.owed.length > 0) return false;
  if (session.phase.kind === "ended") return session.agent === undefined;
  return job.kind === "leave" && session.phase.kind === "idle";
}
