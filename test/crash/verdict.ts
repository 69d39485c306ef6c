/**
 * What must hold after a scenario, whatever was killed in it. Each function looks at the records of one promise and answers
 * with violations in words; an empty list is what the plugin promised.
 */
import type { Session } from "../../src/core/session.ts";
import { isOtherVoice } from "../../src/core/voices.ts";
import type { ChildSummary, FlowRecord, FlowSummary, JournalLine } from "../../src/ports.ts";
import type { LifeRecord } from "./failpoints.ts";
import { END, type Job } from "./jobs.ts";
import type { Ack, ChatLine, Transcribed } from "./records.ts";

export interface SessionRecords {
  readonly session: Session;
  readonly flow: FlowRecord | undefined;
  readonly journal: readonly JournalLine[];
}

export interface ScenarioRecords {
  readonly jobs: readonly Job[];
  readonly sessions: readonly SessionRecords[];
  readonly flows: readonly FlowSummary[];
  readonly children: readonly ChildSummary[];
  readonly acks: readonly Ack[];
  readonly transcript: readonly Transcribed[];
  readonly chat: readonly ChatLine[];
  readonly lives: readonly LifeRecord[];
  /** Sessions that somebody else cancelled between two lives. */
  readonly cancelledElsewhere: ReadonlySet<string>;
  /** Notices that stood in a flow when a life had been killed. */
  readonly owedInFlows: ReadonlySet<string>;
}

export function violationsOf(records: ScenarioRecords): readonly string[] {
  return [
    ...sessionsAndFlows(records),
    ...records.sessions.flatMap((one) => [...prompts(one, records), ...words(one, records), ...answers(one, records)]),
    ...notices(records),
    ...questionsTold(records),
  ];
}

/** How many notices were sent more than once. */
export function repeatsOf({ chat }: ScenarioRecords): number {
  return chat.length - new Set(chat.map(({ intentId }) => intentId)).size;
}

const FLOW = { completed: "succeeded", killed: "cancelled", "left waiting": "waiting" } as const;

function sessionsAndFlows({ jobs, sessions, flows, children, acks, cancelledElsewhere }: ScenarioRecords): string[] {
  const found: string[] = [];
  for (const job of jobs) {
    const own = sessions.filter(({ session }) => session.name.startsWith(job.key));
    if (own.length !== 1) found.push(`${job.key} has ${own.length} sessions`);
  }
  const known = new Set(sessions.map(({ session }) => session.id));
  for (const ack of acks) if (!known.has(ack.id)) found.push(`${ack.id} was acknowledged (${ack.act}) and is gone`);
  const owned = new Set(sessions.map(({ flow }) => flow?.flowId));
  for (const flow of flows) {
    if (!owned.has(flow.flowId)) found.push(`flow ${flow.flowId} (${flow.status}) belongs to no session`);
  }
  for (const child of children) {
    if (child.status === "running" || child.status === "queued")
      found.push(`child ${child.runId} is still ${child.status}`);
  }
  for (const { session, flow } of sessions) {
    const job = jobs.find(({ key }) => key === session.name);
    if (job === undefined) continue;
    const { phase } = session;
    const is = phase.kind === "ended" ? phase.outcome : phase.kind === "idle" ? "left waiting" : phase.kind;
    const may = [END[job.kind], ...(cancelledElsewhere.has(session.id) ? ["killed"] : [])];
    // One that was interrupted and went on may have come to its end before the person stopped it.
    if (job.kind === "stop" && session.counters.turns > 1) may.push("completed");
    const why = phase.kind === "ended" ? ` (${phase.cause?.message ?? ""})` : "";
    if (!may.includes(is)) found.push(`${job.key} is ${is}${why}, not ${may.join(" or ")}`);
    const status = is in FLOW ? FLOW[is as keyof typeof FLOW] : is;
    if (flow?.status !== status) found.push(`${job.key} is ${is}, its flow ${flow?.status ?? "missing"}`);
    if (flow?.status === "waiting" && flow.waitJson === undefined) found.push(`${job.key} waits for nothing`);
  }
  return found;
}

type PromptLine = Extract<JournalLine, { t: "prompt" }>;

