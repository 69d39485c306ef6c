/**
 * Whether a stored value is a session, field by field.
 * Owns: the shape that a decision may rely on. What it does not know it leaves alone; what it needs must be there.
 */

/** The path of the first wrong field, or undefined. */
type Check = (value: unknown, path: string) => string | undefined;

const text: Check = (value, path) => (typeof value === "string" ? undefined : path);
const number: Check = (value, path) => (typeof value === "number" && Number.isFinite(value) ? undefined : path);
const flag: Check = (value, path) => (typeof value === "boolean" ? undefined : path);
const textOrNumber: Check = (value, path) => (typeof value === "string" ? undefined : number(value, path));

function maybe(check: Check): Check {
  return (value, path) => (value === undefined ? undefined : check(value, path));
}

function oneOf(...values: readonly string[]): Check {
  return (value, path) => (values.some((known) => known === value) ? undefined : path);
}

function list(check: Check, least = 0): Check {
  return (value, path) => {
    if (!Array.isArray(value) || value.length < least) return path;
    for (const [index, item] of value.entries()) {
      const wrong = check(item, `${path}[${index}]`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

function shape(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (!isRecord(value)) return path;
    for (const [key, check] of Object.entries(fields)) {
      const wrong = check(value[key], path === "" ? key : `${path}.${key}`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

/** A union: the shape depends on `kind`. */
function kinds(shapes: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (!isRecord(value)) return path;
    const { kind } = value;
    const check = typeof kind === "string" && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
    return check === undefined ? `${path}.kind` : check(value, path);
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const by = shape({ kind: text, door: text, senderId: maybe(text) });
const stored = shape({ text, length: number, key: maybe(text), tail: maybe(text) });
const message = shape({ id: text, text: stored, by, at: number, files: maybe(list(text)), again: maybe(flag) });
const cause = shape({ code: text, message: text });
const route = shape({ channel: text, to: text, accountId: maybe(text), threadId: maybe(textOrNumber) });
const subject = shape({ toolKind: text, title: text, digest: text, toolName: maybe(text) });
const option = shape({ id: text, label: text, kind: maybe(text), description: maybe(text) });
const answer = shape({ by, at: number, text: maybe(text), optionIds: maybe(list(text)) });
const questionKind = oneOf("permission", "question", "plan", "fresh-start");
const question = shape({
  id: text,
  kind: questionKind,
  text: stored,
  content: maybe(stored),
  header: maybe(text),
  options: list(option),
  multiSelect: flag,
  freeText: flag,
  marks: maybe(oneOf("letters")),
  answer: maybe(answer),
});
const ask = shape({
  requestId: maybe(textOrNumber),
  kind: questionKind,
  questions: list(question, 1),
  askedAt: number,
  deadlineAt: number,
  subject: maybe(subject),
  toldAt: maybe(number),
  toldIn: maybe(text),
  overtaken: maybe(oneOf("said", "perhaps")),
});
const openTool = shape({
  toolCallId: text,
  title: text,
  toolName: maybe(text),
  status: oneOf("pending", "in_progress"),
  sinceAt: number,
});

const phase = kinds({
  queued: shape({ reason: oneOf("launch", "continue"), sinceAt: number }),
  starting: shape({ sinceAt: number }),
  working: shape({
    sinceAt: number,
    message,
    prompt: oneOf("pending", "left"),
    lastSignAt: number,
    quietToldAt: maybe(number),
    openTools: list(openTool),
    stopping: maybe(
      shape({ why: oneOf("interrupt", "model_silent", "tool_timeout"), sinceAt: number, tool: maybe(text) }),
    ),
  }),
  asking: shape({ sinceAt: number, asks: list(ask, 1), message: maybe(message), openTools: list(openTool) }),
  idle: shape({
    sinceAt: number,
    expects: oneOf("answer", "nothing"),
    preview: text,
    lookedAt: maybe(number),
    background: maybe(list(text)),
    toldIn: maybe(text),
  }),
  interrupted: shape({ sinceAt: number, cause }),
  ended: shape({ at: number, outcome: oneOf("completed", "failed", "timed_out", "killed"), cause: maybe(cause) }),
});

const COUNTERS = ["turns", "toolCalls", "chunks", "bytes", "autoResponds", "questionsAsked"] as const;
const MORE_COUNTERS = ["answeredByPerson", "answeredByAgent", "denied", "workingMs"] as const;

const owner = shape({ sessionKey: text, agentId: maybe(text) });

const session = shape({
  id: text,
  name: text,
  owner,
  launchedBy: by,
  route: maybe(route),
  home: maybe(shape({ route: maybe(route) })),
  isForeignRoute: maybe(flag),
  movedFrom: maybe(route),
  toldIn: maybe(list(route)),
  undelivered: maybe(shape({ count: number, sinceAt: number })),
  workdir: text,
  prompt: stored,
  settings: shape({
    permissionMode: oneOf("auto", "selective", "manual", "plan"),
    model: maybe(text),
    systemPrompt: maybe(stored),
    allowedTools: list(text),
    maxTurns: maybe(number),
    timeoutMs: number,
    singleTurn: flag,
    wakes: maybe(owner),
  }),
  createdAt: number,
  phase,
  seq: number,
  turn: number,
  standIns: number,
  counters: shape(Object.fromEntries([...COUNTERS, ...MORE_COUNTERS].map((name) => [name, number]))),
  output: shape({ text, start: number, end: number }),
  agent: maybe(
    shape({
      kind: oneOf("starting", "ready", "stopping"),
      identity: maybe(shape({ pid: number, startedAt: text })),
    }),
  ),
  acpSessionId: maybe(text),
  unconfirmed: list(ask),
  approvedPlan: maybe(shape({ turn: number })),
  lastWords: text,
  turnFrom: maybe(shape({ workingMs: number, toolCalls: number })),
  lastWordsFrom: maybe(shape({ at: number, dropped: number, block: text })),
  graceUntil: maybe(number),
  inbox: list(message),
  undone: maybe(list(message)),
  heardInTurn: maybe(number),
  grants: list(shape({ subject, span: oneOf("once", "always") })),
  closed: maybe(
    list(
      shape({
        id: text,
        answer: maybe(text),
        by: maybe(oneOf("person", "agent", "plugin", "writer")),
        dropped: maybe(flag),
        at: maybe(number),
        turn: maybe(number),
        labels: maybe(list(text)),
        toldIn: maybe(text),
      }),
    ),
  ),
  child: maybe(shape({ runId: text, as: oneOf("running", "queued"), label: text })),
  owed: list(shape({ id: text, kind: text, at: number, parts: list(oneOf("chat", "wake")), data: shape({}) })),
  viewers: list(
    shape({ key: text, route: maybe(route), sessionKey: maybe(text), seen: number, mode: oneOf("live", "background") }),
  ),
  filesEdited: list(text),
  continues: maybe(text),
  continuedBy: maybe(text),
  nextId: number,
});

/** The path of the first field that keeps this value from being a session. */
export function wrongField(value: unknown): string | undefined {
  return session(value, "");
}

export function valueAt(value: unknown, path: string): unknown {
  return path
    .split(/[.[\]]+/)
    .filter((key) => key !== "")
    .reduce<unknown>(
      (at, key) => (isRecord(at) ? at[key] : Array.isArray(at) ? (at as readonly unknown[])[Number(key)] : undefined),
      value,
    );
}
