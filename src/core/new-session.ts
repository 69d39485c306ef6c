/**
 * The first value of a session, and its name.
 * Owns: derived names (Unicode kept, unique among the names given), defaults of counters.
 */
import { EMPTY_OUTPUT } from "./output.ts";
import { redactSecrets } from "./redact.ts";
import {
  SCHEMA,
  type By,
  type Message,
  type Owner,
  type Route,
  type Session,
  type Settings,
  type StoredText,
} from "./session.ts";

export interface SessionSeed {
  readonly id: string;
  readonly name: string;
  readonly owner: Owner;
  readonly launchedBy: By;
  readonly route: Route | undefined;
  readonly home?: Session["home"];
  readonly isForeignRoute?: Session["isForeignRoute"];
  readonly workdir: string;
  readonly prompt: StoredText;
  readonly files: readonly string[];
  readonly settings: Settings;
  readonly at: number;
  readonly continues?: Continues;
}

/** An earlier session that this one goes on with, or is a fork of. */
export interface Continues {
  readonly id: string;
  readonly acpSessionId: string | undefined;
  readonly isFork: boolean;
  /** Answers of the agent in a row, this one included: a new flow does not begin to count anew. */
  readonly autoResponds: number;
  /** The first message is that of a turn which failed after something had been done. */
  readonly again?: boolean;
  /** Other messages of the earlier session that iFlow may not have any more. */
  readonly undone?: readonly Message[];
}

export function newSession(seed: SessionSeed): Session {
  const goesOn = seed.continues !== undefined && !seed.continues.isFork;
  const message: Message = {
    id: "m1",
    text: seed.prompt,
    by: seed.launchedBy,
    at: seed.at,
    ...(seed.files.length === 0 ? {} : { files: seed.files }),
    ...(seed.continues?.again === true ? { again: true } : {}),
  };
  return {
    schema: SCHEMA,
    id: seed.id,
    name: seed.name,
    owner: seed.owner,
    launchedBy: seed.launchedBy,
    ...(seed.route === undefined ? {} : { route: seed.route }),
    ...(seed.home === undefined ? {} : { home: seed.home }),
    ...(seed.isForeignRoute === undefined ? {} : { isForeignRoute: seed.isForeignRoute }),
    workdir: seed.workdir,
    prompt: seed.prompt,
    settings: seed.settings,
    createdAt: seed.at,
    phase: { kind: "queued", reason: goesOn ? "continue" : "launch", sinceAt: seed.at },
    seq: 0,
    turn: 0,
    standIns: 0,
    counters: {
      turns: 0,
      toolCalls: 0,
      chunks: 0,
      bytes: 0,
      autoResponds: seed.continues?.autoResponds ?? 0,
      questionsAsked: 0,
      answeredByPerson: 0,
      answeredByAgent: 0,
      denied: 0,
      workingMs: 0,
    },
    output: EMPTY_OUTPUT,
    ...(seed.continues?.acpSessionId === undefined ? {} : { acpSessionId: seed.continues.acpSessionId }),
    unconfirmed: [],
    lastWords: "",
    inbox: [message],
    ...((seed.continues?.undone ?? []).length === 0 ? {} : { undone: seed.continues?.undone ?? [] }),
    grants: [],
    // A command's own answer says that it was launched; everybody else is told.
    owed:
      seed.launchedBy.door === "command"
        ? []
        : [{ id: "n2", kind: "launched", at: seed.at, parts: ["chat"], data: {} }],
    viewers: [],
    filesEdited: [],
    ...(seed.continues === undefined ? {} : { continues: seed.continues.id }),
    nextId: 3,
  };
}

const NAME_LENGTH = 24;
const FILLERS: ReadonlySet<string> = new Set([
  "the",
  "a",
  "an",
  "please",
  "to",
  "in",
  "of",
  "and",
  "my",
  "our",
  "this",
  "that",
  "it",
  "can",
  "you",
]);
/** Polite beginnings of a script that has no spaces between words. */
const POLITE = /^(?:请你?|麻烦你?|帮我|帮忙|给我|我想要?)+/u;

/** A short name from the first words of a prompt, in any script: `fix-login-tests`, `修复登录测试`. Names are shown everywhere: none has a secret. */
export function deriveName(prompt: string): string {
  const words = redactSecrets(prompt)
    .normalize("NFC")
    .toLowerCase()
    .replace(POLITE, "")
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .filter((word) => word !== "" && !FILLERS.has(word));
  let name = "";
  for (const word of words.slice(0, 3)) {
    const next = name === "" ? word : `${name}-${word}`;
    if ([...next].length > NAME_LENGTH) break;
    name = next;
  }
  if (name !== "") return name;
  const [first] = words;
  return first === undefined ? "session" : [...first].slice(0, NAME_LENGTH / 2).join("");
}

/** `name`, or `name-2`, `name-3`, … when it is taken. */
export function uniqueName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let n = 2; ; n += 1) {
    const candidate = `${name}-${n}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** A name that a person gave, made safe for commands: no spaces or slashes, at most 40 characters. */
export function cleanName(name: string): string {
  const cleaned = redactSecrets(name)
    .normalize("NFC")
    .trim()
    .replace(/[^\p{L}\p{N}\p{M}._-]+/gu, "-");
  // Trimmed at last: no leading dash, which commands would take for an option.
  return [...cleaned.replace(/^[-.]+/, "")]
    .slice(0, 40)
    .join("")
    .replace(/[-.]+$/, "");
}