/** I8: a prompt reaches the agent at most once, and never without its line in the journal. */
function prompts(
  { session, journal }: SessionRecords,
  { transcript, acks, cancelledElsewhere }: ScenarioRecords,
): string[] {
  const found: string[] = [];
  const lines = journal.filter((line): line is PromptLine => line.t === "prompt");
  const ids = lines.map(({ messageId }) => messageId);
  for (const id of new Set(ids)) {
    const times = ids.filter((other) => other === id).length;
    if (times > 1) found.push(`${session.name}: message ${id} has ${times} prompt lines`);
  }
  const heard = transcript.filter(({ kind, sessionId }) => kind === "prompt" && sessionId === session.acpSessionId);
  for (const text of new Set(lines.map((line) => line.text))) {
    const times = heard.filter((one) => one.text.endsWith(text)).length;
    const written = lines.filter((line) => line.text === text).length;
    if (times > written)
      found.push(`${session.name}: the agent got ${JSON.stringify(text.slice(0, 80))} ${times} times`);
  }
  const unknown = heard.filter((one) => !lines.some(({ text }) => one.text.endsWith(text)));
  for (const one of unknown)
    found.push(`${session.name}: the agent got words without a line: ${one.text.slice(0, 80)}`);
  const stopped =
    cancelledElsewhere.has(session.id) || (session.phase.kind === "ended" && session.phase.outcome === "killed");
  for (const ack of acks) {
    if (ack.act !== "say" || ack.id !== session.id || stopped) continue;
    if (!lines.some(({ text }) => text.includes(ack.message)))
      found.push(`${session.name}: accepted and never sent: ${ack.message}`);
  }
  return found;
}

const TOKENS = /t\d+_\d+_\d+/g;
const tokensOf = (text: string): readonly string[] => text.match(TOKENS) ?? [];

interface Turn {
  readonly prompt: string;
  text: string;
  over: boolean;
}

/**
 * The journal has what the agent wrote, in order and without a gap. Only of a turn that was cut off by a kill may the end be
 * missing: what stood in the pipe when its reader died.
 */
function words({ session, journal }: SessionRecords, { transcript }: ScenarioRecords): string[] {
  const found: string[] = [];
  let end = 0;
  for (const line of journal) {
    if (line.t !== "out") continue;
    if (line.o !== end) found.push(`${session.name}: a piece of output at ${line.o} follows ${end}`);
    end = Math.max(end, line.o + line.text.length);
  }
  const said = saidTurns(transcript.filter(({ sessionId }) => sessionId === session.acpSessionId));
  for (const turn of journalTurns(journal)) {
    const at = said.findIndex((one) => one.prompt.endsWith(turn.prompt));
    const wrote = at === -1 ? [] : tokensOf(said.splice(at, 1)[0]?.text ?? "");
    const kept = tokensOf(turn.text);
    const begins = kept.every((token, index) => wrote[index] === token);
    if (!begins)
      found.push(
        `${session.name}: the journal has words that the agent did not write there: ${kept.slice(0, 5).join(" ")}`,
      );
    if (turn.over && kept.length < wrote.length) {
      found.push(`${session.name}: a turn that ended lacks ${wrote.length - kept.length} of ${wrote.length} words`);
    }
  }
  return found;
}

function saidTurns(lines: readonly Transcribed[]): Turn[] {
  const turns: Turn[] = [];
  for (const { kind, text } of lines) {
    if (kind === "prompt") turns.push({ prompt: text, text: "", over: false });
    const turn = turns.at(-1);
    if (kind === "said" && turn !== undefined) turn.text += `${text} `;
  }
  return turns;
}

function journalTurns(journal: readonly JournalLine[]): readonly Turn[] {
  const turns: Turn[] = [];
  for (const line of journal) {
    if (line.t === "prompt") turns.push({ prompt: line.text, text: "", over: false });
    const turn = turns.at(-1);
    if (turn === undefined) continue;
    if (line.t === "out" && !isOtherVoice(line.text)) turn.text += line.text;
    if (line.t === "event" && line.event.kind === "turn-ended") turn.over = true;
  }
  return turns;
}

/** An answer that was accepted reaches the agent: as the reply to its question, or in a later prompt. */
function answers(
  { session }: SessionRecords,
  { acks, transcript, jobs, cancelledElsewhere }: ScenarioRecords,
): string[] {
  const job = jobs.find(({ key }) => key === session.name);
  if (job?.kind !== "answer" || cancelledElsewhere.has(session.id)) return [];
  const heard = transcript.filter(({ kind, sessionId }) => kind !== "said" && sessionId === session.acpSessionId);
  return acks
    .filter((ack) => ack.act === "answer" && ack.id === session.id)
    .filter((ack) => ack.act === "answer" && !heard.some(({ text }) => text.includes(ack.words)))
    .map(() => `${session.name}: an accepted answer never reached the agent`);
}

/** What was owed was sent; more than once only where a kill came between the sending and its mark. */
function notices({ sessions, chat, lives, cancelledElsewhere, owedInFlows }: ScenarioRecords): string[] {
  const found: string[] = [];
  const owed = new Set([...sessions.flatMap(owedAtAnyTime), ...owedInFlows]);
  const sent = new Map<string, number>();
  for (const { intentId, way } of chat) {
    const id = `${intentId.replace(/^iflow:/, "").replace(/:wake$/, "")}:${way}`;
    sent.set(id, (sent.get(id) ?? 0) + 1);
  }
  const joined = new Set(sessions.flatMap((one) => joinedIn(one, sent)));
  for (const id of owed) if (!sent.has(id) && !joined.has(id)) found.push(`notice ${id} was owed and never sent`);
  for (const [id, times] of sent) {
    // The end of a session that somebody else ended is owed by every recovery until it is told; no commit is made of it.
    const known = owed.has(id) || cancelledElsewhere.has(id.split(":")[0] ?? "");
    if (!known) found.push(`notice ${id} was sent and never owed`);
    const excused = lives.filter(({ unmarked }) => unmarked.includes(id)).length;
    if (times > 1 + excused)
      found.push(`notice ${id} was sent ${times} times, with ${excused} kills between its sending and its mark`);
  }
  return found;
}

/** By the journal's commits, and by the flow's last state. */
function owedAtAnyTime(one: SessionRecords): readonly string[] {
  return statesOf(one).flatMap(owedIn);
}

function statesOf({ flow, journal }: SessionRecords): readonly unknown[] {
  return [...journal.flatMap((line) => (line.t === "commit" ? [line.session] : [])), flow?.stateJson];
}

/** Each notice of a question, with all questions that it was about at any time. */
function asksOf(one: SessionRecords): ReadonlyMap<string, ReadonlySet<string>> {
  const asks = new Map<string, Set<string>>();
  for (const state of statesOf(one)) {
    for (const { id, kind, data } of ((state ?? {}) as Partial<Session>).owed ?? []) {
      if (kind !== "asks" || data.questionIds === undefined) continue;
      const known = asks.get(id) ?? new Set();
      for (const question of data.questionIds) known.add(question);
      asks.set(id, known);
    }
  }
  return asks;
}

/** Parts of notices whose questions were all settled before they could be told: one of them tells of all. */
function joinedIn(one: SessionRecords, sent: ReadonlyMap<string, number>): readonly string[] {
  const { id } = one.session;
  const asks = [...asksOf(one)];
  return asks.flatMap(([notice, questions]) => {
    const told = asks.some(
      ([other, all]) => other !== notice && sent.has(`${id}:${other}:chat`) && [...questions].every((q) => all.has(q)),
    );
    return told ? [`${id}:${notice}:chat`, `${id}:${notice}:wake`] : [];
  });
}

/** Each question that was journalled is told, or its session says that it was interrupted; and never more than once that it is settled. */
function questionsTold({ sessions, chat, lives, cancelledElsewhere }: ScenarioRecords): string[] {
  const found: string[] = [];
  for (const one of sessions) {
    const { id, name } = one.session;
    const sent = new Set(
      chat.filter(({ way }) => way === "chat").map(({ intentId }) => intentId.replace(/^iflow:/, "")),
    );
    const told = new Set(
      [...asksOf(one)].flatMap(([notice, asked]) => (sent.has(`${id}:${notice}`) ? [...asked] : [])),
    );
    const kinds = statesOf(one).flatMap((state) => ((state ?? {}) as Partial<Session>).owed ?? []);
    const isCut = cancelledElsewhere.has(id) || kinds.some(({ kind }) => kind === "interrupted");
    for (const line of one.journal) {
      if (line.t === "question" && !told.has(line.id) && !isCut)
        found.push(`${name}: question ${line.id} was journalled and nobody was told`);
    }
    const settled = chat.filter(
      ({ intentId, text }) => intentId.startsWith(`iflow:${id}:`) && / had asked\b/.test(text ?? ""),
    );
    const excused = lives.filter(({ unmarked }) => unmarked.some((notice) => notice.startsWith(`${id}:`))).length;
    if (settled.length > 1 + excused)
      found.push(`${name}: it is said ${settled.length} times that what it asked is settled`);
  }
  return found;
}

/** Each part of each owed notice, as `session:notice:part`. */
export function owedIn(state: unknown): readonly string[] {
  const { id, owed = [] } = (state ?? {}) as Partial<Session>;
  return owed.flatMap((notice) => notice.parts.map((part) => `${id}:${notice.id}:${part}`));
}
